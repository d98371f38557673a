"""What is said about a series of photos: visits, comparisons, the lesion ledger, measures of change, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comedo.progress.align import Alignment
from comedo.progress.canvas import Canvas
from comedo.types import Check, Counts, FaceMap, Faint, Grade, Group, Lesion, Mask, Quality, Region, Xy


class Answer(StrEnum):
    """What a difference means."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    CANNOT_TELL = "cannot_tell"


class State(StrEnum):
    """A lesion at one visit."""

    PRESENT = "present"  # first seen, and its place was not seen before
    NEW = "new"
    PERSISTING = "persisting"
    RESOLVED = "resolved"
    TURNED_INTO_MARK = "turned_into_mark"
    NOT_VISIBLE = "not_visible"  # its place is outside what could be compared: nothing is known


class View(StrEnum):
    """Whether a photo can be compared with the baseline."""

    COMPARABLE = "comparable"
    MIRRORED = "mirrored"
    DIFFERENT_VIEW = "different_view"
    NO_MATCH = "no_match"  # another person, or skin too blurred to be known again


@dataclass(frozen=True, eq=False)
class Visit:
    """One analysed photo, without its pixels but for the small canvas."""

    name: str
    sha256: str
    when: datetime | None  # local time; midnight where only the day is known
    face: FaceMap
    lesions: tuple[Lesion, ...]
    quality: Quality
    counts: Counts
    grades: Mapping[str, Grade]
    models: tuple[str, ...]
    canvas: Canvas
    faint: tuple[Faint, ...] = ()

    def quality_of(self, check: str) -> float | None:
        """What a check of the quality gate measured; None where it could not."""
        return next((c.value for c in self.quality.checks if c.name == check), None)


@dataclass(frozen=True)
class LeftOut:
    """A photo that could not be analysed at all; `code` is that of the error, `when` None where it is not known."""

    name: str
    reason: str
    when: datetime | None = None
    code: str = "error"


@dataclass(frozen=True)
class RegionView:
    """How much of a region both photos show.

    `overlap` is the share of the baseline's skin there that the later photo shows; None: the baseline has none.
    """

    overlap: float | None
    matched_share: float | None
    comparable: bool
    reason: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """A photo against the baseline.

    `common` (n, n) is the skin compared, in pixels of the baseline canvas. `light` is the standard deviation of the
    slow changes of log brightness between both over that skin, `zoom` the log2 of the ratio of their scales.
    """

    view: View
    reason: str
    alignment: Alignment | None
    overlap: float | None
    regions: Mapping[Region, RegionView]
    common: Mask
    light: float | None
    zoom: float
    checks: tuple[Check, ...]

    @property
    def comparable(self) -> bool:
        """Whether anything may be concluded from the pair."""
        return self.view is View.COMPARABLE


@dataclass(frozen=True)
class Sighting:
    """What became of a lesion at one visit; sizes None where it was not seen. `group` is what it looked like there."""

    visit: int
    state: State
    lesion_id: int | None = None
    group: Group | None = None
    area_mm2: float | None = None
    redness: float | None = None

    @property
    def alive(self) -> bool:
        """Whether it is there as an active lesion."""
        return self.group not in (None, Group.MARK)


@dataclass(frozen=True)
class Track:
    """One lesion through the series; `xy` is its place on the baseline canvas, sightings go by visit."""

    id: int
    xy: Xy
    region: Region | None
    sightings: tuple[Sighting, ...]

    def area_mm2_at(self, visit: int) -> float | None:
        """Its area at a visit at which it is there and active; where that shows it faintly, the mean of the others."""
        here = self.at(visit)
        if here is None or not here.alive:
            return None
        known = [s.area_mm2 for s in self.sightings if s.area_mm2 is not None]
        return sum(known) / len(known) if here.area_mm2 is None else here.area_mm2

    def at(self, visit: int) -> Sighting | None:
        """Its sighting at a visit; None before it was first seen or where the visit was left out."""
        return next((s for s in self.sightings if s.visit == visit), None)

    @property
    def was_active(self) -> bool:
        """Whether it ever was an active lesion, not only a mark."""
        return any(s.alive for s in self.sightings)


@dataclass(frozen=True)
class MeasureChange:
    """One measure, before and after on the skin that both photos show.

    `noise_limit` is what noise alone exceeds in at most 5 of 100 comparisons; `smallest_detectable` is the real
    change that exceeds it in 9 of 10, counting lesions that the networks miss. `probabilities` are those of a change
    of more than the margin for the better, of less, and of more than it for the worse; None where the answer was
    withdrawn.
    """

    name: str
    before: float
    after: float
    noise_sd: float
    noise_limit: float
    smallest_detectable: float
    margin: float
    probabilities: Mapping[Answer, float] | None
    answer: Answer
    reason: str

    @property
    def difference(self) -> float:
        """After minus before: positive is worse."""
        return self.after - self.before

    @property
    def percent(self) -> float | None:
        """Difference in per cent of before; None where there was nothing before."""
        return None if self.before == 0 else 100 * self.difference / self.before

    @property
    def smallest_detectable_percent(self) -> float | None:
        """The same for the smallest detectable change."""
        return None if self.before == 0 else 100 * self.smallest_detectable / self.before


@dataclass(frozen=True)
class Summary:
    """The verdict on the whole face or a region."""

    answer: Answer
    probabilities: Mapping[Answer, float] | None
    reason: str
    measures: tuple[MeasureChange, ...]


@dataclass(frozen=True)
class Outcomes:
    """Outcome measures as trials report them; None: not assessed.

    `iga_success` is IGA 0 or 1 and at least two grades better than the baseline. Slope in lesions a week (Theil-Sen).
    Of the half-life there may be a bound alone: then it is None, and so is the side of its interval that has no bound.
    """

    percent_change: float | None
    iga_before: int | None
    iga_after: int | None
    iga_success: bool | None
    days_to_first_real_change: float | None
    slope_per_week: float | None
    slope_interval_90: tuple[float, float] | None
    half_life_days: float | None
    half_life_interval_90: tuple[float | None, float | None] | None
    flare_regions: tuple[Region, ...]


@dataclass(frozen=True)
class Review:
    """Treatment: the visit before it began, the one nearest to 12 weeks after, and what changed between them."""

    start: datetime
    due: datetime
    baseline_visit: int | None
    review_visit: int | None
    summary: Summary | None
    iga_success: bool | None
    note: str


@dataclass(frozen=True)
class TimePoint:
    """The photos of one session on the time line, by the first of them, `visit`.

    `count` is anchored at the baseline (its count plus the change seen on shared skin) and the mean of the photos;
    `noise_sd` is that of one of them.
    """

    visit: int
    count: float
    noise_sd: float
    severity: float | None
    severity_sd: float | None
    answer: Answer


@dataclass(frozen=True, eq=False)
class Change:
    """Everything that a series of photos says. `visits` are in order of time, the first is the baseline."""

    visits: tuple[Visit, ...]
    comparisons: tuple[Comparison, ...]
    left_out: tuple[LeftOut, ...]
    ledger: tuple[Track, ...]
    timeline: tuple[TimePoint, ...]
    whole: Summary
    regions: Mapping[Region, Summary]
    outcomes: Outcomes
    review: Review | None
    noise_provenance: str
    personal_factor: float | None
    questions: tuple[str, ...]
    notices: tuple[str, ...]
    sentence: str

    @property
    def last_compared(self) -> int | None:
        """The latest visit that could be compared with the baseline; None without one."""
        return next((i for i in range(len(self.visits) - 1, 0, -1) if self.comparisons[i].comparable), None)
