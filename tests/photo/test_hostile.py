"""Damaged, hostile and odd files end in a photo or a clear error, and never in another photo's pixels."""

from __future__ import annotations

import re
import signal
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
import simplejpeg

from comedo.errors import ComedoError, DamagedPhoto, PhotoTooLarge, UnsupportedFormat
from comedo.photo import read_photo
from comedo.photo.heic import check_header
from comedo.photo.limits import Limits
from photo.files import (
    PNG_SIGNATURE,
    after_start,
    jpeg_segment,
    make_heic_header,
    make_jpeg,
    make_picture,
    make_plain_jpeg,
    make_png,
    make_webp,
    png_chunk,
    resized_jpeg,
    scan_bomb,
    webp_canvas,
    webp_chunk,
    with_pillow,
)
from photo.hostile import corpus, good_files

CORPUS = list(corpus())


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    """A file that takes a minute hangs; an ordinary one takes a millisecond."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    signal.alarm(60)
    yield
    signal.alarm(0)


def test_the_corpus_is_large_and_has_no_doubles() -> None:
    names = [name for name, _ in CORPUS]
    assert len(names) >= 500
    assert len(names) == len(set(names))


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in CORPUS])
def test_a_photo_or_a_clear_error(make: Callable[[], bytes]) -> None:
    try:
        photo = read_photo(make())
    except ComedoError as error:
        message = str(error)
        assert len(message) > 30
        assert re.search(r"[,;]", message), "the message says the rule, what came, and what to do"
    else:
        assert photo.image.shape == (photo.height, photo.width, 3)


@pytest.mark.parametrize("kind", [kind for kind in good_files() if kind != "heic-header"])
def test_the_corpus_starts_from_good_files(kind: str) -> None:
    assert min(read_photo(good_files()[kind]).image.shape[:2]) == 96


@pytest.mark.parametrize("kind", [kind for kind in good_files() if kind != "heic-header"])
def test_no_part_of_a_file_passes_for_the_whole(kind: str) -> None:
    data = good_files()[kind]
    for cut in sorted({*np.linspace(1, len(data) - 1, 60).astype(int).tolist(), len(data) - 2, len(data) - 3}):
        with pytest.raises(ComedoError):
            read_photo(data[:cut])


@pytest.mark.parametrize("kind", ["png", "png-16", "png-alpha"])
def test_no_flipped_bit_of_a_png_goes_unseen(kind: str) -> None:
    data = good_files()[kind]
    for at in np.random.default_rng(3).integers(0, len(data), 60):
        with pytest.raises(ComedoError):
            read_photo(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        pytest.param(lambda: make_jpeg()[:-2], DamagedPhoto, "stops", id="jpeg-without-end"),
        pytest.param(lambda: make_jpeg()[:-30] + b"\xff\xd9", DamagedPhoto, "decoder", id="jpeg-end-too-early"),
        pytest.param(lambda: resized_jpeg(12_000, 5_000), DamagedPhoto, "cannot hold", id="jpeg-too-few-bytes"),
        pytest.param(lambda: resized_jpeg(12_000, 12_000), PhotoTooLarge, "megapixels", id="jpeg-144-megapixels"),
        pytest.param(lambda: resized_jpeg(20_000, 96), PhotoTooLarge, "20,000", id="jpeg-20000-wide"),
        pytest.param(lambda: scan_bomb(400), PhotoTooLarge, "scans", id="jpeg-400-scans"),
        pytest.param(lambda: scan_bomb(80_000), PhotoTooLarge, "scans", id="jpeg-80000-scans"),
        pytest.param(lambda: make_png()[:-12], DamagedPhoto, "stops", id="png-without-end"),
        pytest.param(lambda: make_png(kept_rows=95), DamagedPhoto, "decode", id="png-last-row-missing"),
        pytest.param(lambda: make_png(size=(8_000, 8_000)), DamagedPhoto, "cannot hold", id="png-too-few-bytes"),
        pytest.param(lambda: make_png(size=(65_535, 65_535)), PhotoTooLarge, "megapixels", id="png-bomb"),
        pytest.param(lambda: make_webp(webp_canvas(12_000, 12_000)), PhotoTooLarge, "megapixels", id="webp-bomb"),
        pytest.param(
            lambda: make_heic_header((128, 96), (65_535, 65_535)), PhotoTooLarge, "megapixels", id="heic-bomb"
        ),
        pytest.param(lambda: make_heic_header((128, 96))[:-1], DamagedPhoto, "stops", id="heic-cut"),
        pytest.param(
            lambda: make_jpeg().replace(b"\xff\xc0", b"\xff\xc9", 1), UnsupportedFormat, "SOF9", id="jpeg-arithmetic"
        ),
    ],
)
def test_what_is_wrong_is_said(make: Callable[[], bytes], error: type[ComedoError], word: str) -> None:
    with pytest.raises(error, match=word):
        read_photo(make())


def test_ordinary_progressive_scans_are_within_the_limit() -> None:
    data = make_jpeg(progressive=True)
    scans = data.count(b"\xff\xda")
    assert 5 < scans < Limits().max_jpeg_scans / 4
    assert read_photo(data, limits=Limits(max_jpeg_scans=scans)).width == 128
    with pytest.raises(PhotoTooLarge, match="scans"):
        read_photo(data, limits=Limits(max_jpeg_scans=scans - 1))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: resized_jpeg(65_535, 65_535), id="jpeg"),
        pytest.param(lambda: resized_jpeg(8_000, 8_000, progressive=True), id="jpeg-within-limits"),
        pytest.param(lambda: make_png(size=(65_535, 65_535)), id="png"),
        pytest.param(lambda: make_png(size=(8_000, 8_000)), id="png-within-limits"),
        pytest.param(
            lambda: make_png(extra=png_chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(9_000_000)))), id="png-text"
        ),
        pytest.param(lambda: make_webp(webp_canvas(16_384, 16_384), webp_chunk(b"VP8 ", bytes(50))), id="webp"),
        pytest.param(lambda: make_webp(webp_chunk(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(9))), id="webp-lossless"),
        pytest.param(lambda: make_heic_header((65_535, 65_535)), id="heic"),
    ],
)
def test_bombs_are_refused_before_anything_is_allocated(make: Callable[[], bytes]) -> None:
    data = make()
    tracemalloc.start()
    try:
        if b"zTXt" in data:
            assert read_photo(data).width == 128
        else:
            with pytest.raises(ComedoError):
                read_photo(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000


def test_no_decoder_runs_on_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("a decoder was called")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", never)
    monkeypatch.setattr(cv2, "imdecode", never)
    for data in (
        resized_jpeg(12_000, 12_000),
        scan_bomb(400),
        make_png(size=(12_000, 12_000)),
        make_webp(webp_canvas(12_000, 12_000)),
    ):
        with pytest.raises(PhotoTooLarge):
            read_photo(data)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: make_jpeg() + b"PK\x03\x04" + bytes(200), id="jpeg-and-zip"),
        pytest.param(lambda: make_jpeg() + make_jpeg(make_picture(seed=5)), id="jpeg-and-second-picture"),
        pytest.param(lambda: after_start(make_jpeg(), jpeg_segment(0xFE, b"<script>")), id="jpeg-and-html"),
        pytest.param(
            lambda: after_start(make_jpeg(), jpeg_segment(0xE1, b"Exif\0\0" + make_jpeg(make_picture(seed=5)))),
            id="jpeg-and-thumbnail",
        ),
    ],
)
def test_what_a_photo_carries_along_is_ignored(make: Callable[[], bytes]) -> None:
    assert np.array_equal(read_photo(make()).image, read_photo(make_jpeg()).image)


def test_every_component_needs_a_scan() -> None:
    """libjpeg fills a missing colour with grey; a photo without its redness must not pass."""
    jpeg = make_jpeg(progressive=True)
    scans = [m.start() for m in re.finditer(b"\xff\xda", jpeg)]
    tables = [m.start() for m in re.finditer(b"\xff\xc4", jpeg)]
    header = bytearray(jpeg[: scans[0]])
    luma = b"\xff\xda\0\x08\x01\x01\x00\x00\x00\x01" + bytes(3000)
    assert tables[0] < scans[0]
    with pytest.raises(DamagedPhoto, match="component is missing"):
        read_photo(bytes(header) + luma + b"\xff\xd9")


# --- never another photo's pixels (OpenCV 4.10 and 4.11 filled a truncated JPEG with the picture before) --------


def _saturated(kind: str) -> bytes:
    """The photo before: nothing but pure magenta and green, which the next one does not have."""
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, ::2] = (255, 0, 255)
    picture[:, 1::2] = (0, 255, 0)
    picture = np.repeat(picture[:, :320], 2, axis=1)
    if kind == "png":
        return make_png(picture)
    return make_plain_jpeg(picture) if kind == "jpeg" else with_pillow(picture, "WEBP", lossless=True)


def _greyish() -> np.ndarray:
    return np.asarray(make_picture(seed=2, width=640, height=480) // 8 + 110, np.uint8)


def _cut_jpeg(data: bytes, share: float) -> bytes:
    """Part of the only scan, with an end marker."""
    start = data.index(b"\xff\xda") + 14
    return data[: start + int(share * (len(data) - 2 - start))] + b"\xff\xd9"


def _cut_png(data: bytes, share: float) -> bytes:
    """Part of the packed rows, with right checksums."""
    at = data.index(b"IDAT")
    packed = data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at], "big")]
    return data[: at - 4] + png_chunk(b"IDAT", packed[: int(share * len(packed))]) + png_chunk(b"IEND", b"")


def _cut_webp(data: bytes, share: float) -> bytes:
    """Part of the bitstream, with right lengths."""
    return make_webp(webp_chunk(b"VP8 ", data[20 : 20 + int(share * (len(data) - 20))]))


@pytest.mark.parametrize("seal", [False, True], ids=["cut", "cut-and-sealed"])
@pytest.mark.parametrize(
    ("kind", "encode", "cut"),
    [
        pytest.param("jpeg", make_plain_jpeg, _cut_jpeg, id="jpeg"),
        pytest.param("png", make_png, _cut_png, id="png"),
        pytest.param("webp", lambda image: with_pillow(image, "WEBP", quality=90), _cut_webp, id="webp"),
    ],
)
def test_no_pixel_of_the_photo_before(
    kind: str, encode: Callable[[np.ndarray], bytes], cut: Callable[[bytes, float], bytes], seal: bool
) -> None:
    before, data = _saturated(kind), encode(_greyish())
    whole = read_photo(data).image.astype(int)
    assert whole.min() > 90
    assert whole.max() < 160
    for share in np.linspace(0.01, 0.999, 34):
        read_photo(before)
        try:
            image = read_photo(cut(data, share) if seal else data[: int(share * len(data))]).image.astype(int)
        except DamagedPhoto:
            continue
        assert np.abs(image - whole).max() <= 40, f"foreign pixels at {share}"


def test_png_signature_is_whole() -> None:
    with pytest.raises(UnsupportedFormat):
        read_photo(PNG_SIGNATURE[:7] + make_png()[7:8].replace(b"\n", b"\r") + make_png()[8:])


def test_heic_sizes_are_all_checked() -> None:
    limits = Limits()
    assert check_header(make_heic_header((4032, 3024), (512, 512), (320, 240)), limits) == 4032 * 3024
    for sizes in [((128, 96), (20_000, 20)), ((9_000, 9_000),), ()]:
        with pytest.raises(ComedoError):
            check_header(make_heic_header(*sizes), limits)


def test_a_large_box_may_reach_the_end() -> None:
    data = make_heic_header((128, 96))[:-8] + struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4)
    assert check_header(data, Limits()) == 128 * 96
    assert (
        check_header(make_heic_header((128, 96))[:-8] + struct.pack(">I4s", 0, b"mdat") + bytes(40), Limits())
        == 128 * 96
    )
