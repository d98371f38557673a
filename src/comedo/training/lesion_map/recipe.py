"""What a lesion-map recipe says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from comedo.errors import UnusableInput
from comedo.inference import MIRRORED
from comedo.training.lesion_map.crops import CropPlan
from comedo.training.lesion_map.data import LesionPhoto, load_acne04, load_clear, load_masks, load_typed
from comedo.training.lesion_map.made import MadePhotos
from comedo.training.lesion_map.own import load_own
from comedo.training.lesion_map.teacher import KeepMask
from comedo.training.unet_task import UNetRecipe


@dataclass(frozen=True)
class OwnPhotos:
    """Photos of the user's own: a COCO file whose images name their split and person."""

    annotations: str
    photos: str
    pixels_per_mm: float  # of skin, in the photos' pixels


@dataclass(frozen=True)
class LesionData:
    """Where the sets of the lesion map lie, below the data folder; null leaves one out."""

    acne04: str | None = None
    typed: str | None = None
    masks: str | None = None
    masks_held_back: tuple[str, ...] = ()  # names without ending: kept for the evaluation
    clear: str | None = None
    own: OwnPhotos | None = None


@dataclass(frozen=True, kw_only=True)
class LesionRecipe(UNetRecipe):
    """Centres, masks, radii and groups of lesions."""

    task: ClassVar[str] = "lesion-map"
    looks_at: Literal["pictures", "mirror images"] = "pictures"  # of a pair of lesion maps, which one this is
    data: LesionData
    crops: CropPlan = field(default_factory=CropPlan)
    made: MadePhotos = field(default_factory=MadePhotos)  # `rendered` and `pasted` among the shares
    keep_mask: KeepMask | None = None  # null: masks are learnt from people's alone

    def __post_init__(self) -> None:
        super().__post_init__()
        for source, number in (("rendered", self.made.rendered), ("pasted", self.made.pasted)):
            if (number > 0) != (self.crops.shares.get(source, 0.0) > 0):
                raise UnusableInput(
                    f"made.{source} is {number} and crops.shares.{source} {self.crops.shares.get(source, 0.0):g}; give "
                    "photos that are made a share of the crops, and a share photos to be drawn from"
                )

    @property
    def exported(self) -> str:
        """A pair has two names."""
        return MIRRORED if self.looks_at == "mirror images" else self.task


def lesion_photos(data: LesionData, root: Path) -> list[LesionPhoto]:
    """Every photo of the recipe's sets, in all their splits.

    Raises:
        FileNotFoundError: A set is not complete.
        UnusableInput: A file is wrong.
    """
    photos: list[LesionPhoto] = []
    if data.acne04 is not None:
        photos += load_acne04(root / data.acne04)
    if data.typed is not None:
        photos += load_typed(root / data.typed)
    if data.masks is not None:
        photos += load_masks(root / data.masks, data.masks_held_back)
    if data.clear is not None:
        photos += load_clear(root / data.clear)
    if data.own is not None:
        own = data.own
        photos += load_own(root / own.annotations, root / own.photos, pixels_per_mm=own.pixels_per_mm)
    return photos
