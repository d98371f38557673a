"""The written form of an answer: the schema "comedo.prediction/1", and one row of a table. Unknown is null, never 0."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from comedo.errors import ComedoError
from comedo.report.json_schema import print_schema, schema_of
from comedo.report.look import CLAIM
from comedo.report.sheets import Cell, to_csv
from comedo.training.predict.trained import Trained
from comedo.training.runner.answer import Answer

PREDICTION_SCHEMA: Final = "comedo.prediction/1"
_DECIMALS = 4  # finer digits are noise and only make two files differ


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class AskedPhoto(_Written):
    """One photo; only its name is known of one that could not be read. Sizes in pixels, upright."""

    name: str
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    taken: str | None = Field(default=None, description="Of a series: when, in ISO 8601; null where no date is known.")


class Failure(_Written):
    """Why there is no answer."""

    code: str
    message: str


class PredictionDocument(_Written):
    """What one run says of one photo, or of one series in order of time."""

    schema_: Literal["comedo.prediction/1"] = Field(alias="schema")
    task: str
    model: str = Field(description="Name and hash of the network.")
    name: str = Field(description="Of the photo's file, or of the folder of a series.")
    photos: tuple[AskedPhoto, ...]
    answer: dict[str, JsonValue] | None
    sentence: str | None
    notices: tuple[str, ...]
    error: Failure | None
    limits: tuple[str, ...]
    terms: str
    claim: str

    @property
    def owner(self) -> str | None:
        """Which photos and which network it is about; `None` where no photo could be read."""
        hashes = [photo.sha256 for photo in self.photos if photo.sha256 is not None]
        return " ".join([self.model, *hashes]) if hashes else None


def to_document(
    trained: Trained,
    name: str,
    photos: Sequence[AskedPhoto],
    outcome: Answer | ComedoError,
    notices: Sequence[str] = (),
) -> PredictionDocument:
    """The written form of an answer, or of a failure."""
    answer, error = (None, outcome) if isinstance(outcome, ComedoError) else (outcome, None)
    return PredictionDocument(
        schema=PREDICTION_SCHEMA,
        task=trained.recipe.task,
        model=trained.model,
        name=text(name),
        photos=tuple(photos),
        answer=None if answer is None else plain(answer.values),
        sentence=None if answer is None else answer.sentence,
        notices=tuple(map(text, (*notices, *(() if answer is None else answer.notices)))),
        error=None if error is None else Failure(code=error.code, message=text(str(error))),
        limits=trained.limits,
        terms=trained.terms,
        claim=CLAIM,
    )


def text(value: str) -> str:
    """Text that every reader can take: a file name's bytes that are no UTF-8 become question marks."""
    return value.encode("utf-8", "replace").decode("utf-8")


def plain(value: Any) -> Any:
    """A value as JSON has it; a number that is none (NaN, infinite) is unknown."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, _DECIMALS) + 0.0 if math.isfinite(value) else None
    return value


def to_sheet(documents: Sequence[PredictionDocument]) -> str:
    """CSV: one row a photo or series, failed ones too; an empty cell is unknown. Lists of lesions are left out."""
    rows = [_row(document) for document in documents]
    values = dict.fromkeys(name for document in documents for name in _cells(document.answer))
    columns = ("photo", "sha256", "width", "height", "sentence", *values, *_LAST)
    return to_csv(columns, rows)


_LAST = ("notices", "error_code", "error_message", "task", "model", "claim")


def _row(document: PredictionDocument) -> dict[str, Cell]:
    only = document.photos[0] if len(document.photos) == 1 else None
    return {
        "photo": document.name,
        "sha256": " ".join(photo.sha256 for photo in document.photos if photo.sha256 is not None),
        "width": None if only is None else only.width,
        "height": None if only is None else only.height,
        "sentence": document.sentence,
        **_cells(document.answer),
        "notices": "; ".join(document.notices),
        "error_code": None if document.error is None else document.error.code,
        "error_message": None if document.error is None else document.error.message,
        "task": document.task,
        "model": document.model,
        "claim": document.claim,
    }


def _cells(answer: Mapping[str, Any] | None) -> dict[str, Cell]:
    """Single values by their name, those of a table as TABLE_NAME, and texts of a list in one cell."""
    cells: dict[str, Cell] = {}
    for name, value in (answer or {}).items():
        if isinstance(value, Mapping):
            cells |= {f"{name}_{inner}": cell for inner, cell in value.items()}
        elif not isinstance(value, list):
            cells[name] = value
        elif value and all(isinstance(item, str) for item in value):
            cells[name] = " ".join(value)
    return cells


def rows_about(sheet: str) -> set[tuple[str | None, ...]]:
    """Which photos and networks the rows of such a table are about."""
    rows: Iterable[dict[str, str]] = csv.DictReader(io.StringIO(sheet))
    return {(row.get("photo"), row.get("sha256"), row.get("model")) for row in rows}


def json_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of the document; what an answer holds differs by task (docs/training.md)."""
    return schema_of(PredictionDocument, PREDICTION_SCHEMA)


if __name__ == "__main__":
    print_schema(json_schema())
