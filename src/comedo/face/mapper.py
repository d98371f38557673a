"""The face map: a coarse look at the whole photo, then a closer one at the face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.errors import NoFaceFound
from comedo.face import pose
from comedo.geometry import Affine, clip_box, compose, crop_affine, invert, sample_crop, square_around
from comedo.inference import Network, run_both_ways
from comedo.types import Box, FaceMap, Image, Part, Photo, Region

Probs = NDArray[np.float32]  # (10, n, n) by part

_COARSE, _CLOSE = 256, 320  # pixels of the two looks' squares; the network's output has half of that
_GROW = 1.2  # the closer look's square over the face box
_FACE = slice(Part.FOREHEAD, Part.LIPS + 1)
_SKIN = [int(region.part) for region in Region]
_REST = [int(part) for part in Part if int(part) not in _SKIN]
_SWAPPED = {Part.LEFT_CHEEK: Part.RIGHT_CHEEK, Part.RIGHT_CHEEK: Part.LEFT_CHEEK}
_OTHER_SIDE = [int(_SWAPPED.get(part, part)) for part in Part]  # in a mirror image

# Found by measuring on validation faces and on pictures without faces: see MODEL_CARD.md.
_MIN_CELLS = 18  # coarse cells of a candidate, about a face of a tenth of the frame
_MIN_SCORE = 0.88  # mean probability over the face's pixels in the closer look
_MIN_SHARE = 0.06  # of the closer look that must be face
_MIN_FEATURES = 2  # of eyes, brows, nose and lips
_CAUTION = 1.2  # times that the probability of skin must exceed that of anything else
# The network learnt upright faces and takes every face for one. Of eight photos of four collections it was sure of the
# upright face by 0.95 to 0.98, of the same face upside down or on its side by at most 0.953 and at least 0.03 less.
# Of 24 further upright photos one had less than 0.96 and was rightly left as it is.
_SURE = 0.96  # a face of less is looked at turned as well
_CLEARLY_SURER = 0.015
_ROLL_OF_TURNS = (None, 90.0, 180.0, -90.0)  # of a face that stands after so many quarter turns anticlockwise
# Training weighted small parts up, so that the network says them too often: this weighs them back.
# By part; chosen on validation faces.
_PRIOR = np.array([1, 1, 1, 1, 1, 1, 0.4, 0.6, 0.5, 0.85], np.float32)[:, None, None]

_NOTHING = np.eye(len(Part), 1, -int(Part.BACKGROUND), np.float32)[:, :, None]  # probabilities of background
_Found = tuple[NDArray[np.uint8], NDArray[np.float32]]  # labels and probability of being face, (2n, 2n)


@dataclass(frozen=True, eq=False)
class _Look:
    """Probabilities of one square of the photo, (10, n, n), and where it lies.

    `turns` are the quarter turns anticlockwise that the picture made before the network saw it.
    """

    probs: Probs
    box_xyxy: Box
    turns: int = 0

    @property
    def face(self) -> NDArray[np.float32]:
        """Probability of any part of the face, (n, n)."""
        return np.asarray(self.probs[_FACE].sum(axis=0), np.float32)

    def to_photo(self, box: tuple[int, int, int, int]) -> Box:
        """A box of cells of the unturned picture in the photo's pixels."""
        x0, y0, x1, _ = self.box_xyxy
        cell = (x1 - x0) / self.probs.shape[2]
        return (x0 + box[0] * cell, y0 + box[1] * cell, x0 + box[2] * cell, y0 + box[3] * cell)


