"""What an evaluation asks for: predictions, by the shipped pieces, a file, or a fake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from comedo.errors import NoFaceFound, UnusableInput
from comedo.types import FaceAnalysis, Group, Image, Mask

# ACNE04's grades are the Hayashi bands (2008) counted from 0.
_BANDS = ("mild", "moderate", "severe", "very severe")


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


def band_of(value: float | str | bool | None) -> int | None:
    """The value of a Hayashi grade as ACNE04's number 0 to 3; `None` when it is not given."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        word = value.lower().replace("_", " ")
        return _BANDS.index(word) if word in _BANDS else None
    return int(value)


def _parts_on_photo(analysis: FaceAnalysis) -> NDArray[np.uint8]:
    size = (analysis.width, analysis.height)
    drawn = cv2.warpAffine(analysis.face.parts, analysis.face.to_photo, size, flags=cv2.INTER_NEAREST)
    return np.asarray(drawn, np.uint8)


@dataclass(frozen=True)
class AnalyzerPredictor:
    """The shipped analysis as a predictor; poor photos are analysed as well."""

    analyzer: Analyses
    name: str
    grade_scale: str = "hayashi"

    def predict(self, image: Image) -> Prediction | None:
        """Analyse the photo; `None` when no face is found."""
        try:
            analysis = self.analyzer.analyze(image, allow_poor=True)
        except NoFaceFound:
            return None
        rows = [(*lesion.center_xy, lesion.diameter_px / 2) for lesion in analysis.lesions]
        acne, graded = analysis.grades.get("acne"), analysis.grades.get(self.grade_scale)
        return Prediction(
            circles=np.asarray(rows, np.float32).reshape(-1, 3),
            scores=np.asarray([lesion.score for lesion in analysis.lesions], np.float64),
            groups=tuple(lesion.group for lesion in analysis.lesions),
            mask=analysis.lesion_mask,
            parts=_parts_on_photo(analysis),
            count=analysis.counts.total,
            grade=None if graded is None else band_of(graded.value),
            affected=None if acne is None or acne.value is None else bool(acne.value),
        )


class _Photo(BaseModel):
    name: str
    sha256: str | None = None


class _Lesion(BaseModel):
    center_xy: tuple[float, float]
    diameter_px: float
    score: float
    group: Group


class _Total(BaseModel):
    total: int | None = None


class _Graded(BaseModel):
    value: float | str | bool | None = None
    affected: bool | None = None


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
        hayashi, acne = self.grades.get("hayashi"), self.grades.get("acne")
        return Prediction(
            circles=np.asarray([(*i.center_xy, i.diameter_px / 2) for i in self.lesions], np.float32).reshape(-1, 3),
            scores=np.asarray([i.score for i in self.lesions], np.float64),
            groups=tuple(i.group for i in self.lesions),
            count=self.counts.total,
            grade=band_of(None if hayashi is None else hayashi.value),
            affected=acne.affected if acne else None,
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
