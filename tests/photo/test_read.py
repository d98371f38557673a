"""Good photos of every kind come out upright, in sRGB, once decoded."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from comedo.errors import ComedoError, PhotoTooLarge, PhotoTooSmall, UnsupportedFormat, UnusableInput
from comedo.photo import Limits, read_photo, sniff
from comedo.photo.exif import orientation
from photo.files import (
    after_start,
    jpeg_segment,
    make_cmyk_jpeg,
    make_exif,
    make_jpeg,
    make_picture,
    make_plain_jpeg,
    make_png,
    make_webp,
    png_chunk,
    webp_canvas,
    webp_chunk,
    with_pillow,
)

PICTURE = make_picture()
GREY = PICTURE[..., 1]
DEEP = PICTURE.astype(np.uint16) * 257
RGBA = np.dstack([PICTURE, np.full(GREY.shape, 255, np.uint8)])
LOSSLESS, LOSSY = 0, 8


def greys(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("data", "kind", "expected", "off"),
    [
        pytest.param(make_jpeg(), "jpeg", PICTURE, LOSSY, id="jpeg"),
        pytest.param(make_jpeg(progressive=True), "jpeg", PICTURE, LOSSY, id="jpeg-progressive"),
        pytest.param(with_pillow(GREY, "JPEG", quality=95), "jpeg", greys(GREY), LOSSY, id="jpeg-grey"),
        pytest.param(with_pillow(PICTURE, "JPEG", quality=95, keep_rgb=True), "jpeg", PICTURE, LOSSY, id="jpeg-rgb"),
        pytest.param(make_cmyk_jpeg(), "jpeg", PICTURE, LOSSY, id="jpeg-cmyk"),
        pytest.param(make_png(), "png", PICTURE, LOSSLESS, id="png"),
        pytest.param(make_png(GREY, colour=0), "png", greys(GREY), LOSSLESS, id="png-grey"),
        pytest.param(make_png(DEEP.astype(">u2"), depth=16), "png", PICTURE, LOSSLESS, id="png-16-bit"),
        pytest.param(
            make_png(np.dstack([GREY, np.full_like(GREY, 255)]), colour=4),
            "png",
            greys(GREY),
            LOSSLESS,
            id="png-grey-alpha",
        ),
        pytest.param(make_png(RGBA, colour=6), "png", PICTURE, LOSSLESS, id="png-alpha"),
        pytest.param(with_pillow(PICTURE, "PNG", optimize=True), "png", PICTURE, LOSSLESS, id="png-filtered"),
        pytest.param(with_pillow(PICTURE, "WEBP", lossless=True), "webp", PICTURE, LOSSLESS, id="webp-lossless"),
        pytest.param(with_pillow(PICTURE, "WEBP", quality=95), "webp", PICTURE, 16, id="webp"),
    ],
)
def test_every_kind_of_file_gives_its_pixels(data: bytes, kind: str, expected: np.ndarray, off: int) -> None:
    photo = read_photo(data)
    assert photo.format == kind
    assert photo.image.shape == expected.shape
    assert np.abs(photo.image.astype(int) - expected).max() <= off
    assert not photo.image.flags.writeable
    assert photo.sha256 == hashlib.sha256(data).hexdigest()


def test_one_bit_and_palette_png() -> None:
    bits = np.packbits(GREY > 128, axis=1)
    photo = read_photo(make_png(bits, colour=0, depth=1, size=(GREY.shape[1], GREY.shape[0])))
    assert np.array_equal(photo.image, greys(np.where(GREY > 128, 255, 0)))
    palette = png_chunk(b"PLTE", bytes([10, 20, 30, 200, 150, 100]))
    photo = read_photo(make_png((GREY > 128).astype(np.uint8), colour=3, extra=palette))
    assert np.array_equal(np.unique(photo.image.reshape(-1, 3), axis=0), [[10, 20, 30], [200, 150, 100]])


def test_ycck_jpeg_is_read_as_pillow_reads_it() -> None:
    data = bytearray(make_cmyk_jpeg())
    data[data.index(b"Adobe") + 11] = 2  # the transform: inks stored as luma, chroma and black
    expected = np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGB"), int)
    assert np.abs(read_photo(bytes(data)).image - expected).max() <= 2


# --- where a photo comes from -------------------------------------------------------------------


def test_path_bytes_and_stream_give_the_same_photo(tmp_path: Path) -> None:
    data = make_jpeg()
    path = tmp_path / "me at noon.gif"  # the name's ending says nothing
    path.write_bytes(data)
    with path.open("rb") as stream:
        photos = [
            read_photo(path),
            read_photo(str(path)),
            read_photo(stream),
            read_photo(data),
            read_photo(io.BytesIO(data)),
        ]
    assert [p.name for p in photos] == ["me at noon.gif"] * 3 + ["photo"] * 2
    assert len({p.sha256 for p in photos}) == 1
    assert all(np.array_equal(p.image, photos[0].image) for p in photos)
    assert read_photo(path, name="visit 3").name == "visit 3"


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(PICTURE, id="uint8"),
        pytest.param(RGBA, id="rgba"),
        pytest.param(DEEP, id="uint16"),
        pytest.param(PICTURE / 255.0, id="float64"),
        pytest.param((PICTURE / 255.0).astype(np.float32), id="float32"),
        pytest.param(np.asfortranarray(PICTURE), id="not-contiguous"),
    ],
)
def test_arrays(array: np.ndarray) -> None:
    photo = read_photo(array)
    assert photo.format == "array"
    assert np.array_equal(photo.image, PICTURE)
    assert photo.sha256 == read_photo(PICTURE).sha256


@pytest.mark.parametrize("shape", [GREY.shape, (*GREY.shape, 1)], ids=["2d", "one-channel"])
def test_grey_arrays(shape: tuple[int, ...]) -> None:
    assert np.array_equal(read_photo(GREY.reshape(shape)).image, greys(GREY))


def test_an_array_is_neither_copied_nor_locked() -> None:
    mine = PICTURE.copy()
    photo = read_photo(mine)
    assert np.shares_memory(photo.image, mine)
    assert mine.flags.writeable


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(PICTURE.astype(np.int64), id="int64"),
        pytest.param(GREY > 128, id="bool"),
        pytest.param(PICTURE.astype(np.float32), id="float-to-255"),
        pytest.param(np.full((96, 96, 3), np.nan), id="nan"),
        pytest.param(-(PICTURE / 255.0), id="negative"),
        pytest.param(PICTURE.transpose(2, 0, 1), id="channels-first"),
        pytest.param(PICTURE[..., :2], id="two-channels"),
        pytest.param(PICTURE[None], id="batch"),
        pytest.param(np.zeros((0, 0, 3), np.uint8), id="empty"),
        pytest.param(np.array("x"), id="text"),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(UnusableInput):
        read_photo(array)


# --- which way is up ----------------------------------------------------------------------------

# What Pillow's manual and EXIF 2.32 say must be done to the stored pixels, written with NumPy alone.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_orientation(kind: str, turn: int) -> None:
    block = make_exif(turn, order="<" if turn % 2 else ">")
    if kind == "jpeg":
        data = after_start(make_jpeg(), jpeg_segment(0xE1, b"Exif\0\0" + block))
        stored = read_photo(make_jpeg()).image
    elif kind == "png":
        data, stored = make_png(extra=png_chunk(b"eXIf", block)), PICTURE
    else:
        picture = with_pillow(PICTURE, "WEBP", lossless=True)[12:]
        data, stored = make_webp(webp_canvas(128, 96, 8), picture, webp_chunk(b"EXIF", block)), PICTURE
    assert np.array_equal(read_photo(data).image, TURNS[turn](stored))


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"II*\0", id="short"),
        pytest.param(make_exif(0), id="zero"),
        pytest.param(make_exif(9), id="nine"),
        pytest.param(make_exif(6, kind=4), id="wrong-type"),
        pytest.param(make_exif(6, count=2), id="two-values"),
        pytest.param(b"II*\0\xff\xff\xff\xff", id="offset-beyond"),
        pytest.param(make_exif(6)[:-6], id="cut-entry"),
        pytest.param(b"xx" + make_exif(6)[2:], id="no-byte-order"),
    ],
)
def test_damaged_exif_means_as_stored(block: bytes) -> None:
    assert orientation(block) == 1


# --- what is said about changes -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "webp", "array"])
def test_transparent_parts_lie_on_white(kind: str) -> None:
    alpha = np.zeros(GREY.shape, np.uint8)
    alpha[:, 64:] = 255
    alpha[0, 0] = 51  # a fifth
    picture = np.dstack([PICTURE, alpha])
    made = {"png": lambda: make_png(picture, colour=6), "array": lambda: picture}
    source = made.get(kind, lambda: with_pillow(picture, "WEBP", lossless=True, exact=True))()
    photo = read_photo(source)
    assert any("white" in notice for notice in photo.notices)
    assert np.array_equal(photo.image[:, 64:], PICTURE[:, 64:])
    assert (photo.image[1:, :64] == 255).all()
    assert np.abs(photo.image[0, 0].astype(int) - (0.2 * PICTURE[0, 0] + 0.8 * 255)).max() <= 0.5


def test_opaque_alpha_is_not_mentioned() -> None:
    assert read_photo(make_png(RGBA, colour=6)).notices == ()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture(kind: str) -> None:
    frames = [Image.fromarray(make_picture(seed=s)) for s in range(3)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = with_pillow(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)
    photo = read_photo(data)
    assert any("animation" in notice for notice in photo.notices)
    assert np.array_equal(photo.image, PICTURE)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (make_cmyk_jpeg(), "CMYK"),
        (make_png(DEEP.astype(">u2"), depth=16), "16 bits"),
        (DEEP, "16 bits"),
    ],
    ids=["cmyk", "png-16-bit", "array-16-bit"],
)
def test_notices(data: bytes | np.ndarray, word: str) -> None:
    assert any(word in notice for notice in read_photo(data).notices)


# --- errors say the rule, what came, what to do ---------------------------------------------------


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"GIF89a" + bytes(50), "GIF"),
        (b"II*\0" + bytes(50), "TIFF"),
        (b"MM\0*" + bytes(50), "TIFF"),
        (b"BM" + bytes(50), "BMP"),
        (b"8BPS" + bytes(50), "Photoshop"),
        (b"%PDF-1.7" + bytes(50), "PDF"),
        (b"PK\x03\x04" + bytes(50), "ZIP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!doctype html><p>", "web page"),
        (b"SIMPLE  =", "FITS"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "video"),
        (b"\xff\x0a" + bytes(50), "JPEG XL"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "unknown"),
        (b"hello", "unknown"),
        (bytes(64), "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_photo_is_named(data: bytes, word: str) -> None:
    with pytest.raises(UnsupportedFormat, match=word):
        sniff(data)


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    for source, word in [
        (tmp_path, "folder"),
        (tmp_path / "nowhere.jpg", "no file"),
        ("https://example.org/me.jpg", "local files"),
        ("a\0b", "cannot be read"),
        (empty, "empty"),
        (b"", "empty"),
        (io.StringIO("text"), "binary"),
        (7, "path, bytes"),
        ("/dev/null", "regular file"),
    ]:
        with pytest.raises(UnusableInput, match=word):
            read_photo(source)  # type: ignore[arg-type]


def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os = pytest.importorskip("os")
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnusableInput, match="regular file"):
        read_photo(tmp_path / "pipe.jpg")


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(max_bytes=1000), PhotoTooLarge),
        (Limits(max_pixels=128 * 96 - 1), PhotoTooLarge),
        (Limits(max_side=127), PhotoTooLarge),
        (Limits(max_aspect=1.3), PhotoTooLarge),
        (Limits(min_side=97), PhotoTooSmall),
    ],
    ids=["bytes", "pixels", "side", "aspect", "small"],
)
@pytest.mark.parametrize(
    "data", [make_jpeg(), make_png(), with_pillow(PICTURE, "WEBP", quality=95)], ids=["jpeg", "png", "webp"]
)
def test_limits(data: bytes, limits: Limits, error: type[ComedoError]) -> None:
    with pytest.raises(error):
        read_photo(data, limits=limits)


def test_a_photo_at_its_limits_passes() -> None:
    data = make_jpeg()
    limits = Limits(
        max_bytes=len(data), max_pixels=128 * 96, max_side=128, max_aspect=4 / 3, min_side=96, max_jpeg_scans=1
    )
    assert read_photo(data, limits=limits).width == 128


def test_a_stream_is_not_read_beyond_the_limit() -> None:
    class Endless(io.RawIOBase):
        asked = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= 1001
            self.asked += 1
            return bytes(min(size, 400))

    stream = Endless()
    with pytest.raises(PhotoTooLarge):
        read_photo(stream, limits=Limits(max_bytes=1000))  # type: ignore[arg-type]
    assert stream.asked == 3


# --- cost ------------------------------------------------------------------------------------------


def test_one_decode_a_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *a, **k: calls.append(1) or real(*a, **k))
    read_photo(after_start(make_jpeg(), jpeg_segment(0xE1, b"Exif\0\0" + make_exif(6))))
    assert len(calls) == 1


def test_twelve_megapixels_take_little_more_than_their_pixels() -> None:
    data = make_plain_jpeg(make_picture(width=4000, height=3000))
    tracemalloc.start()
    try:
        photo = read_photo(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert photo.image.nbytes == 36_000_000
    assert peak < 37_000_000


def test_pillow_stays_out_of_ordinary_photos(tmp_path: Path) -> None:
    """No decoder plug-in of Pillow can be reached when it is not even imported."""
    for name, data in (("a.jpg", make_jpeg()), ("b.png", make_png()), ("c.webp", with_pillow(PICTURE, "WEBP"))):
        (tmp_path / name).write_bytes(data)
    code = (
        "import sys, pathlib; from comedo.photo import read_photo\n"
        f"[read_photo(p) for p in pathlib.Path({str(tmp_path)!r}).iterdir()]\n"
        "print(*[m for m in sys.modules if m.startswith('PIL')])"
    )
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    assert subprocess.check_output([sys.executable, "-c", code], text=True, env=environment).strip() == ""
