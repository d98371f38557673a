"""ONNX Runtime sessions over weights whose hashes are checked on every load."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from comedo.errors import ModelError
from comedo.types import Image

WEIGHTS = Path(__file__).parent / "weights"
MIRRORED = "lesion-map-mirrored"  # a second lesion map, for the mirror images; a folder may be without one
TWIN = "-int8"  # ends the name of a network's twin in 8-bit integers
_PRECISION = "COMEDO_PRECISION"
_OUTSIDE = b"\x0a\x08location\x12"  # how ONNX names the file of weights that lie outside; none may lead elsewhere


class Network(Protocol):
    """A dense network: (H, W, 3) uint8 RGB in, (C, H/2, W/2) float32 out."""

    @property
    def name(self) -> str:
        """Name and hash, so that results can be traced."""
        ...

    def run(self, image: Image) -> NDArray[np.float32]:
        """Evaluate one picture whose sides are multiples of 32."""
        ...


@cache
def usable_cores() -> int:
    """Cores this process may use: its affinity, capped by the container's CPU quota and by COMEDO_CORES."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    asked = os.environ.get("COMEDO_CORES", "")  # of several processes that share the machine
    return max(1, min(cores, int(asked))) if asked.isdecimal() else cores


class OnnxNetwork:
    """One ONNX model on the CPU, one thread a call; safe to share between threads.

    Several tiles run side by side in `run_many`, which beats several threads on one tile.
    """

    def __init__(self, weights: bytes, name: str) -> None:
        import onnxruntime as ort

        ort.disable_telemetry_events()  # nothing reports home
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # tile sizes vary: an arena would grow and never shrink
        options.log_severity_level = 3
        self._session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._name = name

    @property
    def name(self) -> str:
        """Name and hash."""
        return self._name

    def run(self, image: Image) -> NDArray[np.float32]:
        """Evaluate one picture."""
        output = self._session.run(None, {self._input: image[None]})[0]
        return np.asarray(output[0], np.float32)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(usable_cores(), thread_name_prefix="comedo")


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads and would wait for them for ever
    os.register_at_fork(after_in_child=_pool.cache_clear)


def run_many(network: Network, images: Sequence[Image]) -> list[NDArray[np.float32]]:
    """Evaluate several pictures, as many at a time as there are cores; results keep the order."""
    return _run_all([(network, image) for image in images])


def _run_all(questions: Sequence[tuple[Network, Image]]) -> list[NDArray[np.float32]]:
    if len(questions) < 2 or usable_cores() < 2:
        return [network.run(image) for network, image in questions]
    return list(_pool().map(lambda question: question[0].run(question[1]), questions))


def run_both_ways(
    network: Network,
    images: Sequence[Image],
    channels: Sequence[int] | None = None,
    *,
    mirrored: Network | None = None,
) -> list[NDArray[np.float32]]:
    """Means of what is said of pictures and of their mirror images.

    Args:
        network: Looks at the pictures.
        images: (H, W, 3) uint8 RGB each, sides multiples of 32.
        channels: Which channel of a mirror image belongs to each channel; by default the same one.
        mirrored: Looks at the mirror images; by default the same network.
    """
    flipped = [np.ascontiguousarray(image[:, ::-1]) for image in images]
    outputs = _run_all([*((network, image) for image in images), *((mirrored or network, image) for image in flipped)])
    order = slice(None) if channels is None else list(channels)
    return [
        np.asarray((straight + turned[order, :, ::-1]) / 2, np.float32)
        for straight, turned in zip(outputs[: len(images)], outputs[len(images) :], strict=True)
    ]


@dataclass(frozen=True)
class ModelCard:
    """One line of the manifest beside the weights."""

    name: str
    file: str
    sha256: str
    twin_of: str | None = None  # hash of the network that this one computes in 8-bit integers


def read_manifest(folder: Path = WEIGHTS) -> dict[str, ModelCard]:
    """The models of a weights folder by name.

    Raises:
        ModelError: If the manifest is absent or not what it should be.
    """
    path = folder / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["models"]
        return {
            e["name"]: ModelCard(e["name"], e["file"], e["sha256"], e.get("data", {}).get("twin_of")) for e in entries
        }
    except OSError as error:
        raise ModelError(
            f"{folder} holds no manifest.json of networks that can be read; "
            + ("reinstall comedo" if folder == WEIGHTS else "name a folder that comedo train --weights wrote")
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the weights' manifest {path} is damaged ({error}); reinstall comedo") from error


def read_weights(name: str, folder: Path = WEIGHTS) -> tuple[bytes, str]:
    """Bytes of a model and its traced name, after checking its hash.

    Raises:
        ModelError: If the model is not in the manifest, is absent, is a link, or was altered.
    """
    return _checked(name, read_manifest(folder), folder)


def _checked(name: str, cards: Mapping[str, ModelCard], folder: Path) -> tuple[bytes, str]:
    if name not in cards:
        raise ModelError(f"no model {name!r} in {folder}; it holds {', '.join(sorted(cards)) or 'none'}")
    card = cards[name]
    path = folder / card.file
    if Path(card.file).name != card.file or path.is_symlink():
        raise ModelError(f"the model file of {name!r} must be a plain file beside its manifest, got {card.file!r}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model file {path} cannot be read; reinstall comedo") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.sha256:
        raise ModelError(
            f"the model file {path} was altered: its SHA-256 starts {digest[:12]}, "
            f"the manifest says {card.sha256[:12]}; reinstall comedo"
        )
    if _OUTSIDE in data:
        raise ModelError(f"the model file {path} keeps weights in another file; export it as one file")
    return data, f"{name}@sha256:{digest}"


@cache
def fast_integers() -> bool:
    """Whether the CPU multiplies 8-bit integers in one step (VNNI); without it they are no faster than floats."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False
    return not {"avx512_vnni", "avx_vnni"}.isdisjoint(flags)


def wants_integers() -> bool:
    """Whether networks run as their 8-bit twins: by the setting COMEDO_PRECISION, else by the CPU.

    Raises:
        ModelError: The setting is none of auto, float32, int8.
    """
    setting = os.environ.get(_PRECISION, "auto")
    if setting not in ("auto", "float32", "int8"):
        raise ModelError(f"{_PRECISION} must be auto, float32 or int8, got {setting!r}")
    return setting == "int8" or (setting == "auto" and fast_integers())


def choose_model(name: str, folder: Path = WEIGHTS) -> str:
    """The network of that name or its 8-bit twin, whichever suits this machine."""
    return _chosen(name, read_manifest(folder))


def _chosen(name: str, cards: Mapping[str, ModelCard]) -> str:
    twin = cards.get(f"{name}{TWIN}")
    fits = name in cards and twin is not None and twin.twin_of == cards[name].sha256
    return f"{name}{TWIN}" if fits and wants_integers() else name


def load_network(name: str, folder: Path = WEIGHTS) -> OnnxNetwork:
    """Load one model of the manifest, or its 8-bit twin where that is faster; its hash is checked."""
    cards = read_manifest(folder)
    return OnnxNetwork(*_checked(_chosen(name, cards), cards, folder))
