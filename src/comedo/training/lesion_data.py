"""Photos with lesions for the lesion network: sources brought to one scale, crops, targets.

Every source is described in one scale, the *work scale*: pixels of the 1024-pixel ACNE04 crops,
about 4.7 pixels per millimetre of skin. A crop is drawn by one affine from the source picture,
so that nothing is resampled twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.augment import Look, draw_look

# Factors from a source's pixels to the work scale. The ACNE04 originals are 3112 x 3456; the
# crops show 3112 of these pixels on 1024.
_FRAME512 = (512 / 3456) ** -1 * (1024 / 3112)
_SCALES = {
    "crops1024": (1.0, 1.0),
    "frames512": (_FRAME512, _FRAME512),
    "frames640": (1024 / 640, 1024 / 3112 * 3456 / 640),
    "graded640": (1024 / 640, 1024 / 3112 * 3456 / 640),
    "typed": (2.6, 2.6),  # FFHQ alignment: eye line to lips about 140 px at 512
    "masks": (4.4, 4.4),
    "clear": (2.6, 2.6),
}
STRIDE = 2
IGNORE = -1.0


@dataclass(frozen=True, eq=False)
class LesionPhoto:
    """One source picture with everything that is known of its lesions, in its own pixels.

    Circles are (N, 3) float32 x, y, radius. `None` means that nobody looked for that kind.
    """

    name: str
    source: str
    split: str
    group: str
    path: Path
    scale_xy: tuple[float, float]
    active: NDArray[np.float32] | None = None
    marks: NDArray[np.float32] | None = None
    sparse: NDArray[np.float32] | None = None  # ACNE04 v1 boxes, as circles
    inflamed: NDArray[np.float32] | None = None  # per active lesion: 1, 0 or IGNORE
    mask_path: Path | None = None
    grade: int | None = None

    def read(self) -> NDArray[np.uint8]:
        """The picture, (H, W, 3) uint8 RGB."""
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise FileNotFoundError(f"cannot read the training photo {self.path}")
        return np.asarray(image, np.uint8)

    def read_mask(self) -> NDArray[np.float32] | None:
        """The hand-made mask, (H, W) float32 in {0, 1}."""
        if self.mask_path is None:
            return None
        with_values = cv2.imread(str(self.mask_path), cv2.IMREAD_GRAYSCALE)
        if with_values is None:
            raise FileNotFoundError(f"cannot read the training mask {self.mask_path}")
        return (with_values > 127).astype(np.float32)


def _circles(rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    return np.asarray(rows, np.float32).reshape(-1, 3)


def _boxes_to_circles(boxes: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    b = np.asarray(boxes, np.float32).reshape(-1, 4)
    return np.stack([(b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2, (b[:, 2] - b[:, 0] + b[:, 3] - b[:, 1]) / 4], 1)


def _map_circles(
    circles: NDArray[np.float32], source: NDArray[np.float32], target: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Carry circles from one version of a photo to another, by lesions known in both.

    Returns `None` when the two lists do not correspond one to one.
    """
    if len(source) != len(target) or len(source) < 3:
        return None
    fit_x, fit_y = np.polyfit(source[:, 0], target[:, 0], 1), np.polyfit(source[:, 1], target[:, 1], 1)
    residual = np.abs(np.polyval(fit_x, source[:, 0]) - target[:, 0]).max()
    residual = max(residual, np.abs(np.polyval(fit_y, source[:, 1]) - target[:, 1]).max())
    if residual > 3:
        return None
    scale = (abs(fit_x[0]) + abs(fit_y[0])) / 2
    mapped = np.stack([np.polyval(fit_x, circles[:, 0]), np.polyval(fit_y, circles[:, 1]), circles[:, 2] * scale], 1)
    return mapped.astype(np.float32)


