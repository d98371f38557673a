"""Face maps of a recipe's photos by the shipped network, computed once and kept beside the run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.errors import NoFaceFound
from comedo.face import FaceMapper
from comedo.inference import load_network
from comedo.photo import read_photo
from comedo.report.whole_file import write_whole
from comedo.training.augmentation.regions import parts_of_photo
from comedo.training.charts.bars import tracked
from comedo.types import Part

Parts = NDArray[np.uint8]


@cache
def _mapper() -> FaceMapper:
    return FaceMapper(load_network("face-map"))


def face_parts(path: Path, folder: Path) -> Parts | None:
    """The face map of a photo in its pixels, (H, W) uint8 of `Part`; `None` where no face is found.

    Args:
        path: The photo.
        folder: Where maps are kept, by the hash of the photo's bytes.
    """
    kept = folder / kept_name(path)
    if not kept.exists():
        write_whole(kept, [_png(_find(path))])
    parts = _read(kept)
    return parts if (parts != Part.BACKGROUND).any() else None


def kept_name(path: Path) -> str:
    """The file name under which a photo's map is kept."""
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}.png"


def map_faces(paths: Sequence[Path], folder: Path) -> list[Parts | None]:
    """The face maps of some photos, with a progress bar on stderr where there are many."""
    folder.mkdir(parents=True, exist_ok=True)
    return [face_parts(path, folder) for path in tracked(paths, "face maps")]


def _find(path: Path) -> Parts:
    photo = read_photo(path)
    try:
        return parts_of_photo(_mapper().find(photo), photo.height, photo.width)
    except NoFaceFound:
        return np.zeros((photo.height, photo.width), np.uint8)


def _png(parts: Parts) -> bytes:
    done, data = cv2.imencode(".png", parts)
    assert done
    return data.tobytes()


def _read(path: Path) -> Parts:
    return np.asarray(cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
