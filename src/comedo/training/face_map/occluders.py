"""Glasses drawn onto training faces.

Few training photos with masks show glasses, and landmarks don't see them: without drawn ones the
map calls the skin behind a lens, and a dark lens itself, cheek.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.types import Image, Part

Labels = NDArray[np.uint8]

_SEEN_THROUGH = 0.4  # darkness of a lens up to which the eye behind it counts as seen


def wear_glasses(image: Image, labels: Labels, rng: np.random.Generator) -> tuple[Image, Labels]:
    """Draw glasses over the eyes of a face; the skin they cover becomes "other", dark ones hide the eyes too.

    Args:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 of `Part`.

    Returns:
        Changed copies; the same arrays where fewer than two eyes are seen.
    """
    eyes = _eye_centres(labels)
    if eyes is None:
        return image, labels
    apart = float(np.hypot(*(eyes[1] - eyes[0])))
    lenses = _lenses(eyes, apart, rng)
    covered = np.zeros(labels.shape, np.uint8)
    for lens in lenses:
        cv2.fillPoly(covered, [lens], 1)
    darkness = 0.0 if rng.random() < 0.35 else rng.uniform(0.1, 1.0)
    worn = _tinted(image, covered > 0, darkness, rng)
    frame = [float(v) for v in rng.uniform(0, 255 if rng.random() < 0.4 else 70, 3)]
    width = max(1, round(apart * float(np.exp(rng.uniform(np.log(0.015), np.log(0.09))))))
    bridge = np.round(_between(eyes)).astype(np.int32)
    for canvas, ink in ((worn, frame), (covered, 1.0)):
        cv2.polylines(canvas, lenses, True, ink, width, cv2.LINE_AA if canvas is worn else cv2.LINE_8)
        cv2.line(canvas, tuple(map(int, bridge[0])), tuple(map(int, bridge[1])), ink, width)
    hidden = (covered > 0) & (labels >= Part.FOREHEAD) & (labels <= Part.LIPS)
    if darkness < _SEEN_THROUGH:
        hidden &= labels != Part.EYES
    return worn, np.where(hidden, np.uint8(Part.OTHER), labels)


def _eye_centres(labels: Labels) -> NDArray[np.float64] | None:
    """Centres of the two largest eye areas from left to right in the picture, (2, 2) x, y."""
    count, _, stats, centres = cv2.connectedComponentsWithStats((labels == Part.EYES).astype(np.uint8))
    if count < 3:
        return None
    two = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:2]
    found = centres[two]
    return np.asarray(found[np.argsort(found[:, 0])], np.float64)


def _lenses(eyes: NDArray[np.float64], apart: float, rng: np.random.Generator) -> list[NDArray[np.int32]]:
    """Two superellipses: round to nearly rectangular, small to large, turned with the eyes."""
    half = apart * rng.uniform(0.26, 0.46) * np.array([1.0, rng.uniform(0.55, 1.0)])
    power = 2 / rng.uniform(2, 6)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    unit = np.stack([np.sign(f(turn)) * np.abs(f(turn)) ** power for f in (np.cos, np.sin)], 1)
    along = (eyes[1] - eyes[0]) / max(apart, 1.0)
    axes = np.stack([along, [-along[1], along[0]]])
    drop = axes[1] * apart * rng.uniform(-0.02, 0.14)
    return [np.round(eye + drop + (unit * half) @ axes).astype(np.int32) for eye in eyes]


def _between(eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    step = eyes[1] - eyes[0]
    return np.stack([eyes[0] + 0.36 * step, eyes[0] + 0.64 * step])


def _tinted(image: Image, lens: NDArray[np.bool_], darkness: float, rng: np.random.Generator) -> Image:
    """Lenses from clear (0) to black (1), with a soft reflection now and then."""
    tint = rng.uniform(0, 90, 3)
    worn = image.astype(np.float32)
    rows = np.linspace(1, rng.uniform(0.4, 1), image.shape[0], dtype=np.float32)[:, None, None]
    opacity = darkness * rows * lens[..., None]
    worn = worn * (1 - opacity) + tint.astype(np.float32) * opacity
    if rng.random() < 0.5:
        small = rng.random((6, 6)).astype(np.float32) ** 3
        glare = cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_CUBIC) * rng.uniform(20, 120)
        worn += glare[..., None] * lens[..., None]
    return np.clip(worn, 0, 255).astype(np.uint8)
