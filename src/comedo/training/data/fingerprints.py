"""What a photo looks like in a few numbers: the same after resizing, recompression or mirroring.

Three looks at one photo, its even borders (letterboxes) cut first:

- a 64-bit hash of its coarse frequencies, as it is and mirrored, to find candidates fast (pHash;
  Zauner 2010, "Implementation and benchmarking of perceptual image hash functions");
- a band-pass picture of 64 x 64, to verify them: coarse light is removed, noise is averaged away;
- the outer ring of the frame, for the room in which the photo was taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.photo import read_photo
from comedo.types import Image

Floats = NDArray[np.float32]

_HASH_SIDE, _FREQUENCIES = 32, 8
_DETAIL_SIDE, _DETAIL_SIGMA = 64, 4.0
_ROOM_SIDE, _ROOM_RING = 32, 5  # the ring is the outer 16 % of the frame
_EVEN = 6.0  # grey levels of spread up to which a row or column is border
_MOST_BORDER = 0.4  # of a side that may be border


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """One photo's looks. Vectors have mean 0 and length 1; `None` where a photo is too even to say."""

    hash: np.uint64
    mirrored_hash: np.uint64
    detail: Floats | None  # (64, 64)
    room: Floats | None  # (32, 32, 3), 0 inside the ring


def read_fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of a photo file.

    Raises:
        UnusableInput: The photo cannot be read.
    """
    return fingerprint(read_photo(path).image)


def fingerprint(image: Image) -> Fingerprint:
    """The fingerprint of an upright (H, W, 3) uint8 RGB photo."""
    small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    rows, columns = _inside(grey)
    grey, small = grey[rows, columns], small[rows, columns]
    coarse = cv2.resize(grey, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = cv2.resize(grey, (_DETAIL_SIDE, _DETAIL_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return Fingerprint(
        hash=_hash(coarse),
        mirrored_hash=_hash(np.ascontiguousarray(coarse[:, ::-1])),
        detail=_normal(fine - cv2.GaussianBlur(fine, (0, 0), _DETAIL_SIGMA), least=2.0),
        room=_room(np.asarray(small, np.uint8)),
    )


def _inside(grey: NDArray[np.generic]) -> tuple[slice, slice]:
    """The part of a picture inside its even borders."""
    return _trim(np.asarray(grey, np.float32)), _trim(np.asarray(grey, np.float32).T)


def _trim(lines: Floats) -> slice:
    busy = np.flatnonzero(lines.std(1) > _EVEN)
    most = int(len(lines) * _MOST_BORDER)
    if not len(busy) or busy[0] > most or len(lines) - 1 - busy[-1] > most:
        return slice(0, len(lines))
    return slice(int(busy[0]), int(busy[-1]) + 1)


def _hash(coarse: Floats) -> np.uint64:
    waves = cv2.dct(coarse)[:_FREQUENCIES, :_FREQUENCIES].ravel()
    bits = waves > np.median(waves[1:])  # without the mean brightness
    return np.uint64(np.packbits(bits).view(np.uint64)[0])


def _normal(values: Floats, *, least: float) -> Floats | None:
    """Mean 0, length 1; `None` where the spread is below `least` grey levels."""
    centred = values - values.mean()
    if float(centred.std()) < least:
        return None
    return np.asarray(centred / np.linalg.norm(centred), np.float32)


def _room(small: Image) -> Floats | None:
    frame = cv2.resize(small, (_ROOM_SIDE, _ROOM_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    ring = np.ones((_ROOM_SIDE, _ROOM_SIDE), np.bool_)
    ring[_ROOM_RING:, _ROOM_RING:-_ROOM_RING] = False  # the body fills the lower edge: it is left out
    values = _normal(frame[ring], least=12.0)
    if values is None:
        return None
    room = np.zeros_like(frame)
    room[ring] = values
    return room


def alike(a: Floats | None, b: Floats | None) -> tuple[float, bool]:
    """Correlation of two looks, and whether the mirrored one fits better; 0 where one says nothing."""
    if a is None or b is None:
        return 0.0, False
    straight, mirrored = float((a * b).sum()), float((a * b[:, ::-1]).sum())
    return max(straight, mirrored), mirrored > straight
