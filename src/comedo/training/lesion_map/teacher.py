"""What a network said before is kept while it learns on: its own masks as targets beside those of people.

Few photos have hand-made masks. A network that goes on learning centres from thousands of lesions loses the outlines
that it had from those few, or learns them by heart. Learning without forgetting (Li & Hoiem 2016, arXiv:1606.09282)
gives it what the network it starts from says of the same crops.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comedo.errors import UnusableInput
from comedo.inference import OnnxNetwork, load_network
from comedo.lesions.network import MASK
from comedo.types import Image


@dataclass(frozen=True)
class KeepMask:
    """Which network's masks are kept, and how much of them a step sees."""

    weights: str = "shipped"  # or an ONNX file of comedo's lesion map
    crops: int = 3  # of each step, on average


def taught(keep: KeepMask, picture: Image) -> NDArray[np.float32]:
    """What the network says of a picture (H, W, 3): probabilities of mask (H/2, W/2) float32.

    Raises:
        UnusableInput: Its file cannot be read.
    """
    said: NDArray[np.float32] = _network(keep.weights).run(picture)[MASK]
    return said


def check_teacher(keep: KeepMask) -> None:
    """Read the network now rather than in the middle of a training.

    Raises:
        UnusableInput: Its file cannot be read.
    """
    _network(keep.weights)


@cache
def _network(weights: str) -> OnnxNetwork:
    if weights == "shipped":
        return load_network("lesion-map")
    try:
        return OnnxNetwork(Path(weights).read_bytes(), Path(weights).name)
    except Exception as error:
        raise UnusableInput(f"cannot read the network {weights} whose masks are to be kept: {error}") from error