def load_acne04(root: Path) -> list[LesionPhoto]:
    """Read ACNE04 in its four versions, with v2 circles, v1 boxes and grades.

    Args:
        root: Folder with annotations.json, v1_boxes_640.json and the picture folders.
    """
    coco = json.loads((root / "annotations.json").read_text())
    boxes_v1: Mapping[str, Sequence[Sequence[float]]] = json.loads((root / "v1_boxes_640.json").read_text())
    circles: dict[int, list[Sequence[float]]] = {}
    for row in coco["annotations"]:
        circles.setdefault(row["image_id"], []).append(row["circle"])
    in_640 = {
        i["photo"]: _circles(circles.get(i["id"], [])) for i in coco["images"] if i["file_name"].startswith("frames640")
    }
    photos = []
    for image in coco["images"]:
        source = image["file_name"].split("/")[0]
        labelled = image.get("lesions_labelled", True)
        active = _circles(circles.get(image["id"], [])) if labelled else None
        sparse = None
        if image["photo"] in boxes_v1:
            sparse = _boxes_to_circles(boxes_v1[image["photo"]])
            if source in ("frames512", "crops1024"):
                sparse = _map_circles(sparse, in_640[image["photo"]], active) if active is not None else None
        photos.append(
            LesionPhoto(
                name=image["photo"],
                source=source,
                split=image["split"],
                group=f"acne04-{image['group']}",
                path=root / image["file_name"],
                scale_xy=_SCALES[source],
                active=active,
                sparse=sparse,
                inflamed=None if active is None else np.full(len(active), IGNORE, np.float32),
                grade=image["grade"],
            )
        )
    return photos


def load_typed(root: Path) -> list[LesionPhoto]:
    """Read the three-type boxes: raised bump, inflamed, flat mark."""
    coco = json.loads((root / "annotations.json").read_text())
    rows: dict[int, list[tuple[int, list[float]]]] = {}
    for row in coco["annotations"]:
        x, y, w, h = row["bbox"]
        # These boxes were drawn generously: a circle of 0.38 of the side fits the lesion inside.
        rows.setdefault(row["image_id"], []).append((row["category_id"], [x + w / 2, y + h / 2, 0.19 * (w + h)]))
    photos = []
    for image in coco["images"]:
        known = rows.get(image["id"], [])
        active = [(c, circle) for c, circle in known if c != 3]
        photos.append(
            LesionPhoto(
                name=Path(image["file_name"]).stem,
                source="typed",
                split=image["split"],
                group=Path(image["file_name"]).stem,
                path=root / image["file_name"],
                scale_xy=_SCALES["typed"],
                active=_circles([circle for _, circle in active]),
                marks=_circles([circle for c, circle in known if c == 3]),
                inflamed=np.asarray([float(c == 2) for c, _ in active], np.float32),
            )
        )
    return photos


def load_masks(root: Path, held_back: Sequence[str]) -> list[LesionPhoto]:
    """Read the hand-made lesion masks; `held_back` names the files of the validation half."""
    return [
        LesionPhoto(
            name=path.stem,
            source="masks",
            split="val" if path.stem in held_back else "train",
            group=f"mask-{path.stem}",
            path=path,
            scale_xy=_SCALES["masks"],
            mask_path=root / "masks" / path.name,
        )
        for path in sorted((root / "images").glob("*.png"))
    ]


def load_clear(root: Path, *, val_share: float = 0.15) -> list[LesionPhoto]:
    """Read clear-skinned faces: pictures on which nothing must be found."""
    nothing = _circles([])
    paths = sorted(root.glob("*.jpg"))
    every = round(1 / val_share)
    return [
        LesionPhoto(
            name=path.stem,
            source="clear",
            split="val" if index % every == 0 else "train",
            group=path.stem,
            path=path,
            scale_xy=_SCALES["clear"],
            active=nothing,
            marks=nothing,
            sparse=nothing,
            inflamed=np.zeros(0, np.float32),
        )
        for index, path in enumerate(paths)
    ]


