"""Label Studio's run lengths of brush masks: a bit stream over the bytes of an RGBA picture.

32 bits number of bytes, 5 bits word size - 1, four times 4 bits size of a length - 1; then pieces:
1 bit (1: one word repeated, 0: words one by one), 2 bits which size the length has, the length - 1,
and the word or words. Source: read from the behaviour of Label Studio's own converter (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from comedo.training.data.bitmap import to_runs
from comedo.types import Mask

_WORD, _SIZES = 8, (3, 4, 8, 16)
_LONGEST = 1 << _SIZES[-1]
_CHANNELS = 4  # red, green, blue, alpha; alpha says what is inside


def encode(mask: Mask) -> list[int]:
    """Bytes of a mask (H, W)."""
    bits = [f"{mask.size * _CHANNELS:032b}", f"{_WORD - 1:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    for number, length in enumerate(to_runs(mask.ravel()).tolist()):
        word = 255 * (number % 2)
        left = length * _CHANNELS
        while left:
            step = min(left, _LONGEST)
            which = next(k for k, size in enumerate(_SIZES) if step <= 1 << size)
            bits.append(f"1{which:02b}{step - 1:0{_SIZES[which]}b}{word:08b}")
            left -= step
    stream = "".join(bits)
    stream += "0" * (-len(stream) % 8)
    return [int(stream[k : k + 8], 2) for k in range(0, len(stream), 8)]


def decode(data: Sequence[int], height: int, width: int) -> Mask:
    """The mask (H, W) of such bytes.

    Raises:
        ValueError: They are not those of a picture of this size.
    """
    bits = _Bits(data)
    wanted = height * width * _CHANNELS
    number = bits.take(32)
    if number != wanted:
        raise ValueError(f"a brush mask must hold {wanted} bytes for {width} x {height} pixels, this one has {number}")
    word = bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in _SIZES]
    flat = np.zeros(wanted, np.bool_)
    at = 0
    while at < wanted:
        repeated = bits.take(1)
        end = at + 1 + bits.take(sizes[bits.take(2)])
        if end > wanted:
            raise ValueError("a brush mask runs beyond its picture")
        if repeated:
            flat[at:end] = bits.take(word) > 0
        else:
            for k in range(at, end):
                flat[k] = bits.take(word) > 0
        at = end
    return np.asarray(flat.reshape(height, width, _CHANNELS)[..., -1])


class _Bits:
    """Reads whole numbers from a stream of bits."""

    def __init__(self, data: Sequence[int]) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in bytes(data))
        self._at = 0

    def take(self, count: int) -> int:
        piece = self._bits[self._at : self._at + count]
        if len(piece) < count:
            raise ValueError("a brush mask ends too early")
        self._at += count
        return int(piece, 2)
