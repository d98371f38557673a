"""Twins of the networks in 8-bit integers: about 1.6 times as fast on CPUs with VNNI instructions.

Static quantisation by ONNX Runtime: ranges of activations from training pictures (percentile),
weights per channel. The first convolutions and the head stay float: the narrow outputs of the
first blocks carry nearly all of the error (mean change of the active centres' log odds over six
training crops: 0.21 with the first three in floats, 0.12 with six, 0.05 with 18, no less with 24).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from comedo.errors import ModelError, UnusableInput
from comedo.inference import TWIN, OnnxNetwork, read_manifest, read_weights
from comedo.training.integers import write_integers
from comedo.training.lesion_map.recipe import LesionRecipe
from comedo.training.manifest import Entry, add_to_manifest, read_entries, remove_from_manifest, sha256_of
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import open_items
from comedo.training.unet_task import UNetRecipe
from comedo.types import Image

_FLOAT_FIRST = 18  # convolutions of the encoder that stay float
_PERCENTILE = 99.995  # of the activations, the range that is kept
_AT_A_TIME = 4  # pictures whose activations are in memory together
_SAYS_SOMETHING = 0.1  # probabilities under this are left out of the comparison: most of a picture is empty


class _Pictures:
    """Pictures as ONNX Runtime's calibration reads them, a few at a time."""

    def __init__(self, pictures: Sequence[Image]) -> None:
        self._pictures = pictures
        self._left = iter(pictures)

    def __len__(self) -> int:
        return len(self._pictures)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._left = iter(self._pictures[start_index:end_index])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        picture = next(self._left, None)
        return None if picture is None else {"image": picture[None]}


def quantize(path: Path, out: Path, pictures: Sequence[Image]) -> None:
    """Write the 8-bit twin of an exported network.

    Args:
        path: ONNX file that comedo exported.
        out: The file to write.
        pictures: (H, W, 3) uint8 RGB, sides multiples of 32; a multiple of four of them.
    """
    write_integers(
        path,
        out,
        _Pictures(pictures),
        layers=("Conv", "Add", "Resize"),
        floats_first=_FLOAT_FIRST,
        percentile=_PERCENTILE,
        options={"CalibStridedMinMax": _AT_A_TIME},
    )


def training_pictures(values: Mapping[str, object], where: str, data: Path, number: int) -> list[Image]:
    """Augmented pictures that a map learns from, (H, W, 3) uint8 RGB.

    Args:
        values: Of its recipe.
        where: The recipe's name, for messages.
        data: Folder of the recipe's data.
        number: How many.

    Raises:
        UnusableInput: It is no recipe of a map, a file is absent, or there are no photos to learn from.
        LeakyData: A person or a picture is on both sides of the split.
    """
    task, recipe = read_run(values, where)
    if not isinstance(recipe, UNetRecipe):
        raise UnusableInput(f"{where} is a recipe of {recipe.task}; name one of a face map or a lesion map")
    if isinstance(recipe, LesionRecipe):
        recipe = replace(recipe, keep_mask=None)  # pictures alone are asked for
    with TemporaryDirectory() as cache:
        opened = open_items(task, recipe, data, Path(cache))
    draw = task.examples(recipe, opened.learnt, learning=True).draw
    return [draw(i, np.random.default_rng([recipe.schedule.seed, i]))["image"] for i in range(number)]


def mean_difference(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Mean difference where the wanted value says something: absolute up to 1, relative above.

    Returns:
        0.0 where nothing exceeds 0.1.
    """
    speaks = np.abs(wanted) > _SAYS_SOMETHING
    if not speaks.any():
        return 0.0
    w, f = wanted[speaks], found[speaks]
    return float(np.mean(np.abs(f - w) / np.maximum(1, np.abs(w))))


def add_twin(name: str, weights: Path, pictures: Sequence[Image], test: Sequence[Image], *, limit: float) -> Entry:
    """Quantise a network of a weights folder and put the twin beside it.

    Args:
        name: Of the network.
        weights: Folder with its manifest.
        pictures: What the ranges are taken from.
        test: Other pictures, on which both are compared.
        limit: Largest allowed mean difference.

    Raises:
        ModelError: The network is absent or altered, or its twin says something else.
    """
    whole, _ = read_weights(name, weights)
    card = read_manifest(weights)[name]
    twin = f"{name}{TWIN}"
    draft = weights / f"{twin}.draft.onnx"
    quantize(weights / card.file, draft, pictures)
    pair = (OnnxNetwork(whole, name), OnnxNetwork(draft.read_bytes(), twin))
    difference = float(np.mean([mean_difference(*(network.run(picture) for network in pair)) for picture in test]))
    if not difference <= limit:
        draft.unlink()
        raise ModelError(f"the 8-bit twin of {name} differs by {difference:.3f} in the mean, allowed is {limit:g}")
    path = weights / f"{twin}.onnx"
    draft.replace(path)
    entry = Entry(
        name=twin,
        file=path.name,
        sha256=sha256_of(path.read_bytes()),
        date=datetime.now(UTC).date().isoformat(),
        recipe={"float_first": _FLOAT_FIRST, "percentile": _PERCENTILE, "pictures": len(pictures)},
        data={"twin_of": card.sha256},
        metrics={"mean_difference": difference},
        parity=difference,
        input="as its twin",
        output="as its twin",
        terms="as its twin",
    )
    add_to_manifest(weights, entry)
    return entry


def put_in_place(twin: Entry, weights: Path) -> Entry:
    """Let a twin take the place and the name of its network, whose file goes: a third of the bytes.

    Args:
        twin: As `add_twin` returned it.
        weights: The folder with both.

    Returns:
        The network's entry, now of the twin's file; it still says what the network learnt from.
    """
    name = twin.name.removesuffix(TWIN)
    whole = next(e for e in read_entries(weights) if e.name == name)
    entry = replace(
        whole,
        sha256=twin.sha256,
        recipe={**whole.recipe, "integers": twin.recipe},
        metrics={**whole.metrics, **twin.metrics},
        parity=twin.parity,
    )
    (weights / twin.file).replace(weights / whole.file)
    add_to_manifest(weights, entry)
    remove_from_manifest(weights, twin.name)
    return entry
