"""The values that pass between the stages: frozen, checked, free of I/O and models.

Everything is in pixels of the upright original photo (after EXIF rotation), RGB, unless a name
says otherwise. Arrays inside are read-only by agreement. `None` means not assessed, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Mask = NDArray[np.bool_]  # (H, W)
Xy = tuple[float, float]
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 of edges: the first pixel spans 0 to 1, width is x1 - x0

# A region with less than this share of the face's skin is not visible: nothing is counted in it and the quality gate
# names it. The smallest, the nose, has 0.08 of a whole face.
VISIBLE_SHARE = 0.015


class Part(IntEnum):
    """Classes of the face map; left and right are the person's."""

    BACKGROUND = 0
    FOREHEAD = 1
    NOSE = 2
    LEFT_CHEEK = 3
    RIGHT_CHEEK = 4
    CHIN = 5  # with the upper lip's skin
    EYES = 6
    BROWS = 7
    LIPS = 8
    OTHER = 9  # hair, glasses, ears, neck


class Region(StrEnum):
    """Parts of the face whose skin acne affects and comedo measures."""

    FOREHEAD = "forehead"
    NOSE = "nose"
    LEFT_CHEEK = "left_cheek"
    RIGHT_CHEEK = "right_cheek"
    CHIN = "chin"

    @property
    def part(self) -> Part:
        """The face-map class of this region."""
        return Part[self.name]


_SKIN_PARTS = tuple(region.part for region in Region)


def skin_of(parts: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which cells of a face map show skin that acne can affect; the shape of `parts`."""
    return np.isin(parts, _SKIN_PARTS)


class Group(StrEnum):
    """What a lesion is, coarsely: the trained head's answer."""

    INFLAMMATORY = "inflammatory"
    NON_INFLAMMATORY = "non_inflammatory"
    MARK = "mark"  # flat spot, mole, freckle, scar: no active lesion


class Kind(StrEnum):
    """What a lesion is, finely: experimental, from measured size, colour and relief."""

    OPEN_COMEDONE = "open_comedone"
    CLOSED_COMEDONE = "closed_comedone"
    PAPULE = "papule"
    PUSTULE = "pustule"
    NODULE = "nodule"
    MARK = "mark"


class Verdict(StrEnum):
    """The quality gate's answer for the whole photo."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo, upright, in sRGB.

    `image` is (H, W, 3) uint8 RGB; `sha256` is of the bytes that came, or of the pixels where an
    array came; `notices` says what was done to it (profile converted, alpha flattened, ...).
    """

    image: Image
    name: str
    sha256: str
    format: str  # "jpeg", "png", "webp", "heic", "array"
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(
                f"Photo.image must be an (H, W, 3) uint8 RGB array, got {self.image.shape} {self.image.dtype}; "
                "decode it with comedo.photo.read_photo"
            )

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.image.shape[1])


@dataclass(frozen=True, eq=False)
class FaceMap:
    """The parts of one face.

    `parts` is an (h, w) uint8 array of `Part` values at reduced size; `to_photo` is the 2x3
    affine from its pixel (x, y) to the photo's. Everything else is in the photo's pixels.
    """

    parts: NDArray[np.uint8]
    to_photo: NDArray[np.float64]
    box_xyxy: Box
    eyes_xy: tuple[Xy | None, Xy | None]  # the person's right eye (left in the picture), left eye
    roll_deg: float | None
    yaw_deg: float | None  # positive: the person's left cheek is turned to the camera
    mm_per_px: float | None
    mm_per_px_error: float | None  # relative, one standard deviation
    face_px: float  # eye line to lips: the face's size whatever its yaw
    score: float  # mean probability of the face's pixels, [0, 1]
    other_faces: int = 0

    @property
    def photo_px_per_cell(self) -> float:
        """Area of one cell of `parts` in photo pixels."""
        a = self.to_photo
        return float(abs(a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]))

    @cached_property
    def _cells_by_part(self) -> NDArray[np.intp]:
        """Cells of each `Part`, counted once: the areas are asked for many times."""
        return np.bincount(self.parts.ravel(), minlength=len(Part))

    def region_area_px(self, region: Region) -> int:
        """Skin of one region in photo pixels."""
        return round(float(self._cells_by_part[region.part]) * self.photo_px_per_cell)

    @property
    def skin_area_px(self) -> int:
        """Skin that acne can affect, in photo pixels."""
        return sum(self.region_area_px(r) for r in Region)

    @property
    def visible_regions(self) -> frozenset[Region]:
        """The regions of which enough is seen to be counted in."""
        least_px = max(1.0, VISIBLE_SHARE * self.skin_area_px)
        return frozenset(r for r in Region if self.region_area_px(r) >= least_px)


