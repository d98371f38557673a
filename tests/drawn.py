"""Drawn photos for the tests of labelled data. No photo of anyone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.data.dataset import Label, Rectangle, Sample


def drawn_face(seed: int, *, size: int = 128, room: int | None = None) -> NDArray[np.uint8]:
    """A head in front of a cluttered wall, (size, size, 3) uint8 RGB; `room` draws the wall."""
    rng = np.random.default_rng(seed)
    wall = np.random.default_rng(seed if room is None else 10_000 + room)
    image = cv2.resize(wall.integers(40, 220, (9, 9, 3), np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        x, y, w, h = (int(v) for v in wall.integers(0, size, 4))
        cv2.rectangle(image, (x, y), (x + w // 3, y + h // 3), tuple(int(v) for v in wall.integers(0, 255, 3)), -1)
    s = size / 128
    middle = (round((64 + rng.normal(0, 4)) * s), round((68 + rng.normal(0, 3)) * s))
    axes = (round(rng.uniform(30, 40) * s), round(rng.uniform(40, 52) * s))
    tone = np.array([198, 150, 126]) * rng.uniform(0.6, 1.1)
    cv2.ellipse(image, middle, axes, 0, 0, 360, tuple(float(v) for v in tone), -1, cv2.LINE_AA)
    for side in (-1, 1):
        eye = (middle[0] + side * round(rng.uniform(12, 18) * s), middle[1] - round(rng.uniform(8, 16) * s))
        cv2.circle(image, eye, round(4 * s), (40, 30, 30), -1, cv2.LINE_AA)
    mouth = (middle[0], middle[1] + round(24 * s))
    cv2.ellipse(image, mouth, (round(rng.uniform(8, 15) * s), round(4 * s)), 0, 0, 360, (170, 90, 90), -1, cv2.LINE_AA)
    for _ in range(int(rng.integers(3, 12))):
        spot = rng.normal(middle, (16 * s, 20 * s)).round().astype(int)
        cv2.circle(image, (int(spot[0]), int(spot[1])), round(rng.uniform(2, 4) * s), (190, 70, 70), -1, cv2.LINE_AA)
    grain = rng.normal(0, 3, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def save(path: Path, image: NDArray[np.uint8], quality: int = 92) -> None:
    """Write a photo, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])


def sample(photo: str, **facts: object) -> Sample:
    """A photo of 128 x 128 pixels with one box unless told otherwise."""
    known = {"width": 128, "height": 128, "labels": (Label("acne", Rectangle((10, 20, 30, 44))),)}
    return Sample(photo, **(known | facts))
