"""The drawing over a photo: lesions by shape and colour, and the regions' outlines, as paths in the photo's pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.report.document import Document, LesionPart
from comedo.report.face_map import unpack_map
from comedo.service.pages.words import Words
from comedo.types import FaceMap, Group, Region

_LEAST_RADIUS = 0.007  # of the photo's width: smaller lesions would vanish on a phone
_AROUND = 1.35  # the outline's radius over the lesion's
_FACE_MARGIN = 0.12  # of the face box, on each side
_FINER = 4  # region borders are smoothed on a grid finer than the face map's
_SIMPLER = 1.2  # cells of the finer grid that an outline may deviate
_LEAST_CELLS = 40


@dataclass(frozen=True)
class Shape:
    """One lesion: what is drawn, and what its tip says."""

    id: int
    group: str
    kind: str
    score: float
    d: str
    tip: str


@dataclass(frozen=True)
class Outline:
    """One region with its name."""

    name: str
    d: str
    x: float
    y: float


@dataclass(frozen=True)
class Overlay:
    """Everything over the photo; lengths are its pixels. `face_box` is x, y, width, height."""

    width: int
    height: int
    face_box: tuple[int, int, int, int]
    shapes: tuple[Shape, ...]
    regions: tuple[Outline, ...]
    font_px: int


def draw_layers(document: Document, words: Words, history: Mapping[int, str] | None = None) -> Overlay:
    """The overlay of an analysis; `history` says in words what became of a lesion since the baseline."""
    photo, face = document.photo, document.face
    told = history or {}
    in_order = sorted(document.lesions, key=lambda lesion: lesion.group is not Group.MARK)  # acne lies on top
    return Overlay(
        width=photo.width,
        height=photo.height,
        face_box=_face_box(face.box_xyxy, photo.width, photo.height),
        shapes=tuple(_shape(lesion, photo.width, words, told.get(lesion.id, "")) for lesion in in_order),
        regions=() if face.map is None else outlines(unpack_map(face), words),
        font_px=max(12, round((face.box_xyxy[2] - face.box_xyxy[0]) / 22)),
    )


def _face_box(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    dx, dy = _FACE_MARGIN * (x1 - x0), _FACE_MARGIN * (y1 - y0)
    left, top = max(0, round(x0 - dx)), max(0, round(y0 - dy))
    return left, top, min(width, round(x1 + dx)) - left, min(height, round(y1 + dy)) - top


def _shape(lesion: LesionPart, width: int, words: Words, history: str) -> Shape:
    radius = max(_AROUND * lesion.diameter_px / 2, _LEAST_RADIUS * width)
    parts = (words.say(f"kind.{lesion.kind}"), lesion_size(lesion, words), region_name(lesion.region, words), history)
    return Shape(
        id=lesion.id,
        group=str(lesion.group),
        kind=str(lesion.kind),
        score=round(lesion.score, 3),
        d=_path(lesion.group, lesion.center_xy[0] + 0.5, lesion.center_xy[1] + 0.5, radius),
        tip=f"{lesion.id} · " + " · ".join(part for part in parts if part),
    )


def _path(group: Group, x: float, y: float, r: float) -> str:
    """A circle, diamond or square, the same as in the printed overlay."""
    if group is Group.INFLAMMATORY:
        return f"M{x - r:.1f} {y:.1f}a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0a{r:.1f} {r:.1f} 0 1 0 {-2 * r:.1f} 0z"
    if group is Group.NON_INFLAMMATORY:
        r *= 1.25
        return f"M{x:.1f} {y - r:.1f}L{x + r:.1f} {y:.1f} {x:.1f} {y + r:.1f} {x - r:.1f} {y:.1f}z"
    r *= 0.95
    return f"M{x - r:.1f} {y - r:.1f}h{2 * r:.1f}v{2 * r:.1f}h{-2 * r:.1f}z"


def lesion_size(lesion: LesionPart, words: Words) -> str:
    """Its diameter in millimetres, or in pixels where the photo has no scale."""
    if lesion.diameter_mm is not None:
        return words.say("lesion.mm", n=words.number(lesion.diameter_mm))
    return words.say("lesion.px", n=round(lesion.diameter_px))


def region_name(region: Region | None, words: Words) -> str:
    """The region's name; a dash outside all of them."""
    return "–" if region is None else words.say(f"region.{region}")


def outlines(face: FaceMap, words: Words) -> tuple[Outline, ...]:
    """The visible regions as smooth outlines."""
    finer = cv2.resize(face.parts, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_NEAREST)
    parts = np.asarray(finer, np.uint8)
    found = (_outline(face, region, parts, words) for region in Region if region in face.visible_regions)
    return tuple(outline for outline in found if outline is not None)


def _outline(face: FaceMap, region: Region, parts: NDArray[np.uint8], words: Words) -> Outline | None:
    soft = cv2.GaussianBlur((parts == region.part).astype(np.float32), (0, 0), 0.9 * _FINER)
    contours, _ = cv2.findContours((soft > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [c for c in contours if cv2.contourArea(c) >= _LEAST_CELLS * _FINER]
    if not large:
        return None
    rings = [_to_photo(face, cv2.approxPolyDP(c, _SIMPLER, True)[:, 0, :]) for c in large]
    x, y = max(rings, key=len).mean(axis=0)
    d = "".join("M" + "L".join(f"{a:.0f} {b:.0f}" for a, b in ring) + "z" for ring in rings)
    return Outline(words.say(f"region.{region}"), d, round(float(x)), round(float(y)))


def _to_photo(face: FaceMap, points: NDArray[np.int32]) -> NDArray[np.float64]:
    cells = (points + 0.5) / _FINER - 0.5
    return np.asarray(cells @ face.to_photo[:, :2].T + face.to_photo[:, 2])
