"""The rendered set as the recipes of the two shipped networks read it: masks with meshes, and photos of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.face_map.data import _LEFT_BROW, _LEFT_EYE, _LIPS, _NOSE, _OVAL, _RIGHT_BROW, _RIGHT_EYE
from comedo.types import Part

_MASK_CLASS = {Part.NOSE: 2, Part.EYES: 4, Part.BROWS: 6, Part.LIPS: 11, Part.OTHER: 13, Part.BACKGROUND: 0}
_SKIN = 1  # every other part, in CelebAMask-HQ's classes


def _ring(
    number: int, middle: tuple[float, float], axes: tuple[float, float], start: float, turn: int
) -> NDArray[np.float64]:
    angle = start + turn * 2 * np.pi * np.arange(number) / number
    return np.stack([middle[0] + axes[0] * np.cos(angle), middle[1] + axes[1] * np.sin(angle)], 1)


def mean_mesh() -> NDArray[np.float64]:
    """A frontal mesh (478, 2): the middle between the eyes is 0, their distance 1, y points down."""
    spread = np.arange(478) + 0.5
    mesh = np.stack([np.cos(2.4 * spread), np.sin(2.4 * spread)], 1) * np.sqrt(spread / 478)[:, None]
    mesh = mesh * (1.1, 1.4) + (0, 0.45)  # all that no outline names lies evenly inside
    for vertices, points in (
        (_OVAL, _ring(36, (0, 0.45), (1.2, 1.5), -np.pi / 2, 1)),
        (_LEFT_EYE, _ring(16, (0.5, 0), (0.22, 0.09), 0, 1)),
        (_RIGHT_EYE, _ring(16, (-0.5, 0), (0.22, 0.09), np.pi, -1)),
        (_LEFT_BROW, _ring(10, (0.5, -0.3), (0.28, 0.06), 0, 1)),
        (_RIGHT_BROW, _ring(10, (-0.5, -0.3), (0.28, 0.06), np.pi, -1)),
        (_LIPS, _ring(20, (0, 1.1), (0.4, 0.16), np.pi, -1)),
        (_NOSE, _ring(18, (0, 0.35), (0.27, 0.4), -np.pi / 2, -1)),
    ):
        mesh[list(vertices)] = points
    return mesh


def mesh_on(parts: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mesh on a face by its eyes, (478, 3) in the picture's pixels."""
    columns = np.nonzero(parts == Part.EYES)[1]
    middle = (columns.min() + columns.max()) / 2
    ys, xs = np.nonzero(parts == Part.EYES)
    right, left = (np.array([xs[side].mean(), ys[side].mean()]) for side in (xs < middle, xs >= middle))
    across = left - right
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    flat = mean_mesh() @ turn + (left + right) / 2
    return np.column_stack([flat, np.zeros(len(flat))]).astype(np.float32)


def face_set(rendered: Path, folder: Path, kept_name) -> Path:
    """Photos with masks laid out as CelebAMask-HQ and landmarks.npz; the last two people are held back."""
    place = folder / "faces/celebamask"
    for name in ("images", "masks"):
        (place / name).mkdir(parents=True)
    landmarks = {}
    for photo in sorted((rendered / "photos").glob("*.png")):
        parts = cv2.imread(str(rendered / "cache/faces" / kept_name(photo)), cv2.IMREAD_GRAYSCALE)
        name = _name(photo.stem, held_back=int(photo.stem[0]) >= 4)
        mask = np.full(parts.shape, _SKIN, np.uint8)
        for part, value in _MASK_CLASS.items():
            mask[parts == part] = value
        cv2.imwrite(str(place / "images" / name), cv2.imread(str(photo)), [cv2.IMWRITE_JPEG_QUALITY, 95])
        cv2.imwrite(str(place / "masks" / name.replace(".jpg", ".png")), mask)
        landmarks[f"faces/celebamask/images/{name}"] = mesh_on(parts)
    np.savez(folder / "landmarks.npz", **landmarks)
    for other in ("acne04", "typed"):
        (folder / other).mkdir()
        (folder / other / "annotations.json").write_text(json.dumps({"images": []}))
    return folder


def _name(stem: str, *, held_back: bool) -> str:
    """A file name whose hash decides that the face is held back, as the recipe divides this set."""
    names = (f"{stem}-{k}.jpg" for k in range(1000))
    return next(n for n in names if (crc32(f"faces/celebamask/images/{n}".encode()) % 100 < 15) == held_back)
