"""Augmented faces and faceless pictures for the face map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.augment import draw_look
from comedo.training.by_source import BySource
from comedo.training.face_map.data import IGNORE, FacePhoto, Labels
from comedo.training.face_map.occluders import wear_glasses
from comedo.training.runner.recent import Recent
from comedo.types import Image, Part


@dataclass(frozen=True)
class FacePlan:
    """How faces are placed in the training picture."""

    size: int = 256
    close_share: float = 0.55  # as the second look sees them: the face fills most of the picture
    close: tuple[float, float] = (0.55, 0.95)  # longer side of the face over the picture's side
    far: tuple[float, float] = (0.10, 1.2)
    rotate_deg: float = 12.0
    faceless: float = 0.12
    glasses: float = 0.0  # share of faces that glasses are drawn on
    look: float = 2.0  # strength of the changes of light and colour
    shares: Mapping[str, float] = field(
        default_factory=lambda: {
            "faces/celebamask": 0.36, "faces/fasseg": 0.14, "acne04/frames512": 0.16, "acne04/crops1024": 0.06,
            "acne04/graded640": 0.02, "typed": 0.20, "faces/generated": 0.06,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Placing:
    """Where a face lies in the training picture."""

    share: float  # longer side of the face over the picture's side
    centre: tuple[float, float] = (0.5, 0.5)  # of the face, shares of the picture's side
    turn_deg: float = 0.0
    flip: bool = False


class KnownFace(Protocol):
    """A face whose labels can be read."""

    @property
    def source(self) -> str: ...

    def labelled(self) -> FacePhoto: ...


class FaceCrops:
    """Endless seeded training pictures over faces, of which those used last stay in memory."""

    def __init__(self, faces: Sequence[KnownFace], plan: FacePlan) -> None:
        self.plan, self.faces = plan, faces
        self._turns = BySource([face.source for face in faces], plan.shares)
        self._read: Recent[FacePhoto] = Recent()

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Labels]:
        """One picture (size, size, 3) uint8 RGB and its labels (size / 2, size / 2) uint8."""
        number = self._turns.draw(rng)
        photo = self._read.get(number, self.faces[number].labelled)
        if rng.random() < self.plan.faceless:
            image, labels = self._faceless(photo, rng)
        else:
            image, labels = self._face(photo, rng)
        return draw_look(rng, strength=self.plan.look).apply(image, rng), labels

    def _face(self, photo: FacePhoto, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Labels]:
        close = rng.random() < self.plan.close_share
        low, high = self.plan.close if close else self.plan.far
        share = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        slack = 0.08 if close else max(0.1, 0.5 * (1 - share))
        x, y = 0.5 + rng.uniform(-slack, slack, 2)
        turn = rng.uniform(-45, 45) if rng.random() < 0.1 else rng.normal(0, self.plan.rotate_deg)
        image, labels = photo.image, photo.labels
        if rng.random() < self.plan.glasses:
            image, labels = wear_glasses(image, labels, rng)
        placing = Placing(share, (float(x), float(y)), float(turn), bool(rng.random() < 0.5))
        return place(image, labels, photo.box_xyxy, placing, self.plan.size, rng)

    def _faceless(self, photo: FacePhoto, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Labels]:
        """A picture without a face: scrambled pieces, a strip beside the face, or a plain backdrop."""
        size, choice = self.plan.size, rng.integers(6)
        nothing = np.zeros((size // 2, size // 2), np.uint8)
        if choice == 0:
            return _backdrop(size, rng), nothing
        if choice <= 2:
            return _lumps(size, photo.image, rng), nothing
        if choice == 3:
            side = 1 << int(rng.integers(4, 6))
            image = np.asarray(cv2.resize(photo.image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
            pieces = image.reshape(size // side, side, size // side, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
            pieces = pieces[rng.permutation(len(pieces))]
            mixed = pieces.reshape(size // side, size // side, side, side, 3).swapaxes(1, 2).reshape(size, size, 3)
            return np.ascontiguousarray(mixed), nothing + IGNORE if side > 16 else nothing
        h, w = photo.image.shape[:2]
        x0, y0, x1, y1 = (int(v) for v in photo.box_xyxy)
        strips = [(0, 0, w, y0), (0, 0, x0, h), (x1, 0, w, h), (0, y1, w, h)]
        strips = [s for s in strips if s[2] - s[0] > 24 and s[3] - s[1] > 24]
        if not strips:
            return _backdrop(size, rng), nothing
        a, b, c, d = strips[rng.integers(len(strips))]
        labels = np.asarray(
            cv2.resize(photo.labels[b:d, a:c], (size // 2, size // 2), interpolation=cv2.INTER_NEAREST), np.uint8
        )
        piece = cv2.resize(photo.image[b:d, a:c], (size, size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(piece, np.uint8), labels


def place(
    image: Image,
    labels: Labels,
    box_xyxy: tuple[float, float, float, float],
    placing: Placing,
    size: int,
    rng: np.random.Generator,
) -> tuple[Image, Labels]:
    """Lay a face into a picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 of its pixels.
        box_xyxy: Of the face, pixels.
        placing: Where it goes.
        size: Side of the picture in pixels.
        rng: Draws what is around the photo.

    Returns:
        The picture (size, size, 3) and its labels (size / 2, size / 2).
    """
    x0, y0, x1, y1 = box_xyxy
    zoom = placing.share * size / max(x1 - x0, y1 - y0)
    ratio = np.ones(2)
    if zoom < 0.5:  # shrink with area averaging first: the affine alone would alias
        step = int(1 / zoom)
        small = (max(1, image.shape[1] // step), max(1, image.shape[0] // step))
        ratio = np.array([small[0] / image.shape[1], small[1] / image.shape[0]])
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
    angle = np.deg2rad(placing.turn_deg)
    linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = linear @ np.diag([-1.0 if placing.flip else 1.0, 1.0])
    shift = size * np.array(placing.centre) - linear @ np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    affine = np.hstack([linear, shift[:, None]])
    # The middle of the small picture's pixel k lies at (k + 0.5) / ratio - 0.5 of the photo.
    on_small = np.hstack([linear / ratio, (shift + linear @ (0.5 / ratio - 0.5))[:, None]])
    canvas = _backdrop(size, rng)
    where = cv2.warpAffine(np.full(image.shape[:2], 255, np.uint8), on_small, (size, size), flags=cv2.INTER_LINEAR)
    warped = cv2.warpAffine(image, on_small, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    picture = np.where(where[..., None] > 127, warped, canvas)
    half = np.diag([0.5, 0.5, 1.0]) @ np.vstack([affine, [0, 0, 1]])
    half[:2, 2] -= 0.25
    out = cv2.warpAffine(labels, half[:2], (size // 2, size // 2), flags=cv2.INTER_NEAREST, borderValue=0)
    target = np.asarray(out, np.uint8)
    return np.asarray(picture, np.uint8), swap_sides(target) if placing.flip else target


def swap_sides(labels: Labels) -> Labels:
    """Exchange the left and right cheek, after a flip."""
    table = np.arange(256, dtype=np.uint8)
    table[[Part.LEFT_CHEEK, Part.RIGHT_CHEEK]] = Part.RIGHT_CHEEK, Part.LEFT_CHEEK
    return table[labels]


def _backdrop(size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Smooth random colours at several scales, from plain to busy; sometimes skin-coloured."""
    base = rng.uniform(0, 255, 3) if rng.random() < 0.7 else rng.uniform((120, 70, 50), (235, 190, 170))
    picture = np.zeros((size, size, 3), np.float32) + base.astype(np.float32)
    for cells in (2, 4, 9, 21, 60):
        if rng.random() < 0.6:
            noise = rng.normal(0, rng.uniform(0, 45), (cells, cells, 3)).astype(np.float32)
            picture += cv2.resize(
                noise, (size, size), interpolation=int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC]))
            )
    return np.clip(picture, 0, 255).astype(np.uint8)


