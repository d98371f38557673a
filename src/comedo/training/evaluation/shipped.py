"""The shipped pieces, ready to be evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from comedo.build import build_analyzer
from comedo.inference import WEIGHTS
from comedo.training.evaluation.predictors import AnalyzerPredictor

SWEEP_FLOOR = 0.05  # lesions of less score are not worth a threshold


def shipped_predictor(weights: Path | None = None, *, sweep: bool = False) -> tuple[AnalyzerPredictor, float | None]:
    """The analyzer of a weights folder as a predictor.

    Args:
        weights: The folder; the shipped one by default.
        sweep: Let lesions of low score through as well, without masks, counts and grades.

    Returns:
        The predictor, and with `sweep` the score from which lesions are reported in earnest.

    Raises:
        ModelError: A model is absent or altered.
    """
    analyzer = build_analyzer(weights or WEIGHTS)
    name = ", ".join(model[:24] for model in analyzer.models)
    if not sweep:
        return AnalyzerPredictor(analyzer, name), None
    usual = analyzer.finder.thresholds
    lowered = usual.model_copy(update={"active": min(SWEEP_FLOOR, usual.active)})
    analyzer = replace(analyzer, finder=replace(analyzer.finder, thresholds=lowered))
    return AnalyzerPredictor(analyzer, name, lesions_only=True), usual.active
