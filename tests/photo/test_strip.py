import io

import numpy as np
import pytest
from PIL import Image

from comedo.errors import ComedoError
from comedo.photo import read_photo
from comedo.photo.strip import strip_photo
from photo import files

SECRETS = [
    b"GPS-51.5N",
    b"SERIAL-12345",
    b"<x:xmpmeta",
    b"THUMB-OF-A-FACE",
    b"a comment",
    b"PK\x03\x04TRAILER",
    b"<script>",
]


def exif_with(*secrets):
    return b"Exif\0\0" + files.make_exif(6) + b"".join(secrets)


def full_jpeg(progressive=False):
    """A JPEG with a secret in every place that can hold one."""
    gps, serial, xmp, thumb, comment, trailer, script = SECRETS
    jfif = b"JFIF\0\1\1\0\0\1\0\1" + bytes((3, 1)) + thumb[:9]
    segments = (
        files.jpeg_segment(0xE1, exif_with(gps, serial)),
        files.jpeg_segment(0xE0, jfif),
        files.jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),
        files.jpeg_segment(0xE2, b"MPF\0" + thumb),
        files.jpeg_segment(0xED, b"Photoshop 3.0\0" + serial),
        files.jpeg_segment(0xFE, comment + script),
    )
    return files.after_start(files.make_jpeg(progressive=progressive), *segments) + trailer


def full_png():
    gps, serial, xmp, _, comment, trailer, script = SECRETS
    chunks = files.png_chunk(b"tEXt", b"Comment\0" + comment + script) + files.png_chunk(
        b"iTXt", b"XML\0\0\0\0\0" + xmp
    )
    chunks += files.png_chunk(b"eXIf", exif_with(gps, serial).removeprefix(b"Exif\0\0"))
    return files.make_png(extra=chunks) + trailer


def full_webp():
    out = io.BytesIO()
    exif = exif_with(SECRETS[0], SECRETS[1])
    Image.fromarray(files.make_picture()).save(out, "WEBP", lossless=True, exif=exif, xmp=SECRETS[2])
    return out.getvalue() + SECRETS[5]


PHOTOS = {
    "jpeg": full_jpeg,
    "progressive jpeg": lambda: full_jpeg(progressive=True),
    "png": full_png,
    "webp": full_webp,
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_nothing_but_the_picture_stays(kind):
    data = PHOTOS[kind]()
    stripped = strip_photo(data)
    assert stripped.kind == kind.split()[-1]
    assert any(secret in data for secret in SECRETS)
    assert not [secret for secret in SECRETS if secret in stripped.data]
    before, after = read_photo(data), read_photo(stripped.data)
    assert np.array_equal(before.image, after.image)
    assert (stripped.width, stripped.height) == (after.width, after.height)


@pytest.mark.parametrize("kind", PHOTOS)
def test_stripping_twice_changes_nothing(kind):
    once = strip_photo(PHOTOS[kind]())
    assert strip_photo(once.data) == once


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stays_upright(orientation):
    data = files.with_pillow(files.make_picture(), "JPEG", exif=files.make_exif(orientation))
    assert np.array_equal(read_photo(strip_photo(data).data).image, read_photo(data).image)


def test_a_colour_profile_stays():
    out = io.BytesIO()
    Image.fromarray(files.make_picture()).save(out, "JPEG", icc_profile=b"\0" * 200)
    assert b"ICC_PROFILE\0" in strip_photo(out.getvalue()).data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg onload=alert(1)>",
        b"<html>",
        b"%PDF-1.7",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\4\0\0\0WEBP",
    ],
    ids=["nothing", "svg", "html", "pdf", "gif", "jpeg start", "png start", "webp start"],
)
def test_what_is_no_whole_photo_is_refused(data):
    with pytest.raises(ComedoError):
        strip_photo(data)
