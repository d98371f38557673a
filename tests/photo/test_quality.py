"""The quality gate on a drawn face: each fault is found, and nothing but the fault."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from comedo.photo import assess
from comedo.photo.skin_view import VIEW_WIDTH, face_width_px, skin_view
from comedo.types import Check, FaceMap, Part, Photo, Quality, Verdict

WIDTH, HEIGHT = 720, 900
BOX = (100.0, 80.0, 620.0, 800.0)
FACE_PX = 520 * 65 / 140
CELL = 6
LIGHT, DARK = (214, 168, 148), (74, 47, 38)


@cache
def _texture() -> NDArray[np.float64]:
    """Skin's relief as light sees it: bumps of every size, the larger the stronger, rough in places. Mean 1."""
    rng = np.random.default_rng(0)
    relief = np.zeros((HEIGHT, WIDTH))
    for sigma in (1.0, 2.0, 4.0, 8.0, 16.0):
        bumps = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)), (0, 0), sigma)
        relief += 0.02 * sigma**0.5 * bumps / bumps.std()
    places = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)), (0, 0), 25)
    return np.exp(relief * np.exp(0.8 * places / places.std() - 0.64))  # grain is everywhere alike, skin is not


def make_parts() -> NDArray[np.uint8]:
    """An oval of five regions, (150, 120) cells of 6 x 6 pixels."""
    y, x = np.mgrid[0 : HEIGHT // CELL, 0 : WIDTH // CELL] * float(CELL)
    labels = np.where(y < 300, Part.FOREHEAD, np.where(y > 600, Part.CHIN, Part.NOSE)).astype(np.uint8)
    labels[(labels == Part.NOSE) & (x < 310)] = Part.RIGHT_CHEEK
    labels[(labels == Part.NOSE) & (x > 410)] = Part.LEFT_CHEEK
    labels[((x - 360) / 260) ** 2 + ((y - 440) / 360) ** 2 > 1] = Part.BACKGROUND
    return labels


def make_face(**changes: object) -> FaceMap:
    face = FaceMap(
        parts=make_parts(),
        to_photo=np.array([[CELL, 0, 0], [0, CELL, 0]], float),
        box_xyxy=BOX,
        eyes_xy=((250, 380), (470, 380)),
        roll_deg=0.0,
        yaw_deg=5.0,
        mm_per_px=140 / 520,
        mm_per_px_error=0.06,
        face_px=FACE_PX,
        score=0.95,
    )
    return replace(face, **changes)


def make_photo(
    skin: tuple[int, int, int] = LIGHT, *, exposure: float = 1.0, blur: float = 0.0, noise: float = 0.0, seed: int = 1
) -> Photo:
    """A face under light from the left; `exposure` scales the light, `noise` is the sensor's."""
    rng = np.random.default_rng(seed)
    reflectance = (np.array(skin) / 255) ** 2.2
    shade = np.linspace(1.1, 0.8, WIDTH)[None, :] * _texture()
    light = shade[..., None] * reflectance * exposure
    if blur:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    if noise:
        light = light + rng.standard_normal(light.shape) * noise
    image = np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    return Photo(image, "drawn", "0" * 64, "array")


def check(quality: Quality, name: str) -> Check:
    return next(c for c in quality.checks if c.name == name)


def failed(quality: Quality) -> set[str]:
    return {c.name for c in quality.checks if not c.ok}


@pytest.mark.parametrize("exposure", [0.6, 1.0, 1.25])
@pytest.mark.parametrize("skin", [LIGHT, (160, 110, 84), DARK, (48, 30, 26)], ids=["light", "brown", "dark", "darkest"])
def test_a_good_photo_passes_whatever_the_skin(skin: tuple[int, int, int], exposure: float) -> None:
    quality = assess(make_photo(skin, exposure=exposure), make_face())
    assert failed(quality) == set()
    assert quality.verdict is Verdict.GOOD
    assert quality.advice == ()


@pytest.mark.parametrize("cast", [(255, 170, 110), (150, 190, 230), (170, 210, 150)], ids=["warm", "cold", "green"])
def test_coloured_light_is_no_fault(cast: tuple[int, int, int]) -> None:
    skin = tuple(a * b // 255 for a, b in zip((190, 150, 132), cast, strict=True))
    assert assess(make_photo(skin), make_face()).verdict is Verdict.GOOD


def test_sharpness_does_not_depend_on_skin_or_light() -> None:
    values = [
        check(assess(make_photo(skin, exposure=exposure), make_face()), "sharpness").value
        for skin in (LIGHT, DARK)
        for exposure in (0.4, 1.0)
    ]
    assert max(values) / min(values) < 1.3  # 8 bits add a little grain to dark skin in dim light


@pytest.mark.parametrize(
    ("photo", "name", "verdict"),
    [
        pytest.param({"blur": 4.2}, "sharpness", Verdict.FAIR, id="blurred-by-1.1-mm"),
        pytest.param({"blur": 9.0}, "sharpness", Verdict.POOR, id="blurred-by-2.4-mm"),
        pytest.param({"blur": 30.0}, "sharpness", Verdict.POOR, id="blurred-by-8-mm"),
        pytest.param({"exposure": 1.5}, "highlights", Verdict.FAIR, id="too-bright"),
        pytest.param({"exposure": 4.0}, "highlights", Verdict.POOR, id="far-too-bright"),
        pytest.param({"noise": 0.1}, "noise", Verdict.FAIR, id="noisy"),
        pytest.param({"noise": 0.2}, "noise", Verdict.POOR, id="very-noisy"),
        pytest.param({"exposure": 0.001}, "shadows", Verdict.POOR, id="in-the-dark"),
    ],
)
def test_a_fault_of_the_light_is_found(photo: dict[str, float], name: str, verdict: Verdict) -> None:
    quality = assess(make_photo(**photo), make_face())
    assert name in failed(quality)
    assert quality.verdict is verdict
    assert check(quality, name).advice in quality.advice


def as_jpeg(photo: Photo, *, darker: float, quality: int) -> Photo:
    """The photo at a share of its grey levels, with what JPEG leaves of it."""
    dim = np.rint(photo.image * darker).astype(np.uint8)
    return replace(photo, image=simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(dim, quality=quality)))


@pytest.mark.parametrize(
    ("skin", "darker", "quality"),
    [
        pytest.param(LIGHT, 1.0, 90, id="light-skin"),
        pytest.param(LIGHT, 1.0, 60, id="light-skin-coarse-jpeg"),
        pytest.param(LIGHT, 0.2, 90, id="light-skin-in-the-dark"),
        pytest.param(DARK, 1.0, 90, id="dark-skin"),
        pytest.param(DARK, 1.0, 60, id="dark-skin-coarse-jpeg"),
    ],
)
def test_grain_does_not_make_a_blurred_photo_sharp(skin: tuple[int, int, int], darker: float, quality: int) -> None:
    sharp, blurred = (
        check(assess(as_jpeg(make_photo(skin, blur=px), darker=darker, quality=quality), make_face()), "sharpness")
        for px in (0.0, 7.4)  # 2 mm
    )
    assert sharp.ok
    assert not blurred.ok
    assert blurred.severe or quality < 90  # coarse JPEG leaves patches, which are not everywhere alike


@pytest.mark.parametrize(
    ("changes", "name", "word", "verdict"),
    [
        pytest.param({"mm_per_px": 0.5}, "resolution", "closer", Verdict.FAIR, id="small"),
        pytest.param({"mm_per_px": 1.2}, "resolution", "closer", Verdict.POOR, id="tiny"),
        pytest.param({"yaw_deg": 62.0}, "yaw", "right cheek", Verdict.FAIR, id="turned-left-cheek-shown"),
        pytest.param({"yaw_deg": -62.0}, "yaw", "left cheek", Verdict.FAIR, id="turned-right-cheek-shown"),
        pytest.param({"box_xyxy": (0.0, 80.0, 620.0, 800.0)}, "framing", "left", Verdict.FAIR, id="cut-left"),
        pytest.param(
            {"box_xyxy": (100.0, 0.0, 620.0, 900.0)}, "framing", "top and bottom", Verdict.FAIR, id="cut-twice"
        ),
        pytest.param({"roll_deg": -35.0}, "roll", "tilted by 35 degrees", Verdict.FAIR, id="tilted"),
        pytest.param({"roll_deg": 90.0}, "roll", "Turn the photo", Verdict.POOR, id="on-its-side"),
        pytest.param({"roll_deg": -178.0}, "roll", "tilted by 178 degrees", Verdict.POOR, id="upside-down"),
        pytest.param({"other_faces": 2}, "faces", "of 3 faces", Verdict.FAIR, id="three-faces"),
    ],
)
def test_a_fault_of_the_pose_is_found(changes: dict[str, object], name: str, word: str, verdict: Verdict) -> None:
    quality = assess(make_photo(), make_face(**changes))
    assert failed(quality) == {name}
    assert quality.verdict is verdict
    assert word in quality.advice[0]


def _without(*hidden: Part) -> NDArray[np.uint8]:
    parts = make_parts()
    parts[np.isin(parts, hidden)] = Part.OTHER
    return parts


@pytest.mark.parametrize(
    ("hidden", "yaw", "verdict"),
    [
        pytest.param((), 0.0, Verdict.GOOD, id="all-seen"),
        pytest.param((Part.FOREHEAD,), 0.0, Verdict.FAIR, id="hair-over-forehead"),
        pytest.param((Part.FOREHEAD, Part.CHIN, Part.NOSE, Part.LEFT_CHEEK), 0.0, Verdict.POOR, id="one-cheek-only"),
    ],
)
def test_hidden_regions_are_named(hidden: tuple[Part, ...], yaw: float, verdict: Verdict) -> None:
    quality = assess(make_photo(), make_face(parts=_without(*hidden), yaw_deg=yaw))
    assert quality.verdict is verdict
    assert all(part.name.lower().replace("_", " ") in " ".join(quality.advice) for part in hidden)


def test_a_turned_face_may_hide_one_region() -> None:
    quality = assess(make_photo(), make_face(parts=_without(Part.RIGHT_CHEEK), yaw_deg=60.0))
    assert failed(quality) == {"yaw"}


def test_what_cannot_be_measured_is_none_and_no_fault() -> None:
    quality = assess(make_photo(), make_face(yaw_deg=None, roll_deg=None, mm_per_px=None))
    assert check(quality, "yaw").value is None
    assert check(quality, "roll").value is None
    assert check(quality, "resolution").value == pytest.approx(520 / 140)
    assert quality.verdict is Verdict.GOOD


def test_without_skin_nothing_about_skin_is_said() -> None:
    quality = assess(make_photo(), make_face(parts=np.zeros((150, 120), np.uint8)))
    for name in ("sharpness", "highlights", "shadows", "noise"):
        assert check(quality, name).value is None
        assert check(quality, name).ok
    assert quality.verdict is Verdict.POOR  # no region is visible
    assert failed(quality) == {"regions"}


def test_a_face_of_few_pixels_is_not_judged_at_a_scale_it_does_not_have() -> None:
    assert skin_view(make_photo(), make_face(face_px=0.7 * VIEW_WIDTH * 65 / 140)) is None


@pytest.mark.parametrize("zoom", [1, 2, 4, 5])
def test_the_same_face_gives_the_same_view_at_every_size(zoom: int) -> None:
    small = make_photo()
    image = cv2.resize(small.image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    face = make_face(
        box_xyxy=tuple(v * zoom for v in BOX),
        to_photo=np.array([[CELL * zoom, 0, 0], [0, CELL * zoom, 0]], float),
        face_px=FACE_PX * zoom,
    )
    view, reference = skin_view(replace(small, image=image), face), skin_view(small, make_face())
    assert view is not None
    assert reference is not None
    assert face_width_px(face) == pytest.approx(520 * zoom)
    assert view.rgb.shape == reference.rgb.shape
    assert abs(int(view.skin.sum()) - int(reference.skin.sum())) < 0.02 * reference.skin.sum()
    assert np.abs(view.rgb.astype(float) - reference.rgb)[reference.skin].mean() < 3


def test_the_photo_is_not_written_into() -> None:
    photo = make_photo()
    before = photo.image.copy()
    photo.image.flags.writeable = False
    assess(photo, make_face())
    assert np.array_equal(photo.image, before)


def test_checks_have_one_order_and_limits() -> None:
    quality = assess(make_photo(), make_face())
    assert [c.name for c in quality.checks] == [
        "resolution",
        "sharpness",
        "highlights",
        "shadows",
        "noise",
        "yaw",
        "roll",
        "framing",
        "regions",
        "faces",
    ]
    assert all(c.limit is not None for c in quality.checks)
