"""The only place that loads weights and wires parts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from comedo.calibration import load_calibration
from comedo.face import FaceMapper
from comedo.inference import WEIGHTS, load_network
from comedo.lesions import LesionFinder
from comedo.pipeline import Analyzer


def build_analyzer(weights: Path = WEIGHTS) -> Analyzer:
    """Load the models of a weights folder; their hashes are checked.

    Raises:
        ModelError: If a model or the calibration is absent, altered or damaged.
    """
    calibration = load_calibration(weights)
    return Analyzer(
        mapper=FaceMapper(load_network("face-map", weights)),
        finder=LesionFinder(load_network("lesion-map", weights), calibration.thresholds),
        calibration=calibration,
    )


@cache
def default_analyzer() -> Analyzer:
    """The analyzer with the shipped weights, loaded once a process."""
    return build_analyzer()
