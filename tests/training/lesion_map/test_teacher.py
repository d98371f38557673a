"""The masks of the network that a training starts from, as targets."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.training.lesion_map.crops import make_target
from comedo.training.lesion_map.data import LesionPhoto, circles_of
from comedo.training.lesion_map.model import MASK, lesion_loss
from comedo.training.lesion_map.teacher import KeepMask, taught


def test_the_shipped_network_says_where_the_mask_is() -> None:
    kept = taught(KeepMask(), np.full((64, 96, 3), 150, np.uint8))
    assert kept.shape == (32, 48)
    assert 0 <= float(kept.min()) <= float(kept.max()) <= 1


def test_an_unreadable_teacher_is_named(tmp_path) -> None:
    file = tmp_path / "no.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(UnusableInput, match=r"no\.onnx whose masks are to be kept"):
        taught(KeepMask(weights=str(file)), np.zeros((64, 64, 3), np.uint8))


def test_who_says_the_same_as_the_teacher_loses_least() -> None:
    photo = LesionPhoto("p", "clear", "train", "g", Path("p"), (1, 1), active=circles_of([(20, 20, 5)]))
    one = make_target(photo, np.eye(2, 3), 32, None)
    target = {f.name: torch.from_numpy(np.stack([getattr(one, f.name)] * 2)) for f in fields(one)}
    kept = torch.zeros(2, 16, 16)
    kept[0, 4:8, 4:8] = 1
    taught_first = {"kept_mask": kept, "kept": torch.tensor([1.0, 0.0])}

    def loss(says: torch.Tensor) -> float:
        output = torch.zeros(2, 6, 16, 16)
        output[0, MASK] = says
        return float(lesion_loss(output, target | taught_first)["kept mask"])

    assert loss(20 * kept[0] - 10) < 0.001 < loss(torch.zeros(16, 16)) < loss(10 - 20 * kept[0])
    assert "kept mask" not in lesion_loss(torch.zeros(2, 6, 16, 16), target)
