"""What a reader says about an analysis: the schema "comedo.corrections/1".

Written by hand or by an app. Unknown keys are refused, so that a misspelt one never passes for "nothing to say".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from comedo.errors import UnusableInput
from comedo.grading import gea, hayashi, iga, nice, severity
from comedo.lesions.kinds import KINDS
from comedo.report.written import StrPath, first_fault, name_of, read_bytes
from comedo.types import Group, Kind

Text = Annotated[str, Field(max_length=2000)]
Value = bool | int | float | str


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Confirm(_Given):
    """The lesion is there; its group and kind are right."""

    action: Literal["confirm"]
    id: int
    why: Text = ""


class Reject(_Given):
    """There is no lesion and no mark."""

    action: Literal["reject"]
    id: int
    why: Text = ""


class _Described(_Given):
    group: Group | None = None
    kind: Kind | None = None

    @model_validator(mode="after")
    def _kind_of_group(self) -> Self:
        if self.kind is not None and self.group is not None and self.kind not in KINDS[self.group]:
            raise ValueError(f"{self.kind} is no kind of {self.group}; choose one of {', '.join(KINDS[self.group])}")
        return self

    @property
    def group_meant(self) -> Group | None:
        """The group, also where only a kind is given."""
        if self.kind is None:
            return self.group
        return next(group for group, kinds in KINDS.items() if self.kind in kinds)


class Correct(_Described):
    """The lesion is there, and something about it is otherwise."""

    action: Literal["correct"]
    id: int
    center_xy: tuple[float, float] | None = None
    diameter_px: Annotated[float, Field(gt=0)] | None = None
    why: Text = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not {"group", "kind", "center_xy", "diameter_px"} & self.model_fields_set:
            raise ValueError("a correction must give group, kind, center_xy or diameter_px; or confirm the lesion")
        return self


class Add(_Described):
    """A lesion or mark that comedo missed."""

    action: Literal["add"]
    center_xy: tuple[float, float]
    diameter_px: Annotated[float, Field(gt=0)]
    why: Text = ""

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.group_meant is None:
            raise ValueError("an added lesion must have a group or a kind")
        return self


LesionCorrection = Annotated[Confirm | Reject | Correct | Add, Field(discriminator="action")]


@dataclass(frozen=True)
class Scale:
    """Values that a reader can give on a scale, and what each is called."""

    values: str
    allows: Callable[[Value], bool]
    level: Callable[[Value], str | None]


def _whole(highest: int, levels: tuple[str, ...] | None = None) -> Scale:
    return Scale(
        f"whole number from 0 to {highest}",
        lambda v: type(v) is int and 0 <= v <= highest,
        lambda v: levels[int(v)] if levels is not None else None,
    )


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "severity": Scale(
            "number from 1 to 5",
            lambda v: type(v) in (int, float) and 1 <= float(v) <= 5,
            lambda v: severity.LEVELS[min(4, round(float(v)) - 1)],
        ),
        "acne": Scale("true or false", lambda v: type(v) is bool, lambda v: "affected" if v else "not affected"),
        "hayashi": _whole(3, tuple(name for _, _, name in hayashi.BANDS)),
        "gags_face": _whole(32),
        "iga_estimate": _whole(4, iga.LEVELS),
        "gea": _whole(5, gea.LEVELS),
        "nice_group": Scale(
            f"{nice.NONE}, {nice.MILD_TO_MODERATE} or {nice.MODERATE_TO_SEVERE}",
            lambda v: v in (nice.NONE, nice.MILD_TO_MODERATE, nice.MODERATE_TO_SEVERE),
            lambda v: str(v).replace("_", " "),
        ),
    }
)


class GradeCorrection(_Given):
    """What the reader says of one grade; `value` only with "correct"."""

    scale: str
    action: Literal["confirm", "correct", "reject"]
    value: Value | None = None
    why: Text = ""

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        scale = SCALES.get(self.scale)
        if scale is None:
            raise ValueError(f"no scale {self.scale!r}; choose one of {', '.join(SCALES)}")
        if (self.action == "correct") != (self.value is not None):
            raise ValueError('"correct" needs a value, "confirm" and "reject" take none')
        if self.value is not None and not scale.allows(self.value):
            raise ValueError(f"{self.scale} must be a {scale.values}, got {self.value!r}")
        return self


class Corrections(_Given):
    """Everything that one reader says about one analysis."""

    schema_: Literal["comedo.corrections/1"] = Field(alias="schema")
    reviewer: Annotated[str, Field(min_length=1, max_length=200)]
    reviewed_at: AwareDatetime | None = Field(default=None, description="null: now.")
    analysis_sha256: str | None = Field(default=None, description="Of the analysis file; null: not compared.")
    complete: bool = Field(default=False, description="The whole face was read; what was missed is added.")
    why: Text = ""
    lesions: Annotated[tuple[LesionCorrection, ...], Field(max_length=10_000)] = ()
    grades: tuple[GradeCorrection, ...] = ()

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        for what, names in (
            ("lesion", [str(c.id) for c in self.lesions if not isinstance(c, Add)]),
            ("scale", [g.scale for g in self.grades]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} {', '.join(twice)} is named more than once; say one thing of each")
        return self


def read_corrections(path: StrPath) -> Corrections:
    """Read a file of corrections.

    Raises:
        UnusableInput: It cannot be read or says something that is not allowed; the field is named.
    """
    try:
        return Corrections.model_validate_json(read_bytes(path, "the corrections"))
    except ValidationError as error:
        fault = first_fault(error)
        raise UnusableInput(f"{name_of(path)} is not a file of corrections: {fault}; see docs/review.md") from error


def check_corrections(values: Mapping[str, object]) -> Corrections:
    """Corrections from plain values.

    Raises:
        UnusableInput: They say something that is not allowed; the field is named.
    """
    try:
        return Corrections.model_validate(values)
    except ValidationError as error:
        raise UnusableInput(f"corrections: {first_fault(error)}; see docs/review.md") from error


def in_utc(when: datetime) -> str:
    """A moment as it is written: UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
