"""What the face map and the lesion map share as tasks: where they start from, and how they are exported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from comedo.inference import WEIGHTS
from comedo.training.imagenet import load_mobilenet
from comedo.training.networks import UNet, scaled
from comedo.training.runner.contract import Shipped
from comedo.training.runner.plan import RunRecipe
from comedo.training.runner.ship import example_pictures
from comedo.training.start import start_from_onnx

_COMPARED = ((256, 256), (192, 320))  # height and width of the pictures on which torch and ONNX Runtime are compared


class Sourced(Protocol):
    """A photo that knows its set and its side."""

    @property
    def source(self) -> str: ...

    @property
    def split(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class UNetRecipe(RunRecipe):
    """A map by the U-Net on MobileNetV2."""

    pretrained: str | None  # encoder weights below the data folder; null starts from nothing
    start: str | None = None  # `shipped`, or an ONNX file of the same kind: go on from its weights
    frozen_stages: int = 0  # first stages of the encoder that stay as they start, with the stem; 0 for none


def begin_map(net: nn.Module, recipe: UNetRecipe, root: Path, pictures: Callable[[], Tensor]) -> None:
    """Fill a fresh network with what its recipe starts from.

    Args:
        net: As built; changed in place.
        recipe: Names the weights.
        root: The data folder.
        pictures: Gives a typical batch, (N, H, W, 3) uint8 RGB.

    Raises:
        UnusableInput: The weights are absent or of another network.
    """
    assert isinstance(net, UNet)
    if recipe.start is not None:
        weights = WEIGHTS / f"{recipe.exported}.onnx" if recipe.start == "shipped" else Path(recipe.start)
        start_from_onnx(net, weights, scaled(pictures()))
    elif recipe.pretrained is not None:
        load_mobilenet(net.encoder, root / recipe.pretrained)


def counts_by_source(photos: Iterable[Sourced]) -> dict[str, object]:
    """How many photos each set gives each side: `{"photos": {"crops1024/train": 179, ...}}`."""
    return {"photos": dict(sorted(Counter(f"{p.source}/{p.split}" for p in photos).items()))}


def ship_map(net: nn.Module, wrapped: Callable[[UNet], nn.Module], output_words: str) -> Shipped:
    """A map as the run time reads it: one picture of any size in, maps at half its resolution out."""
    assert isinstance(net, UNet)
    return Shipped(
        wrapped(net),
        [{"image": picture[None]} for picture in example_pictures(_COMPARED)],
        ("maps",),
        "(1, H, W, 3) uint8 RGB, H and W multiples of 32",
        output_words,
        {"image": {1: "height", 2: "width"}, "maps": {2: "rows", 3: "columns"}},
    )
