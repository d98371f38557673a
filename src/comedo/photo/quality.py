"""The quality gate: can lesions be measured on this photo, and what would make it better.

Every limit but those of sharpness and roll was set on 400 photos of five collections (a clinic's in
two sizes, two of portraits, faces of four ancestries) and on the same photos made worse on purpose:
at least 98 of 100 pass each check of the skin as they came. Nothing here asks how bright the skin
is: dark skin in good light passes, light skin in the dark does not. A colour cast is no fault either.
"""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.photo.skin_view import EYES_TO_LIPS_MM, SkinView, skin_view
from comedo.types import Check, FaceMap, Photo, Quality, Region, Verdict

# Pixels per millimetre. A comedo of 1 mm covers three pixels at 3; at 1 a papule of 3 mm does.
RESOLUTION_FAIR, RESOLUTION_POOR = 3.0, 1.0
# Fine over middle texture of the skin, grain taken off. Measured on 16 photos of five collections and rendered faces of
# three skin tones, each as it is and with JPEG at 90, 85 and 40, with noise, and as dark as 1/20 of the light: sharp
# ones have 0.149 to 0.34; 24 further photos at their own size, 0.154 to 0.294. After a Gaussian blur of 1 mm, which
# hides small papules, none has more than 0.137; after 1.8 mm, which hides nearly all lesions, none more than 0.099.
SHARPNESS_FAIR, SHARPNESS_POOR = 0.14, 0.10
_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
# Grain (noise, what JPEG leaves of it, rounding) is everywhere alike, skin's texture is not: pores, hairs, wrinkles and
# lesions stand in places. What the calmer part of the skin shows is taken for grain.
_CALM_SHARE, _CALM_SIDE = 0.4, 11  # of the skin, in windows of so many view pixels
_LEAST_GRAIN = 0.13  # grey levels in the fine band: 8 bits and JPEG alone leave up to so much on an even face
_LEAST_MIDDLE = 0.01  # relative; skin in focus has 0.015 to 0.1, so less is no texture but blur
# Share of skin with a channel at its upper end, where redness can no longer be read. Good photos
# reach 0.20 through lamps and shine; 1.3 stops too much light give 0.3 to 0.8.
HIGHLIGHTS_FAIR, HIGHLIGHTS_POOR = 0.20, 0.60
_BLOWN = 250
# Share of skin so dark that 8 bits hold no difference of colour. Good photos of the darkest skin
# have 0.003; 6 stops too little light give 0.05 to 0.6.
SHADOWS_FAIR, SHADOWS_POOR = 0.05, 0.30
_BLACK = 12
# Noise of the red-to-green ratio in percent. A lesion differs from its surroundings by about 10.
# Good photos have at most 1.4, four stops too little light with a small sensor's noise 6 to 25.
NOISE_FAIR, NOISE_POOR = 2.0, 6.0
# Degrees. Beyond 40 the far cheek shows less than half of its width.
YAW_FAIR = 40.0
# Degrees. The networks learnt heads tilted by up to 25; beyond 60 the photo lies on its side or upside down.
ROLL_FAIR, ROLL_POOR = 30.0, 60.0
_BORDER_SHARE = 0.004  # of the photo's side: a face box this close to the frame is cut by it

_SIDE_NAMES = ("left", "top", "right", "bottom")


def assess(photo: Photo, face: FaceMap) -> Quality:
    """Judge one photo by its largest face.

    A value that cannot be measured is `None` and its check does not fail.

    Args:
        photo: Upright photo.
        face: Map of the face that will be measured.

    Returns:
        The checks in a fixed order, and the verdict: poor if a severe check failed, fair if any
        other did, else good.
    """
    view = skin_view(photo, face)
    checks = (
        _resolution(face),
        *_skin_checks(view),
        _yaw(face),
        _roll(face),
        _framing(photo, face),
        _regions(face),
        _faces(face),
    )
    failed = [check for check in checks if not check.ok]
    if any(check.severe for check in failed):
        return Quality(Verdict.POOR, checks)
    return Quality(Verdict.FAIR if failed else Verdict.GOOD, checks)


def _at_least(name: str, value: float | None, fair: float, poor: float, advice: str) -> Check:
    ok = value is None or value >= fair
    return Check(name, value, fair, ok, "" if ok else advice, severe=value is not None and value < poor)


def _at_most(name: str, value: float | None, fair: float, poor: float, advice: str) -> Check:
    ok = value is None or value <= fair
    return Check(name, value, fair, ok, "" if ok else advice, severe=value is not None and value > poor)


def _resolution(face: FaceMap) -> Check:
    value = face.face_px / EYES_TO_LIPS_MM if face.mm_per_px is None else 1 / face.mm_per_px
    advice = "Go closer or send the original photo: the face has too few pixels to show small lesions."
    return _at_least("resolution", value, RESOLUTION_FAIR, RESOLUTION_POOR, advice)


