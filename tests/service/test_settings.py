"""Settings: safe by default, refused where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from comedo.errors import UnusableInput
from comedo.service.settings import Settings, read_settings
from service.places import MASTER_KEY, make_settings

OPEN = {"host": "0.0.0.0", "accounts": True, "master_key": MASTER_KEY}


@pytest.fixture(autouse=True)
def no_dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_by_default_only_this_computer_connects() -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.on_loopback
    assert not settings.accounts


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_is_told_by_the_address(host: str, loopback: bool) -> None:
    assert make_settings(Path(), host=host, accounts=True).on_loopback == loopback


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"accounts": False}, "COMEDO_ACCOUNTS=true", id="no sign-in"),
        pytest.param({"master_key": None}, "make-key", id="no master key"),
        pytest.param({"master_key": "change-me"}, "COMEDO_MASTER_KEY is a well-known default", id="default key"),
        pytest.param({"metrics_token": " Secret "}, "COMEDO_METRICS_TOKEN", id="default token"),
        pytest.param(
            {"database_url": "postgresql://comedo:postgres@db/comedo"}, "the password in", id="default password"
        ),
        pytest.param({"database_url": "postgresql://comedo@db/comedo"}, "the password in", id="no password"),
        pytest.param({"store": "s3"}, "COMEDO_S3_BUCKET", id="no bucket"),
        pytest.param({"s3_secret_key": "minioadmin"}, "COMEDO_S3_SECRET_KEY", id="default S3 key"),
    ],
)
def test_beyond_loopback_unsafe_settings_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(UnusableInput, match=words):
        read_settings(**{**OPEN, **change})


def test_safe_settings_are_taken_beyond_loopback() -> None:
    assert not read_settings(**OPEN, database_url="postgresql://comedo:x9-long-enough@db/comedo").on_loopback


def test_environment_and_dotenv_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COMEDO_PORT=1234\nCOMEDO_QUOTA_PHOTOS=7\n")
    monkeypatch.setenv("COMEDO_PORT", "4321")
    settings = read_settings()
    assert (settings.port, settings.quota_photos) == (4321, 7)


def test_an_error_names_the_setting_and_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMEDO_PORT", "hunter2")
    with pytest.raises(UnusableInput, match="COMEDO_PORT") as caught:
        read_settings()
    assert "hunter2" not in str(caught.value)


def test_secrets_do_not_show() -> None:
    settings = make_settings(Path(), database_url="postgresql://comedo:hunter2@db/comedo", s3_secret_key="hunter2")
    assert "hunter2" not in repr(settings)
    assert MASTER_KEY not in repr(settings)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        pytest.param("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d", id="our driver"),
        pytest.param("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d", id="short name"),
        pytest.param("sqlite:////a/b.sqlite", "sqlite:////a/b.sqlite", id="SQLite elsewhere"),
    ],
)
def test_the_database_s_url(given: str, used: str) -> None:
    assert make_settings(Path(), given).database == used


def test_without_a_url_the_database_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert make_settings(tmp_path).database == f"sqlite:///{tmp_path / 'comedo.sqlite'}"


def test_every_setting_is_in_the_administrator_s_document_with_its_default() -> None:
    document = (Path(__file__).parents[2] / "docs" / "service-admin.md").read_text("utf-8")
    table = document[document.index("| setting | default |") :].splitlines()
    named: dict[str, str] = {}
    for line in table[2:]:
        names, defaults = (cell.replace("`", "").strip().split(", ") for cell in line.split("|")[1:3])
        named.update(zip(names, defaults if len(defaults) == len(names) else defaults * len(names), strict=True))
    assert set(named) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, (int, str, Path)) and not isinstance(field.default, bool) and field.default != "":
            assert named[name.upper()] == str(field.default), name
