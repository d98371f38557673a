"""Figures of found lesions: what each photo says, and what all of them say together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from comedo.training.evaluation.predictors import Prediction
from comedo.training.evaluation.truth import LabelledPhoto, TrueLesions
from comedo.training.figures import Measure
from comedo.training.metrics.counting import correlation, count_bias, count_error
from comedo.training.metrics.curves import Scored, average_precision, best_threshold, pool
from comedo.training.metrics.matching import boxes_of, match_boxes, match_centres
from comedo.training.metrics.ordinal import balanced_accuracy, grade_error, weighted_kappa
from comedo.training.metrics.probability import average_precision as average_precision_of
from comedo.training.metrics.probability import roc_auc
from comedo.training.metrics.reliability import Reliability, calibration_error, reliability
from comedo.training.metrics.tally import Tally, ratio
from comedo.types import Group

ACTIVE = (Group.INFLAMMATORY, Group.NON_INFLAMMATORY)
MATCH = "one-to-one, centre distance <= max(lesion radius, 0.8 % of the frame's width), greedy by score"
_NOTHING = Prediction(count=0.0)


@dataclass(frozen=True, eq=False)
class LesionRow:
    """What one photo adds to the figures."""

    face: bool
    threshold: float  # scores from which lesions are reported
    centre: Scored  # active lesions, those under the threshold as well
    iou_30: Scored
    iou_50: Scored
    count_found: float | None
    count_true: int
    by_group: dict[Group, Scored] | None  # None: the truth has no groups
    marks: Scored | None  # hits: active found lesions that sit on a true mark
    grade_found: int | None
    grade_true: int | None
    prob_affected: float | None = None  # None: not said, or nobody marked lesions


def _scored(found: NDArray[np.intp], scores: NDArray[np.float64], true: int) -> Scored:
    return Scored(scores, found >= 0, true)


def lesion_row(
    photo: LabelledPhoto, prediction: Prediction | None, width: int, *, threshold: float | None = None
) -> LesionRow:
    """Compare one photo's prediction with its truth.

    Args:
        photo: The truth; where nobody marked lesions, it adds to the grades only.
        prediction: `None` when no face was found: every lesion is missed, the count is 0.
        width: Width of the photo in pixels.
        threshold: Report only lesions of at least this score, while AP and the search for the best
            threshold see all; `None`: all are reported, and the predictor's own count stands.
    """
    said = prediction or _NOTHING
    wanted = np.array([g in ACTIVE for g in said.groups], np.bool_) & (photo.lesions is not None)
    circles, scores = said.circles[wanted], said.scores[wanted]
    true = photo.lesions or TrueLesions(np.zeros((0, 3), np.float32), np.zeros((0, 4)))
    active = true.choose(ACTIVE)
    own_count = said.count if threshold is None else None
    least = -np.inf if threshold is None else threshold
    count = float((scores >= least).sum()) if own_count is None else own_count
    boxes = partial(match_boxes, boxes_of(circles), scores, active.boxes)
    return LesionRow(
        face=prediction is not None,
        threshold=least,
        centre=_scored(match_centres(circles, scores, active.circles, width), scores, len(active.circles)),
        iou_30=_scored(boxes(0.3), scores, len(active.circles)),
        iou_50=_scored(boxes(0.5), scores, len(active.circles)),
        count_found=count if photo.lesions is not None else None,
        count_true=len(active.circles),
        by_group=None if true.groups is None else _by_group(said, true, width),
        marks=None if true.groups is None else _on_marks(circles, scores, true, width),
        grade_found=said.grade,
        grade_true=photo.grade,
        prob_affected=said.prob_affected if photo.lesions is not None else None,
    )


def _by_group(said: Prediction, true: TrueLesions, width: int) -> dict[Group, Scored]:
    rows = {}
    for group in Group:
        mine = np.array([g is group for g in said.groups], np.bool_)
        circles, scores, theirs = said.circles[mine], said.scores[mine], true.choose((group,))
        matched = match_centres(circles, scores, theirs.circles, width)
        rows[group] = _scored(matched, scores, len(theirs.circles))
    return rows


def _on_marks(circles: NDArray[np.float32], scores: NDArray[np.float64], true: TrueLesions, width: int) -> Scored:
    marks = true.choose((Group.MARK,))
    return _scored(match_centres(circles, scores, marks.circles, width), scores, len(marks.circles))


Rows = Sequence[LesionRow]


def tally_of(rows: Rows) -> Tally:
    """Active lesions as reported."""
    return sum((r.centre.at(r.threshold) for r in rows), Tally())


def _best_f1(rows: Rows) -> float | None:
    best = best_threshold(pool([r.centre for r in rows]))
    return tally_of(rows).f1 if best is None else best.tally.f1


def best_score(rows: Rows) -> float | None:
    """The score from which on F1 is best on these photos."""
    best = best_threshold(pool([r.centre for r in rows]))
    return None if best is None else best.threshold


def _group_f1(rows: Rows, group: Group) -> float | None:
    return sum((r.by_group[group].at(r.threshold) for r in rows if r.by_group is not None), Tally()).f1


def _mean_group_f1(rows: Rows) -> float | None:
    known = [f1 for f1 in (_group_f1(rows, g) for g in Group) if f1 is not None]
    return float(np.mean(known)) if known else None


def _marks_called_active(rows: Rows) -> float | None:
    tally = sum((r.marks.at(r.threshold) for r in rows if r.marks is not None), Tally())
    return tally.recall


def scores_of(rows: Rows) -> Reliability:
    """Scores of active lesions beside whether a true one is there."""
    found = pool([r.centre for r in rows])
    return reliability(found.scores, found.hits)


def counts_of(rows: Rows) -> list[tuple[float, int]]:
    """Counts found and marked, of photos whose lesions somebody marked."""
    return [(r.count_found, r.count_true) for r in rows if r.count_found is not None]


def grades_of(rows: Rows) -> list[tuple[int, int]]:
    """Grades found and true, of photos with both."""
    pairs = [(r.grade_found, r.grade_true) for r in rows]
    return [(f, t) for f, t in pairs if f is not None and t is not None]


def affected_of(rows: Rows) -> list[tuple[float, bool]]:
    """The probability of acne, and whether an active lesion is marked, of photos with both."""
    return [(r.prob_affected, r.count_true > 0) for r in rows if r.prob_affected is not None]


def _counts(rows: Rows, figure: Callable[[list[float], list[int]], float | None]) -> float | None:
    known = counts_of(rows)
    return figure([f for f, _ in known], [t for _, t in known])


def _grades(rows: Rows, figure: Callable[[list[int], list[int]], float | None]) -> float | None:
    known = grades_of(rows)
    return figure([f for f, _ in known], [t for _, t in known]) if known else None


def _affected(rows: Rows, figure: Callable[[list[float], list[bool]], float | None]) -> float | None:
    known = affected_of(rows)
    return figure([p for p, _ in known], [t for _, t in known])


def _faces(rows: Rows) -> float | None:
    return ratio(sum(r.face for r in rows), len(rows))


LESIONS: tuple[Measure[LesionRow], ...] = (
    Measure("faces found", "share of photos in which a face was found; elsewhere all lesions are missed", _faces),
    Measure("precision", f"active lesions as reported; {MATCH}", lambda rows: tally_of(rows).precision),
    Measure("recall", f"active lesions as reported; {MATCH}", lambda rows: tally_of(rows).recall),
    Measure("F1", f"active lesions as reported; {MATCH}", lambda rows: tally_of(rows).f1),
    Measure("F1 at best threshold", "the score threshold searched on these same photos", _best_f1),
    Measure(
        "AP at IoU 0.3",
        "COCO, 101 points, boxes around circles",
        lambda rows: average_precision(pool([r.iou_30 for r in rows])),
    ),
    Measure(
        "AP at IoU 0.5",
        "COCO, 101 points, boxes around circles",
        lambda rows: average_precision(pool([r.iou_50 for r in rows])),
    ),
    Measure(
        "calibration error",
        "mean distance of scores from the share of lesions that are true ones, over ten bins of score, by lesions",
        lambda rows: scores_of(rows).error,
    ),
    Measure("count error", "mean absolute, lesions a photo", lambda rows: _counts(rows, count_error)),
    Measure("count bias", "mean of found minus true", lambda rows: _counts(rows, count_bias)),
    Measure("count r", "Pearson, found against true counts", lambda rows: _counts(rows, correlation)),
)

TYPES: tuple[Measure[LesionRow], ...] = (
    *(Measure(f"F1 {g.value}", f"lesions of this group; {MATCH}", partial(_group_f1, group=g)) for g in Group),
    Measure("mean F1 of groups", "unweighted mean over the groups", _mean_group_f1),
    Measure("marks called active", "share of true marks on which an active lesion is found", _marks_called_active),
)

GRADES: tuple[Measure[LesionRow], ...] = (
    Measure(
        "grade QWK",
        "quadratic weighted kappa, photos with a grade on both sides",
        lambda rows: _grades(rows, weighted_kappa),
    ),
    Measure("grade balanced accuracy", "mean recall of the grades", lambda rows: _grades(rows, balanced_accuracy)),
    Measure("grade error", "mean absolute, in grades", lambda rows: _grades(rows, grade_error)),
)

_ACNE = "probability of acne, against photos with an active lesion marked"
AFFECTED: tuple[Measure[LesionRow], ...] = (
    Measure("acne ROC AUC", _ACNE, lambda rows: _affected(rows, roc_auc)),
    Measure("acne AP", f"average precision; {_ACNE}", lambda rows: _affected(rows, average_precision_of)),
    Measure(
        "acne calibration error",
        f"mean distance of said from true shares over ten bins; {_ACNE}",
        lambda rows: _affected(rows, calibration_error),
    ),
)


def measures_for(rows: Rows) -> tuple[Measure[LesionRow], ...]:
    """Lesion figures, with those of groups, grades and acne where the truth has them, of acne both kinds of photos."""
    chosen = LESIONS
    if any(r.by_group is not None for r in rows):
        chosen += TYPES
    if any(r.grade_true is not None and r.grade_found is not None for r in rows):
        chosen += GRADES
    if len({marked for _, marked in affected_of(rows)}) == 2:
        chosen += AFFECTED
    return chosen
