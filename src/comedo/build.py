"""The only place that loads weights and wires parts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock

from comedo import pipeline
from comedo.calibration import load_calibration
from comedo.face import FaceMapper
from comedo.inference import WEIGHTS, load_network
from comedo.lesions import LesionFinder


class Analyzer(pipeline.Analyzer):
    """An analyzer with the weights of a folder, by default the shipped ones."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        built = build_analyzer(weights)
        super().__init__(mapper=built.mapper, finder=built.finder, calibration=built.calibration)


def build_analyzer(weights: Path = WEIGHTS) -> pipeline.Analyzer:
    """Load the models of a weights folder; their hashes are checked.

    Raises:
        ModelError: If a model or the calibration is absent, altered or damaged.
    """
    with ThreadPoolExecutor(2) as pool:  # ONNX Runtime prepares a network without holding Python's lock
        coming = [pool.submit(load_network, name, weights) for name in ("face-map", "lesion-map")]
        calibration = load_calibration(weights)
    face_map, lesion_map = (network.result() for network in coming)
    return pipeline.Analyzer(
        mapper=FaceMapper(face_map),
        finder=LesionFinder(lesion_map, calibration.thresholds),
        calibration=calibration,
    )


_LOADING = Lock()  # `cache` alone lets threads that come first together each load the weights


def default_analyzer() -> pipeline.Analyzer:
    """The analyzer with the shipped weights, loaded once a process."""
    with _LOADING:
        return _shipped()


@cache
def _shipped() -> pipeline.Analyzer:
    return build_analyzer()
