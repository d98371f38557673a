"""ICC profiles of the simple kind: three curves and a matrix, or one curve for grey."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]  # (256,), linear light in [0, 1] for each stored value
_RAMP = np.arange(256) / 255.0
_SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

# Columns: red, green and blue primary in XYZ relative to D50, as ICC profiles store them.
# sRGB: IEC 61966-2-1, adapted by Bradford. Display P3: Apple's "Display P3" profile.
SRGB_TO_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]],
)
P3_TO_XYZ = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]],
)


@dataclass(frozen=True, eq=False)
class MatrixProfile:
    """How stored RGB becomes linear light, and linear light XYZ (3 x 3, D50)."""

    curves: tuple[Curve, Curve, Curve]
    to_xyz: NDArray[np.float64]


def srgb_curve() -> Curve:
    """Linear light of each stored sRGB value."""
    return parametric(3, _SRGB_PARAMETERS)


def parametric(kind: int, parameters: tuple[float, ...]) -> Curve:
    """Evaluate an ICC parametric curve at the 256 stored values. Source: ICC.1:2022, table 68."""
    g, a, b, c, d, e, f = (*parameters, *([0.0] * (7 - len(parameters))))
    if kind == 0:
        return _clipped(np.power(_RAMP, g))
    if kind in (1, 2):
        start, below = -b / a, np.full(256, c if kind == 2 else 0.0)
        above = np.power(np.clip(a * _RAMP + b, 0, None), g) + (c if kind == 2 else 0.0)
    else:
        start, below = d, c * _RAMP + f
        above = np.power(np.clip(a * _RAMP + b, 0, None), g) + e
    return _clipped(np.where(start <= _RAMP, above, below))


def _clipped(curve: NDArray[np.float64]) -> Curve:
    return np.clip(np.nan_to_num(curve), 0.0, 1.0)


def colour_space(profile: bytes) -> str:
    """Return the profile's data colour space, such as "RGB", "GRAY" or "CMYK"; empty for no profile."""
    return profile[16:20].decode("ascii", "replace").strip() if profile[36:40] == b"acsp" else ""


def read_matrix_profile(profile: bytes) -> MatrixProfile | None:
    """Read a matrix or grey profile; None if it is of another kind, or damaged.

    Source: ICC.1:2022, 7 (header and tag table), 8.3 (matrix profiles), 10.6, 10.18, 10.31.
    """
    try:
        tags = _tags(profile)
        if colour_space(profile) == "GRAY":
            curve = _curve(tags[b"kTRC"])
            return MatrixProfile((curve, curve, curve), SRGB_TO_XYZ)
        if colour_space(profile) != "RGB" or profile[20:24] != b"XYZ " or b"A2B0" in tags:
            return None
        red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    except (KeyError, ValueError, ZeroDivisionError, struct.error):
        return None
    return MatrixProfile((red, green, blue), np.array(columns).T)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(min(count, 200))]
    return {name: profile[start : start + size] for name, start, size in entries}


def _xyz(tag: bytes) -> list[float]:
    return [value / 65536 for value in struct.unpack_from(">3i", tag, 8)]


def _curve(tag: bytes) -> Curve:
    kind = tag[:4]
    if kind == b"para":
        function = struct.unpack_from(">H", tag, 8)[0]
        count = (1, 3, 4, 5, 7)[function] if function < 5 else 0
        if count == 0:
            raise ValueError(f"unknown parametric curve {function}")
        return parametric(function, tuple(v / 65536 for v in struct.unpack_from(f">{count}i", tag, 12)))
    if kind != b"curv":
        raise ValueError(f"unknown curve type {kind!r}")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return _RAMP
    if count == 1:
        return _clipped(np.power(_RAMP, struct.unpack_from(">H", tag, 12)[0] / 256))
    table = np.frombuffer(tag, ">u2", count=count, offset=12) / 65535.0
    return np.interp(_RAMP, np.linspace(0, 1, count), table)
