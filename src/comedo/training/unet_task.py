"""What the face map and the lesion map share as tasks: where they start from, and how they are exported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from comedo.errors import UnusableInput
from comedo.inference import WEIGHTS
from comedo.training.imagenet import load_mobilenet
from comedo.training.networks import UNet, scaled
from comedo.training.runner.contract import Shipped
from comedo.training.runner.plan import RunRecipe
from comedo.training.runner.ship import example_pictures
from comedo.training.start import mean_with_onnx, start_from_onnx

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
    of_start: float = 0.0  # the exported weights are this share of the start's and the rest of what was learnt
    frozen_stages: int = 0  # first stages of the encoder that stay as they start, with the stem; 0 for none

    def __post_init__(self) -> None:
        """Refuse shares that mean nothing.

        Raises:
            UnusableInput: `of_start` is no share, or there is no start.
        """
        if not 0 <= self.of_start < 1:
            raise UnusableInput(f"of_start must be at least 0 and below 1, got {self.of_start}")
        if self.of_start and self.start is None:
            raise UnusableInput("of_start needs a start: `shipped`, or an ONNX file of the same kind")

    @property
    def start_file(self) -> Path | None:
        """The ONNX file that it starts from."""
        if self.start is None:
            return None
        return WEIGHTS / f"{self.exported}.onnx" if self.start == "shipped" else Path(self.start)


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
    if (weights := recipe.start_file) is not None:
        start_from_onnx(net, weights, scaled(pictures()))
    elif recipe.pretrained is not None:
        load_mobilenet(net.encoder, root / recipe.pretrained)


def settle_map(net: nn.Module, recipe: UNetRecipe) -> None:
    """Draw a trained map back towards its start, where the recipe says so.

    Raises:
        UnusableInput: The weights of the start are absent or of another network.
    """
    assert isinstance(net, UNet)
    if recipe.of_start and (weights := recipe.start_file) is not None:
        mean_with_onnx(net, weights, recipe.of_start)


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
