"""What a network said before is kept while it learns on: its own masks as targets beside those of people.

Few photos have hand-made masks. A network that goes on learning centres from thousands of lesions loses the outlines
that it had from those few, or learns them by heart. Learning without forgetting (Li & Hoiem 2016, arXiv:1606.09282)
gives it what the network it starts from says of the same crops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from comedo.errors import UnusableInput
from comedo.inference import OnnxNetwork, load_network
from comedo.lesions.network import MASK


@dataclass(frozen=True)
class KeepMask:
    """Which network's masks are kept, and how much of them a step sees."""

    weights: str = "shipped"  # or an ONNX file of comedo's lesion map
    crops: int = 3  # of each step


def mask_teacher(keep: KeepMask) -> Callable[[Tensor], Tensor]:
    """A function that gives the probabilities of mask on the first crops of a batch.

    It takes (N, H, W, 3) uint8 and returns (min(N, crops), H/2, W/2) float32 in [0, 1].

    Raises:
        UnusableInput: The file cannot be read.
    """
    network = _network(keep.weights)

    def teach(pictures: Tensor) -> Tensor:
        maps = [network.run(picture)[MASK] for picture in pictures[: keep.crops].numpy()]
        return torch.from_numpy(np.stack(maps))

    return teach


def _network(weights: str) -> OnnxNetwork:
    if weights == "shipped":
        return load_network("lesion-map")
    try:
        return OnnxNetwork(Path(weights).read_bytes(), Path(weights).name)
    except Exception as error:
        raise UnusableInput(f"cannot read the network {weights} whose masks are to be kept: {error}") from error
