"""A corpus of damaged, hostile and odd files, the same at every run; only small ones, each made when asked for."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from PIL import Image

from photo.files import (
    PNG_SIGNATURE,
    after_start,
    box,
    jpeg_segment,
    make_cmyk_jpeg,
    make_exif,
    make_heic_header,
    make_jpeg,
    make_picture,
    make_plain_jpeg,
    make_png,
    make_profile,
    make_webp,
    png_chunk,
    resized_jpeg,
    scan_bomb,
    webp_canvas,
    webp_chunk,
    with_pillow,
)

Case = tuple[str, Callable[[], bytes]]
BOMB_SIZES = [(12_000, 12_000), (20_000, 64), (64, 20_000), (65_535, 65_535), (16_384, 16_384), (0, 0), (0, 96), (1, 1)]


@cache
def good_files() -> dict[str, bytes]:
    """One small good file of each kind, the starting points of the damage."""
    picture = make_picture(seed=7)
    alpha = np.dstack([picture, picture[..., :1]])
    exif, profile = make_exif(6), make_profile((), b"curv\0\0\0\0\0\0\0\0", space=b"GRAY")
    frames = [Image.fromarray(make_picture(seed=s)) for s in (1, 2, 3)]
    return {
        "jpeg": make_jpeg(picture),
        "jpeg-progressive": make_jpeg(picture, progressive=True),
        "jpeg-420": make_plain_jpeg(picture),
        "jpeg-grey": with_pillow(picture[..., 0], "JPEG"),
        "jpeg-cmyk": make_cmyk_jpeg(picture),
        "jpeg-tagged": after_start(
            make_jpeg(picture),
            jpeg_segment(0xE1, b"Exif\0\0" + exif),
            jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1" + profile),
        ),
        "png": make_png(picture),
        "png-16": make_png(picture.astype(">u2") * 257, depth=16),
        "png-alpha": make_png(alpha, colour=6),
        "png-tagged": with_pillow(picture, "PNG", icc_profile=profile, exif=b"Exif\0\0" + exif),
        "png-animated": with_pillow(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "webp": with_pillow(picture, "WEBP", quality=90),
        "webp-lossless": with_pillow(picture, "WEBP", lossless=True),
        "webp-alpha": with_pillow(alpha, "WEBP", quality=90),
        "webp-tagged": with_pillow(picture, "WEBP", icc_profile=profile, exif=b"Exif\0\0" + exif),
        "webp-animated": with_pillow(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "heic-header": make_heic_header((128, 96), (64, 64)),
    }


def corpus() -> Iterator[Case]:
    """Yield each file's name and how to make it."""
    for kind, data in good_files().items():
        yield from _damaged(kind, data)
    yield from _header_bombs()
    yield from _jpeg_oddities()
    yield from _png_oddities()
    yield from _webp_oddities()
    yield from _heic_oddities()
    yield from _no_photos()


def _damaged(kind: str, data: bytes) -> Iterator[Case]:
    for cut in sorted({int(cut) for cut in np.linspace(1, len(data) - 1, 14)}):
        yield f"{kind}-cut-at-{cut}", lambda cut=cut: data[:cut]
    for seed in range(14):
        yield f"{kind}-flipped-{seed}", lambda seed=seed: _flip(data, seed)
    for seed in range(4):
        yield f"{kind}-block-lost-{seed}", lambda seed=seed: _lose_block(data, seed)
    yield f"{kind}-twice", lambda: data + data
    yield f"{kind}-zeros-after", lambda: data + bytes(1000)
    yield f"{kind}-zeroed-end", lambda: data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


def _flip(data: bytes, seed: int) -> bytes:
    """Flip one to eight bits; every other seed spares the header."""
    rng = np.random.default_rng(seed)
    out = np.frombuffer(data, np.uint8).copy()
    first = 0 if seed % 2 else len(data) // 3
    at = rng.integers(first, len(data), rng.integers(1, 9))
    out[at] ^= np.uint8(1) << rng.integers(0, 8, len(at)).astype(np.uint8)
    return out.tobytes()


