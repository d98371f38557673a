"""The only place that loads weights and wires parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np

from comedo import pipeline
from comedo.calibration import Calibration, load_calibration
from comedo.errors import ModelError
from comedo.face import FaceMapper
from comedo.inference import MIRRORED, WEIGHTS, Network, OnnxNetwork, choose_model, load_network, read_manifest
from comedo.lesions import LesionFinder
from comedo.types import Part

OUTPUTS = {"face-map": len(Part), "lesion-map": 6, MIRRORED: 6}  # channels of each network


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
    names = ["face-map", "lesion-map", *({MIRRORED} & set(read_manifest(weights)))]
    with ThreadPoolExecutor(len(names)) as pool:  # ONNX Runtime prepares a network without holding Python's lock
        coming = {name: pool.submit(load_network, name, weights) for name in names}
        calibration = load_calibration(weights)
    return _join({name: network.result() for name, network in coming.items()}, calibration)


def _join(networks: Mapping[str, Network], calibration: Calibration) -> pipeline.Analyzer:
    return pipeline.Analyzer(
        mapper=FaceMapper(networks["face-map"]),
        finder=LesionFinder(
            networks["lesion-map"], calibration.thresholds, calibration.weighing, mirrored=networks.get(MIRRORED)
        ),
        calibration=calibration,
    )


def face_mapper(weights: Path = WEIGHTS) -> FaceMapper:
    """The face map alone, for who only asks where a face is and how it is held."""
    return FaceMapper(load_network("face-map", weights))


def build_own(folder: Path) -> tuple[pipeline.Analyzer, tuple[str, ...]]:
    """An analyzer with the networks of a user's own folder; what it does not hold is the shipped one.

    Args:
        folder: manifest.json beside the networks that it names, of `comedo train`, and calibration.json.

    Returns:
        The analyzer, and what its user should know.

    Raises:
        ModelError: The folder holds no network of comedo's, or one that is altered, a link, or of another kind.
    """
    held = read_manifest(folder)
    own = [name for name in OUTPUTS if name in held]
    if not own:
        raise ModelError(f"{folder} holds neither {' nor '.join(OUTPUTS)}; train one, or leave --models out")
    networks = {name: _load_own(name, folder) if name in own else load_network(name) for name in _wanted(own)}
    fitted = (folder / "calibration.json").exists()
    calibration = load_calibration(folder if fitted else WEIGHTS)
    analyzer = _join(networks, calibration)
    said = [f"{', '.join(networks[name].name[:24] for name in own)} come from {folder}; comedo's figures do not hold"]
    if not fitted:
        said.append(
            f"{folder} holds no calibration.json: cut-offs, intervals and grades are those of other networks; "
            f"fit them with: comedo calibrate --weights {folder}"
        )
    return analyzer, tuple(said)


def _wanted(own: Collection[str]) -> list[str]:
    """Of which networks an analyzer with some of a user's own is made: a shipped lesion map never helps their own."""
    with_shipped_pair = "lesion-map" not in own and MIRRORED in read_manifest()
    return [name for name in OUTPUTS if name != MIRRORED or name in own or with_shipped_pair]


def _load_own(name: str, folder: Path) -> OnnxNetwork:
    """A network from elsewhere: only a file that nothing else can change, whose answer has the right shape."""
    path = folder / read_manifest(folder)[choose_model(name, folder)].file
    network = load_network(name, folder)
    if path.stat().st_nlink > 1:
        raise ModelError(f"the model file {path} must have one name only, it is a hard link; copy it")
    try:
        found = network.run(np.zeros((64, 64, 3), np.uint8)).shape
    except Exception as error:  # ONNX Runtime has its own tree of errors
        raise ModelError(f"the model file {path} does not take a picture: {error}") from error
    if found != (OUTPUTS[name], 32, 32):
        raise ModelError(f"a {name} answers 64 x 64 pixels by {(OUTPUTS[name], 32, 32)} numbers, {path} by {found}")
    return network


_LOADING = Lock()  # `cache` alone lets threads that come first together each load the weights


def default_analyzer() -> pipeline.Analyzer:
    """The analyzer with the shipped weights, loaded once a process."""
    with _LOADING:
        return _shipped()


@cache
def _shipped() -> pipeline.Analyzer:
    return build_analyzer()
