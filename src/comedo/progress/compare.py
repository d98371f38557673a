"""Can two photos be compared: view, person, mirror, regions in common, and what differs in how they were taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import scale_of
from comedo.progress.align import LEAST_PATCHES, Alignment, align
from comedo.progress.canvas import Canvas, mirror
from comedo.progress.values import Comparison, RegionView, View, Visit
from comedo.types import Check, Mask, Region, skin_of

LEAST_OVERLAP = 0.5  # of a region's skin
_REGION_PATCHES = 5  # from so many on a region's own patches are asked
_REGION_MATCHED = 0.35
OPPOSITE_YAW_DEG = 25.0  # turned this far to different sides, two photos share only the middle of the face
_LEAST_COMMON = 0.25  # of the baseline's skin
# Limits of what is asked of the next photo. Repeat photos of a clinic have zooms within 0.09 and light up to 0.10; the
# limits lie well beyond, so that advice is given for what is out of the ordinary.
_ZOOM, _TURN_DEG, _SHARP_RATIO, _BRIGHT, _COLOUR, _SHADING = 0.5, 12.0, 0.7, 0.45, 8.0, 0.16


def compare(baseline: Visit, later: Visit) -> Comparison:
    """Align a later photo with the baseline and say what can be compared."""
    direct = align(baseline.canvas, later.canvas)
    known = direct is not None and direct.known_again
    drawn = scale_of(direct.affine) if direct is not None and known else 1.0  # else as large as the faces are
    zoom = math.log2(drawn * scale_of(later.canvas.to_photo) / scale_of(baseline.canvas.to_photo))
    if direct is not None and known:
        return _comparison(baseline, later, direct, zoom)
    view, reason = _why_not(baseline, later, direct)
    nothing = np.zeros_like(baseline.canvas.parts, dtype=bool)
    refused = {r: RegionView(None, None, False, reason) for r in Region}
    checks = _checks(baseline, later, zoom, _apart(baseline.canvas, later.canvas), mirrored=view is View.MIRRORED)
    return Comparison(view, reason, direct, None, refused, nothing, None, zoom, checks)


def compare_with_itself(baseline: Visit) -> Comparison:
    """The baseline's own place in the series."""
    skin = baseline.canvas.skin()
    regions = {r: _whole_region(baseline.canvas, r) for r in Region}
    return Comparison(View.COMPARABLE, "", None, 1.0, regions, skin, 0.0, 0.0, ())


def _whole_region(canvas: Canvas, region: Region) -> RegionView:
    seen = bool((canvas.parts == region.part).any())
    return RegionView(1.0 if seen else None, None, seen, "" if seen else "not visible in the baseline")


def doubt_baseline(visits: Sequence[Visit], comparisons: Sequence[Comparison]) -> str:
    """That the first photo may be the odd one: no later one fits it, though those fit each other. Empty if not so."""
    if len(visits) < 3 or any(c.comparable for c in comparisons[1:]):
        return ""
    fitting = sum(compare(visits[1], visit).comparable for visit in visits[2:])
    if 2 * fitting <= len(visits) - 2:
        return ""
    return (
        f"no later photo can be compared with the first, {visits[0].name}, but they can with each other: the first may "
        "be the odd one; leave it out, or name it as mirrored if it is"
    )


def _why_not(baseline: Visit, later: Visit, direct: Alignment | None) -> tuple[View, str]:
    turned = align(baseline.canvas, mirror(later.canvas))
    if turned is not None and turned.known_again:
        return View.MIRRORED, (
            "the photo looks mirrored against the baseline: its mirror image fits, it does not; if it is, name it as "
            "mirrored and it will be flipped"
        )
    yaws = baseline.face.yaw_deg, later.face.yaw_deg
    if None not in yaws:
        one, two = (float(y) for y in yaws if y is not None)
        if one * two < 0 and min(abs(one), abs(two)) > OPPOSITE_YAW_DEG:
            return View.DIFFERENT_VIEW, (
                f"the baseline shows the {_side(one)} side of the face, this photo the {_side(two)} side: take the "
                f"next one from the {_side(one)}"
            )
        if abs(one - two) > 2 * OPPOSITE_YAW_DEG:
            return View.DIFFERENT_VIEW, (
                f"the head is turned {abs(one - two):.0f} degrees away from the baseline: hold it as in the first photo"
            )
    if direct is None or len(direct.patches.xy) < LEAST_PATCHES:
        return View.DIFFERENT_VIEW, "the photos share too little skin: take the next one as the first"
    return View.NO_MATCH, (
        "the skin is not that of the baseline photo as far as can be seen: another person, or one of the photos is too "
        "blurred or too strongly filtered to know the skin again"
    )


def _side(yaw_deg: float) -> str:
    return "left" if yaw_deg > 0 else "right"


def _comparison(baseline: Visit, later: Visit, alignment: Alignment, zoom: float) -> Comparison:
    theirs = alignment.warp(later.canvas.parts, nearest=True)
    ours = baseline.canvas.parts
    both = skin_of(theirs) & baseline.canvas.skin()
    regions = {r: _region(ours == r.part, both, alignment) for r in Region}
    shown = {int(r.part) for r, view in regions.items() if view.comparable}
    common = _without_specks(both & np.isin(ours, list(shown))) & baseline.canvas.skin()  # holes may close over no skin
    overlap = float(common.sum()) / max(int(baseline.canvas.skin().sum()), 1)
    if overlap < _LEAST_COMMON:
        reason = f"only {overlap:.0%} of the baseline's skin can be compared: take the next photo as the first"
        checks = _checks(baseline, later, zoom, _apart(baseline.canvas, later.canvas))
        return Comparison(View.DIFFERENT_VIEW, reason, alignment, overlap, regions, common & False, None, zoom, checks)
    light = _light(baseline.canvas.image, alignment.warp(later.canvas.image), common)
    checks = _checks(baseline, later, zoom, light)
    return Comparison(View.COMPARABLE, "", alignment, overlap, regions, common, light.shading, zoom, checks)


