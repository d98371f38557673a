from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from comedo.training.face_map.crops import FaceCrops, FacePlan, swap_sides
from comedo.training.face_map.data import IGNORE, NOT_FACE, FacePhoto, box_of
from comedo.training.face_map.model import face_loss
from comedo.types import Part


def drawn(size: int = 200) -> FacePhoto:
    """A face of flat colours: each part's red channel is 20 x its number."""
    labels = np.zeros((size, size), np.uint8)
    labels[40:160, 50:100] = Part.RIGHT_CHEEK
    labels[40:160, 100:150] = Part.LEFT_CHEEK
    labels[40:70, 50:150] = Part.FOREHEAD
    labels[130:140, 80:120] = Part.LIPS
    image = np.repeat((labels * 20)[..., None], 3, axis=2)
    return FacePhoto("drawn", "typed", "anna", "train", image, labels, box_of(labels))


@dataclass
class Held:
    """A face that is there already."""

    photo: FacePhoto

    @property
    def source(self) -> str:
        return self.photo.source

    def labelled(self) -> FacePhoto:
        return self.photo


def test_box_of_the_face() -> None:
    assert box_of(drawn().labels) == (50, 40, 150, 160)


def test_box_of_nothing_is_the_picture() -> None:
    assert box_of(np.zeros((10, 20), np.uint8)) == (0, 0, 20, 10)


def test_sides_swap_and_swap_back() -> None:
    labels = drawn().labels
    assert (swap_sides(swap_sides(labels)) == labels).all()
    assert (swap_sides(labels) == Part.LEFT_CHEEK).sum() == (labels == Part.RIGHT_CHEEK).sum()
    rest = ~np.isin(labels, [Part.LEFT_CHEEK, Part.RIGHT_CHEEK])
    assert (swap_sides(labels)[rest] == labels[rest]).all()


@pytest.mark.parametrize("seed", range(12))
def test_the_right_cheek_stays_on_the_left_of_the_picture(seed: int) -> None:
    # Flips swap the names, so that a person's right cheek is always left of the left one.
    plan = FacePlan(size=128, faceless=0.0, close_share=1.0, rotate_deg=3.0, shares={"typed": 1.0})
    _, labels = FaceCrops([Held(drawn())], plan).draw(np.random.default_rng(seed))
    columns = [np.nonzero(labels == p)[1].mean() for p in (Part.RIGHT_CHEEK, Part.LEFT_CHEEK)]
    assert columns[0] < columns[1]


@pytest.mark.parametrize("share", [0.12, 0.2, 0.35, 0.6])
def test_picture_and_labels_lie_upon_each_other(share: float) -> None:
    # Far faces are shrunk before they are placed, which must not move them.
    labels = np.zeros((800, 800), np.uint8)
    labels[300:500, 300:500] = Part.LIPS
    photo = FacePhoto(
        "block", "typed", "anna", "train", np.repeat(labels[..., None] // 8 * 255, 3, axis=2), labels, box_of(labels)
    )
    plan = FacePlan(size=256, close_share=0.0, far=(share, share), rotate_deg=0.0, shares={"typed": 1.0})
    crops, gaps = FaceCrops([Held(photo)], plan), []
    for seed in range(40):
        image, drawn_labels = crops._face(photo, np.random.default_rng(seed))
        side = share * 128
        block = drawn_labels == Part.LIPS
        if abs(block.sum() - side**2) > 0.15 * side**2:
            continue  # turned, or cut by the frame
        middle = np.argwhere(block).mean(axis=0)
        y, x = np.mgrid[:256, :256] / 2 - 0.25  # in cells
        near = (abs(y - middle[0]) < 0.8 * side) & (abs(x - middle[1]) < 0.8 * side)
        light = image[..., 0] * near
        gaps.append([(y * light).sum() / light.sum() - middle[0], (x * light).sum() / light.sum() - middle[1]])
    assert len(gaps) > 8
    assert np.abs(np.mean(gaps, axis=0)).max() < 0.08


def test_a_faceless_picture_has_no_face() -> None:
    plan = FacePlan(size=128, faceless=1.0, shares={"typed": 1.0})
    crops = FaceCrops([Held(drawn())], plan)
    for seed in range(12):
        _, labels = crops.draw(np.random.default_rng(seed))
        assert not ((labels >= Part.FOREHEAD) & (labels <= Part.LIPS)).any()


def one_hot(labels: np.ndarray, sure: float = 12.0) -> torch.Tensor:
    return sure * torch.eye(len(Part))[torch.from_numpy(labels).long()].permute(2, 0, 1)[None]


def test_loss_of_the_truth_is_almost_nothing() -> None:
    labels = drawn(64).labels
    terms = face_loss(one_hot(labels), torch.from_numpy(labels)[None])
    assert sum(float(t) for t in terms.values()) < 0.01


def test_unknown_pixels_teach_nothing() -> None:
    labels = np.full((8, 8), IGNORE, np.uint8)
    terms = face_loss(torch.randn(1, len(Part), 8, 8), torch.from_numpy(labels)[None])
    assert sum(float(t) for t in terms.values()) == 0


@pytest.mark.parametrize(("said", "little"), [(Part.BACKGROUND, True), (Part.OTHER, True), (Part.NOSE, False)])
def test_not_a_face_allows_background_and_other(said: Part, little: bool) -> None:
    labels = np.full((8, 8), NOT_FACE, np.uint8)
    output = one_hot(np.full((8, 8), said, np.uint8))
    total = sum(float(t) for t in face_loss(output, torch.from_numpy(labels)[None]).values())
    assert (total < 0.01) == little
