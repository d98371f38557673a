"""The photos of the face sets with the labels that their masks and landmarks give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from comedo.errors import UnusableInput
from comedo.training.data.files import check_there
from comedo.training.face_map.data import (
    IGNORE,
    FacePhoto,
    Points,
    box_of,
    eye_sockets,
    labels_from_celeba,
    labels_from_fasseg,
    labels_from_landmarks,
    mean_face,
    vertex_regions,
)
from comedo.training.face_map.people import FaceFile, find_faces
from comedo.types import Image

_WITH_MASKS = ("faces/celebamask", "faces/fasseg")
_WORK_SIDE = 512  # pictures are kept at this size


def read_landmarks(path: Path) -> dict[str, Points]:
    """Landmarks by file name, (478, 3) float32 in pixels; photos without a found face are left out.

    Written by `tools/label_faces.py` with MediaPipe's face mesh, in an environment of its own.
    """
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files if len(archive[name])}


def _is_frontal(points: Points) -> bool:
    right = np.hypot(*(points[168, :2] - points[33, :2]))
    left = np.hypot(*(points[263, :2] - points[168, :2]))
    return bool(0.8 < left / max(right, 1e-3) < 1.25)


def mesh_regions(landmarks: Mapping[str, Points]) -> NDArray[np.uint8]:
    """Region of each vertex, from the frontal faces of CelebAMask-HQ, or of all sets where it has none.

    Raises:
        UnusableInput: No face is frontal.
    """
    frontal = {name: points for name, points in landmarks.items() if _is_frontal(points)}
    chosen = [points for name, points in frontal.items() if name.startswith("faces/celebamask")]
    if not frontal:
        raise UnusableInput(
            f"none of {len(landmarks)} faces with landmarks looks into the camera, so that nobody knows which skin is "
            "forehead, cheek or chin; add frontal photos and run tools/label_faces.py again"
        )
    return vertex_regions(mean_face(chosen or list(frontal.values())))


@dataclass(frozen=True, eq=False)
class Face:
    """One photo of a face set, known by its landmarks; pixels are read when they are asked for."""

    file: FaceFile
    root: Path  # the data folder
    points: Points
    regions: NDArray[np.uint8]  # of the mesh's vertices

    @property
    def name(self) -> str:
        """Path below the data folder."""
        return self.file.name

    @property
    def source(self) -> str:
        """The set."""
        return self.file.source

    @property
    def person(self) -> str:
        """One word for one person, in every set."""
        return self.file.person

    @property
    def split(self) -> str:
        """On which side of the split the person is."""
        return self.file.split

    def read(self) -> Image:
        """The photo as it is stored, (H, W, 3) uint8 RGB."""
        return read_face(self.root, self.file)

    def labelled(self) -> FacePhoto:
        """The photo at most 512 pixels wide or high, with its labels."""
        return _load(self.root, self.file, self.points, self.regions)


def open_faces(root: Path, landmarks: Mapping[str, Points]) -> list[Face]:
    """Every photo of the sets that has landmarks, of whatever split.

    Args:
        root: Data folder with faces/, acne04/, typed/, or some of them.
        landmarks: From `read_landmarks`.

    Raises:
        FileNotFoundError: A photo of a set with masks has none.
    """
    regions = mesh_regions(landmarks)
    faces = [Face(file, root, landmarks[file.name], regions) for file in find_faces(root, landmarks)]
    check_there(_mask_of(root, face.file) for face in faces if face.source in _WITH_MASKS)
    return faces


def read_face(root: Path, file: FaceFile) -> Image:
    """The photo as it is stored, (H, W, 3) uint8 RGB."""
    image = cv2.imread(str(root / file.name), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise FileNotFoundError(f"cannot read the training photo {root / file.name}")
    return np.asarray(image, np.uint8)


def _mask_of(root: Path, file: FaceFile) -> Path:
    return root / file.name.replace("images", "masks").replace(".jpg", ".png")


def _load(root: Path, file: FaceFile, points: Points, regions: NDArray[np.uint8]) -> FacePhoto:
    name, source = file.name, file.source
    stored = read_face(root, file)
    shrink = min(1.0, _WORK_SIDE / max(stored.shape[:2]))
    size = (round(stored.shape[1] * shrink), round(stored.shape[0] * shrink))
    image = np.asarray(cv2.resize(stored, size, interpolation=cv2.INTER_AREA), np.uint8)
    points = points * np.float32(shrink)
    if source in _WITH_MASKS:
        with PillowImage.open(_mask_of(root, file)) as handle:
            mask = np.asarray(handle.resize(size, PillowImage.Resampling.NEAREST), np.uint8)
        labels = (labels_from_celeba if source.endswith("celebamask") else labels_from_fasseg)(mask, points, regions)
    else:
        labels = labels_from_landmarks(points, regions, image)
        if source == "typed":  # people at large wear glasses, which the mesh does not see
            labels[eye_sockets(points, size[::-1])] = IGNORE
    return FacePhoto(Path(name).stem, source, file.person, file.split, image, labels, box_of(labels))