@dataclass(frozen=True, eq=False)
class LesionTarget:
    """What the network should say about one crop, at stride 2.

    Maps are (h, w) float32; a weight of 0 says that nothing is known there.
    """

    mask: NDArray[np.float32]
    mask_weight: NDArray[np.float32]
    heat: NDArray[np.float32]  # (3, h, w): active, mark, sparse
    heat_weight: NDArray[np.float32]  # (3, h, w)
    inflamed: NDArray[np.float32]  # 1, 0 or IGNORE at centres
    log_radius: NDArray[np.float32]  # natural log of the radius in work pixels, IGNORE away from centres


def _splat(heat: NDArray[np.float32], x: float, y: float, radius: float) -> None:
    """Write a Gaussian with peak 1 at the nearest cell, keeping the higher value."""
    sigma = max(0.9, radius / 3)
    reach = int(np.ceil(3 * sigma))
    cx, cy = round(x), round(y)
    h, w = heat.shape
    x0, x1, y0, y1 = max(cx - reach, 0), min(cx + reach + 1, w), max(cy - reach, 0), min(cy + reach + 1, h)
    if x0 >= x1 or y0 >= y1:
        return
    gx = np.exp(-((np.arange(x0, x1) - cx) ** 2) / (2 * sigma**2))
    gy = np.exp(-((np.arange(y0, y1) - cy) ** 2) / (2 * sigma**2))
    np.maximum(heat[y0:y1, x0:x1], np.outer(gy, gx).astype(np.float32), out=heat[y0:y1, x0:x1])


def _draw(canvas: NDArray[np.float32], circles: NDArray[np.float32], value: float, *, grow: float = 1.0) -> None:
    for x, y, r in circles:
        center = (round(float(x) * 16), round(float(y) * 16))
        radius = max(float(r) * grow - 0.45, 0.3)  # OpenCV fills every cell that the outline touches
        cv2.circle(canvas, center, round(radius * 16), value, -1, cv2.LINE_8, 4)


def make_target(
    photo: LesionPhoto, affine: NDArray[np.float64], size: int, mask: NDArray[np.float32] | None
) -> LesionTarget:
    """Draw the target of one crop.

    Args:
        photo: The source picture's lesions.
        affine: (2, 3), from the picture's pixels to the crop's.
        size: Side of the crop in pixels.
        mask: The hand-made mask already warped to (size / 2, size / 2), if the photo has one.
    """
    cells = size // STRIDE
    zeros = np.zeros((cells, cells), np.float32)
    heat, weight = np.zeros((3, cells, cells), np.float32), np.zeros((3, cells, cells), np.float32)
    inflamed, log_radius = zeros + IGNORE, zeros + IGNORE
    area = np.sqrt(abs(np.linalg.det(affine[:, :2])))

    def to_cells(circles: NDArray[np.float32]) -> NDArray[np.float32]:
        xy = circles[:, :2] @ affine[:, :2].T + affine[:, 2]
        # Cell k covers pixels 2k and 2k + 1, whose common centre is 2k + 0.5.
        return np.concatenate([(xy - 0.5) / STRIDE, circles[:, 2:] * area / STRIDE], 1).astype(np.float32)

    disc, disc_weight = zeros.copy(), zeros.copy()
    known = (photo.active, photo.marks, photo.sparse)
    for channel, circles in enumerate(known):
        if circles is None:
            continue
        weight[channel] = 0.4 if photo.source == "typed" else 1.0
        for x, y, r in (drawn := to_cells(circles)):
            _splat(heat[channel], x, y, r)
        _draw(weight[channel], drawn, 1.0, grow=1.5)
    if photo.active is not None:
        cells_active = to_cells(photo.active)
        if photo.source != "typed":
            _draw(disc, cells_active, 1.0)
            disc_weight += 0.25 if len(photo.active) else 1.0
        if photo.marks is None:  # an active lesion is no mark; elsewhere nobody looked
            _draw(weight[1], cells_active, 0.5)
        for (x, y, r), red in zip(cells_active, photo.inflamed if photo.inflamed is not None else (), strict=True):
            cx, cy = round(float(x)), round(float(y))
            if 0 <= cx < cells and 0 <= cy < cells:
                log_radius[cy, cx] = np.log(max(float(r) * STRIDE, 1.0))
                inflamed[cy, cx] = red
    if photo.marks is not None:
        marks = to_cells(photo.marks)
        _draw(weight[0], marks, 2.0)  # look-alikes: hard negatives of the active centres
        for x, y, r in marks:
            cx, cy = round(float(x)), round(float(y))
            if 0 <= cx < cells and 0 <= cy < cells:
                log_radius[cy, cx] = np.log(max(float(r) * STRIDE, 1.0))
    if mask is not None:
        disc, disc_weight = mask, np.ones_like(mask)
    return LesionTarget(disc, disc_weight, heat, weight, inflamed, log_radius)


