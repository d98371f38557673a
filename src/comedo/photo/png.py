"""PNG: chunks and checksums by us, pixels by libpng, which sees nothing but the picture's own chunks."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from comedo.errors import DamagedPhoto, PhotoTooLarge
from comedo.photo import exif
from comedo.photo.decoded import DEEP_NOTICE, Decoded
from comedo.photo.limits import Limits
from comedo.photo.opencv import decode_with_opencv

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 100_000  # 64 MB in the smallest chunks that encoders write, 4 kB, are 16,000
_MAX_PROFILE = 4 * 2**20
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_MAX_DEFLATE = 1_032  # zlib cannot pack tighter, so a smaller file is not complete


@dataclass
class _Header:
    """What the walk over the chunks gathers."""

    width: int = 0
    height: int = 0
    depth: int = 0
    colour: int = 0
    packed: int = 0  # bytes of compressed picture
    clear: bool = False  # has transparency
    animated: bool = False
    orientation: int = 1
    icc: bytes | None = None
    kept: list[tuple[int, int]] = field(default_factory=list)  # the byte ranges that libpng may see


def _damaged(what: str) -> DamagedPhoto:
    return DamagedPhoto(f"a PNG must be complete and intact, but {what}; export or transfer it again")


def read_header(data: bytes, limits: Limits) -> _Header:
    """Walk over all chunks, check order, lengths and checksums, and the size against the limits.

    Source: PNG third edition, sections 5 and 11.
    """
    header = _Header()
    at = len(SIGNATURE)
    view = memoryview(data)
    for count in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            raise _damaged("it stops before the end of the picture")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise _damaged("it stops inside a chunk")
        if (kind == b"IHDR") != (count == 0):
            raise _damaged("its header is not where it must be")
        if kind == b"IHDR":  # before the checksum: a header bomb costs nothing
            _read_size(header, data[at + 8 : at + 8 + length], limits)
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise _damaged(f"the checksum at byte {end - 4} is wrong")
        _read_chunk(header, kind, view[at + 8 : end - 4])
        if kind in _KEPT:
            header.kept.append((at, end))
        if kind == b"IEND":
            _check_complete(header)
            return header
        at = end
    raise PhotoTooLarge(f"a PNG may have at most {_MAX_CHUNKS:,} chunks, this one has more; export it again")


def _read_size(header: _Header, body: bytes, limits: Limits) -> None:
    if len(body) != 13:
        raise _damaged("its header has the wrong length")
    header.width, header.height, header.depth, header.colour, *methods = struct.unpack(">IIBBBBB", body)
    if header.depth not in _DEPTHS.get(header.colour, ()) or methods[:2] != [0, 0] or methods[2] > 1:
        raise _damaged("its header names a kind of PNG that does not exist")
    limits.check_size(header.width, header.height)


def _read_chunk(header: _Header, kind: bytes, body: memoryview) -> None:
    if kind == b"IDAT":
        header.packed += len(body)
    elif kind == b"tRNS":
        header.clear = True
    elif kind == b"acTL":
        header.animated = True
    elif kind == b"eXIf":
        header.orientation = exif.orientation(bytes(body))
    elif kind == b"iCCP":
        header.icc = _unpack_profile(bytes(body))
    elif kind not in _KEPT and not kind[0] & 0x20:  # an upper-case first letter: must be understood
        raise _damaged("it needs a chunk that PNG does not know")


def _unpack_profile(body: bytes) -> bytes | None:
    """Return the profile, at most `_MAX_PROFILE` bytes of it; None if it does not unpack."""
    _, _, packed = body.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(packed[1:], _MAX_PROFILE)
    except zlib.error:
        return None


def _check_complete(header: _Header) -> None:
    row_bytes = -(-header.width * _CHANNELS[header.colour] * header.depth // 8)
    if header.packed * _MAX_DEFLATE < row_bytes * header.height:
        raise _damaged(f"{header.packed:,} bytes cannot hold {header.width:,} x {header.height:,} pixels")


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode a PNG of any kind; of an animation the default image.

    A single transparent colour of a grey picture is shown as that grey.

    Raises:
        DamagedPhoto: If it is truncated, a checksum is wrong, or the picture's data end early.
        PhotoTooLarge, PhotoTooSmall: If its header breaks a limit.
    """
    header = read_header(data, limits)
    pared = SIGNATURE + b"".join(data[start:end] for start, end in header.kept)
    has_alpha = header.colour in (4, 6) or (header.clear and header.colour != 0)
    image, notices = decode_with_opencv(
        pared, kind="PNG", size_wh=(header.width, header.height), has_alpha=has_alpha, animated=header.animated
    )
    if header.depth == 16:
        notices += (DEEP_NOTICE,)
    return Decoded(image, header.orientation, header.icc, notices)
