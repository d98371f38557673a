"""Photos with lesions for the lesion network, all described in one scale.

The *work scale* is that of the analysis: `WORK_FACE_PX` from eye line to lips, about 4.9 pixels per millimetre of skin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.lesions.network import WORK_FACE_PX
from comedo.photo.skin_view import EYES_TO_LIPS_MM
from comedo.training.data.files import check_there
from comedo.training.evaluation.truth import pictures_in

# Eye line to lips in each set's own pixels, along and down: medians by the face map. The ACNE04 originals are
# 3112 x 3456 pixels, of which the crops show 3112 on 1024; the frames of 640 are stretched to a square.
_FACE_PX = {
    "crops1024": (373.0, 373.0),
    "frames512": (168.0, 168.0),
    "frames640": (233.0, 210.0),
    "graded640": (233.0, 210.0),
    "typed": (142.0, 142.0),
    "masks": (95.0, 95.0),
    "clear": (133.0, 133.0),
}
_CLEAR_HELD_BACK = 7
IGNORE = -1.0
WORK_PX_PER_MM = WORK_FACE_PX / EYES_TO_LIPS_MM  # about 4.9


@dataclass(frozen=True, eq=False)
class LesionPhoto:
    """One source picture with everything that is known of its lesions, in its own pixels.

    Circles are (N, 3) float32 x, y, radius. `None` means that nobody looked for that kind.
    """

    name: str
    source: str
    split: str
    person: str
    path: Path
    scale_xy: tuple[float, float]
    active: NDArray[np.float32] | None = None
    marks: NDArray[np.float32] | None = None
    sparse: NDArray[np.float32] | None = None  # ACNE04 v1 boxes, as circles
    inflamed: NDArray[np.float32] | None = None  # per active lesion: 1, 0 or IGNORE
    mask_path: Path | None = None
    grade: int | None = None
    picture: NDArray[np.uint8] | None = None  # of a made photo, which is no file; `path` is then only its name

    def read(self) -> NDArray[np.uint8]:
        """The picture, (H, W, 3) uint8 RGB."""
        if self.picture is not None:
            return self.picture
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


def _scale_of(source: str) -> tuple[float, float]:
    along, down = _FACE_PX[source]
    return WORK_FACE_PX / along, WORK_FACE_PX / down


def circles_of(rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """Rows of x, y, radius as (N, 3) float32, N possibly 0."""
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
        i["photo"]: circles_of(circles.get(i["id"], []))
        for i in coco["images"]
        if i["file_name"].startswith("frames640")
    }
    photos = []
    for image in coco["images"]:
        source = image["file_name"].split("/")[0]
        labelled = image.get("lesions_labelled", True)
        active = circles_of(circles.get(image["id"], [])) if labelled else None
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
                person=f"acne04-{image['group']}",
                path=root / image["file_name"],
                scale_xy=_scale_of(source),
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
                person=Path(image["file_name"]).stem,
                path=root / image["file_name"],
                scale_xy=_scale_of("typed"),
                active=circles_of([circle for _, circle in active]),
                marks=circles_of([circle for c, circle in known if c == 3]),
                inflamed=np.asarray([float(c == 2) for c, _ in active], np.float32),
            )
        )
    return photos


def load_masks(root: Path, held_back: Sequence[str]) -> list[LesionPhoto]:
    """Read the hand-made lesion masks; `held_back` names the files of the validation half.

    Raises:
        FileNotFoundError: A photo has no mask.
    """
    pictures = sorted((root / "images").glob("*.png"))
    check_there([root / "masks" / path.name for path in pictures])
    return [
        LesionPhoto(
            name=path.stem,
            source="masks",
            split="val" if path.stem in held_back else "train",
            person=f"mask-{path.stem}",
            path=path,
            scale_xy=_scale_of("masks"),
            mask_path=root / "masks" / path.name,
        )
        for path in pictures
    ]


def clear_split(index: int) -> str:
    """On which side the clear face of that place in the order of names is; one in seven is held back."""
    return "val" if index % _CLEAR_HELD_BACK == 0 else "train"


def load_clear(root: Path) -> list[LesionPhoto]:
    """Read clear-skinned faces: pictures on which nothing must be found."""
    nothing = circles_of([])
    return [
        LesionPhoto(
            name=path.stem,
            source="clear",
            split=clear_split(index),
            person=path.stem,
            path=path,
            scale_xy=_scale_of("clear"),
            active=nothing,
            marks=nothing,
            sparse=nothing,
            inflamed=np.zeros(0, np.float32),
        )
        for index, path in enumerate(pictures_in(root))
    ]
