"""Decodes one HEIC from standard input to standard output, within limits; a program, not a module.

Usage: heic_child.py MAX_MEMORY_BYTES MAX_CPU_SECONDS

Output: one line of JSON, either {"error": ...} or the size, channels and colour space, then the
pixels row by row. It runs in a process of its own because libheif had several memory errors that
a hostile file can reach; it imports nothing of comedo, so that it starts fast.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from typing import Any


def limit(memory: int, seconds: int) -> None:
    """Bound address space and CPU time, forbid writing files and core dumps, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit remains
        return
    for what, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))


def main() -> None:
    """Decode and answer."""
    limit(int(sys.argv[1]), int(sys.argv[2]))
    data = sys.stdin.buffer.read()
    out = sys.stdout.buffer
    try:
        import pillow_heif

        pillow_heif.options.DECODE_THREADS = 2
        file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        image = file[file.primary_index]
        width, height = image.size
        channels = {"L": 1, "RGB": 3, "RGBA": 4}[image.mode]
        pixels = memoryview(image.data)
    except Exception as error:  # noqa: BLE001 - whatever libheif says becomes the parent's error
        out.write(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        return
    info: dict[str, Any] = image.info
    nclx = info.get("nclx_profile") or {}
    profile = info.get("icc_profile") or b""
    answer = {
        "width": width,
        "height": height,
        "channels": 3 if channels == 1 else channels,
        "icc": base64.b64encode(profile).decode(),
        "primaries": nclx.get("color_primaries"),
        "transfer": nclx.get("transfer_characteristics"),
    }
    out.write(json.dumps(answer).encode() + b"\n")
    for top in range(height):
        row = bytes(pixels[top * image.stride : top * image.stride + width * channels])
        out.write(bytes(v for v in row for _ in range(3)) if channels == 1 else row)


if __name__ == "__main__":
    main()
