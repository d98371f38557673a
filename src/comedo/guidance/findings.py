"""What guidance takes from an analysis: the group that selects the information, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from comedo.guidance.advice import Group
from comedo.types import FaceAnalysis, Verdict

_ORDER = list(Group)
MANY_NODULES = 3  # NICE NG198: three or more nodules are moderate to severe


class GradeLike(Protocol):
    """A grade of `comedo.types` or of a written document."""

    @property
    def value(self) -> float | int | str | bool | None: ...  # noqa: D102
    @property
    def interval_90(self) -> tuple[float, float] | None: ...  # noqa: D102
    @property
    def details(self) -> Mapping[str, float | int | str | None]: ...  # noqa: D102


@dataclass(frozen=True)
class Findings:
    """The measured side of an advice."""

    photo_name: str
    photo_sha256: str
    group: Group
    estimate: Group  # the group without the counts' interval; milder than `group` where the interval decided
    nice: str | None = None
    iga: int | None = None
    poor: bool = False
    reader: str | None = None  # who reviewed the analysis; None: nobody

    @property
    def widened(self) -> bool:
        """Whether the interval of the counts reached the stricter group that is shown."""
        return self.group is not self.estimate


def findings_of(analysis: FaceAnalysis) -> Findings:
    """The findings of an analysis."""
    return findings_from(
        analysis.photo_name, analysis.photo_sha256, analysis.grades, poor=analysis.quality.verdict is Verdict.POOR
    )


def findings_from(name: str, sha256: str, grades: Mapping[str, GradeLike | None], *, poor: bool) -> Findings:
    """The findings from the grades that decide: `nice_group` and `iga_estimate`.

    A poor photo selects nothing. Where the counts' interval reaches a stricter group, that one is selected.
    """
    nice, iga = grades.get("nice_group"), grades.get("iga_estimate")
    grade = _whole(iga.value) if iga is not None else None
    named = str(nice.value) if nice is not None and nice.value is not None else None
    if poor or (named is None and grade is None):
        return Findings(name, sha256, Group.NOT_ASSESSED, Group.NOT_ASSESSED, named, grade, poor)
    nodules = [_whole(g.details.get("nodules")) or 0 for g in (nice, iga) if g is not None]
    here = _group(named, grade, max(nodules))
    high_nice = nice.details.get("group_high") if nice is not None else None
    high_iga = _whole(iga.interval_90[1]) if iga is not None and iga.interval_90 is not None else grade
    high = _group(str(high_nice) if high_nice is not None else named, high_iga, max(nodules))
    return Findings(name, sha256, max(here, high, key=_ORDER.index), here, named, grade)


def _group(nice: str | None, iga: int | None, nodules: int) -> Group:
    """The first that holds, strictest first. Which numbers part the groups is a convention of comedo."""
    if iga == 4 or nodules >= MANY_NODULES:
        return Group.SEVERE
    if nice == Group.MODERATE.value or (nice is None and iga == 3):
        return Group.MODERATE
    if (iga is not None and iga <= 1) or (iga is None and nice == "none"):
        return Group.CLEAR
    return Group.MILD


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
