"""JPEG: our own walk over the markers first, then libjpeg-turbo in its strict mode."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

import numpy as np
import simplejpeg

from comedo.errors import DamagedPhoto, PhotoTooLarge, UnsupportedFormat
from comedo.photo import exif
from comedo.photo.colour import cmyk_to_rgb
from comedo.photo.decoded import Decoded
from comedo.photo.limits import Limits

SIGNATURE = b"\xff\xd8\xff"
_MAX_SEGMENTS = 2_000  # cameras write about 20, a large colour profile up to 255
_SOI, _EOI, _SOS, _APP1, _APP2 = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2
_FRAMES = {0xC0: "baseline", 0xC1: "sequential", 0xC2: "progressive"}
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}  # lossless, arithmetic, ...
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length; none may stand between segments
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # inside a scan: not a stuffed 0xFF, not a restart


@dataclass
class _Header:
    """What the walk over the markers gathers."""

    width: int = 0
    height: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)  # by component id
    scanned: set[int] = field(default_factory=set)
    scans: int = 0
    orientation: int = 0
    icc: dict[int, bytes] = field(default_factory=dict)

    @property
    def blocks(self) -> int:
        """How many 8 x 8 blocks the frame holds; each costs at least one bit."""
        wide = max(h for h, _ in self.sampling.values())
        tall = max(v for _, v in self.sampling.values())
        return sum(
            -(-self.width * h // (8 * wide)) * -(-self.height * v // (8 * tall)) for h, v in self.sampling.values()
        )


def _damaged(what: str) -> DamagedPhoto:
    return DamagedPhoto(f"a JPEG must be complete and intact, but {what}; export or transfer it again")


def read_header(data: bytes, limits: Limits) -> _Header:
    """Walk over all markers up to the end of the image, and check them against the limits.

    Source: ITU-T T.81, annex B. What follows the end marker (embedded further pictures, trailers
    of phone makers) is never looked at.
    """
    header = _Header()
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            raise _damaged(f"it ends or loses its way at byte {at}")
        while data[at : at + 1] == b"\xff":
            at += 1
        marker = data[at] if at < len(data) else _SOI
        at += 1
        if marker == _EOI:
            _check_complete(header, len(data))
            return header
        if marker in _ALONE:
            raise _damaged(f"a marker stands where none may at byte {at}")
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            raise _damaged(f"a segment runs past the end at byte {at}")
        _read_segment(header, marker, data[at + 2 : at + length], limits)
        at += length
        if marker == _SOS:
            at = next_marker(data, at)
    raise PhotoTooLarge(f"a JPEG may have at most {_MAX_SEGMENTS:,} segments, this one has more; export it again")


def next_marker(data: bytes, at: int) -> int:
    """Where the marker after a scan's coded pixels stands.

    Raises:
        DamagedPhoto: There is none.
    """
    found = _NEXT_MARKER.search(data, at)
    if found is None:
        raise _damaged("it stops before the end of the picture")
    return found.start()


def _read_segment(header: _Header, marker: int, body: bytes, limits: Limits) -> None:
    if marker in _OTHER_FRAMES:
        raise UnsupportedFormat(
            f"comedo reads baseline and progressive JPEG, this one is of another kind (SOF{marker - 0xC0}); "
            "save it as an ordinary JPEG"
        )
    if marker in _FRAMES:
        _read_frame(header, body, limits)
    elif marker == _SOS:
        header.scans += 1
        if header.scans > limits.max_jpeg_scans:
            raise PhotoTooLarge(
                f"a JPEG may have at most {limits.max_jpeg_scans} scans, this one has more; export it again"
            )
        header.scanned.update(body[1 : 1 + 2 * body[0] : 2] if body else b"")
    elif marker == _APP1 and body.startswith(b"Exif\0\0") and not header.orientation:
        header.orientation = exif.orientation(body)
    elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        header.icc[body[12]] = body[14:]


def _read_frame(header: _Header, body: bytes, limits: Limits) -> None:
    if header.sampling:
        raise _damaged("it holds two frames")
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise _damaged("its frame header is cut short")
    depth, header.height, header.width, components = struct.unpack_from(">BHHB", body)
    if depth != 8 or components not in (1, 3, 4):
        raise UnsupportedFormat(
            f"comedo reads JPEG of 8 bits and 1, 3 or 4 components, this one has {depth} bits and {components}; "
            "save it as an ordinary JPEG"
        )
    for i in range(components):
        identity, factors, _ = body[6 + 3 * i : 9 + 3 * i]
        header.sampling[identity] = (factors >> 4, factors & 15)
    if len(header.sampling) != components or not all(1 <= f <= 4 for hv in header.sampling.values() for f in hv):
        raise _damaged("its frame header contradicts itself")
    limits.check_size(header.width, header.height)


def _check_complete(header: _Header, size: int) -> None:
    if not header.sampling or not header.scans:
        raise _damaged("it holds no picture")
    if not header.scanned >= header.sampling.keys():
        raise _damaged("a colour component is missing")
    if header.blocks > 8 * size:
        raise _damaged(f"{size:,} bytes cannot hold {header.width:,} x {header.height:,} pixels")


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode a JPEG; a file that libjpeg-turbo would repair or complete is refused instead.

    Raises:
        DamagedPhoto: If it is truncated or corrupt.
        UnsupportedFormat: If it is lossless, arithmetic, 12-bit, or sampled in a way libjpeg-turbo does not know.
        PhotoTooLarge, PhotoTooSmall: If its header breaks a limit.
    """
    header = read_header(data, limits)
    icc = b"".join(part for _, part in sorted(header.icc.items())) or None
    cmyk = len(header.sampling) == 4
    try:
        pixels = simplejpeg.decode_jpeg(data, colorspace="CMYK" if cmyk else "RGB", strict=True)
    except ValueError as error:
        if "subsampling" in str(error):
            raise UnsupportedFormat(
                f"comedo reads the usual JPEG colour samplings, this one has {sorted(header.sampling.values())}; "
                "save it as an ordinary JPEG"
            ) from error
        raise _damaged(f"the decoder says: {error}") from error
    orientation = header.orientation or 1
    if not cmyk:
        return Decoded(np.asarray(pixels, np.uint8), orientation, icc)
    image, notice = cmyk_to_rgb(np.asarray(pixels, np.uint8), icc)
    return Decoded(image, orientation, None, (notice,))
