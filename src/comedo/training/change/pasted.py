"""Lesions cut out of some photos and pasted onto the skin of others: changes that are known, on real faces.

A lesion is carried over as the log ratio of its pixels to the skin around, so that it takes on the tone and the light
of the skin it comes to. Nothing is written: the pictures live as long as the measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.errors import ComedoError, UnusableInput
from comedo.face.mapper import FaceMapper
from comedo.geometry import apply
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.training.evaluation.truth import LabelledPhoto
from comedo.types import FaceMap, Image, skin_of

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
_LEAST_RADIUS_PX = 7.0  # of a lesion that is cut out: about the median of ACNE04 crops; smaller ones show little
_ALONE = 2.4  # radii that no other lesion may come into
_REACH = 1.9  # radii around the centre that are cut out
_CONTRAST = 0.1  # least mean log ratio of green in the core: what is fainter few would call a lesion
_RING_SPREAD = 0.06  # most spread of the log ratio around it: else the skin is too uneven to cut there
_OF_ONE_PHOTO = 5
_GAP = 3.0  # radii between pasted lesions, and from lesions that the face has
_UNEVEN = 0.08  # spread of log green around a place from which on nobody sees a lesion: stubble, brows, folds
_MARGIN_CELLS = 5  # of the face map between a pasted lesion and the border of a region


@dataclass(frozen=True, eq=False)
class Donor:
    """A lesion cut out: `ratio` (n, n, 3) log ratio to the skin around, and its radius over the face's size."""

    ratio: F32
    radius_px: float
    radius_share: float


def cut_lesions(photos: Iterable[LabelledPhoto], analyzer: Analyzer, most: int = 60) -> tuple[Donor, ...]:
    """Clear lesions that stand alone, at most five of a photo.

    Raises:
        UnusableInput: There is none.
    """
    marked = ((p.name, p.read, p.lesions.circles) for p in photos if p.lesions is not None)
    donors = tuple(islice(cut_all(marked, analyzer.mapper), most))
    if not donors:
        raise UnusableInput("no photo has a lesion large and clear enough to be cut out; name sharper photos")
    return donors


def cut_all(photos: Iterable[tuple[str, Callable[[], Image], F32]], mapper: FaceMapper) -> Iterator[Donor]:
    """Clear lesions of photos, each a name, how to read it, and (N, 3) circles; photos without a face have none."""
    for name, read, circles in photos:
        image = read()
        try:
            face = mapper.find(read_photo(image, name=name))
        except ComedoError:
            continue
        yield from _cut_from(image, circles, face)


def _cut_from(image: Image, circles: F32, face: FaceMap) -> list[Donor]:
    """The first few clear lesions of one photo that stand alone; `circles` (N, 3) x, y, radius are all it has."""
    found = (_cut(image, circle, circles, face) for circle in circles)
    return [d for d in found if d is not None][:_OF_ONE_PHOTO]


def _cut(image: Image, circle: F32, others: F32, face: FaceMap) -> Donor | None:
    x, y, r = (float(v) for v in circle)
    reach = int(np.ceil(_REACH * r))
    left, top = round(x) - reach, round(y) - reach
    size = 2 * reach + 1
    apart = np.hypot(others[:, 0] - x, others[:, 1] - y) - others[:, 2]
    inside = left >= 0 and top >= 0 and left + size <= image.shape[1] and top + size <= image.shape[0]
    if r < _LEAST_RADIUS_PX or not inside or int((apart < _ALONE * r - r).sum()) > 1:
        return None
    log = np.log(image[top : top + size, left : left + size].astype(np.float32) + 4.0)
    far = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) / r
    ring = (far > 1.3) & (far <= _REACH)
    ratio = log - _plane(log, ring)
    if abs(float(ratio[far <= 0.6][:, 1].mean())) < _CONTRAST or float(ratio[ring].std()) > _RING_SPREAD:
        return None
    feather = np.clip((1.6 - far) / 0.5, 0, 1).astype(np.float32)
    return Donor(ratio * feather[..., None], r, r / face.face_px)


def _plane(log: F32, ring: NDArray[np.bool_]) -> F32:
    """The plane through the skin around, for each colour."""
    y, x = np.mgrid[0 : log.shape[0], 0 : log.shape[1]]
    terms = np.stack([np.ones_like(x), x, y], -1).astype(np.float32)
    solved = np.linalg.lstsq(terms[ring], log[ring], rcond=None)[0]
    return np.asarray(terms @ solved, np.float32)


def paste(image: Image, donors: Sequence[Donor], places_xy: F64, face_px: float) -> Image:
    """The photo with a lesion at each place, as large against the face as it was; (H, W, 3) uint8."""
    full = image.astype(np.float32)
    for donor, (x, y) in zip(donors, places_xy, strict=True):
        zoom = donor.radius_share * face_px / donor.radius_px
        size = max(3, round(donor.ratio.shape[0] * zoom) | 1)
        way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        ratio = cv2.resize(donor.ratio, (size, size), interpolation=way)
        left, top = round(x) - size // 2, round(y) - size // 2
        window = full[top : top + size, left : left + size]
        if window.shape[:2] == (size, size):  # else it hangs over the picture's edge
            window[...] = (window + 4.0) * np.exp(ratio) - 4.0
    return np.asarray(np.clip(full + 0.5, 0, 255), np.uint8)


def spread_around(image: Image, radius_px: float) -> F32:
    """How uneven a photo is around each pixel, (H, W): spread of the log of green within a lesion's reach."""
    log = np.log(image[..., 1].astype(np.float32) + 4.0)
    reach = max(_REACH * radius_px, 1.0)
    fine = log - cv2.GaussianBlur(log, (0, 0), reach)
    side = 2 * round(reach) + 1
    return np.asarray(np.sqrt(cv2.boxFilter(fine * fine, -1, (side, side))), np.float32)


def draw_places(
    image: Image, face: FaceMap, radius_px: float, taken: F32, number: int, rng: np.random.Generator
) -> F64:
    """Places on even skin, away from each other and from lesions `taken` (N, 3) x, y, radius.

    Returns:
        (M, 2) in photo pixels, M at most `number`.
    """
    skin = skin_of(face.parts).astype(np.uint8)
    rows, columns = np.nonzero(cv2.erode(skin, np.ones((2 * _MARGIN_CELLS + 1,) * 2, np.uint8)))
    spread = spread_around(image, radius_px)
    chosen: list[F64] = []
    for i in rng.permutation(len(rows)):
        if len(chosen) == number:
            break
        here = apply(face.to_photo, np.array([[columns[i], rows[i]]], np.float64))[0]
        x, y = np.clip(np.rint(here).astype(int), 0, [image.shape[1] - 1, image.shape[0] - 1])
        if spread[y, x] > _UNEVEN:
            continue
        own = np.hypot(taken[:, 0] - here[0], taken[:, 1] - here[1]) - taken[:, 2]
        if all(np.hypot(*(here - c)) > 2 * _GAP * radius_px for c in chosen) and (own > _GAP * radius_px).all():
            chosen.append(here)
    return np.array(chosen, np.float64).reshape(-1, 2)


def draw_lesions(
    image: Image, face: FaceMap, donors: Sequence[Donor], taken: F32, number: int, rng: np.random.Generator
) -> tuple[list[Donor], F64]:
    """Lesions to paste and where, a row each; fewer than `number` where the skin has no room."""
    mine = [donors[i] for i in rng.integers(len(donors), size=number)]
    typical = float(np.median([d.radius_share for d in mine])) * face.face_px
    places = draw_places(image, face, typical, taken, number, rng)
    return mine[: len(places)], places
