"""`comedo admin` on a place of its own."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from comedo.errors import UnusableInput
from comedo.service.admin_cli import app
from comedo.service.database.engine import open_database
from comedo.service.database.migrate import migrate
from comedo.service.database.tables import Account
from comedo.service.storage.blobs import MARKER
from comedo.service.storage.photos import store_photos
from comedo.service.storage.store import Storage
from service.places import MASTER_KEY, OTHER_KEY, add_owner, make_photo, make_settings, make_storage


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMEDO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COMEDO_MASTER_KEY", MASTER_KEY)
    (tmp_path / "data").mkdir()
    return tmp_path


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)


def filled(place: Path) -> Storage:
    database = open_database(make_settings(place / "data").database)
    migrate(database)
    storage = make_storage(database, place / "data")
    owner = add_owner(storage)
    store_photos(storage, owner, [make_photo(1)], actor=owner)
    return storage


def test_a_key_is_32_bytes(place: Path) -> None:
    assert len(base64.b64decode(run("make-key").stdout)) == 32


def test_a_clinician_is_made_once(place: Path) -> None:
    arguments = ("create-clinician", " Ada@Clinic.example", "--name", "Dr. Ada Ahorn")
    made = run(*arguments, stdin="seven brown owls at noon\n").stdout.strip()
    database = open_database(make_settings(place / "data").database)
    with database.read() as session:
        account = session.scalars(select(Account)).one()
    database.close()
    assert (account.id, account.role, account.email) == (made, "clinician", "ada@clinic.example")
    assert account.password_hash is not None
    assert account.password_hash.startswith("$argon2id$")
    with pytest.raises(UnusableInput, match="already"):
        run(*arguments, stdin="seven brown owls at noon\n")


def test_back_up_restore_and_verify(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(place).database.close()
    assert "1 photos" in run("backup", "b", "--keys", "keys.json").stderr
    monkeypatch.setenv("COMEDO_DATA_DIR", str(place / "new"))
    shown = run("restore", "b", "--keys", "keys.json").stderr
    assert "1 photos are back" in shown
    assert "rows and files agree" in shown
    with pytest.raises(UnusableInput, match="into an empty one"):
        run("restore", "b", "--keys", "keys.json")


def test_verify_names_each_finding(place: Path) -> None:
    filled(place).database.close()
    (path,) = (p for p in (place / "data" / "photos").rglob("*") if p.is_file() and p.name != MARKER)
    path.unlink()
    result = CliRunner().invoke(app, ["verify"])
    assert result.stdout == f"file_missing\t{path.parent.name}/{path.name}\n"
    assert isinstance(result.exception, UnusableInput)


def test_purge_and_rotation(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(place).database.close()
    assert run("purge").stderr == "0 photos were due, 0 files were left open\n"
    (place / "key").write_text(OTHER_KEY)
    assert run("rotate-key", "key").stderr.startswith("1 keys wrapped anew")
    monkeypatch.setenv("COMEDO_MASTER_KEY", OTHER_KEY)
    assert "agree" in run("verify").stderr
