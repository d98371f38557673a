"""Measure a predictor on labelled photos, with intervals and with baselines beside each figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from comedo.errors import UnusableInput
from comedo.training.evaluation.baselines import baseline_for
from comedo.training.evaluation.lesion_charts import draw_lesions
from comedo.training.evaluation.lesion_figures import LesionRow, best_score, lesion_row, measures_for
from comedo.training.evaluation.map_figures import (
    CODINGS,
    MASKS,
    PLAIN,
    MapRow,
    PlainRow,
    fit_to,
    label_measures,
    label_row,
    mask_row,
    plain_row,
)
from comedo.training.evaluation.predictors import Prediction, Predictor
from comedo.training.evaluation.truth import LabelledPhoto, Truth
from comedo.training.figures import Measure, Rounds, Section, measure_all
from comedo.types import Image

LESION_MASK = "lesion-mask"
LABELS = (LESION_MASK, *CODINGS)  # how the pictures in masks/ may read
Row = TypeVar("Row")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Evaluation:
    """Figures of one predictor on one set of photos."""

    data: str
    split: str
    predictor: str
    baseline: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """An evaluation and its drawings, SVG by name."""

    evaluation: Evaluation
    pictures: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """What to evaluate how."""

    threshold: float | None = None  # count only lesions of at least this score
    labels: str = LESION_MASK  # one of LABELS
    rounds: Rounds = field(default_factory=Rounds)
    quiet: bool = False  # no progress bars


@dataclass(frozen=True)
class _Judge(Generic[Row]):
    """How one photo becomes a row, and what is measured over the rows."""

    row: Callable[[LabelledPhoto, Image, Prediction | None], Row | None]
    measures: Callable[[Sequence[Row]], Sequence[Measure[Row]]]
    beside: Callable[[LabelledPhoto, Image, Prediction | None], Row | None] | None = None  # for the baseline
    remarks: Callable[[Sequence[Row]], Iterable[str]] = lambda _: ()
    draw: Callable[[Sequence[Row], Sequence[Row], Sequence[str]], Mapping[str, str]] = lambda *_: {}  # and people


def _track(items: Sequence[Item], what: str, quiet: bool) -> Iterable[Item]:
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        yield from bar.track(items, description=what)


def predict_all(
    predictor: Predictor, photos: Sequence[LabelledPhoto], *, quiet: bool = False
) -> list[Prediction | None]:
    """Ask the predictor about each photo, with a progress bar on stderr."""
    return [predictor.predict(p.read()) for p in _track(photos, "photos", quiet)]


def evaluate(
    truth: Truth, predictions: Sequence[Prediction | None], plan: Plan, *, data: str, split: str, predictor: str
) -> Measured:
    """Compare predictions with the truth.

    Args:
        truth: The photos, and others of the same file from which baselines learn.
        predictions: One for each photo; `None` where no face was found.
        plan: What to evaluate how.
        data: Name of the data for the report.
        split: Name of the split for the report.
        predictor: Name of the predictor for the report.

    Raises:
        UnusableInput: The predictions lack what the photos ask for (masks, face maps).
    """
    baseline = _baseline(truth)
    if all(p.labels_path is None for p in truth.photos):
        known = any(p.lesions is not None or p.grade is not None for p in truth.photos)
        found = (
            _run(_lesion_judge(plan), truth, predictions, baseline, plan)
            if known
            else _run(_PLAIN, truth, predictions, baseline, plan)
        )
    else:
        found = _run(_map_judge(plan.labels), truth, predictions, baseline, plan)
    sections, notes, pictures = found
    learnt = "photos outside the split" if truth.elsewhere else "these same photos"
    notes = (*notes, f"The baseline's mean count and majority grade come from {learnt}.")
    return Measured(Evaluation(data, split, predictor, baseline.name, sections, notes), pictures)


def _baseline(truth: Truth) -> Predictor:
    learnt_from = truth.elsewhere or truth.photos
    counts = [float(len(p.lesions.circles)) for p in learnt_from if p.lesions is not None]
    return baseline_for(counts, [p.grade for p in learnt_from if p.grade is not None])


def _lesion_judge(plan: Plan) -> _Judge[LesionRow]:
    def row(photo: LabelledPhoto, image: Image, prediction: Prediction | None) -> LesionRow:
        return lesion_row(photo, prediction, image.shape[1], threshold=plan.threshold)

    def beside(photo: LabelledPhoto, image: Image, prediction: Prediction | None) -> LesionRow:
        return lesion_row(photo, prediction, image.shape[1])  # the threshold is of the predictor's scores

    def remarks(rows: Sequence[LesionRow]) -> Iterable[str]:
        best = best_score(rows)
        return () if best is None else (f"F1 is best for scores from {best:.3f} on.",)

    return _Judge(row, measures_for, beside, remarks, draw_lesions)


def _map_judge(labels: str) -> _Judge[MapRow]:
    def row(photo: LabelledPhoto, image: Image, prediction: Prediction | None) -> MapRow | None:
        true = fit_to(photo.read_labels(), image.shape)
        return mask_row(prediction, true > 127) if labels == LESION_MASK else label_row(prediction, true, labels)

    return _Judge(row, lambda _: MASKS if labels == LESION_MASK else label_measures(labels))


_PLAIN: _Judge[PlainRow] = _Judge(lambda _photo, _image, prediction: plain_row(prediction), lambda _: PLAIN)


def _run(
    judge: _Judge[Row], truth: Truth, predictions: Sequence[Prediction | None], baseline: Predictor, plan: Plan
) -> tuple[tuple[Section, ...], tuple[str, ...], dict[str, str]]:
    """Rows of each photo, then the figures, remarks and drawings of each scale of input."""
    found: dict[str, list[Row]] = {}
    beside: dict[str, list[Row]] = {}
    people: dict[str, list[str]] = {}
    pairs = list(zip(truth.photos, predictions, strict=True))
    for photo, prediction in _track(pairs, "baseline and figures", plan.quiet):
        image = photo.read()
        ours = judge.row(photo, image, prediction)
        theirs = (judge.beside or judge.row)(photo, image, baseline.predict(image))
        if ours is None or theirs is None:
            raise UnusableInput(
                f"the predictions hold no {plan.labels} for {photo.name}; `comedo analyze --json` writes none into "
                "its lines, so leave --predictions out and let the photos be analysed"
            )
        found.setdefault(photo.scale, []).append(ours)
        beside.setdefault(photo.scale, []).append(theirs)
        people.setdefault(photo.scale, []).append(photo.group)
    sections: list[Section] = []
    notes: list[str] = []
    pictures: dict[str, str] = {}
    files = _file_names(sorted(found))
    for scale, rows in sorted(found.items()):
        who = people[scale]
        figures = measure_all(judge.measures(rows), rows, beside[scale], people=who, rounds=plan.rounds)
        sections.append(Section(scale, len(rows), len(set(who)), figures))
        notes += [f"{scale}: {remark}" for remark in judge.remarks(rows)]
        drawn = judge.draw(rows, beside[scale], who)
        pictures |= {f"{name}-{files[scale]}": svg for name, svg in drawn.items()}
    return tuple(sections), tuple(notes), pictures


def _file_names(scales: Sequence[str]) -> dict[str, str]:
    """A part of a file's name for each; those that would share one are numbered."""
    plain = [re.sub(r"\W+", "-", scale.lower()).strip("-") for scale in scales]
    pairs = enumerate(zip(scales, plain, strict=True), 1)
    return {scale: name if plain.count(name) == 1 else f"{name}-{number}" for number, (scale, name) in pairs}
