"""WebP: the RIFF container by us, pixels by libwebp, which sees nothing but the picture's own chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from comedo.errors import DamagedPhoto, PhotoTooLarge
from comedo.photo import exif
from comedo.photo.decoded import Decoded
from comedo.photo.limits import Limits
from comedo.photo.opencv import decode_with_opencv

_MAX_CHUNKS = 10_000
_ALPHA_FLAG = 0x10
_FRAME_HEADER = 16  # of ANMF: place, size, duration, flags


@dataclass
class _Header:
    """What the walk over the chunks gathers."""

    canvas_wh: tuple[int, int] | None = None
    size_wh: tuple[int, int] | None = None  # of the picture, or of the first frame
    bitstream: bytes = b""  # the VP8 or VP8L chunk, whole
    alpha: bytes = b""  # the ALPH chunk, whole
    lossless_alpha: bool = False
    animated: bool = False
    orientation: int = 1
    icc: bytes | None = None


def _damaged(what: str) -> DamagedPhoto:
    return DamagedPhoto(f"a WebP must be complete and intact, but {what}; export or transfer it again")


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, first and last byte (exclusive) of each chunk's body."""
    for _ in range(_MAX_CHUNKS):
        if start == end:
            return
        if start + 8 > end:
            raise _damaged("it stops inside a chunk's header")
        kind, length = struct.unpack_from("<4sI", data, start)
        if start + 8 + length > end:
            raise _damaged("it stops inside a chunk")
        yield kind, start + 8, start + 8 + length
        start = min(start + 8 + length + (length & 1), end)
    raise PhotoTooLarge(f"a WebP may have at most {_MAX_CHUNKS:,} chunks, this one has more; export it again")


def read_header(data: bytes, limits: Limits) -> _Header:
    """Walk over all chunks and check lengths and sizes.

    Source: WebP container specification; RFC 6386, 9.1 (VP8); WebP lossless bitstream, 3 (VP8L).
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _damaged(f"{len(data):,} of its {end:,} bytes came")
    header = _Header()
    for kind, start, stop in _chunks(data, 12, end):
        if kind == b"ANMF":
            header.animated = True
            if not header.bitstream:
                for inner, first, last in _chunks(data, start + _FRAME_HEADER, max(stop, start + _FRAME_HEADER)):
                    _read_chunk(header, inner, data, first, last, limits)
        else:
            _read_chunk(header, kind, data, start, stop, limits)
    if header.size_wh is None:
        raise _damaged("it holds no picture")
    if header.canvas_wh not in (None, header.size_wh) and not header.animated:
        raise _damaged("its two headers name different sizes")
    return header


def _read_chunk(header: _Header, kind: bytes, data: bytes, start: int, stop: int, limits: Limits) -> None:
    body = data[start : min(stop, start + 10)]
    if kind == b"VP8X" and len(body) == 10:
        header.canvas_wh = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
        limits.check_size(*header.canvas_wh)
    elif kind in (b"VP8 ", b"VP8L") and not header.bitstream:
        header.size_wh = _lossy_size(body) if kind == b"VP8 " else _lossless_size(body)
        limits.check_size(*header.size_wh)
        header.lossless_alpha = kind == b"VP8L" and bool(body[4] & 0x10)
        header.bitstream = data[start - 8 : stop]
    elif kind == b"ALPH" and not header.bitstream:
        header.alpha = data[start - 8 : stop]
    elif kind == b"EXIF":
        header.orientation = exif.orientation(data[start:stop])
    elif kind == b"ICCP":
        header.icc = data[start:stop]


def _lossy_size(body: bytes) -> tuple[int, int]:
    if len(body) < 10 or body[0] & 1 or body[3:6] != b"\x9d\x01\x2a":
        raise _damaged("its picture does not begin with a key frame")
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless_size(body: bytes) -> tuple[int, int]:
    if len(body) < 5 or body[0] != 0x2F:
        raise _damaged("its picture does not begin with its signature")
    bits = int.from_bytes(body[1:5], "little")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


def _still(header: _Header, size_wh: tuple[int, int]) -> bytes:
    """Pack one picture into a WebP file of its own, without metadata and further frames."""
    chunks = [header.bitstream]
    if header.alpha:
        width, height = size_wh
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks = [struct.pack("<4sIB3x", b"VP8X", 10, _ALPHA_FLAG) + size, header.alpha, header.bitstream]
    body = b"WEBP" + b"".join(chunk + b"\0" * (len(chunk) & 1) for chunk in chunks)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode a lossy or lossless WebP; of an animation the first frame.

    Raises:
        DamagedPhoto: If it is truncated or corrupt.
        PhotoTooLarge, PhotoTooSmall: If its header breaks a limit.
    """
    header = read_header(data, limits)
    assert header.size_wh is not None  # read_header refuses a file without a picture
    image, notices = decode_with_opencv(
        _still(header, header.size_wh),
        kind="WebP",
        size_wh=header.size_wh,
        has_alpha=bool(header.alpha) or header.lossless_alpha,
        animated=header.animated,
    )
    return Decoded(image, header.orientation, header.icc, notices)
