"""Colours into sRGB, judged by Little CMS."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from comedo.photo import read_photo
from comedo.photo.colour import cmyk_to_rgb, p3_to_srgb, to_srgb
from comedo.photo.icc import parametric
from photo.files import (
    ADOBE_COLUMNS,
    GAMMA_22,
    P3_COLUMNS,
    SRGB_COLUMNS,
    SRGB_CURVE,
    after_start,
    jpeg_segment,
    make_jpeg,
    make_picture,
    make_png,
    make_profile,
    make_table_profile,
    make_webp,
    png_chunk,
    s15f16,
    webp_canvas,
    webp_chunk,
    with_pillow,
)

P3 = make_profile(P3_COLUMNS, SRGB_CURVE)
ADOBE = make_profile(ADOBE_COLUMNS, GAMMA_22)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
TABLE_CURVE = b"curv\0\0\0\0\0\0\0\5" + np.array([0, 4000, 14000, 33000, 65535], ">u2").tobytes() + b"\0\0"
EVERY_COLOUR = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)


def by_little_cms(image: np.ndarray, profile: bytes) -> np.ndarray:
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    mode = "L" if image.ndim == 2 else "RGB"
    picture = Image.fromarray(image)
    return np.asarray(ImageCms.applyTransform(picture, ImageCms.buildTransform(source, target, mode, "RGB")), int)


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(P3, id="display-p3"),
        pytest.param(ADOBE, id="adobe-rgb"),
        pytest.param(make_profile(SRGB_COLUMNS, GAMMA_22), id="srgb-primaries-gamma-2.2"),
        pytest.param(make_profile(SRGB_COLUMNS, TABLE_CURVE), id="table-curve"),
        pytest.param(make_profile(P3_COLUMNS, b"para\0\0\0\0\0\0\0\0" + s15f16(1.8)), id="parametric-gamma"),
    ],
)
def test_matrix_profiles_agree_with_little_cms(profile: bytes) -> None:
    image = EVERY_COLOUR.copy()
    assert to_srgb(image, profile) == ("the colour profile was converted to sRGB",)
    assert np.abs(image - by_little_cms(EVERY_COLOUR, profile)).max() <= 1


def test_grey_profile_agrees_with_little_cms() -> None:
    profile = make_profile((), GAMMA_22, space=b"GRAY")
    grey = EVERY_COLOUR[..., 0]
    image = np.repeat(grey[..., None], 3, axis=2)
    to_srgb(image, profile)
    assert np.abs(image - by_little_cms(grey, profile)).max() <= 1


def test_table_profile_agrees_with_little_cms() -> None:
    image = EVERY_COLOUR.copy()
    profile = make_table_profile(b"RGB ")
    assert len(to_srgb(image, profile)) == 1
    assert np.abs(image - by_little_cms(EVERY_COLOUR, profile)).max() == 0
    assert np.abs(image.astype(int) - EVERY_COLOUR).max() > 20


def test_ink_profile_agrees_with_little_cms() -> None:
    inks = np.random.default_rng(1).integers(0, 256, (200, 50, 4)).astype(np.uint8)
    profile = make_table_profile(b"CMYK")
    image, notice = cmyk_to_rgb(255 - inks, profile)
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, target, "CMYK", "RGB")
    expected = ImageCms.applyTransform(Image.frombytes("CMYK", (50, 200), inks.tobytes()), transform)
    assert np.array_equal(image, np.asarray(expected))
    assert "by its profile" in notice


@pytest.mark.parametrize(
    "profile", [SRGB, make_profile(SRGB_COLUMNS, SRGB_CURVE), None], ids=["little-cms", "by-hand", "no-profile"]
)
def test_srgb_is_left_alone(profile: bytes | None) -> None:
    image = EVERY_COLOUR.copy()
    assert to_srgb(image, profile) == ()
    assert np.array_equal(image, EVERY_COLOUR)


@pytest.mark.parametrize(
    "profile",
    [b"", b"garbage", bytes(5000), P3[:200], LAB, make_profile(P3_COLUMNS, b"what\0\0\0\0\0\0\0\0")],
    ids=["empty", "garbage", "zeros", "cut", "lab", "unknown-curve"],
)
def test_useless_profiles_change_nothing_and_are_mentioned(profile: bytes) -> None:
    image = EVERY_COLOUR.copy()
    (notice,) = to_srgb(image, profile)
    assert "taken as sRGB" in notice
    assert np.array_equal(image, EVERY_COLOUR)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_profiles_never_raise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    profile = bytearray(P3 if seed % 2 else ADOBE)
    for at in rng.integers(0, len(profile), 6):
        profile[at] = int(rng.integers(0, 256))
    to_srgb(EVERY_COLOUR[:40].copy(), bytes(profile))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_profile_is_found_in_each_format(kind: str) -> None:
    import zlib

    if kind == "jpeg":  # in two parts, in the wrong order
        parts = [
            jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 2]) + part) for n, part in ((2, P3[300:]), (1, P3[:300]))
        ]
        data, stored = after_start(make_jpeg(), *parts), read_photo(make_jpeg()).image
    elif kind == "png":
        data, stored = make_png(extra=png_chunk(b"iCCP", b"P3\0\0" + zlib.compress(P3))), make_picture()
    else:
        picture = with_pillow(make_picture(), "WEBP", lossless=True)[12:]
        data, stored = make_webp(webp_canvas(128, 96, 0x20), webp_chunk(b"ICCP", P3), picture), make_picture()
    photo = read_photo(data)
    assert photo.notices == ("the colour profile was converted to sRGB",)
    assert np.abs(photo.image - by_little_cms(stored, P3)).max() <= 1


def test_p3_by_its_code_equals_p3_by_its_profile() -> None:
    by_code, by_profile = EVERY_COLOUR.copy(), EVERY_COLOUR.copy()
    p3_to_srgb(by_code)
    to_srgb(by_profile, P3)
    assert np.abs(by_code.astype(int) - by_profile).max() <= 1


def test_inks_without_a_profile() -> None:
    inks = np.array([[[255, 255, 255, 255], [0, 255, 255, 255], [255, 255, 255, 0], [100, 200, 255, 128]]], np.uint8)
    image, notice = cmyk_to_rgb(inks, None)
    assert image.tolist() == [[[255, 255, 255], [0, 255, 255], [0, 0, 0], [50, 100, 128]]]
    assert "rough" in notice


def test_an_rgb_profile_on_inks_is_not_used() -> None:
    inks = np.full((2, 2, 4), 200, np.uint8)
    assert np.array_equal(cmyk_to_rgb(inks, P3)[0], cmyk_to_rgb(inks, None)[0])


@pytest.mark.parametrize(
    ("kind", "parameters", "at", "expected"),
    [
        (0, (2.0,), 128, (128 / 255) ** 2),
        (1, (2.0, 1.0, -0.2), 25, 0.0),
        (1, (2.0, 1.0, -0.2), 255, 0.64),
        (2, (1.0, 1.0, -0.5, 0.25), 0, 0.25),
        (3, (1.0, 1.0, 0.0, 0.5, 0.5), 51, 0.1),
        (4, (1.0, 1.0, 0.0, 0.5, 0.5, 0.1, 0.2), 51, 0.3),
        (4, (1.0, 1.0, 0.0, 0.5, 0.5, 0.1, 0.2), 204, 0.9),
    ],
)
def test_parametric_curves(kind: int, parameters: tuple[float, ...], at: int, expected: float) -> None:
    assert parametric(kind, parameters)[at] == pytest.approx(expected)
