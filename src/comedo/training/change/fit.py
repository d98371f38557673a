"""Fit the test-retest model: noise to skin photographed again, the response to lesions that were pasted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import binom

from comedo.errors import UnusableInput
from comedo.progress.noise import Z_95, ChangeNoise, MeasureNoise, Response
from comedo.training.change.pairs import CLEAR, PASTED, RETAKEN, VISITS, Observation

_LEAST_PAIRS = 10
_CONFIDENCE = 0.9  # that the noise model covers what it says
_TERMS = ("base", "per_unit", "relative", "light", "zoom", "sharpness")
# Where a fit starts and what few pairs leave it at. Counts are near Poisson, so their difference has about twice the
# mean as variance; light, zoom and sharpness weigh little until pairs say more. The last four say what a change is
# worth.
PRIOR = {
    "count": MeasureNoise(
        base=1.0,
        per_unit=0.8,
        relative=0.02,
        light=1.0,
        zoom=0.05,
        sharpness=1.0,
        margin=1,
        margin_share=0.1,
        useful=5,
        useful_share=0.6,
    ),
    "area": MeasureNoise(
        base=10,
        per_unit=2.0,
        relative=0.02,
        light=1.0,
        zoom=0.05,
        sharpness=100.0,
        margin=5,
        margin_share=0.1,
        useful=30,
        useful_share=0.6,
    ),
    "severity": MeasureNoise(
        base=0.05,
        per_unit=0.01,
        relative=0.005,
        light=0.1,
        zoom=0.01,
        sharpness=0.05,
        margin=0.25,
        margin_share=0,
        useful=1,
        useful_share=0,
    ),
}
_PRIOR_SPREAD = 1.5  # of the logarithm of each term: a factor of 4.5 either way


@dataclass(frozen=True, eq=False)
class Differences:
    """Per pair: difference, mean, light, zoom, the known change in lesions, and sharpness; each (N,)."""

    difference: NDArray[np.float64]
    mean: NDArray[np.float64]
    light: NDArray[np.float64]
    zoom: NDArray[np.float64]
    known: NDArray[np.float64]
    sharpness: NDArray[np.float64]


_LEAST_RESPONSE = 0.05
_LEAST_CHANGES = 20  # known changes, for a line near their lowest
_BELOW = 0.05  # of the comparisons lie below the line


def fit_noise(observations: Sequence[Observation], provenance: str) -> ChangeNoise:
    """The model of every measure.

    Noise comes from retaken photos and from pairs of one session; pasted lesions say how much of a change is seen.
    Later visits are no repeats, even where annotators counted as many lesions: some came, others went.

    Raises:
        UnusableInput: Fewer than ten repeats could be compared.
    """
    usable = [o for o in observations if o.comparable]
    repeats = [o for o in usable if is_repeat(o)]
    if len(repeats) < _LEAST_PAIRS:
        raise UnusableInput(
            f"a noise model wants {_LEAST_PAIRS} repeats that can be compared, got {len(repeats)}; add photos"
        )
    lights = [o.light for o in repeats if o.light is not None]
    return ChangeNoise(
        provenance=provenance,
        pairs=len(repeats),
        typical_light=round(float(np.median(lights)), 4),
        measures={name: _fit(usable, repeats, name) for name in PRIOR},
    )


def is_repeat(observation: Observation) -> bool:
    """Whether both photos show the same skin with the same lesions."""
    session = observation.kind == VISITS and observation.pair.when == "session"
    return session or observation.kind == RETAKEN


def _fit(usable: Sequence[Observation], repeats: Sequence[Observation], name: str) -> MeasureNoise:
    read = differences_of(repeats, name)
    if not len(read.mean):
        return PRIOR[name]
    fitted = fit_measure(read, PRIOR[name])
    if name != "count":
        return fitted
    pasted = [o for o in usable if o.kind == PASTED and o.known]
    kinds = {
        "clear": [o for o in pasted if o.pair.split == CLEAR],
        "with lesions": [o for o in pasted if o.pair.split != CLEAR],
    }
    found = (response(faces, differences_of(of, name)) for faces, of in kinds.items())
    return fitted.model_copy(update={"responses": tuple(r for r in found if r is not None)})


def response(faces: str, data: Differences) -> Response | None:
    """The line above which 95 of 100 comparisons lie, by known change; None of too few.

    Quantile regression (Koenker & Bassett 1978, Econometrica 46:33-50). The mean share would not do: how much of a
    change is seen differs from face to face, and with it whether the change is told. Nor would one line for all kinds
    of faces, of which one shows less and has other sizes of change. It lies lower than the 9 of 10 that are claimed,
    since it is drawn through few comparisons.
    """
    from sklearn.linear_model import QuantileRegressor

    if len(data.known) < _LEAST_CHANGES:
        return None
    size, shown = np.abs(data.known), data.difference * np.sign(data.known)
    line = QuantileRegressor(quantile=_BELOW, alpha=0).fit(size[:, None], shown)
    slope, shortfall = float(line.coef_[0]), -float(line.intercept_)
    share = round(min(max(slope, _LEAST_RESPONSE), 1.0), 4)
    return Response(faces=faces, share=share, shortfall=round(max(shortfall, 0.0), 4))


def differences_of(observations: Sequence[Observation], name: str) -> Differences:
    """The differences of one measure over the pairs that have it in both photos."""
    rows = [
        (after - before, (after + before) / 2, o.light or 0.0, o.zoom, o.known or 0.0, o.sharpness)
        for o in observations
        if (before := o.before.get(name)) is not None and (after := o.after.get(name)) is not None
    ]
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Differences(*table.T)


def fit_measure(data: Differences, prior: MeasureNoise) -> MeasureNoise:
    """Most probable variance terms under a normal likelihood and log-normal priors, then widened to cover.

    `base` is the prior's at least: two photos made from one exposure lack what a second one brings.
    `inflation` brings the share of pairs beyond 1.96 standard deviations to at most 5 %, with the finite-sample rank of
    split conformal prediction (Lei et al. 2018, JASA 113:1094-1111): few pairs give a wider model.
    """
    design = np.stack(
        [
            np.ones_like(data.mean),
            data.mean,
            data.mean**2,
            (data.light * data.mean) ** 2,
            (data.zoom * data.mean) ** 2,
            data.sharpness**2,
        ],
        1,
    )
    centre = np.log([max(getattr(prior, term), 1e-6) for term in _TERMS])

    def cost(logs: NDArray[np.float64]) -> float:
        variance = design @ np.exp(logs)
        likelihood = 0.5 * np.sum(np.log(variance) + data.difference**2 / variance)
        return float(likelihood + 0.5 * np.sum(((logs - centre) / _PRIOR_SPREAD) ** 2))

    best = np.exp(minimize(cost, centre, method="L-BFGS-B").x)
    best[0] = max(best[0], prior.base)
    scores = np.abs(data.difference) / np.sqrt(design @ best)
    terms = {name: float(f"{value:.4g}") for name, value in zip(_TERMS, best.tolist(), strict=True)}
    wider = inflation(scores)
    terms |= {"inflation": float(f"{wider:.4g}"), "tolerance": float(f"{tolerance(scores / wider):.4g}")}
    return prior.model_copy(update=terms)


def inflation(scores: NDArray[np.float64]) -> float:
    """What standard deviations must be multiplied by so that 95 % of new pairs stay within 1.96 of them; at least 1."""
    rank = min(len(scores), math.ceil(0.95 * (len(scores) + 1)))
    return max(1.0, float(np.sort(scores)[rank - 1]) / Z_95)


def tolerance(scores: NDArray[np.float64]) -> float:
    """What that limit must be multiplied by so that it holds with 90 % confidence and not on average; at least 1.

    A one-sided tolerance limit without a distribution (Wilks 1941, Ann. Math. Stat. 12:91-96). Of fewer than 45 pairs
    even the largest is no such limit, and is taken.

    Args:
        scores: Absolute differences over their widened standard deviations.
    """
    beyond = int(binom.ppf(1 - _CONFIDENCE, len(scores), 0.05))  # the first number too likely to be exceeded by chance
    return max(1.0, float(np.sort(scores)[-max(1, beyond)]) / Z_95)
