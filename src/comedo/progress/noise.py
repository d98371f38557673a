"""How much a measure differs between two photos of unchanged skin: the fitted model, and one's own factor on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from comedo.errors import ModelError

Z_95 = 1.96  # two-sided 5 %
Z_POWER = 1.28  # one-sided 10 %: if all of a change shows, one that much above the limit is told in 9 of 10 comparisons
# How many repeat pairs the fitted model counts as, when one's own pairs correct it.
_PRIOR_PAIRS = 8.0
_FACTOR_RANGE = (0.7, 2.5)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Response(_Table):
    """What a count shows of a real change of n on faces of a kind: in all but few comparisons share * n - shortfall."""

    faces: str
    share: float = Field(gt=0)
    shortfall: float = Field(ge=0)


class MeasureNoise(_Table):
    """Variance of the difference of two readings with mean m under differences of light L, zoom Z and sharpness S.

    base + sharpness * S^2 + per_unit * m + (relative + light * L^2 + zoom * Z^2) * m^2, times inflation^2: what a
    blurred photo hides is not in the mean.
    """

    base: float = Field(ge=0)
    per_unit: float = Field(ge=0)
    relative: float = Field(ge=0)
    light: float = Field(ge=0)
    zoom: float = Field(ge=0)
    sharpness: float = Field(default=0.0, ge=0)
    inflation: float = Field(default=1.0, ge=1)
    tolerance: float = Field(default=1.0, ge=1)  # limits are so much wider, to hold with confidence and not on average
    responses: tuple[Response, ...] = ()  # none where no real changes are known
    margin: float = Field(gt=0)  # a change of less is called the same: units of the measure ...
    margin_share: float = Field(ge=0)  # ... or this share of the mean, if that is more
    useful: float = Field(gt=0)  # a smallest detectable change of more, in units ...
    useful_share: float = Field(ge=0)  # ... and of more than this share of the mean, is too much to call it the same

    def sd(self, mean: float, light: float, zoom: float, sharpness: float = 0.0) -> float:
        """Standard deviation of the difference."""
        squared = (self.relative + self.light * light**2 + self.zoom * zoom**2) * mean**2
        blurred = self.sharpness * sharpness**2
        return self.inflation * math.sqrt(max(self.base + blurred + self.per_unit * mean + squared, 1e-12))

    def smallest_detectable(self, told_from: float, sd: float) -> float:
        """The real change that 9 of 10 comparisons tell, on the kind of face that shows least of it.

        Args:
            told_from: The difference from which on a change is told.
            sd: Standard deviation of the difference.
        """
        if not self.responses:
            return told_from + Z_POWER * sd
        return max((told_from + response.shortfall) / response.share for response in self.responses)


class ChangeNoise(_Table):
    """Test-retest noise of every measure, and where its numbers come from."""

    provenance: str
    pairs: int = Field(ge=0)
    typical_light: float = Field(ge=0)  # median of the pairs: taken where the light could not be compared
    measures: dict[str, MeasureNoise]


@cache
def load_noise() -> ChangeNoise:
    """The shipped model.

    Raises:
        ModelError: The file is absent or damaged.
    """
    return read_noise(files("comedo.progress").joinpath("noise.json").read_bytes())


def read_noise(data: bytes) -> ChangeNoise:
    """A model from its JSON.

    Raises:
        ModelError: It is not one.
    """
    try:
        return ChangeNoise.model_validate_json(data)
    except ValidationError as error:
        raise ModelError(
            f"the noise model is damaged: {error.errors()[0]['msg']}; fit it again or reinstall"
        ) from error


def personal_factor(scores: Sequence[float]) -> float | None:
    """What the model's standard deviations are to be multiplied by for one person; None without repeat photos.

    Args:
        scores: Differences between photos taken minutes apart, each over the model's standard deviation.

    The mean square of the scores, drawn towards one as if the model had seen `_PRIOR_PAIRS` pairs of this person.
    """
    if not scores:
        return None
    squares = sum(z * z for z in scores)
    factor = math.sqrt((_PRIOR_PAIRS + squares) / (_PRIOR_PAIRS + len(scores)))
    return min(max(factor, _FACTOR_RANGE[0]), _FACTOR_RANGE[1])