@dataclass(frozen=True)
class FaceMapper:
    """Finds the largest face of a photo and names its parts."""

    network: Network

    def find(self, photo: Photo) -> FaceMap:
        """Map the largest face.

        Raises:
            NoFaceFound: If there is no face, or none large enough to tell its parts.
        """
        frame = square_around((0.0, 0.0, float(photo.width), float(photo.height)), 1.0)
        whole = self._look(photo.image, frame, _COARSE, self.network.run)
        candidates = _blobs(whole.face > 0.5, _MIN_CELLS)
        for index, cells in enumerate(candidates[:3]):
            look = self._approach(photo.image, whole.to_photo(cells))
            found = _accept(look)
            if found is not None:
                look, found = self._upright(photo.image, look, found)
                others = sum(_rivals(cells, c) for i, c in enumerate(candidates) if i != index)
                return _describe(look, *found, photo, others)
        raise NoFaceFound(
            "no face was found in the photo; take it in even light, upright, the whole face in the frame, "
            "nothing over it"
        )

    def _look(self, image: Image, square: Box, side: int, probs_of: Callable[[Image], Probs], turns: int = 0) -> _Look:
        x0, y0, x1, _ = (round(v) for v in square)
        edge = max(1, x1 - x0)
        exact = (float(x0), float(y0), float(x0 + edge), float(y0 + edge))
        crop = np.ascontiguousarray(np.rot90(sample_crop(image, exact, (side, side)), turns))
        weighed = probs_of(crop) * _PRIOR
        inside = np.rot90(_inside(weighed.shape[1], exact, image.shape[:2]), turns)
        return _Look(np.where(inside, weighed / weighed.sum(axis=0), _NOTHING), exact, turns)

    def _both_ways(self, crop: Image) -> Probs:
        """Of the crop and its mirror image: surer, and as fast where there are two cores."""
        return run_both_ways(self.network, [crop], _OTHER_SIDE)[0]

    def _approach(self, image: Image, box: Box) -> _Look:
        """Look closer; once more when the first closer look shows that the box was off."""
        look = self._look(image, square_around(box, _GROW), _CLOSE, self._both_ways)
        blobs = _blobs(look.face > 0.5, _MIN_CELLS)
        if not blobs:
            return look
        better = look.to_photo(blobs[0])
        side = max(box[2] - box[0], box[3] - box[1])
        off = max(abs(a - b) for a, b in zip(box, better, strict=True)) / max(side, 1.0)
        if off <= 0.12:
            return look
        return self._look(image, square_around(better, _GROW), _CLOSE, self._both_ways)

    def _upright(self, image: Image, look: _Look, found: _Found) -> tuple[_Look, _Found]:
        """The look at the face turned so that it stands, where that makes the network clearly surer of it."""
        score = _score(*found)
        if score >= _SURE:
            return look, found
        turned = [self._look(image, look.box_xyxy, _CLOSE, self._both_ways, turns) for turns in (1, 2, 3)]
        faces = [(t, f) for t, f in ((t, _accept(t)) for t in turned) if f is not None]
        best = max(faces, key=lambda face: _score(*face[1]), default=(look, found))
        return best if _score(*best[1]) > score + _CLEARLY_SURER else (look, found)


