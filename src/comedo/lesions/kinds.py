"""EXPERIMENTAL: the fine kind of a lesion from its measured size, colour and relief.

No public data names kinds on whole faces reliably, so nothing here is fitted: the rules are the
textbook's words (a dark plug, a yellow-white head, a size) put as smooth memberships. They share
out the probability of the lesion's group, which a trained network gives, and never change it.
A trained classifier takes the same place: anything that fits `KindClassifier`.

Colours are CIELAB as OpenCV gives it for float pictures (L* 0-100) and always relative to the
skin around the lesion, so that the rules hold on light and on dark skin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from comedo.types import Group, Kind, Mask

Floats = NDArray[np.float32]

KINDS: Mapping[Group, tuple[Kind, ...]] = MappingProxyType(
    {
        Group.INFLAMMATORY: (Kind.PAPULE, Kind.PUSTULE, Kind.NODULE),
        Group.NON_INFLAMMATORY: (Kind.CLOSED_COMEDONE, Kind.OPEN_COMEDONE),
        Group.MARK: (Kind.MARK,),
    }
)

# Papules and pustules are below 5 mm, nodules 5 mm and more: consensus conference on acne
# classification of the American Academy of Dermatology, 1990 (Pochi et al., J Am Acad Dermatol
# 1991). Textbooks ask for 10 mm (the disagreement: Shalita, Clin Dermatol 2004).
# A photo does not show the depth that makes a nodule, so in between the chance only rises. With
# 5 mm as a sharp limit, 42 % of the 350 ACNE04 photos graded mild would have a nodule.
NODULE_MIN_MM = 5.0
NODULE_SURE_MM = 10.0


@dataclass(frozen=True)
class Membership:
    """A smooth threshold: 0.5 at `middle`, 0.88 two `width`s above it."""

    middle: float
    width: float

    def logit(self, value: float) -> float:
        """How far `value` is above the middle, in widths."""
        return (value - self.middle) / self.width

    def __call__(self, value: float) -> float:
        """The membership, (0, 1)."""
        return sigmoid(self.logit(value))


# The lesion network learned circles drawn around a lesion with its halo: over 764 lone lesions of
# clinic photos the redness falls to half of its peak at 0.8 of the drawn radius (0.75-0.85 in each
# class of size). The limits are on the bump, so this share of the diameter is compared with them.
BUMP_SHARE = 0.8

# comedo's own numbers, from looking at some 1,900 lesions of clinic photos; to be replaced by a
# fit once photos with kinds named by dermatologists exist.
NODULE_SIZE = Membership((NODULE_MIN_MM + NODULE_SURE_MM) / 2, 1.0)  # mm: 0.08 at 5 mm, 0.92 at 10 mm
NODULE_RED = Membership(0.0, 0.5)  # a* above the skin's: any redness, for on dark skin it is faint
HEAD_LIGHT = Membership(2.0, 1.0)  # L* of the core above that of the rim: a head of pus
# Shine on a papule is light too, but white: as L* rises, b* falls by 0.3 to 0.9 of that, from dark
# to light skin (white light added to the colour of skin, computed); yellow-white pus keeps b*
# within 0.3 of it. So the loss of b* is judged against the gain in L*, on every skin alike.
SHINE_SLOPE = 0.35
HEAD_YELLOW = Membership(0.0, 1.0)  # b* of the core above the rim's, plus SHINE_SLOPE times the gain in L*
PLUG_DARK = Membership(6.0, 1.5)  # L* of the skin above that of the core: an open comedone's plug
RAISED = Membership(0.20, 0.06)  # relief, a quarter of lesions have more: a bump with a lit and a shaded side


@dataclass(frozen=True)
class Evidence:
    """What was measured on one lesion. None: not assessed (no scale, or no pixels to compare with)."""

    diameter_mm: float | None
    redness: float | None  # a* of the lesion minus that of the skin around it
    lightness: float | None  # L* of the core minus that of the skin around it
    yellowness: float | None  # b* of the core minus that of the lesion's rim
    core_contrast: float | None  # L* of the core minus that of the lesion's rim
    relief: float | None  # change of L* from side to side beyond the skin's own shading, over the skin's L*


class KindClassifier(Protocol):
    """From the group's probabilities and the evidence to those of the kinds, which sum to 1.

    The kinds of a group (`KINDS`) sum to the group's probability.
    """

    def __call__(self, group_probs: Mapping[Group, float], evidence: Evidence) -> Mapping[Kind, float]:
        """Probabilities of all six kinds."""
        ...


def kind_probs(group_probs: Mapping[Group, float], evidence: Evidence) -> dict[Kind, float]:
    """Probabilities of the six kinds from the rules above; each group's are shared out among its kinds.

    What was not assessed has no say; without a diameter in millimetres nothing is called a nodule.

    Raises:
        ValueError: If a probability is negative, or they do not sum to 1 (within 0.001).
    """
    if min(group_probs.values(), default=-1.0) < 0 or abs(sum(group_probs.values()) - 1) > 1e-3:
        raise ValueError(f"group_probs must be probabilities that sum to 1, got {dict(group_probs)}")
    inflamed = group_probs.get(Group.INFLAMMATORY, 0.0)
    non_inflamed = group_probs.get(Group.NON_INFLAMMATORY, 0.0)
    nodule, pustule, opened = _nodule(evidence), _head(evidence), _plug(evidence)
    probs = {
        Kind.OPEN_COMEDONE: non_inflamed * opened,
        Kind.CLOSED_COMEDONE: non_inflamed * (1 - opened),
        Kind.PAPULE: inflamed * (1 - nodule) * (1 - pustule),
        Kind.PUSTULE: inflamed * (1 - nodule) * pustule,
        Kind.NODULE: inflamed * nodule,
        Kind.MARK: group_probs.get(Group.MARK, 0.0),
    }
    total = sum(probs.values())
    return {kind: p / total for kind, p in probs.items()}


def likeliest_kind(group: Group, probs: Mapping[Kind, float]) -> Kind:
    """The likeliest kind of a group; of equals the milder one, as listed in `KINDS`."""
    return max(KINDS[group], key=lambda kind: probs.get(kind, 0.0))


def _nodule(evidence: Evidence) -> float:
    if evidence.diameter_mm is None:
        return 0.0
    size = NODULE_SIZE(BUMP_SHARE * evidence.diameter_mm)
    return size if evidence.redness is None else size * NODULE_RED(evidence.redness)


def _head(evidence: Evidence) -> float:
    if evidence.core_contrast is None or evidence.yellowness is None:
        return 0.0
    return HEAD_LIGHT(evidence.core_contrast) * HEAD_YELLOW(evidence.yellowness + SHINE_SLOPE * evidence.core_contrast)


def _plug(evidence: Evidence) -> float:
    if evidence.lightness is None:
        return 0.0
    raised = 0.0 if evidence.relief is None else max(0.0, RAISED.logit(evidence.relief))
    return sigmoid(PLUG_DARK.logit(-evidence.lightness) - raised)


def sigmoid(x: float) -> float:
    """The logistic function, without overflow."""
    return 0.5 * (1.0 + math.tanh(x / 2))


def measure_evidence(lab: Floats, inside: Mask, core: Mask, ring: Mask, diameter_mm: float | None) -> Evidence:
    """Measure one lesion on a patch around it; one pass over its pixels, about 0.05 ms at a radius of 8 pixels.

    Args:
        lab: (h, w, 3) float32 CIELAB, L* 0-100, from OpenCV.
        inside: (h, w) pixels of the lesion.
        core: (h, w) its middle; the rest of `inside` is the rim.
        ring: (h, w) skin around it: no other lesions, hair or background, which would pass for relief.
        diameter_mm: The lesion's diameter; None without a scale.

    Raises:
        ValueError: If a mask is not bool or not of the patch's size.
    """
    for name, mask in (("inside", inside), ("core", core), ("ring", ring)):
        if mask.shape != lab.shape[:2] or mask.dtype != np.bool_:
            raise ValueError(f"{name} must be a {lab.shape[:2]} bool array, got {mask.shape} {mask.dtype}")
    masks = np.stack((inside, inside & core, inside & ~core, ring)).reshape(4, -1).astype(np.float32)
    places = _places(*inside.shape)
    pixels = lab.reshape(-1, 3)
    sizes = masks @ places
    colours = masks @ pixels
    tilts = masks[[0, 3]] @ (places[:, 1:3] * pixels[:, :1])
    whole, middle, rim, skin = (c / n if n else None for c, n in zip(colours, sizes[:, 0], strict=True))
    here, around = (_gradient(sizes[i], colours[i, 0], tilt) for i, tilt in zip((0, 3), tilts, strict=True))
    return Evidence(
        diameter_mm=diameter_mm,
        redness=_difference(whole, skin, 1),
        lightness=_difference(middle, skin, 0),
        yellowness=_difference(middle, rim, 2),
        core_contrast=_difference(middle, rim, 0),
        relief=_relief(here, around, sizes[0, 0], skin),
    )


@lru_cache(maxsize=256)
def _places(height: int, width: int) -> Floats:
    """(height * width, 6): 1, x, y, xx, xy, yy of each pixel, from the middle of the patch."""
    y, x = np.mgrid[:height, :width].reshape(2, -1) - np.array([[height / 2], [width / 2]])
    return np.stack((np.ones_like(x), x, y, x * x, x * y, y * y), axis=1).astype(np.float32)


def _difference(a: Floats | None, b: Floats | None, channel: int) -> float | None:
    return None if a is None or b is None else float(a[channel] - b[channel])


def _relief(
    here: tuple[float, float] | None, around: tuple[float, float] | None, area_px: float, skin: Floats | None
) -> float | None:
    """Size of the lesion's L* gradient beyond the skin's, times its diameter, over the skin's L*."""
    if here is None or around is None or skin is None or skin[0] <= 0:
        return None
    diameter_px = 2 * math.sqrt(area_px / math.pi)
    return math.hypot(here[0] - around[0], here[1] - around[1]) * diameter_px / float(skin[0])


def _gradient(sizes: Floats, light: np.float32, tilt: Floats) -> tuple[float, float] | None:
    """Slope (x, y) of the least-squares plane through L*, from sums over a mask; None where it is not fixed."""
    n, x, y, xx, xy, yy = sizes.tolist()
    if n < 3:
        return None
    xx, xy, yy = xx - x * x / n, xy - x * y / n, yy - y * y / n
    xl, yl = float(tilt[0] - x * light / n), float(tilt[1] - y * light / n)
    area = xx * yy - xy * xy
    return None if area < 1e-3 * n else ((yy * xl - xy * yl) / area, (xx * yl - xy * xl) / area)
