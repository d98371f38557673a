"""Fit the numbers that follow training: weights of candidates, cut-offs, count noise, severity, affected or not.

Everything is chosen on validation people, except the weights of candidates and the severity curve, which are fitted on
training people; of the latter the spread is of validation people. Grids are small and their steps coarse: the
validation split has about 110 people, and a finer optimum would only be its noise. What the photos cannot tell
(`comedo.training.calibration.sufficiency`) keeps the value from before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from comedo.calibration import AffectedCurve, Calibration, CountNoise, SeverityCurve, Thresholds
from comedo.geometry import compose
from comedo.grading.severity import burden_weights, severity_of
from comedo.lesions.finder import inflamed_probability, is_mark, is_reported
from comedo.lesions.network import CELLS_TO_CANVAS, MASK
from comedo.training.calibration.readings import Reading
from comedo.training.calibration.sufficiency import (
    CLINIC,
    GRADED,
    SPARSE,
    Number,
    has_acne,
    is_clear,
    is_typed,
    kept_sentence,
    lacking,
)
from comedo.training.calibration.weighing import fit_weighing, weighed
from comedo.training.evaluation.predictors import acne04_grade
from comedo.training.metrics.matching import match_centres
from comedo.training.metrics.ordinal import weighted_kappa
from comedo.training.metrics.tally import Tally

Readings = Sequence[Reading]
_MARKS_CALLED_ACTIVE = 0.17  # aimed at; the requirement is 0.20
_PLAIN = Calibration()
_CUT_OFFS_OF = {
    Number.TYPES: ("mark", "mark_bias", "inflamed", "red_weight"),
    Number.MASK: ("mask",),
    Number.SPARSE: ("sparse",),
}


def of_source(readings: Readings, *sources: str) -> list[Reading]:
    """The readings of some sources."""
    return [r for r in readings if r.truth.source in sources]


def reported(reading: Reading, t: Thresholds) -> NDArray[np.bool_]:
    """Which candidates are reported as active lesions."""
    return is_reported(reading.peaks, t) & ~is_mark(reading.peaks, t)


def active_tally(readings: Readings, t: Thresholds) -> Tally:
    """Hits, false and missed active lesions over photos."""
    tp = fp = fn = 0
    for r in readings:
        true = r.truth.active
        assert true is not None
        chosen = reported(r, t)
        hits = int((match_centres(r.circles[chosen], r.peaks.active[chosen], true, r.width) >= 0).sum())
        tp, fp, fn = tp + hits, fp + int(chosen.sum()) - hits, fn + len(true) - hits
    return Tally(tp, fp, fn)


def type_tallies(readings: Readings, t: Thresholds) -> tuple[tuple[Tally, Tally, Tally], float]:
    """Per-type tallies (not inflamed, inflamed, mark) and the share of true marks called active."""
    sums = np.zeros((3, 3), int)
    on_marks = marks = 0
    for r in readings:
        true_active, true_marks, true_red = r.truth.active, r.truth.marks, r.truth.inflamed
        assert true_active is not None
        assert true_marks is not None
        assert true_red is not None
        called_mark = is_mark(r.peaks, t)
        score = np.where(called_mark, r.peaks.mark, r.peaks.active)
        keep = is_reported(r.peaks, t)
        red = inflamed_probability(r.peaks.inflamed, r.redness, t) >= 0.5
        found = (keep & ~called_mark & ~red, keep & ~called_mark & red, keep & called_mark)
        true = (true_active[true_red == 0], true_active[true_red == 1], true_marks)
        for k in range(3):
            hits = int((match_centres(r.circles[found[k]], score[found[k]], true[k], r.width) >= 0).sum())
            sums[k] += (hits, int(found[k].sum()) - hits, len(true[k]) - hits)
        shown = keep & ~called_mark
        on_marks += int((match_centres(r.circles[shown], score[shown], true_marks, r.width) >= 0).sum())
        marks += len(true_marks)
    tallies = tuple(Tally(*(int(v) for v in row)) for row in sums)
    return (tallies[0], tallies[1], tallies[2]), on_marks / max(1, marks)


def _f1(tally: Tally) -> float:
    return tally.f1 or 0.0


def fit_thresholds(
    readings: Readings, before: Thresholds = _PLAIN.thresholds, skip: Collection[Number] = ()
) -> Thresholds:
    """Cut-offs with the best F1: of active lesions on clinic photos, of types on portraits.

    Args:
        readings: Of validation people.
        before: Where the cut-offs of `skip` are taken from.
        skip: What the photos cannot tell.
    """
    clinic = [of_source(readings, source) for source in CLINIC]
    typed = [] if Number.TYPES in skip else [r for r in readings if is_typed(r.truth)]
    masks = [] if Number.MASK in skip else of_source(readings, "masks")

    def clinic_f1(t: Thresholds) -> float:
        return float(np.mean([_f1(active_tally(side, t)) for side in clinic if side]))

    def typed_f1(t: Thresholds) -> float:
        tallies, on_marks = type_tallies(typed, t)
        return float(np.mean([_f1(x) for x in tallies])) - 2 * max(0.0, on_marks - _MARKS_CALLED_ACTIVE)

    t = Thresholds(**{cut: getattr(before, cut) for number in skip for cut in _CUT_OFFS_OF.get(number, ())})
    biases = (0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
    t = _best(lambda x: clinic_f1(x), (t.model_copy(update={"active": a}) for a in np.arange(0.14, 0.6, 0.02)))
    both = (t.model_copy(update={"mark_bias": b, "mark": m}) for b, m in product(biases, np.arange(0.14, 0.5, 0.03)))
    if typed:
        shortlist = {b: clinic_f1(t.model_copy(update={"mark_bias": b})) for b in biases}
        t = _best(lambda x: typed_f1(x) + shortlist[x.mark_bias], both)
        reds = product(np.arange(0.1, 0.75, 0.05), (0.0, 0.1, 0.2, 0.3, 0.4))
        t = _best(typed_f1, (t.model_copy(update={"inflamed": i, "red_weight": w}) for i, w in reds))
    t = _best(lambda x: clinic_f1(x), (t.model_copy(update={"active": a}) for a in np.arange(0.14, 0.6, 0.02)))
    if masks:
        t = _best(
            lambda x: mask_dice(masks, x) or 0.0, (t.model_copy(update={"mask": m}) for m in np.arange(0.1, 0.75, 0.05))
        )
    rounded = {k: round(float(v), 3) for k, v in t.model_dump().items()}
    t = Thresholds(**rounded)
    return t if Number.SPARSE in skip else fit_sparse(readings, t)


def _best(judge: Callable[[Thresholds], float], candidates: Iterable[Thresholds]) -> Thresholds:
    return max(candidates, key=judge)


def fit_sparse(readings: Readings, t: Thresholds) -> Thresholds:
    """The conspicuity from which the number of lesions agrees with the v1 boxes."""
    known = [r for r in readings if r.truth.sparse is not None and r.truth.source in SPARSE]
    if not known:
        return t
    true = np.array([len(r.truth.sparse) for r in known if r.truth.sparse is not None])

    def off(cut: float) -> float:
        found = np.array([int((r.peaks.sparse[reported(r, t)] >= cut).sum()) for r in known])
        return abs(float(found.sum() - true.sum()))

    return t.model_copy(update={"sparse": round(float(min(np.arange(0.05, 0.7, 0.01), key=off)), 3)})


def mask_dice(readings: Readings, t: Thresholds) -> float | None:
    """Mean Dice of the network's mask on the skin of photos with hand-made masks, at canvas scale.

    Only a guide for the cut-off: `comedo evaluate` measures the mask that is written out.
    """
    import cv2

    values = []
    for r in readings:
        true, canvas = r.truth.read_mask(), r.canvas
        if true is None or canvas is None:
            continue
        cells = compose(canvas.to_photo, CELLS_TO_CANVAS)
        size = (canvas.skin.shape[1], canvas.skin.shape[0])
        on_canvas = cv2.warpAffine(true, cells, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) >= 0.5
        found = (canvas.maps[MASK] >= t.mask) & canvas.skin
        whole = int(found.sum() + on_canvas.sum())
        values.append(2 * int((found & on_canvas).sum()) / whole if whole else 1.0)
    return float(np.mean(values)) if values else None


def fit_count_noise(found: Sequence[int], true: Sequence[int]) -> CountNoise:
    """The 5 % and 95 % points of the error of a count, in units that grow with it."""
    base = CountNoise()
    n, t = np.asarray(found, float), np.asarray(true, float)
    relative = (t - n) / (n + base.offset) ** base.power
    low, high = np.quantile(relative, [0.05, 0.95])
    return CountNoise(low=round(float(low), 3), high=round(float(high), 3))


def count_pairs(readings: Readings, t: Thresholds, *, sparse: bool) -> tuple[list[int], list[int]]:
    """Found and true counts under a convention, over the whole-face clinic photos."""
    found, true = [], []
    for r in of_source(readings, *CLINIC):
        circles = r.truth.sparse if sparse else r.truth.active
        if circles is None:
            continue
        chosen = reported(r, t)
        if sparse:
            chosen = chosen & (r.peaks.sparse >= t.sparse)
        found.append(int(chosen.sum()))
        true.append(len(circles))
    return found, true


def burdens(readings: Readings, t: Thresholds, curve: SeverityCurve) -> NDArray[np.float64]:
    """Burden of each photo, as `comedo.grading.severity` adds it up."""
    totals = []
    for r in readings:
        chosen = reported(r, t)
        diameter, seen = 2.0 * r.circles[chosen, 2].astype(np.float64), r.peaks.sparse[chosen].astype(np.float64)
        redness = np.nan_to_num(r.redness[chosen])
        totals.append(float(burden_weights(diameter, redness, seen, r.face.face_px, curve).sum()))
    return np.array(totals)


def fit_bounds(totals: NDArray[np.float64], grades: NDArray[np.int_]) -> tuple[float, float, float]:
    """Three rising bounds between four grades with the best quadratic weighted kappa."""
    points = np.quantile(totals, np.linspace(0.04, 0.995, 44))
    bounds = [float(np.quantile(totals, float((grades <= g).mean()))) for g in range(3)]

    def kappa(b: Sequence[float]) -> float:
        return weighted_kappa(np.searchsorted(np.asarray(b), totals, side="right"), grades) or 0.0

    for _ in range(3):
        for i in range(3):
            low = bounds[i - 1] if i else 0.0
            high = bounds[i + 1] if i < 2 else np.inf
            options = [p for p in points if low < p < high] + [bounds[i]]
            bounds[i] = float(max(options, key=lambda p: kappa([*bounds[:i], p, *bounds[i + 1 :]])))
    return (bounds[0], bounds[1], bounds[2])


def fit_severity(train: Readings, val: Readings, t: Thresholds) -> SeverityCurve:
    """Weights and bounds on training people; the spread on validation people."""
    known = [r for r in train if r.truth.grade is not None]
    grades = np.array([r.truth.grade for r in known])
    best, best_score = SeverityCurve(), -1.0
    for faint, large, red in product((0.0, 0.03, 0.1, 0.3), (0.0, 0.1, 0.3), (0.0, 0.03, 0.1)):
        curve = SeverityCurve(faint=faint, large=large, red=red)
        totals = burdens(known, t, curve)
        low, middle, high = fit_bounds(totals, grades)
        score = weighted_kappa(np.searchsorted([low, middle, high], totals, side="right"), grades) or 0.0
        if score > best_score + 0.003:  # a simpler curve wins a tie
            clear = min(0.5, low / 3)
            best, best_score = curve.model_copy(update={"bounds": _rounded((clear, low, middle, high))}), score
    known = [r for r in val if r.truth.grade is not None]
    values = np.array([severity_of(float(b), best) for b in burdens(known, t, best)])
    error = values - (np.array([r.truth.grade for r in known]) + 2)
    return best.model_copy(update={"spread": round(float(np.quantile(np.abs(error), 0.9) / 1.645), 3)})


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(float(v), 3) for v in values)


def severity_kappa(readings: Readings, t: Thresholds, curve: SeverityCurve) -> float | None:
    """Quadratic weighted kappa against the ACNE04 grade."""
    known = [r for r in readings if r.truth.grade is not None]
    found = [acne04_grade(severity_of(float(b), curve)) or 0 for b in burdens(known, t, curve)]
    return weighted_kappa(found, [r.truth.grade or 0 for r in known])


def fit_affected(readings: Readings, t: Thresholds, curve: SeverityCurve) -> AffectedCurve:
    """Between clear faces and clinic faces with acne; half-way in log burden where both err least."""
    acne = burdens([r for r in readings if has_acne(r.truth)], t, curve)
    clear = burdens([r for r in readings if is_clear(r.truth)], t, curve)
    cuts = np.geomspace(0.02, 20, 140)
    score = np.array([float((acne >= c).mean()) + 2 * min(float((clear < c).mean()), 0.97) for c in cuts])
    best = cuts[score >= score.max() - 0.005]
    middle = float(np.sqrt(best[0] * best[-1]))  # as far from either side as the photos allow
    return AffectedCurve(middle=round(middle, 3), slope=2.0)


def fit(train: Readings, val: Readings, provenance: str, before: Calibration = _PLAIN) -> Calibration:
    """Everything that the photos can tell, in the order in which one number needs another.

    Args:
        train: Readings of graded whole faces of training people.
        val: All readings of validation people.
        provenance: A sentence on networks and photos; what was not fitted is added to it.
        before: Whose values stay where the photos do not tell them.
    """
    wanting = lacking([r.truth for r in train], [r.truth for r in val])
    weighing = before.weighing if Number.WEIGHING in wanting else fit_weighing(train)
    train, val = weighed(train, weighing), weighed(val, weighing)
    t = fit_thresholds(val, before.thresholds, wanting)
    noise = dict(before.count_noise)
    for number, convention in ((Number.COUNTS, "visible"), (Number.SPARSE_COUNTS, "acne04-v1")):
        if number not in wanting:
            noise[convention] = fit_count_noise(*count_pairs(val, t, sparse=convention == "acne04-v1"))
    severity, affected = before.severity, before.affected
    if Number.SEVERITY not in wanting:
        severity = fit_severity(of_source(train, *GRADED), of_source(val, *CLINIC), t)
    if Number.AFFECTED not in wanting:
        affected = fit_affected(val, t, severity)
    return Calibration(
        provenance=provenance + kept_sentence(wanting, before.provenance),
        weighing=weighing,
        thresholds=t,
        count_noise=noise,
        severity=severity,
        affected=affected,
    )
