"""Figures of affected or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from comedo.training.charts.plots import confusion_chart
from comedo.training.charts.ranking import ranking_chart
from comedo.training.charts.reliability import Curve, reliability_chart
from comedo.training.figures import Measure
from comedo.training.metrics.ordinal import balanced_accuracy
from comedo.training.metrics.probability import average_precision, brier, roc_auc
from comedo.training.metrics.reliability import calibration_error, reliability
from comedo.training.metrics.tally import Tally


@dataclass(frozen=True)
class AffectedRow:
    """One photo: the probability, what it is called, what is true."""

    name: str
    person: str
    prob: float
    called: bool
    affected: bool


def _f1(rows: Sequence[AffectedRow], of: bool) -> float | None:
    hits = sum(r.called == of == r.affected for r in rows)
    return Tally(hits, sum(r.called == of for r in rows) - hits, sum(r.affected == of for r in rows) - hits).f1


def _mean_f1(rows: Sequence[AffectedRow]) -> float | None:
    both = [_f1(rows, True), _f1(rows, False)]
    known = [value for value in both if value is not None]
    return float(np.mean(known)) if known else None


def _of_probs(
    figure: Callable[[list[float], list[bool]], float | None],
) -> Callable[[Sequence[AffectedRow]], float | None]:
    return lambda rows: figure([r.prob for r in rows], [r.affected for r in rows])


MEASURES = (
    Measure[AffectedRow]("F1, mean", "of the F1 of affected and the F1 of clear photos", _mean_f1),
    Measure[AffectedRow]("F1 affected", "of affected photos", lambda rows: _f1(rows, True)),
    Measure[AffectedRow](
        "balanced accuracy",
        "mean of sensitivity and specificity",
        lambda rows: balanced_accuracy([r.called for r in rows], [r.affected for r in rows]),
    ),
    Measure[AffectedRow]("ROC AUC", "chance that an affected photo scores above a clear one", _of_probs(roc_auc)),
    Measure[AffectedRow]("AP", "average precision of affected", _of_probs(average_precision)),
    Measure[AffectedRow]("Brier", "mean squared distance of the probability from the truth", _of_probs(brier)),
    Measure[AffectedRow](
        "calibration error", "mean distance of said from true shares over ten bins", _of_probs(calibration_error)
    ),
)


def draw_answers(rows: Sequence[AffectedRow]) -> Mapping[str, str]:
    """Confusion matrix, precision over recall, and whether probabilities mean what they say."""
    table = [
        [sum(r.affected == true and r.called == called for r in rows) for called in (False, True)]
        for true in (False, True)
    ]
    drawn = {"confusion": confusion_chart("Photos", ("clear", "affected"), table)}
    ranked = {"photos": ([r.prob for r in rows], [r.affected for r in rows])}
    drawn["precision-recall"] = ranking_chart("Affected", ranked)
    asked = Curve("photos", [reliability([r.prob], [r.affected]) for r in rows], [r.person for r in rows])
    drawn["calibration"] = reliability_chart("Affected", [asked])
    return drawn
