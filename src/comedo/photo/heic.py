"""HEIC: sizes by us, pixels by libheif in a child process that may fail without harm."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from comedo.errors import DamagedPhoto, PhotoTooLarge, missing_extra
from comedo.photo.colour import p3_to_srgb
from comedo.photo.decoded import ALPHA_NOTICE, Decoded, flatten
from comedo.photo.limits import Limits

BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
CHILD = Path(__file__).with_name("heic_child.py")
_MAX_BOXES = 10_000
_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # and how many bytes come before their boxes
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "HOME", "LANG", "SYSTEMROOT")
_BASE_MEMORY = 400 * 2**20  # address space of Python with libheif, threads' stacks included
_MEMORY_PER_PIXEL = 14  # planes, colours, and their copies
_P3_PRIMARIES = 12  # ITU-T H.273, table 2
_HDR_TRANSFERS = {16, 18}  # ITU-T H.273, table 3: PQ and HLG


@dataclass(frozen=True)
class _Answer:
    """The child's first line; the pixels follow."""

    width: int
    height: int
    channels: int
    icc: bytes | None
    primaries: int | None
    transfer: int | None


def _damaged(what: str) -> DamagedPhoto:
    return DamagedPhoto(f"a HEIC photo must be complete and intact, but {what}; export it again, or as JPEG")


def check_header(data: bytes, limits: Limits) -> int:
    """Check every picture size that the file names; return the largest count of pixels.

    Source: ISO/IEC 14496-12, 4.2 (boxes), ISO/IEC 23008-12, 6.5.3 (ispe).
    """
    sizes = [
        struct.unpack_from(">II", data, at + 4) for kind, at, end in _boxes(data) if kind == b"ispe" and end - at >= 12
    ]
    if not sizes:
        raise _damaged("it names no picture size")
    width, height = max(sizes, key=lambda wh: wh[0] * wh[1])
    limits.check_size(width, height)
    for each in sizes:
        if max(each) > limits.max_side:
            limits.check_size(*each)
    return int(width * height)


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, first and last byte (exclusive) of each box's body, into the metadata's boxes too."""
    waiting = [(0, len(data))]
    count = 0
    while waiting:
        at, end = waiting.pop()
        while at < end:
            count += 1
            if count > _MAX_BOXES:
                raise PhotoTooLarge(
                    f"a HEIC photo may have at most {_MAX_BOXES:,} boxes, this one has more; export it again"
                )
            if at + 8 > end:
                raise _damaged("it stops inside a box's header")
            size, kind = struct.unpack_from(">I4s", data, at)
            head = 8
            if size == 1 and at + 16 <= end:
                (size,), head = struct.unpack_from(">Q", data, at + 8), 16
            elif size == 0:
                size = end - at
            if size < head or at + size > end:
                raise _damaged("it stops inside a box")
            yield kind, at + head, at + size
            if kind in _CONTAINERS:
                waiting.append((min(at + head + _CONTAINERS[kind], at + size), at + size))
            at += size


def decode(data: bytes, limits: Limits, *, child: Path = CHILD) -> Decoded:
    """Decode the primary picture of a HEIC file; the container's own turns are already applied.

    Raises:
        MissingExtra: If pillow-heif is not installed.
        DamagedPhoto: If the file is truncated or corrupt, or the child died or took too long.
        PhotoTooLarge, PhotoTooSmall: If its header breaks a limit.
    """
    pixels = check_header(data, limits)
    if importlib.util.find_spec("pillow_heif") is None:
        raise missing_extra("a HEIC photo, unless it is sent as JPEG,", "pillow-heif", "heic")
    answer, samples = _ask_child(data, pixels, limits, child)
    notices: tuple[str, ...] = ()
    if answer.channels == 4:
        samples, transparent = flatten(samples, blue_first=False)
        notices = (ALPHA_NOTICE,) if transparent else ()
    if answer.transfer in _HDR_TRANSFERS:
        notices += ("the photo is HDR; its colours were taken as ordinary ones and may be off",)
    if answer.icc is None and answer.primaries == _P3_PRIMARIES:
        notices += p3_to_srgb(samples)
    return Decoded(samples, 1, answer.icc, notices)


def _ask_child(data: bytes, pixels: int, limits: Limits, child: Path) -> tuple[_Answer, NDArray[np.uint8]]:
    memory = _BASE_MEMORY + _MEMORY_PER_PIXEL * pixels
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment["MALLOC_ARENA_MAX"] = "2"
    process = subprocess.Popen(
        [sys.executable, "-P", str(child), str(memory), str(int(limits.heic_seconds) + 1)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    timer = threading.Timer(limits.heic_seconds, process.kill)
    timer.start()
    try:
        assert process.stdin is not None  # it is a pipe
        assert process.stdout is not None
        # A dead child breaks the pipe; its missing answer will say so.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(data)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        return _read_answer(process.stdout, limits)
    finally:
        timer.cancel()
        process.kill()
        if process.stdout is not None:
            process.stdout.close()
        process.wait()


def _read_answer(stream: IO[bytes], limits: Limits) -> tuple[_Answer, NDArray[np.uint8]]:
    line = stream.readline(8 * 2**20)
    if not line.endswith(b"\n"):
        raise _damaged("its decoder crashed, or ran out of memory or time")
    reply = json.loads(line)
    if "error" in reply:
        raise _damaged(f"the decoder says: {str(reply['error'])[:200]}")
    profile = base64.b64decode(reply["icc"]) if reply["icc"] else None
    answer = _Answer(reply["width"], reply["height"], reply["channels"], profile, reply["primaries"], reply["transfer"])
    limits.check_size(answer.width, answer.height)
    samples = np.empty((answer.height, answer.width, answer.channels), np.uint8)
    target, filled = samples.data.cast("B"), 0
    while filled < len(target):
        count = stream.readinto(target[filled:])  # type: ignore[attr-defined]
        if not count:
            raise _damaged("its decoder crashed, or ran out of memory or time")
        filled += count
    return answer, samples
