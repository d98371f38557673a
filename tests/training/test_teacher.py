"""The masks of the network that a training starts from, as targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.training.lesion_crops import make_target
from comedo.training.lesion_data import LesionPhoto, circles_of
from comedo.training.lesion_model import MASK, lesion_loss, stack_targets
from comedo.training.teacher import KeepMask, mask_teacher


def test_only_the_first_crops_are_taught() -> None:
    pictures = torch.full((3, 64, 96, 3), 150, dtype=torch.uint8)
    kept = mask_teacher(KeepMask(crops=2))(pictures)
    assert kept.shape == (2, 32, 48)
    assert 0 <= float(kept.min()) <= float(kept.max()) <= 1
    assert mask_teacher(KeepMask(crops=9))(pictures).shape == (3, 32, 48)


def test_an_unreadable_teacher_is_named(tmp_path) -> None:
    file = tmp_path / "no.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(UnusableInput, match=r"no\.onnx whose masks are to be kept"):
        mask_teacher(KeepMask(weights=str(file)))


def test_who_says_the_same_as_the_teacher_loses_least() -> None:
    photo = LesionPhoto("p", "clear", "train", "g", Path("p"), (1, 1), active=circles_of([(20, 20, 5)]))
    target = stack_targets([make_target(photo, np.eye(2, 3), 32, None)] * 2)
    kept = torch.zeros(1, 16, 16)
    kept[0, 4:8, 4:8] = 1

    def loss(says: torch.Tensor) -> float:
        output = torch.zeros(2, 6, 16, 16)
        output[0, MASK] = says
        return float(lesion_loss(output, target | {"kept_mask": kept})["kept mask"])

    assert loss(20 * kept[0] - 10) < 0.001 < loss(torch.zeros(16, 16)) < loss(10 - 20 * kept[0])
    assert "kept mask" not in lesion_loss(torch.zeros(2, 6, 16, 16), target)
