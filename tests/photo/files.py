"""Photo files made byte by byte, good ones and bad ones. No photo of anyone."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 128, 96
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def make_picture(*, seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Smooth random colours, (height, width, 3) uint8 RGB: no two corners alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (5, 6, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def with_pillow(image: NDArray[np.uint8] | Image.Image, kind: str, **options: object) -> bytes:
    """Encode with Pillow."""
    out = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(out, kind, **options)
    return out.getvalue()


def make_jpeg(image: NDArray[np.uint8] | None = None, *, progressive: bool = False) -> bytes:
    """An RGB JPEG of full colour resolution."""
    image = make_picture() if image is None else image
    return with_pillow(image, "JPEG", quality=95, subsampling=0, progressive=progressive)


def make_plain_jpeg(image: NDArray[np.uint8]) -> bytes:
    """A JPEG fast, for large pictures."""
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=90))


def make_cmyk_jpeg(image: NDArray[np.uint8] | None = None, **options: object) -> bytes:
    """A CMYK JPEG as Adobe's programs write it."""
    picture = Image.fromarray(make_picture() if image is None else image).convert("CMYK")
    return with_pillow(picture, "JPEG", quality=95, **options)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """One marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def after_start(jpeg: bytes, *segments: bytes) -> bytes:
    """Put segments behind a JPEG's start marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def make_exif(orientation: int, *, order: str = "<", kind: int = 3, count: int = 1) -> bytes:
    """EXIF's TIFF block with nothing but an orientation."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, kind, count, orientation, 0, 0)


def scan_bomb(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    jpeg = make_jpeg(progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * scans + jpeg[-2:]


def resized_jpeg(width: int, height: int, *, progressive: bool = False) -> bytes:
    """A small JPEG whose header claims another size."""
    jpeg = bytearray(make_jpeg(progressive=progressive))
    at = jpeg.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(jpeg)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_png(
    rows: NDArray[np.generic] | None = None,
    *,
    colour: int = 2,
    depth: int = 8,
    size: tuple[int, int] | None = None,
    extra: bytes = b"",
    after: bytes = b"",
    kept_rows: int | None = None,
) -> bytes:
    """A PNG from its samples, (H, W[, channels]) big-endian; `kept_rows` leaves out the last rows' data."""
    rows = make_picture() if rows is None else rows
    width, height = size or (rows.shape[1], rows.shape[0])
    raw = b"".join(b"\0" + row.tobytes() for row in rows[:kept_rows])
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(raw)) + after
    return PNG_SIGNATURE + chunks + png_chunk(b"IEND", b"")


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    """One RIFF chunk, padded."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def make_webp(*chunks: bytes) -> bytes:
    """A RIFF file of WebP chunks, with its right size."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_canvas(width: int, height: int, flags: int = 0) -> bytes:
    """The VP8X chunk."""
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sizes)


def box(kind: bytes, body: bytes) -> bytes:
    """One box of an ISO media file."""
    return struct.pack(">I4s", len(body) + 8, kind) + body


def make_heic_header(*sizes: tuple[int, int]) -> bytes:
    """A HEIC file's boxes without any picture, naming these sizes."""
    shapes = b"".join(box(b"ispe", struct.pack(">III", 0, *size)) for size in sizes)
    meta = box(b"meta", b"\0\0\0\0" + box(b"iprp", box(b"ipco", shapes)))
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta + box(b"mdat", b"")


def s15f16(*values: float) -> bytes:
    """Numbers as ICC profiles store them."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + s15f16(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
GAMMA_22 = b"curv\0\0\0\0\0\0\0\1\x02\x33\0\0"  # 563 / 256
P3_COLUMNS = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
ADOBE_COLUMNS = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB_COLUMNS = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))


def make_profile(columns: tuple[tuple[float, ...], ...], curve: bytes, *, space: bytes = b"RGB ") -> bytes:
    """An ICC profile of three primaries and one curve; of the curve alone for grey."""
    tags = [(b"wtpt", b"XYZ \0\0\0\0" + s15f16(0.9642, 1, 0.8249))]
    if space == b"GRAY":
        tags.append((b"kTRC", curve))
    else:
        names = zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
        tags += [(name, b"XYZ \0\0\0\0" + s15f16(*column)) for name, column in names]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(tags, space, b"XYZ ")


def make_table_profile(space: bytes) -> bytes:
    """An ICC profile that goes from RGB or CMYK to Lab by a table of two steps a channel."""
    channels = len(space.strip())
    ramp = bytes(range(256))
    colours = np.random.default_rng(4).integers(60, 200, 3 * 2**channels).astype(np.uint8).tobytes()
    head = b"mft1\0\0\0\0" + bytes([channels, 3, 2, 0]) + s15f16(1, 0, 0, 0, 1, 0, 0, 0, 1)
    tags = [
        (b"wtpt", b"XYZ \0\0\0\0" + s15f16(0.9642, 1, 0.8249)),
        (b"A2B0", head + ramp * channels + colours + ramp * 3),
    ]
    return _profile(tags, space, b"Lab ")


def _profile(tags: list[tuple[bytes, bytes]], space: bytes, connection: bytes) -> bytes:
    table, body = b"", b""
    for name, content in tags:
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    header = bytearray(128)
    header[8:12], header[12:16], header[16:20], header[20:24] = b"\x04\0\0\0", b"mntr", space, connection
    header[36:40], header[68:80] = b"acsp", s15f16(0.9642, 1, 0.8249)
    profile = bytes(header) + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(profile)) + profile[4:]