def _region(mine: Mask, both: Mask, alignment: Alignment) -> RegionView:
    area = int(mine.sum())
    if area == 0:
        return RegionView(None, None, False, "not visible in the baseline")
    overlap = float((mine & both).sum()) / area
    x, y = alignment.patches.xy.astype(int).T
    inside = mine[y, x]
    matched = float(alignment.patches.matched[inside].mean()) if inside.any() else None
    if overlap < LEAST_OVERLAP:
        return RegionView(overlap, matched, False, f"only {overlap:.0%} of it is seen in both photos")
    if int(inside.sum()) >= _REGION_PATCHES and matched is not None and matched < _REGION_MATCHED:
        return RegionView(overlap, matched, False, "its skin cannot be known again: seen from too different a side")
    return RegionView(overlap, matched, True, "")


def _without_specks(mask: Mask) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), bool)


@dataclass(frozen=True)
class _Light:
    """How the light on the skin of a photo differs from the baseline's; None: not measured.

    `shading` is the spread of the slow log ratio of brightness, `brighter` its middle, `colour` the distance of the
    skin's colours in CIELAB a*, b* at one brightness.
    """

    shading: float | None
    brighter: float | None
    colour: float | None


def _light(one: NDArray[np.uint8], two: NDArray[np.uint8], common: Mask) -> _Light:
    """Of two pictures that lie on each other, on the skin that both show."""
    ratio = np.log(_grey(two) + 4.0) - np.log(_grey(one) + 4.0)
    weight = cv2.GaussianBlur(common.astype(np.float32), (0, 0), 16.0)
    slow = cv2.GaussianBlur(ratio * common, (0, 0), 16.0) / np.maximum(weight, 1e-3)
    values = slow[common]
    return _Light(
        float(values.std()), float(values.mean()), _colour(_median_rgb(one, common), _median_rgb(two, common))
    )


def _apart(one: Canvas, two: Canvas) -> _Light:
    """Of two pictures that cannot be laid on each other, each on its own skin: where shadows fall is not known."""
    if not (one.skin().any() and two.skin().any()):
        return _Light(None, None, None)
    levels = [float(np.median(np.log(_grey(c.image)[c.skin()] + 4.0))) for c in (one, two)]
    return _Light(None, levels[1] - levels[0], _colour(*(_median_rgb(c.image, c.skin()) for c in (one, two))))


def _colour(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    """Distance of two colours in CIELAB a*, b*, as bright as the first: a dim photo has less of every colour."""
    grey = np.array([0.299, 0.587, 0.114], np.float32)
    even = two * (one @ grey + 1) / (two @ grey + 1)
    lab = cv2.cvtColor(np.stack([one, even])[None].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0]
    return float(np.hypot(*(lab[1] - lab[0])[1:]))


def _median_rgb(image: NDArray[np.uint8], skin: Mask) -> NDArray[np.float32]:
    return np.asarray(np.median(image[skin], axis=0), np.float32)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def _checks(baseline: Visit, later: Visit, zoom: float, light: _Light, *, mirrored: bool = False) -> tuple[Check, ...]:
    closer = "nearer to" if zoom < 0 else "farther from"
    sharp = _ratio(later.quality_of("sharpness"), baseline.quality_of("sharpness"))
    dim = "brighter" if (light.brighter or 0.0) < 0 else "dimmer"
    return (
        _at_most("scale", abs(zoom), _ZOOM, f"Hold the camera {closer} the face, as in the first photo."),
        _at_most(
            "pose", _turned(baseline, later, mirrored=mirrored), _TURN_DEG, "Turn the head as in the first photo."
        ),
        _at_most(
            "sharpness",
            None if sharp is None else 1 / max(sharp, 1e-3),
            1 / _SHARP_RATIO,
            "Hold the camera still: this photo is more blurred than the first.",
        ),
        _at_most(
            "brightness",
            None if light.brighter is None else abs(light.brighter),
            _BRIGHT,
            f"Take the next photo in {dim} light, as the first.",
        ),
        _at_most(
            "light_direction",
            light.shading,
            _SHADING,
            "Stand to the light as in the first photo: shadows fall elsewhere.",
        ),
        _at_most(
            "white_balance", light.colour, _COLOUR, "Use the same lamps as in the first photo: colours are shifted."
        ),
    )


def _turned(baseline: Visit, later: Visit, *, mirrored: bool) -> float | None:
    """Degrees between both heads; a mirrored photo is turned to the other side."""
    one, two = baseline.face.yaw_deg, later.face.yaw_deg
    return None if one is None or two is None else abs(one + two if mirrored else one - two)


def _at_most(name: str, value: float | None, limit: float, advice: str) -> Check:
    ok = value is None or value <= limit
    return Check(name, value, limit, ok, "" if ok else advice)


def _ratio(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None or two <= 0 else one / two
