"""What an evaluation asks for: predictions, by the shipped pieces, a file, or a fake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from comedo.errors import NoFaceFound, UnusableInput
from comedo.grading.severity import level_number
from comedo.types import FaceAnalysis, Group, Image, Mask


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was found on one photo, in its pixels; `None` where a predictor does not say.

    `circles` is (N, 3) float32 x, y, radius; `scores` (N,) in [0, 1]; `parts` (H, W) uint8 of
    `Part`; `grade` 0 to 3 as in ACNE04.
    """

    circles: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    groups: tuple[Group, ...] = ()
    mask: Mask | None = None
    parts: NDArray[np.uint8] | None = None
    count: float | None = None
    grade: int | None = None
    affected: bool | None = None
    prob_affected: float | None = None

    def __post_init__(self) -> None:
        if not len(self.circles) == len(self.scores) == len(self.groups):
            raise ValueError(
                "Prediction needs one score and one group for each circle, "
                f"got {len(self.circles)} circles, {len(self.scores)} scores, {len(self.groups)} groups"
            )


class Predictor(Protocol):
    """Finds lesions and parts on a photo."""

    @property
    def name(self) -> str:
        """What is evaluated, with versions or hashes."""
        ...

    def predict(self, image: Image) -> Prediction | None:
        """Answer for one (H, W, 3) uint8 RGB photo; `None` when there is no face in it."""
        ...


class Analyses(Protocol):
    """The part of `comedo.Analyzer` that an evaluation needs."""

    def analyze(self, source: Image, *, allow_poor: bool = False) -> FaceAnalysis:
        """Analyse one photo."""
        ...


def acne04_grade(severity: float | str | bool | None) -> int | None:
    """Our severity, 1 to 5, as ACNE04's grade 0 to 3; `None` when it is not given.

    ACNE04 has no clear faces: its four grades are our levels 2 to 5 (`comedo.grading.severity`).
    """
    if severity is None or isinstance(severity, str):
        return None
    return min(3, max(0, level_number(severity) - 2))


def _parts_on_photo(analysis: FaceAnalysis) -> NDArray[np.uint8]:
    size = (analysis.width, analysis.height)
    drawn = cv2.warpAffine(analysis.face.parts, analysis.face.to_photo, size, flags=cv2.INTER_NEAREST)
    return np.asarray(drawn, np.uint8)


@dataclass(frozen=True)
class AnalyzerPredictor:
    """The shipped analysis as a predictor; poor photos are analysed as well.

    `lesions_only` leaves out what would be wrong where the analyzer's cut-offs are lowered.
    """

    analyzer: Analyses
    name: str
    lesions_only: bool = False

    def predict(self, image: Image) -> Prediction | None:
        """Analyse the photo; `None` when no face is found."""
        try:
            analysis = self.analyzer.analyze(image, allow_poor=True)
        except NoFaceFound:
            return None
        rows = [(*lesion.center_xy, lesion.diameter_px / 2) for lesion in analysis.lesions]
        found = Prediction(
            circles=np.asarray(rows, np.float32).reshape(-1, 3),
            scores=np.asarray([lesion.score for lesion in analysis.lesions], np.float64),
            groups=tuple(lesion.group for lesion in analysis.lesions),
        )
        if self.lesions_only:
            return found
        acne, severity = analysis.grades.get("acne"), analysis.grades.get("severity")
        return replace(
            found,
            mask=analysis.lesion_mask,
            parts=_parts_on_photo(analysis),
            count=analysis.counts.total,
            grade=None if severity is None else acne04_grade(severity.value),
            affected=None if acne is None or acne.value is None else bool(acne.value),
            prob_affected=None if acne is None else acne.probability,
        )


class _Photo(BaseModel):
    name: str
    sha256: str | None = None


class _Lesion(BaseModel):
    center_xy: tuple[float, float]
    diameter_px: float
    score: float = Field(ge=0, le=1)
    group: Group


class _Total(BaseModel):
    total: int | None = None


class _Graded(BaseModel):
    value: float | str | bool | None = None
    affected: bool | None = None
    probability: float | None = Field(None, ge=0, le=1)


class _Line(BaseModel):
    """The parts of a `comedo.analysis` or `comedo.error` line that an evaluation reads."""

    schema_: str = Field(alias="schema")
    photo: _Photo | None = None
    code: str = ""
    lesions: list[_Lesion] = []
    counts: _Total = _Total()
    grades: Mapping[str, _Graded | None] = {}

    def to_prediction(self) -> Prediction | None:
        """The line as a prediction; an error line found no face."""
        if self.schema_.startswith("comedo.error"):
            return None
        severity, acne = self.grades.get("severity"), self.grades.get("acne")
        return Prediction(
            circles=np.asarray([(*i.center_xy, i.diameter_px / 2) for i in self.lesions], np.float32).reshape(-1, 3),
            scores=np.asarray([i.score for i in self.lesions], np.float64),
            groups=tuple(i.group for i in self.lesions),
            count=self.counts.total,
            grade=None if severity is None else acne04_grade(severity.value),
            affected=acne.affected if acne else None,
            prob_affected=acne.probability if acne else None,
        )


def read_predictions(path: Path, photos: Sequence[Path]) -> list[Prediction | None]:
    """Look up each photo in a JSON-lines file written by `comedo analyze --json`.

    Args:
        path: The file: one analysis or error a line.
        photos: The photos, found in the file by the hash of their bytes, else by their name.

    Raises:
        UnusableInput: A line cannot be read, or photos are not in the file.
    """
    known: dict[str, _Line] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            line = _Line.model_validate_json(text)
        except ValidationError as error:
            raise UnusableInput(f"{path}, line {number}: not a line of `comedo analyze --json` ({error})") from error
        for key in _keys_of(line):
            known[key] = line
    found = [known.get(hashlib.sha256(p.read_bytes()).hexdigest()) or known.get(p.name) for p in photos]
    _refuse_missing(path, [p.name for p, line in zip(photos, found, strict=True) if line is None])
    return [line.to_prediction() for line in found if line is not None]


def _keys_of(line: _Line) -> Iterable[str]:
    if line.photo is None:
        return ()
    return (line.photo.sha256,) if line.photo.sha256 else (line.photo.name,)


def _refuse_missing(path: Path, missing: Sequence[str]) -> None:
    if missing:
        raise UnusableInput(
            f"{path} has no line for {len(missing)} of the photos (first: {missing[0]}); "
            "analyse the same files, or choose them with --split and --only"
        )
