"""Face and lesion maps in two processes: their losses divide by what the pictures of both show."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.training.face_map.data import IGNORE as UNKNOWN
from comedo.training.face_map.data import NOT_FACE
from comedo.training.face_map.model import face_loss
from comedo.training.lesion_map.data import IGNORE
from comedo.training.lesion_map.model import lesion_loss
from two_processes import in_two_processes

SIDE = 12


def lesion_terms(output: torch.Tensor, mine: slice, *, learning: bool) -> list[torch.Tensor]:
    """The first crop shows most lesions. Masks are uncertain: Dice, of sure ones, is of each process's own pictures."""
    heat = torch.zeros(2, 3, SIDE, SIDE)
    inflamed, radius = torch.full((2, SIDE, SIDE), IGNORE), torch.full((2, SIDE, SIDE), IGNORE)
    for crop, y, x in ((0, 2, 3), (0, 8, 8), (0, 5, 1), (0, 10, 4), (0, 1, 9), (1, 6, 6)):
        heat[crop, :, y, x], inflamed[crop, y, x], radius[crop, y, x] = 1.0, float(y % 2), 1.5
    target = {
        "heat": heat,
        "heat_weight": torch.ones_like(heat),
        "inflamed": inflamed,
        "log_radius": radius,
        "mask": heat[:, 0],
        "mask_weight": torch.stack([torch.full((SIDE, SIDE), 0.25), torch.zeros(SIDE, SIDE)]),
        "kept_mask": torch.full((2, SIDE, SIDE), 0.3),
        "kept": torch.tensor([1.0, 0.0]),
    }
    return list(lesion_loss(output, {name: value[mine] for name, value in target.items()}, learning=learning).values())


def face_terms(output: torch.Tensor, mine: slice, *, learning: bool) -> list[torch.Tensor]:
    labels = torch.full((2, SIDE, SIDE), UNKNOWN, dtype=torch.uint8)
    labels[0, :8], labels[0, 8:], labels[1, :3] = 2, NOT_FACE, 6
    return list(face_loss(output, labels[mine], learning=learning).values())


CASES = {"lesion map": (6, lesion_terms), "face map": (10, face_terms)}


def gradient(name: str, mine: slice) -> np.ndarray:
    """Of the loss by the outputs of some of the two pictures."""
    channels, terms = CASES[name]
    drawn = torch.randn(2, channels, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
    output = drawn[mine].clone().requires_grad_(True)
    torch.stack(terms(output, mine, learning=True)).sum().backward()
    return output.grad.numpy()


def one_of_two(rank: int) -> dict[str, np.ndarray]:
    return {name: gradient(name, slice(rank, rank + 1)) for name in CASES}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What two processes get, each of its own picture."""
    return in_two_processes(one_of_two, tmp_path_factory.mktemp("processes"))


@pytest.mark.parametrize("name", CASES)
def test_the_mean_gradient_of_two_processes_is_that_of_one(name, both):
    one, two = gradient(name, slice(0, 2)), np.concatenate([found[name] for found in both]) / 2
    assert all(np.abs(picture).max() > 0 for picture in one)
    np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-6)
