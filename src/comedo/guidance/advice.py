"""What guidance returns: lines of information, each with why it is there and where it comes from. No I/O, no tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from comedo.guidance.series import Series


class Provenance(StrEnum):
    """How far a line can be trusted."""

    READ = "read"  # the document was read, often only its abstract, table or opening
    SECONDARY = "secondary"  # read in a document that quotes the primary
    PROJECT = "project"  # a convention of comedo, no evidence
    UNVERIFIED = "unverified"  # from general knowledge; a person has to check it


class Group(StrEnum):
    """What selects the treatment information, mildest first; NOT_ASSESSED lists none."""

    NOT_ASSESSED = "not_assessed"
    CLEAR = "clear_or_almost_clear"
    MILD = "mild_to_moderate"
    MODERATE = "moderate_to_severe"
    SEVERE = "severe_or_nodular"


class Section(StrEnum):
    """Where a line stands, in the order of the page."""

    URGENT = "urgent"  # see a clinician, because of the photo or an answer
    IF_ANY = "if_any"  # see a clinician, should this be so
    SERIES = "series"  # what the photos over time show
    TREATMENTS = "treatments"
    DIFFERENCES = "differences"
    CAUTIONS = "cautions"
    ROUTINE = "routine"
    EXPECT = "expect"
    WITHHELD = "withheld"
    UNANSWERED = "unanswered"
    NOTICES = "notices"


class Access(IntEnum):
    """How an ingredient may appear; a higher value is stricter."""

    OPEN = 0
    CLINICIAN = 1  # named only as something a clinician may discuss
    HIDDEN = 2


class Urgency(StrEnum):
    """How fast to see a clinician, fastest first."""

    EMERGENCY = "emergency"
    SAME_DAY = "same_day"
    URGENT = "urgent"
    SOON = "soon"


@dataclass(frozen=True)
class Source:
    """A document that lines name."""

    id: str
    title: str
    url: str | None
    published: str | None  # as the document states it
    read_on: date
    jurisdiction: str
    provenance: Provenance


@dataclass(frozen=True)
class Line:
    """One piece of information."""

    id: str  # of the table row it comes from
    section: Section
    text: str
    why: str  # why it appears, or was withheld
    provenance: Provenance
    sources: tuple[str, ...]  # ids, never empty
    urgency: Urgency | None = None
    guideline: str | None = None  # treatments: whose list
    strength: str | None = None  # treatments: in the guideline's word, as a code
    access: Access | None = None  # treatments
    ingredients: tuple[str, ...] = ()  # ids of what the text names
    restrictions: tuple[str, ...] = ()  # ids of the rules that withheld or limited it

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError(f"line {self.id} has no source; every line needs at least one")


@dataclass(frozen=True)
class Advice:
    """Sourced information for one analysis and one set of answers; no diagnosis, no prescription."""

    language: str
    photo_name: str
    photo_sha256: str
    group: Group
    group_why: str
    lines: tuple[Line, ...]  # in the order of the page
    sources: Mapping[str, Source]  # every source that a line names
    answers: Mapping[str, object]  # as given, None where unanswered
    unanswered: tuple[str, ...]
    made_on: date
    review_on: date | None  # the 12-week review; None where there is nothing to review
    reviewed_by_clinician: bool  # of the tables; False until a clinician has gone through every line
    series: Series | None = None  # the photos over time that some lines speak of
    reader: str | None = None  # whose review it goes by; None: comedo's own numbers

    def __post_init__(self) -> None:
        for line in self.lines:
            if unknown := [source for source in line.sources if source not in self.sources]:
                raise ValueError(f"line {line.id} names the source {unknown[0]}, which the advice does not list")

    def section(self, section: Section) -> tuple[Line, ...]:
        """The lines of one section, in order."""
        return tuple(line for line in self.lines if line.section is section)
