"""The same photo without what its file says about its maker: the form in which photos are kept and handed on.

Removed: EXIF with place, serial numbers and its thumbnail, XMP, comments, further pictures (MPF, gain and depth maps)
and whatever follows the picture. Kept: the coded pixels to the last bit, the colour profile, and which way is up. A
HEIC file is written anew as JPEG, because its parts cannot be told apart safely.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import simplejpeg

from comedo.photo import jpeg, png, webp
from comedo.photo.limits import DEFAULT_LIMITS, Limits
from comedo.photo.read import read_photo, sniff

MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
HEIC_QUALITY = 95  # of the JPEG that stands for a HEIC

_SOS, _EOI = 0xDA, 0xD9
_APP0, _APP2, _APP14 = 0xE0, 0xE2, 0xEE
_APPS_AND_COMMENT = {*range(0xE0, 0xF0), 0xFE}
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"IDAT", b"IEND"}
_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG = 0x20, 0x10, 0x08


@dataclass(frozen=True)
class Stripped:
    """A photo's file without metadata; `kind` is "jpeg", "png" or "webp", the size that of the upright picture."""

    data: bytes
    kind: str
    width: int
    height: int


def strip_photo(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Stripped:
    """Take the metadata off a photo's file.

    The file is walked through and checked against the limits, but only a HEIC is decoded.

    Raises:
        UnusableInput: Or one of its kinds, if it is no photo, incomplete, too large or too small.
    """
    limits.check_bytes(len(data))
    kind = sniff(data)
    if kind == "heic":
        pixels = read_photo(data, limits=limits).image
        coded = simplejpeg.encode_jpeg(pixels, quality=HEIC_QUALITY, colorspace="RGB", colorsubsampling="444")
        return Stripped(bytes(coded), "jpeg", pixels.shape[1], pixels.shape[0])
    return _STRIPPERS[kind](data, limits)


def _stripped(parts: list[bytes], kind: str, size_wh: tuple[int, int], orientation: int) -> Stripped:
    width, height = size_wh[::-1] if orientation > 4 else size_wh
    return Stripped(b"".join(parts), kind, width, height)


def _strip_jpeg(data: bytes, limits: Limits) -> Stripped:
    header = jpeg.read_header(data, limits)
    parts = [data[:2]]
    for marker, body, following in _jpeg_segments(data):
        kept = _jpeg_body(marker, body)
        if kept is not None:
            parts += [struct.pack(">BBH", 0xFF, marker, len(kept) + 2), kept, following]
    if header.orientation > 1:
        block = b"Exif\0\0" + _orientation_only(header.orientation)
        parts.insert(1, struct.pack(">BBH", 0xFF, 0xE1, len(block) + 2) + block)
    parts.append(bytes((0xFF, _EOI)))
    return _stripped(parts, "jpeg", (header.width, header.height), header.orientation)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, body, and the coded pixels that follow a start of scan; up to the end of the picture."""
    at = 2
    while True:
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        if marker == _EOI:
            return
        end = at + 1 + int.from_bytes(data[at + 1 : at + 3], "big")
        start, at = at + 3, end
        if marker == _SOS:
            at = jpeg.next_marker(data, end)
        yield marker, data[start:end], data[end:at]


def _jpeg_body(marker: int, body: bytes) -> bytes | None:
    """What stays of a segment; None: nothing."""
    if marker not in _APPS_AND_COMMENT:
        return body
    if marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        return body[:12] + b"\0\0"  # its thumbnail goes
    if marker == _APP2 and body.startswith(b"ICC_PROFILE\0"):
        return body
    return body[:12] if marker == _APP14 and body.startswith(b"Adobe") else None


def _strip_png(data: bytes, limits: Limits) -> Stripped:
    header = png.read_header(data, limits)
    parts = [png.SIGNATURE]
    at = len(png.SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if kind in _PNG_KEPT:
            parts.append(data[at:end])
        at = end
        if kind == b"IHDR" and header.orientation > 1:
            parts.append(_png_chunk(b"eXIf", _orientation_only(header.orientation)))
        if kind == b"IEND":
            break
    return _stripped(parts, "png", (header.width, header.height), header.orientation)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def _strip_webp(data: bytes, limits: Limits) -> Stripped:
    header = webp.read_header(data, limits)
    assert header.size_wh is not None  # read_header refuses a file without a picture
    turned = header.orientation > 1
    has_alpha = bool(header.alpha) or header.lossless_alpha
    flags = _ICC_FLAG * bool(header.icc) | _ALPHA_FLAG * has_alpha | _EXIF_FLAG * turned
    chunks = [header.alpha, header.bitstream]
    if flags:
        width, height = (side - 1 for side in header.size_wh)
        extended = struct.pack("<B3x", flags) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
        profile = [_webp_chunk(b"ICCP", header.icc)] if header.icc else []
        chunks = [_webp_chunk(b"VP8X", extended), *profile, *chunks]
    if turned:
        chunks.append(_webp_chunk(b"EXIF", _orientation_only(header.orientation)))
    body = b"WEBP" + b"".join(chunk + b"\0" * (len(chunk) & 1) for chunk in chunks)
    parts = [struct.pack("<4sI", b"RIFF", len(body)), body]
    return _stripped(parts, "webp", header.size_wh, header.orientation)


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(body)) + body


def _orientation_only(orientation: int) -> bytes:
    """An EXIF block that says which way is up and nothing else. Source: EXIF 2.32, 4.5.2."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


_STRIPPERS: dict[str, Callable[[bytes, Limits], Stripped]] = {
    "jpeg": _strip_jpeg,
    "png": _strip_png,
    "webp": _strip_webp,
}