def _lumps(size: int, texture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Round things that are no faces: shaded discs with dots, holes and bars on a backdrop.

    Without them everything round is a face: coins, cups, cells, the moon.
    """
    picture = _backdrop(size, rng)
    filling = cv2.resize(texture, (size, size), interpolation=cv2.INTER_AREA)[rng.permutation(size)][
        :, rng.permutation(size)
    ]
    y, x = np.mgrid[:size, :size].astype(np.float32)
    for _ in range(int(rng.integers(1, 7))):
        cx, cy = rng.uniform(0.1, 0.9, 2) * size
        a, b = np.exp(rng.uniform(np.log(0.05), np.log(0.45), 2)) * size
        inside = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2
        base = rng.uniform(0, 255, 3) if rng.random() < 0.5 else rng.uniform((120, 70, 50), (235, 190, 170))
        shade = 1 - rng.uniform(0, 0.5) * inside + rng.uniform(-0.3, 0.3) * (x - cx) / a
        lump = np.clip(base * np.clip(shade, 0, 1.5)[..., None], 0, 255)
        if rng.random() < 0.3:
            lump = 0.6 * lump + 0.4 * cv2.GaussianBlur(filling, (0, 0), rng.uniform(1, 6))
        picture = np.where((inside < 1)[..., None], lump, picture).astype(np.uint8)
        for _ in range(int(rng.integers(0, 6))):
            dot = (int(cx + rng.uniform(-0.8, 0.8) * a), int(cy + rng.uniform(-0.8, 0.8) * b))
            axes = (max(1, int(rng.uniform(0.03, 0.3) * a)), max(1, int(rng.uniform(0.03, 0.3) * b)))
            colour = [float(v) for v in rng.uniform(0, 255, 3)]
            cv2.ellipse(picture, dot, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1 if rng.random() < 0.7 else 2)
    return picture
