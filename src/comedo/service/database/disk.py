"""Where an embedded database may lie."""

from __future__ import annotations

from pathlib import Path

from comedo.errors import UnusableInput

MOUNTS = Path("/proc/self/mounts")  # Linux; elsewhere nothing is known, and nothing refused
REMOTE = frozenset(("9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3"))


def refuse_remote(path: Path, *, mounts: Path = MOUNTS) -> None:
    """See that SQLite's shared memory works there: it does not over a network.

    Raises:
        UnusableInput: The file system is one over a network.
    """
    if not mounts.exists():
        return
    entries = (line.split() for line in mounts.read_text("utf-8", "replace").splitlines())
    places = {Path(entry[1].replace("\\040", " ")): entry[2] for entry in entries if len(entry) > 2}
    place = next((p for p in (path.resolve(), *path.resolve().parents) if p in places), None)
    if place is not None and places[place] in REMOTE:
        raise UnusableInput(
            f"{path} lies on a {places[place]} file system, where SQLite loses data; choose a local folder with "
            "COMEDO_DATA_DIR, or PostgreSQL with COMEDO_DATABASE_URL"
        )
