"""What a detector is built of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from comedo.errors import UnusableInput
from comedo.training.detection.backbones import STRIDES, BackboneName
from comedo.training.detection.losses import BoxLoss, ClassLoss


class DetectorKind(StrEnum):
    """The detectors by name."""

    TOOD = "tood"
    ATSS = "atss"
    CENTERNET = "centernet"


_READ_BY = {  # keys that not every detector reads
    "anchor_scale": (DetectorKind.TOOD, DetectorKind.ATSS),
    "adaptive_share": (DetectorKind.TOOD,),
}


@dataclass(frozen=True)
class DetectorPlan:
    """Parts and sizes of a detector.

    The reference system's is TOOD with resnext101-64x4d, strides 8 to 128, width 256, 6 stacked
    convolutions, anchor scale 8.
    """

    kind: DetectorKind = DetectorKind.TOOD
    backbone: BackboneName = BackboneName.MOBILENET_V2
    strides: tuple[int, ...] = (4, 8, 16)  # of the levels, each twice the one before
    width: int = 64  # channels of neck and head
    stacked: int = 4  # convolutions of a tower
    box_loss: BoxLoss = BoxLoss.GIOU
    class_loss: ClassLoss | None = None  # null: the detector's own
    box_weight: float = 2.0
    anchor_scale: float = 4.0  # strides that the side of ATSS's square anchors has; TOOD starts by ATSS
    adaptive_share: float = 0.12  # of TOOD's training: assigned by ATSS first, 4 of 35 epochs in the reference

    def __post_init__(self) -> None:
        doubled = all(b == 2 * a for a, b in zip(self.strides, self.strides[1:], strict=False))
        if not self.strides or self.strides[0] not in STRIDES or not doubled:
            raise UnusableInput(
                f"strides must start at one of {', '.join(map(str, STRIDES))} and double, got {self.strides}"
            )
        if self.width < 4 or (self.width > 16 and self.width % 16) or self.stacked < 1:
            raise UnusableInput(
                f"width must be 4 to 16 or a multiple of 16, and stacked at least 1; got {self.width}, {self.stacked}"
            )
        for key, kinds in _READ_BY.items():
            value = getattr(self, key)
            if self.kind not in kinds and value != getattr(DetectorPlan, key):
                raise UnusableInput(
                    f"detector.{key} is read by {' and '.join(kinds)} alone, got {value} for {self.kind}; leave it out"
                )
