"""Numbers fitted after training: cut-offs, count noise, severity. Kept beside the weights as JSON.

Written by `comedo.training.calibration.calibrate`; the file names the data and the split behind each number.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from comedo.errors import ModelError
from comedo.inference import WEIGHTS

# CIELAB a* above the skin around: midway between the medians of skin-coloured and inflamed lesions (1.3 and 4.0)
# on validation portraits.
RED_MIDDLE = 2.6


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(_Table):
    """Cut-offs of the lesion maps, each in [0, 1]."""

    active: float = 0.30  # weighed probability from which an active lesion is reported
    mark: float = 0.30  # the same of a mark
    sparse: float = 0.30  # conspicuity from which a lesion counts under acne04-v1
    mask: float = 0.5  # probability from which a pixel belongs to a lesion
    mark_bias: float = Field(default=1.0, gt=0)  # a centre is a mark when mark x bias exceeds active
    inflamed: float = 0.5  # probability from which an active lesion is inflamed
    red_weight: float = Field(default=0.0, ge=0)  # added to its logit per unit of redness above RED_MIDDLE


class Weighing(_Table):
    """How likely a candidate is an active lesion, as a logistic curve; see `comedo.lesions.weighing`.

    The defaults leave the network's probability as it is.
    """

    offset: float = 0.0
    score: float = Field(default=1.0, gt=0)  # per unit of the network's log odds
    radius: float = 0.0  # per unit of the natural log of the radius in canvas pixels
    around: float = 0.0  # per unit of the natural log of the mean probability nearby
    photo: float = 0.0  # per unit of the mean probability of the photo's clearest candidates
    mark: float = 0.0  # per unit of log odds, of a mark here ...
    sparse: float = 0.0  # ... of a lesion that the sparse convention counts ...
    inflamed: float = 0.0  # ... and of inflamed, if it is active


class CountNoise(_Table):
    """Relative errors of a count n: the true one lies in n + [low, high] x (n + offset)^power, 90 %."""

    low: float = -1.5
    high: float = 1.5
    offset: float = 2.0
    power: float = 0.6

    def interval(self, count: int) -> tuple[int, int]:
        """The 90 % interval of a count, whole lesions, never below zero."""
        spread = (count + self.offset) ** self.power
        low, high = round(count + self.low * spread), round(count + self.high * spread)
        return (max(0, min(low, count)), max(high, count))


class SeverityCurve(_Table):
    """Burden of lesions to severity 1-5; see `comedo.grading.severity`."""

    conspicuous: float = Field(default=1.0, ge=0)  # weight of one wholly conspicuous lesion
    faint: float = Field(default=0.1, ge=0)  # weight that every lesion has
    large: float = Field(default=0.0, ge=0)  # further weight per millimetre of diameter above 3
    red: float = Field(default=0.0, ge=0)  # further weight per unit of redness above 4
    bounds: tuple[float, float, float, float] = (0.5, 5.5, 20.5, 50.5)  # burdens between the five levels; rising
    spread: float = Field(default=0.5, gt=0)  # standard deviation of the error on the severity scale

    @field_validator("bounds")
    @classmethod
    def _rising(cls, bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        if not 0 < bounds[0] < bounds[1] < bounds[2] < bounds[3]:
            raise ValueError(f"severity bounds must be positive and rise, got {bounds}; fit the calibration again")
        return bounds


class AffectedCurve(_Table):
    """Burden of lesions to the probability that acne is present; see `comedo.grading.acne`."""

    middle: float = Field(default=1.5, gt=0)  # burden at which the probability is one half
    slope: float = Field(default=2.0, gt=0)  # of the logistic curve over the log of the burden


class Calibration(_Table):
    """Everything fitted after training."""

    provenance: str = "defaults, not fitted"
    weighing: Weighing = Weighing()
    thresholds: Thresholds = Thresholds()
    count_noise: dict[str, CountNoise] = {"visible": CountNoise(), "acne04-v1": CountNoise()}
    severity: SeverityCurve = SeverityCurve()
    affected: AffectedCurve = AffectedCurve()


def load_calibration(folder: Path = WEIGHTS) -> Calibration:
    """Read calibration.json of a weights folder.

    Raises:
        ModelError: If it is absent or damaged.
    """
    path = folder / "calibration.json"
    try:
        return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"the calibration {path} cannot be read; reinstall comedo") from error
    except ValidationError as error:
        raise ModelError(f"the calibration {path} is damaged: {error.errors()[0]['msg']}; reinstall comedo") from error