def _lose_block(data: bytes, seed: int) -> bytes:
    start = int(np.random.default_rng(seed).integers(0, len(data) * 3 // 4))
    return data[:start] + data[start + len(data) // 5 :]


def _header_bombs() -> Iterator[Case]:
    for size in BOMB_SIZES:
        name = f"{size[0]}x{size[1]}"
        yield f"jpeg-claims-{name}", lambda size=size: resized_jpeg(*size)
        yield f"jpeg-progressive-claims-{name}", lambda size=size: resized_jpeg(*size, progressive=True)
        yield f"png-claims-{name}", lambda size=size: make_png(size=size)
        yield f"heic-claims-{name}", lambda size=size: make_heic_header((128, 96), size)
        if size[0] and size[1]:
            yield (
                f"webp-canvas-claims-{name}",
                lambda size=size: make_webp(webp_canvas(*size), webp_chunk(b"VP8 ", _lossy(128, 96))),
            )
        if max(size) < 16_384:
            yield f"webp-lossy-claims-{name}", lambda size=size: make_webp(webp_chunk(b"VP8 ", _lossy(*size)))
    yield (
        "webp-lossless-claims-16384x16384",
        lambda: make_webp(webp_chunk(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(20))),
    )


def _lossy(width: int, height: int) -> bytes:
    return b"\x50\x06\x00\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(40)


def _jpeg_oddities() -> Iterator[Case]:
    plain = make_jpeg()
    frame = plain.index(b"\xff\xc0")
    for marker in (0xC3, 0xC5, 0xC9, 0xCA, 0xCF, 0xC1, 0xC2):
        yield f"jpeg-frame-{marker:x}", lambda m=marker: plain[:frame] + bytes([0xFF, m]) + plain[frame + 2 :]
    for depth in (0, 2, 12, 16):
        yield f"jpeg-{depth}-bits", lambda d=depth: plain[: frame + 4] + bytes([d]) + plain[frame + 5 :]
    for factors in (0x00, 0x41, 0x31, 0x33, 0x55, 0xFF, 0x12):
        yield f"jpeg-sampling-{factors:02x}", lambda f=factors: plain[: frame + 11] + bytes([f]) + plain[frame + 12 :]
    for components in (0, 2, 4, 255):
        yield (
            f"jpeg-{components}-components",
            lambda c=components: plain[: frame + 9] + bytes([c]) + plain[frame + 10 :],
        )
    yield "jpeg-400-scans", lambda: scan_bomb(400)
    yield "jpeg-80000-scans", lambda: scan_bomb(80_000)
    yield "jpeg-two-frames", lambda: plain[: frame + 19] + plain[frame : frame + 19] + plain[frame + 19 :]
    yield "jpeg-segment-bomb", lambda: after_start(plain, *[jpeg_segment(0xFE, b"")] * 100_000)
    yield "jpeg-fill-bytes", lambda: after_start(plain, b"\xff" * 5000)
    yield "jpeg-nothing-but-marks", lambda: b"\xff" * 5000
    yield "jpeg-restart-between-segments", lambda: after_start(plain, b"\xff\xd0")
    yield "jpeg-start-and-end", lambda: b"\xff\xd8\xff\xd9"
    yield "jpeg-no-scan", lambda: plain[: plain.index(b"\xff\xda")] + b"\xff\xd9"
    yield "jpeg-no-tables", lambda: plain[:2] + plain[frame:]
    yield "jpeg-end-in-the-middle", lambda: plain[: len(plain) * 2 // 3] + b"\xff\xd9"
    yield "jpeg-empty-scan-header", lambda: plain[: plain.index(b"\xff\xda")] + b"\xff\xda\0\2\xff\xd9"
    yield (
        "jpeg-profile-of-garbage",
        lambda: after_start(plain, jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(range(256)) * 3)),
    )
    yield "jpeg-profile-part-missing", lambda: after_start(plain, jpeg_segment(0xE2, b"ICC_PROFILE\0\2\3" + bytes(600)))
    yield "jpeg-then-zip", lambda: plain + b"PK\x03\x04" + bytes(100) + b"PK\x05\x06" + bytes(18)
    yield "jpeg-with-html", lambda: after_start(plain, jpeg_segment(0xFE, b"<html><script>alert(1)</script>"))
    yield "jpeg-then-jpeg-bomb", lambda: plain + resized_jpeg(65_535, 65_535)
    yield (
        "jpeg-with-bomb-inside",
        lambda: after_start(plain, jpeg_segment(0xE1, b"Exif\0\0" + resized_jpeg(65_535, 65_535)[:60_000])),
    )


def _png_oddities() -> Iterator[Case]:
    for colour in (0, 1, 2, 3, 4, 5, 6, 7):
        for depth in (0, 1, 3, 8, 16, 32):
            yield f"png-colour-{colour}-depth-{depth}", lambda c=colour, d=depth: make_png(colour=c, depth=d)
    for kept in (0, 1, 50, 95):
        yield f"png-of-{kept}-rows", lambda kept=kept: make_png(kept_rows=kept)
    picture = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 128, 96, 8, 2, 0, 0, 0))
    yield "png-no-picture", lambda: PNG_SIGNATURE + picture + png_chunk(b"IEND", b"")
    yield "png-no-header", lambda: PNG_SIGNATURE + png_chunk(b"IEND", b"")
    yield "png-two-headers", lambda: PNG_SIGNATURE + picture + make_png()[8:]
    yield "png-chunk-bomb", lambda: make_png(extra=png_chunk(b"tEXt", b"") * 150_000)
    yield "png-huge-length", lambda: PNG_SIGNATURE + b"\x7f\xff\xff\xffIHDR"
    yield "png-profile-bomb", lambda: make_png(extra=png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000))))
    yield "png-text-bomb", lambda: make_png(extra=png_chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(50_000_000))))
    yield "png-profile-of-garbage", lambda: make_png(extra=png_chunk(b"iCCP", b"x\0\0garbage"))
    yield "png-unknown-critical", lambda: make_png(extra=png_chunk(b"ABCD", b""))
    yield "png-palette-missing", lambda: make_png(make_picture()[..., 0], colour=3)
    yield "png-palette-short", lambda: make_png(make_picture()[..., 0], colour=3, extra=png_chunk(b"PLTE", bytes(3)))
    yield "png-bad-filter", lambda: make_png().replace(*_swapped_filter())
    yield (
        "png-picture-bomb",
        lambda: make_png(make_picture(), after=png_chunk(b"IDAT", zlib.compress(bytes(50_000_000)))),
    )
    yield "png-frame-bomb", lambda: make_png(extra=png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))
    yield "png-then-zip", lambda: make_png() + b"PK\x03\x04" + bytes(100)
    yield "png-1-pixel", lambda: make_png(make_picture()[:1, :1])
    yield "png-20000-wide", lambda: make_png(np.zeros((64, 20_000, 3), np.uint8))