@dataclass(frozen=True)
class CropPlan:
    """How crops are drawn: sizes in pixels, shares by source."""

    size: int = 384
    zoom: tuple[float, float] = (0.72, 1.4)  # log-uniform around the work scale
    rotate_deg: float = 25.0
    on_lesion: float = 0.72  # share of crops centred near a lesion
    shares: Mapping[str, float] = field(
        default_factory=lambda: {
            "crops1024": 0.33,
            "frames512": 0.25,
            "frames640": 0.10,
            "graded640": 0.02,
            "typed": 0.19,
            "masks": 0.07,
            "clear": 0.04,
        }
    )


class LesionCrops:
    """Endless seeded crops over photos kept in memory."""

    def __init__(self, photos: Sequence[LesionPhoto], plan: CropPlan) -> None:
        self.plan = plan
        self.photos = {s: [p for p in photos if p.source == s] for s in plan.shares}
        self.sources = [s for s in plan.shares if self.photos[s]]
        shares = np.array([plan.shares[s] for s in self.sources])
        self.shares = shares / shares.sum()
        self.images = {p.path: p.read() for p in photos}
        self.masks = {p.path: p.read_mask() for p in photos}

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], LesionTarget]:
        """One augmented crop (size, size, 3) uint8 RGB with its target."""
        source = self.sources[rng.choice(len(self.sources), p=self.shares)]
        photo = self.photos[source][rng.integers(len(self.photos[source]))]
        image, size = self.images[photo.path], self.plan.size
        affine = self._draw_affine(photo, image.shape[:2], rng)
        crop = cv2.warpAffine(image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        look: Look = draw_look(rng)
        mask = self.masks[photo.path]
        if mask is not None:
            shrink = np.array([[1 / STRIDE, 0, -0.25], [0, 1 / STRIDE, -0.25]])
            full = np.vstack([affine, [0, 0, 1]])
            small = cv2.warpAffine(mask, shrink @ full, (size // STRIDE, size // STRIDE), flags=cv2.INTER_LINEAR)
            mask = (np.asarray(small) > 0.5).astype(np.float32)
        return look.apply(np.asarray(crop, np.uint8), rng), make_target(photo, affine, size, mask)

    def _draw_affine(self, photo: LesionPhoto, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
        plan, (h, w) = self.plan, shape
        circles = [c for c in (photo.active, photo.marks) if c is not None and len(c)]
        if circles and rng.random() < plan.on_lesion:
            pool = np.concatenate(circles)
            cx, cy = pool[rng.integers(len(pool)), :2]
            spread = plan.size * 0.35
            cx, cy = (
                cx + rng.uniform(-spread, spread) / photo.scale_xy[0],
                cy + rng.uniform(-spread, spread) / photo.scale_xy[1],
            )
        else:
            cx, cy = rng.uniform(0.15, 0.85) * w, rng.uniform(0.1, 0.9) * h
        zoom = float(np.exp(rng.uniform(*np.log(plan.zoom))))
        angle = np.deg2rad(rng.normal(0, plan.rotate_deg / 2))
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        flip = -1.0 if rng.random() < 0.5 else 1.0
        linear = zoom * rotation @ np.diag([flip * photo.scale_xy[0], photo.scale_xy[1]])
        shift = np.array([plan.size / 2, plan.size / 2]) - linear @ np.array([cx, cy])
        return np.hstack([linear, shift[:, None]])