def _inside(n: int, square: Box, size_hw: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which of n x n cells lie in the photo: the others are background, whatever the network makes of the black."""
    edge = square[2] - square[0]
    middles = (np.arange(n) + 0.5) * edge / n
    x, y = square[0] + middles, square[1] + middles
    return np.asarray(((y > 0) & (y < size_hw[0]))[:, None] & ((x > 0) & (x < size_hw[1]))[None])


def _blobs(mask: NDArray[np.bool_], smallest: int) -> list[tuple[int, int, int, int]]:
    """Boxes of connected areas of at least `smallest` cells, largest first."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))
    return [
        (int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, area in (stats[i] for i in order) if area >= smallest
    ]


def _rivals(largest: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether another blob is a face of its own size and not a torn-off piece of the first."""
    size = max(largest[2] - largest[0], largest[3] - largest[1])
    gap = max(other[0] - largest[2], largest[0] - other[2], other[1] - largest[3], largest[1] - other[3])
    return min(other[2] - other[0], other[3] - other[1]) > 0.35 * size and gap > 0.1 * size


def _accept(look: _Look) -> _Found | None:
    """Labels with the largest face only and probability of being face, (2n, 2n); None when this is no face."""
    labels, sure = _likeliest(look)
    face = (labels >= Part.FOREHEAD) & (labels <= Part.LIPS)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(face.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    mine = parts == largest
    labels[face & ~mine] = Part.OTHER
    _drop_crumbs(labels)
    share = float(mine.mean())
    score = float(sure[mine].mean())
    features = sum(int((labels == p).sum()) > 0.004 * mine.sum() for p in (Part.EYES, Part.BROWS, Part.NOSE, Part.LIPS))
    if share < _MIN_SHARE or score < _MIN_SCORE or features < _MIN_FEATURES:
        return None
    return labels, sure


def _score(labels: NDArray[np.uint8], sure: NDArray[np.float32]) -> float:
    """Mean probability of the face's pixels."""
    return float(sure[(labels >= Part.FOREHEAD) & (labels <= Part.LIPS)].mean())


def _likeliest(look: _Look) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Likeliest part and probability of being face, (2n, 2n) each: edges between parts are finer than cells."""

    def finer(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(plane, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.float32)

    def best_of(parts: list[int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        best = finer(look.probs[parts[0]])
        labels = np.full(best.shape, parts[0], np.uint8)
        for part in parts[1:]:  # an argmax over the last axis costs several times as much
            plane = finer(look.probs[part])
            labels[plane > best] = part
            np.maximum(best, plane, out=best)
        return labels, best

    # Skin first, whichever region, then which region: else a seam of two regions loses to one rival.
    region, _ = best_of(_SKIN)
    other, likeliest = best_of(_REST)
    skin = finer(np.asarray(look.probs[_SKIN].sum(axis=0), np.float32)) > _CAUTION * likeliest
    return np.where(skin, region, other), finer(look.face)


def _drop_crumbs(labels: NDArray[np.uint8], *, smallest: float = 0.12) -> None:
    """Give small torn-off pieces of skin (an ear that looks like a chin) back to "other"."""
    for region in Region:
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(
            (labels == region.part).astype(np.uint8), connectivity=8
        )
        areas = stats[1:, cv2.CC_STAT_AREA]
        for piece in range(1, count):
            if areas[piece - 1] < smallest * areas.max():
                labels[pieces == piece] = Part.OTHER


def _turn_back(n: int, turns: int) -> Affine:
    """From the cells (x, y) of an n x n picture turned anticlockwise to those of the picture as it was."""
    quarter: Affine = np.array([[0.0, -1.0, n - 1.0], [1.0, 0.0, 0.0]])
    back: Affine = np.eye(2, 3)
    for _ in range(turns):
        back = compose(quarter, back)
    return back


def _describe(look: _Look, labels: NDArray[np.uint8], sure: NDArray[np.float32], photo: Photo, others: int) -> FaceMap:
    side = labels.shape[0]
    x0, y0, x1, _ = look.box_xyxy
    to_photo = compose(invert(crop_affine(look.box_xyxy, labels.shape[:2])), _turn_back(side, look.turns))
    face = (labels >= Part.FOREHEAD) & (labels <= Part.LIPS)
    ys, xs = np.nonzero(np.rot90(face, -look.turns))
    cells = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    unit = (x1 - x0) / side
    box = (x0 + cells[0] * unit, y0 + cells[1] * unit, x0 + cells[2] * unit, y0 + cells[3] * unit)
    landmarks = pose.find_landmarks(labels, to_photo)
    roll = landmarks.roll_deg
    yaw = pose.yaw_deg(labels)
    scale = pose.millimetres(landmarks, yaw)
    return FaceMap(
        parts=labels,
        to_photo=to_photo,
        box_xyxy=clip_box(box, photo.width, photo.height),
        eyes_xy=landmarks.eyes_xy,
        roll_deg=_ROLL_OF_TURNS[look.turns] if roll is None else roll,
        yaw_deg=yaw,
        mm_per_px=scale[0],
        mm_per_px_error=scale[1],
        face_px=pose.face_px(landmarks, box),
        score=_score(labels, sure),
        other_faces=int(others),
    )
