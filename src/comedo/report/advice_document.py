"""The written form of an advice: the schema "comedo.advice/1".

A change that could break a reader bumps the number. `python -m comedo.report.advice_document` prints the JSON Schema
that ships beside that of the analysis.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from comedo.guidance.advice import Advice, Group, Line, Provenance, Section, Source, Urgency
from comedo.report.json_schema import print_schema, schema_of

ADVICE_SCHEMA: Final = "comedo.advice/1"
SeriesAnswer = Literal["better", "same", "worse", "cannot_tell"]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdvisedPhoto(_Written):
    """The photo whose analysis selected the group."""

    name: str
    sha256: str


class SourcePart(_Written):
    """A document that lines name."""

    title: str
    url: str | None
    published: str | None = Field(description="As the document states it; null: it states no date.")
    read_on: date
    jurisdiction: str
    provenance: Provenance


class LinePart(_Written):
    """One piece of information."""

    id: str = Field(description="Of the row of the guideline tables.")
    section: Section
    text: str
    why: str = Field(description="Why it appears, or was withheld.")
    provenance: Provenance
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    urgency: Urgency | None
    guideline: str | None
    strength: str | None
    access: Literal["open", "clinician", "hidden"] | None = Field(
        description="Treatments. clinician: only as something a clinician may discuss; hidden: withheld."
    )
    ingredients: tuple[str, ...]
    restrictions: tuple[str, ...] = Field(description="Rules that withheld or limited it.")


class SeriesPart(_Written):
    """The photos over time that some lines speak of; null: not known."""

    answer: SeriesAnswer = Field(description="Of the latest comparable photo against the first.")
    first_on: date | None
    last_on: date | None
    treatment_on: date | None
    review_answer: SeriesAnswer | None = Field(
        description="Of the photo near 12 weeks after the start of treatment against the one before it."
    )


class AdviceDocument(_Written):
    """Sourced information for one analysis and one set of answers; no diagnosis, no prescription."""

    schema_: Literal["comedo.advice/1"] = Field(alias="schema")
    language: str
    photo: AdvisedPhoto
    group: Group
    group_why: str
    reviewed_by: str | None = Field(default=None, description="Whose review it goes by; null: comedo's own numbers.")
    reviewed_by_clinician: bool
    made_on: date
    review_on: date | None
    answers: dict[str, object] = Field(description="As given; null: not answered.")
    unanswered: tuple[str, ...]
    series: SeriesPart | None = Field(default=None, description="null: advice on one photo.")
    lines: tuple[LinePart, ...]
    sources: dict[str, SourcePart]


def to_advice_document(advice: Advice) -> AdviceDocument:
    """The written form of an advice."""
    return AdviceDocument(
        schema=ADVICE_SCHEMA,
        language=advice.language,
        photo=AdvisedPhoto(name=advice.photo_name.encode("utf-8", "replace").decode(), sha256=advice.photo_sha256),
        group=advice.group,
        group_why=advice.group_why,
        reviewed_by=advice.reader,
        reviewed_by_clinician=advice.reviewed_by_clinician,
        made_on=advice.made_on,
        review_on=advice.review_on,
        answers=dict(advice.answers),
        unanswered=advice.unanswered,
        series=None if advice.series is None else SeriesPart.model_validate(asdict(advice.series)),
        lines=tuple(_line(line) for line in advice.lines),
        sources={name: _source(source) for name, source in advice.sources.items()},
    )


def advice_to_json(advice: Advice) -> str:
    """One JSON document on one line, without a line break at its end."""
    return to_advice_document(advice).model_dump_json(by_alias=True)


def _line(line: Line) -> LinePart:
    access = None if line.access is None else line.access.name.lower()
    return LinePart.model_validate(
        {
            **{name: getattr(line, name) for name in LinePart.model_fields if name != "access"},
            "access": access,
        }
    )


def _source(source: Source) -> SourcePart:
    return SourcePart.model_validate({name: getattr(source, name) for name in SourcePart.model_fields})


def json_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of the advice document."""
    return schema_of(AdviceDocument, ADVICE_SCHEMA)


if __name__ == "__main__":
    print_schema(json_schema())
