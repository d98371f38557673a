"""Reading the face sets into memory, and drawing augmented faces and faceless pictures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from comedo.errors import UnusableInput
from comedo.training.augment import draw_look
from comedo.training.face_data import (
    IGNORE,
    FacePhoto,
    Labels,
    Points,
    box_of,
    eye_sockets,
    labels_from_celeba,
    labels_from_fasseg,
    labels_from_landmarks,
    mean_face,
    vertex_regions,
)
from comedo.training.face_occluders import wear_glasses
from comedo.training.face_people import FaceFile, find_faces
from comedo.types import Image, Part

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


def load_faces(
    root: Path, landmarks: Mapping[str, Points], *, split: str, sources: Collection[str], limit: int | None = None
) -> list[FacePhoto]:
    """Every photo of the split and the sources that has landmarks, with labels.

    Args:
        root: Data folder with faces/, acne04/, typed/, or some of them.
        landmarks: From `read_landmarks`.
        split: "train" or "val".
        sources: Sets of photos, such as "faces/celebamask".
        limit: At most this many photos, spread evenly, for rehearsals.
    """
    chosen = [file for file in find_faces(root, landmarks) if file.split == split and file.source in sources]
    if limit is not None:
        chosen = chosen[:: max(1, len(chosen) // limit)][:limit]
    regions = mesh_regions(landmarks)
    return [_load(root, file, landmarks[file.name], regions) for file in chosen]


def read_face(root: Path, file: FaceFile) -> Image:
    """The photo as it is stored, (H, W, 3) uint8 RGB."""
    image = cv2.imread(str(root / file.name), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise FileNotFoundError(f"cannot read the training photo {root / file.name}")
    return np.asarray(image, np.uint8)


def _load(root: Path, file: FaceFile, points: Points, regions: NDArray[np.uint8]) -> FacePhoto:
    name, source = file.name, file.source
    stored = read_face(root, file)
    shrink = min(1.0, _WORK_SIDE / max(stored.shape[:2]))
    size = (round(stored.shape[1] * shrink), round(stored.shape[0] * shrink))
    image = np.asarray(cv2.resize(stored, size, interpolation=cv2.INTER_AREA), np.uint8)
    points = points * np.float32(shrink)
    if source in ("faces/celebamask", "faces/fasseg"):
        with PillowImage.open(root / name.replace("images", "masks").replace(".jpg", ".png")) as handle:
            mask = np.asarray(handle.resize(size, PillowImage.Resampling.NEAREST), np.uint8)
        labels = (labels_from_celeba if source.endswith("celebamask") else labels_from_fasseg)(mask, points, regions)
    else:
        labels = labels_from_landmarks(points, regions, image)
        if source == "typed":  # people at large wear glasses, which the mesh does not see
            labels[eye_sockets(points, size[::-1])] = IGNORE
    return FacePhoto(Path(name).stem, source, file.person, file.split, image, labels, box_of(labels))


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


class FaceCrops:
    """Endless seeded training pictures over faces kept in memory."""

    def __init__(self, photos: Sequence[FacePhoto], plan: FacePlan) -> None:
        self.plan = plan
        self.photos = {s: [p for p in photos if p.source == s] for s in plan.shares}
        self.sources = [s for s in plan.shares if self.photos[s]]
        shares = np.array([plan.shares[s] for s in self.sources])
        self.shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Labels]:
        """One picture (size, size, 3) uint8 RGB and its labels (size / 2, size / 2) uint8."""
        source = self.sources[rng.choice(len(self.sources), p=self.shares)]
        photo = self.photos[source][rng.integers(len(self.photos[source]))]
        if rng.random() < self.plan.faceless:
            image, labels = self._faceless(photo, rng)
        else:
            image, labels = self._face(photo, rng)
        return draw_look(rng, strength=self.plan.look).apply(image, rng), labels

    def _face(self, photo: FacePhoto, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Labels]:
        size = self.plan.size
        x0, y0, x1, y1 = photo.box_xyxy
        close = rng.random() < self.plan.close_share
        low, high = self.plan.close if close else self.plan.far
        share = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        zoom = share * size / max(x1 - x0, y1 - y0)
        slack = 0.08 if close else max(0.1, 0.5 * (1 - share))
        centre = size * (0.5 + rng.uniform(-slack, slack, 2))
        turn = rng.uniform(-45, 45) if rng.random() < 0.1 else rng.normal(0, self.plan.rotate_deg)
        image, labels = photo.image, photo.labels
        if rng.random() < self.plan.glasses:
            image, labels = wear_glasses(image, labels, rng)
        if zoom < 0.5:  # shrink with area averaging first: the affine alone would alias
            step = int(1 / zoom)
            small = (max(1, image.shape[1] // step), max(1, image.shape[0] // step))
            ratio = np.array([small[0] / image.shape[1], small[1] / image.shape[0]])
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        else:
            ratio = np.ones(2)
        flip = rng.random() < 0.5
        angle = np.deg2rad(turn)
        linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = linear @ np.diag([-1.0 if flip else 1.0, 1.0])
        shift = centre - linear @ np.array([(x0 + x1) / 2, (y0 + y1) / 2])
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
        if flip:
            target = swap_sides(target)
        return np.asarray(picture, np.uint8), target

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