def _swapped_filter() -> tuple[bytes, bytes]:
    good = make_png()
    start = good.index(b"IDAT")
    length = int.from_bytes(good[start - 4 : start], "big")
    raw = bytearray(zlib.decompress(good[start + 4 : start + 4 + length]))
    raw[0] = 77
    return good[start - 4 : start + 8 + length], png_chunk(b"IDAT", zlib.compress(bytes(raw)))


def _webp_oddities() -> Iterator[Case]:
    still = with_pillow(make_picture(), "WEBP", quality=90)
    chunk = still[12:]
    yield "webp-size-too-short", lambda: still[:4] + struct.pack("<I", 100) + still[8:]
    yield "webp-size-too-long", lambda: still[:4] + struct.pack("<I", len(still) + 100) + still[8:]
    yield "webp-size-max", lambda: still[:4] + b"\xff\xff\xff\xff" + still[8:]
    yield "webp-empty", lambda: make_webp()
    yield "webp-canvas-only", lambda: make_webp(webp_canvas(128, 96))
    yield "webp-canvas-differs", lambda: make_webp(webp_canvas(256, 256), chunk)
    yield "webp-no-key-frame", lambda: make_webp(webp_chunk(b"VP8 ", b"\x51" + still[21:]))
    yield "webp-chunk-bomb", lambda: make_webp(*[webp_chunk(b"JUNK", b"")] * 50_000, chunk)
    yield "webp-two-pictures", lambda: make_webp(chunk, chunk)
    yield (
        "webp-profile-of-garbage",
        lambda: make_webp(webp_canvas(128, 96, 0x20), webp_chunk(b"ICCP", b"garbage"), chunk),
    )
    yield (
        "webp-alpha-of-garbage",
        lambda: make_webp(webp_canvas(128, 96, 0x10), webp_chunk(b"ALPH", b"\1garbage"), chunk),
    )
    yield "webp-short-frame", lambda: make_webp(webp_canvas(128, 96, 2), webp_chunk(b"ANMF", b"\0\0\0"))
    yield "webp-frame-without-picture", lambda: make_webp(webp_canvas(128, 96, 2), webp_chunk(b"ANMF", bytes(16)))
    yield "webp-1-pixel", lambda: with_pillow(make_picture()[:1, :1], "WEBP")
    yield "webp-picture-cut", lambda: make_webp(webp_chunk(b"VP8 ", still[20 : len(still) // 2]))


def _heic_oddities() -> Iterator[Case]:
    start = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    yield "heic-start-only", lambda: start
    yield "heic-empty-boxes", lambda: start + box(b"meta", b"")
    yield "heic-box-bomb", lambda: start + box(b"free", b"") * 100_000
    yield "heic-deep-boxes", lambda: start + _nested(2_000)
    yield "heic-long-box", lambda: start + struct.pack(">I4sQ", 1, b"mdat", 2**63)
    yield "heic-tiny-box", lambda: start + struct.pack(">I4s", 4, b"meta")
    yield "heic-tiny-long-box", lambda: start + struct.pack(">I4sQ", 1, b"meta", 8)
    yield (
        "heic-short-shape",
        lambda: start + box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", box(b"ispe", bytes(4))))),
    )
    yield "heic-1-pixel", lambda: make_heic_header((1, 1))


def _nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = box(b"ipco", inner)
    return inner


def _no_photos() -> Iterator[Case]:
    for name, start in {
        "gif": b"GIF89a\x01\0\x01\0",
        "tiff": b"II*\0\x08\0\0\0",
        "bmp": b"BM\0\0",
        "psd": b"8BPS\0\1",
        "pdf": b"%PDF-1.7",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9'/>",
        "html": b"<!doctype html><script>",
        "zip": b"PK\x03\x04",
        "fits": b"SIMPLE  =",
        "eps": b"%!PS-Adobe",
        "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
        "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
        "mp4": b"\0\0\0\x18ftypisom\0\0\0\0isom",
        "wav": b"RIFF\x24\0\0\0WAVEfmt ",
        "elf": b"\x7fELF",
        "text": b"this is not a photo\n",
    }.items():
        yield f"{name}-alone", lambda start=start: start
        yield f"{name}-with-jpeg-inside", lambda start=start: start + make_jpeg()
    for name, start in (
        ("jpeg", b"\xff\xd8\xff"),
        ("png", PNG_SIGNATURE),
        ("webp", b"RIFF\xff\0\0\0WEBP"),
        ("heic", b"\0\0\0\x10ftypheic"),
    ):
        yield f"{name}-magic-only", lambda start=start: start
        yield f"{name}-magic-and-zeros", lambda start=start: start + bytes(5000)
        for seed in range(6):
            noise = np.random.default_rng(seed).integers(0, 256, 3000).astype(np.uint8).tobytes()
            yield f"{name}-magic-and-noise-{seed}", lambda start=start, noise=noise: start + noise
    for size in (0, 1, 2, 11, 12, 5000):
        yield f"{size}-zero-bytes", lambda size=size: bytes(size)
    for seed in range(10):
        yield f"noise-{seed}", lambda seed=seed: np.random.default_rng(100 + seed).bytes(2000)