@dataclass(frozen=True)
class Lesion:
    """One lesion, in pixels of the original photo.

    `box_xyxy` lies on edges of pixels, as COCO boxes do: x0 = 0 is the left edge of the first
    column, x1 = width the right edge of the last, and the box is x1 - x0 wide. It is clipped to
    the photo. `center_xy` counts whole pixels, as masks and drawings do: (0, 0) is the middle of
    the first pixel, which lies at (0.5, 0.5) of the box's frame.
    """

    id: int  # 1, 2, ... in reading order
    box_xyxy: Box
    center_xy: Xy
    diameter_px: float
    diameter_mm: float | None
    area_px: float
    score: float  # [0, 1]
    group: Group
    group_probs: Mapping[Group, float]
    kind: Kind
    kind_probs: Mapping[Kind, float]
    region: Region | None
    redness: float | None  # CIELAB a* of the lesion minus that of the skin around it
    conspicuity: float | None = None  # [0, 1]: would the sparser ACNE04-v1 annotators have marked it?

    @property
    def active(self) -> bool:
        """Whether the lesion counts as acne."""
        return self.group is not Group.MARK


@dataclass(frozen=True)
class Faint:
    """A place that falls short of being reported as a lesion, in pixels of the original photo.

    No count holds it; a series asks whether a lesion that another photo shows may still be there.
    """

    center_xy: Xy
    score: float  # [0, 1], of an active lesion


@dataclass(frozen=True)
class Check:
    """One line of the quality gate: the value measured against its limit."""

    name: str
    value: float | None
    limit: float | None
    ok: bool
    advice: str  # what to do about it; empty when ok
    severe: bool = False  # a failed severe check makes the photo poor, any other makes it fair


@dataclass(frozen=True)
class Quality:
    """The quality gate's answer with its reasons."""

    verdict: Verdict
    checks: tuple[Check, ...]

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do better next time, most serious first."""
        failed = sorted((c for c in self.checks if not c.ok), key=lambda c: not c.severe)
        return tuple(c.advice for c in failed)


@dataclass(frozen=True)
class Counts:
    """How many lesions, under which convention. `total` leaves marks out."""

    convention: str
    total: int
    interval_90: tuple[int, int]
    by_group: Mapping[Group, int]
    by_kind: Mapping[Kind, int]
    by_region: Mapping[Region, int | None]  # None: the region is not visible


@dataclass(frozen=True)
class Coverage:
    """Skin under active lesions."""

    lesion_px: int
    skin_px: int

    @property
    def fraction(self) -> float | None:
        """Lesion area over skin area; None without skin."""
        return None if self.skin_px == 0 else self.lesion_px / self.skin_px


@dataclass(frozen=True)
class Grade:
    """One scale's answer.

    `value` is the number or name on that scale, None where a photo cannot give it; `why` says in
    words how it came about; `missing` names what the scale wants and a photo does not show.
    """

    scale: str
    value: float | int | str | bool | None
    level: str | None
    why: str
    source: str
    interval_90: tuple[float, float] | None = None
    probability: float | None = None
    maximum: float | None = None
    missing: tuple[str, ...] = ()
    details: Mapping[str, float | int | str | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FaceAnalysis:
    """Everything measured on one photo."""

    photo_name: str
    photo_sha256: str
    width: int
    height: int
    models: tuple[str, ...]  # "name@sha256:...": every result can be traced
    quality: Quality
    face: FaceMap
    lesions: tuple[Lesion, ...]
    lesion_mask: Mask  # (H, W), active lesions
    counts: Counts
    coverage: Coverage
    grades: Mapping[str, Grade]
    notices: tuple[str, ...]
    faint: tuple[Faint, ...] = ()
