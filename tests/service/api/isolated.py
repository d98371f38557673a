"""The whole way of a photo in a network namespace with loopback only; run by test_isolated.py as a program.

unshare --net python isolated.py FOLDER PHOTO
"""

from __future__ import annotations

import fcntl
import io
import json
import socket
import struct
import sys
import zipfile
from contextlib import closing
from pathlib import Path

from service.api.serving import Running

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # Linux: netdevice(7)
SOMEWHERE = ("192.0.2.1", 443)  # RFC 5737: an address of nobody's


def raise_loopback() -> None:
    """What `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack("16xH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def see_nothing_else() -> None:
    """There is no other interface, and no way out."""
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
    try:
        socket.create_connection(SOMEWHERE, timeout=5).close()
    except OSError:
        return
    raise AssertionError("the namespace leads somewhere")


def walk(service: Running, jpeg: bytes) -> None:
    """From the upload to the archive."""
    service.open()
    shown = service.upload(jpeg)
    photo, analysis = shown["id"], shown["analysis"]
    assert analysis["total"] > 0
    for picture in ("image", "overlay", "mask"):
        assert service.ask(f"/api/v1/photos/{photo}/{picture}").status == 200, picture
    for kind, start in (("pdf", b"%PDF"), ("fhir", b"{"), ("dicom", b"PK"), ("csv", b"PK"), ("json", b"{")):
        assert service.ask(f"/api/v1/analyses/{analysis['id']}/reports/{kind}").read().startswith(start), kind
    advice = json.load(service.ask("/api/v1/advice", {"analysis": analysis["id"]}))
    assert advice["document"]["schema"] == "comedo.advice/1"
    for page in ("/", f"/photos/{photo}", "/diary", "/reports", "/privacy"):
        assert service.ask(page).status == 200, page
    with zipfile.ZipFile(io.BytesIO(service.ask("/api/v1/export").read())) as archive:
        assert archive.testzip() is None
        assert any(name.startswith(f"photos/{photo}") for name in archive.namelist())


def main(folder: str, photo: str) -> None:
    raise_loopback()
    see_nothing_else()
    service = Running(Path(folder), COMEDO_ANALYSIS_PROCESSES="1", COMEDO_MIN_FREE_BYTES="0")
    with closing(service.log):
        walk(service, Path(photo).read_bytes())
        assert service.stop() == 0
    sys.stdout.write("everything works without a network\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
