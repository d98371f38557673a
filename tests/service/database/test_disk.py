"""Where an embedded database may lie."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from comedo.errors import UnusableInput
from comedo.service.database.disk import refuse_remote
from comedo.service.database.engine import open_database


@pytest.mark.parametrize(
    ("kind", "refused"),
    [("ext4", False), ("overlay", False), ("nfs4", True), ("cifs", True), ("fuse.sshfs", True)],
)
def test_a_file_system_over_a_network_is_refused(tmp_path: Path, kind: str, refused: bool) -> None:
    place = tmp_path / "with space"
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {str(place).replace(' ', chr(92) + '040')} {kind} rw 0 0\n")
    if refused:
        with pytest.raises(UnusableInput, match=kind):
            refuse_remote(place / "data", mounts=mounts)
    else:
        refuse_remote(place / "data", mounts=mounts)


def test_without_a_list_of_mounts_nothing_is_refused(tmp_path: Path) -> None:
    refuse_remote(tmp_path, mounts=tmp_path / "absent")


def test_a_new_database_is_private(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'data' / 'comedo.sqlite'}")
    database.close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "comedo.sqlite").stat().st_mode) == 0o600