def _skin_checks(view: SkinView | None) -> tuple[Check, ...]:
    sharp, bright, dark, noise = (None,) * 4 if view is None else (sharpness(view), *_clipped(view), colour_noise(view))
    return (
        _at_least(
            "sharpness",
            sharp,
            SHARPNESS_FAIR,
            SHARPNESS_POOR,
            "Hold the camera still, wipe its lens, and let it focus on the skin: the skin is blurred.",
        ),
        _at_most(
            "highlights",
            bright,
            HIGHLIGHTS_FAIR,
            HIGHLIGHTS_POOR,
            "Use softer light without flash: parts of the skin are too bright for their colour to be seen.",
        ),
        _at_most(
            "shadows",
            dark,
            SHADOWS_FAIR,
            SHADOWS_POOR,
            "Let light fall on the whole face: parts of the skin lie in black shadow.",
        ),
        _at_most(
            "noise",
            noise,
            NOISE_FAIR,
            NOISE_POOR,
            "Use more light: the camera's noise covers the skin's own colour.",
        ),
    )


def sharpness(view: SkinView) -> float:
    """Fine texture of the skin over its middle texture, at the view's scale.

    Light is divided by its local mean before the bands are taken, so that shadows' edges are no
    texture, and the ratio of two bands of one picture does not move with brightness, contrast or
    skin tone. Grain is taken off the fine band, or a blurred face in the dark would look sharp.
    """
    grey = np.asarray(view.rgb @ _GREY_WEIGHTS, np.float32)
    level = _blur(grey, 8.0) + 2.0
    smooth = [_blur(grey / level, sigma) for sigma in (0.7, 1.4, 5.6)]
    fine, middle = ((a - b) * level for a, b in pairwise(smooth))  # grey levels
    power = np.square(fine)
    nearby = np.asarray(cv2.blur(power, (_CALM_SIDE, _CALM_SIDE)))[view.skin]
    grain = max(_at_share(nearby, _CALM_SHARE), _LEAST_GRAIN**2)
    texture = math.sqrt(max(0.0, float(power[view.skin].mean()) - grain))
    return texture / max(_rms(middle[view.skin]), _LEAST_MIDDLE * float(level[view.skin].mean()))


def colour_noise(view: SkinView) -> float:
    """Robust noise of the red-to-green ratio from pixel to pixel, in percent.

    Skin's own redness changes slowly, lesions are few, so the median sees the camera's noise.
    """
    rgb = view.rgb.astype(np.float32) + 2.0
    ratio = np.log(rgb[..., 0] / rgb[..., 1])
    return 148.26 * _at_share(np.abs(ratio - _blur(ratio, 1.0))[view.skin], 0.5)


def _clipped(view: SkinView) -> tuple[float, float]:
    """Share of the skin at the upper and at the lower end of what 8 bits hold."""
    brightest = np.maximum(np.maximum(view.rgb[..., 0], view.rgb[..., 1]), view.rgb[..., 2])[view.skin]
    return float((brightest >= _BLOWN).mean()), float((brightest <= _BLACK).mean())


def _blur(values: NDArray[np.floating], sigma: float) -> NDArray[np.floating]:
    return np.asarray(cv2.GaussianBlur(np.asarray(values, np.float32), (0, 0), sigma), np.float32)


def _at_share(values: NDArray[np.floating], share: float) -> float:
    """The value that a share of the values does not exceed; np.median and np.quantile load numpy.ma first."""
    rank = round(share * (len(values) - 1))
    return float(np.partition(values, rank)[rank])


def _rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _yaw(face: FaceMap) -> Check:
    value = None if face.yaw_deg is None else abs(face.yaw_deg)
    side = "left" if (face.yaw_deg or 0) < 0 else "right"
    advice = f"Look into the camera, or add a photo from the other side: the {side} cheek is turned away."
    return _at_most("yaw", value, YAW_FAIR, np.inf, advice)


def _roll(face: FaceMap) -> Check:
    value = None if face.roll_deg is None else abs(face.roll_deg)
    advice = f"Turn the photo until the face stands upright: it is tilted by {value or 0.0:.0f} degrees."
    return _at_most("roll", value, ROLL_FAIR, ROLL_POOR, advice)


def _framing(photo: Photo, face: FaceMap) -> Check:
    x0, y0, x1, y1 = face.box_xyxy
    across, down = photo.width * _BORDER_SHARE, photo.height * _BORDER_SHARE
    touching = (x0 <= across, y0 <= down, x1 >= photo.width - across, y1 >= photo.height - down)
    sides = " and ".join(name for name, hit in zip(_SIDE_NAMES, touching, strict=True) if hit)
    advice = f"Keep the whole face inside the picture: it is cut off at the {sides}."
    return _at_most("framing", float(sum(touching)), 0.0, np.inf, advice)


def _regions(face: FaceMap) -> Check:
    """Count the regions that can be measured; a turned face may hide one."""
    missing = [region for region in Region if region not in face.visible_regions]
    expected = len(Region) - (abs(face.yaw_deg or 0.0) > YAW_FAIR)
    names = ", ".join(region.value.replace("_", " ") for region in missing)
    advice = f"Show the whole face, hair held back and nothing in front of it: not visible: {names}."
    return _at_least("regions", float(len(Region) - len(missing)), float(expected), 2.0, advice)


def _faces(face: FaceMap) -> Check:
    count = 1.0 + face.other_faces
    advice = f"Take the photo with one person in it: of {count:.0f} faces the largest was measured."
    return _at_most("faces", count, 1.0, np.inf, advice)
