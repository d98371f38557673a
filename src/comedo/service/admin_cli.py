"""`comedo admin`: what an administrator does beside the running service, with its settings (COMEDO_…, `.env`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comedo.errors import UnusableInput

if TYPE_CHECKING:
    from comedo.service.storage.store import Storage

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", help="Look after the service."
)

KeyFile = Annotated[Path, typer.Option("--keys", help="The owners' keys; keep it apart from backups, only the newest.")]


@app.command("make-key")
def make_key() -> None:
    """Print a new master key for COMEDO_MASTER_KEY.

    Without it no photo can be read. Keep a copy where neither the photos nor their backups are.
    """
    from comedo.service.storage.vault import make_master_key

    typer.echo(make_master_key())


@app.command("make-bucket")
def make_bucket() -> None:
    """Make the S3 bucket of the settings, where its store has none yet."""
    from comedo.service.settings import read_settings
    from comedo.service.storage.bucket import open_bucket

    settings = read_settings()
    if settings.store != "s3":
        raise UnusableInput("the settings name no bucket; set COMEDO_STORE=s3 and COMEDO_S3_BUCKET")
    open_bucket(settings, make=True)
    typer.echo(f"bucket {settings.s3_bucket} is there", err=True)


@app.command("create-clinician")
def create_clinician(
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="What patients read before they consent.")],
    locale: Annotated[str, typer.Option(help="Language: en or de.")] = "en",
) -> None:
    """Make an account of a clinician; the password is read from the terminal, or from stdin when piped.

    For example:

    - `comedo admin create-clinician ada@clinic.example --name "Dr. Ada Ahorn"`
    """
    with _storage(create=True) as storage:
        from comedo.service.admin import add_clinician

        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if sys.stdin.isatty() else None
        typer.echo(add_clinician(storage, email, name, locale, password or sys.stdin.readline().rstrip("\n")))


@app.command("reset-code")
def reset_code(email: Annotated[str, typer.Argument(help="The address of the account.")]) -> None:
    """Print a code with which somebody sets a new password, once and within a day.

    comedo sends no mail: see that the person is who they say, and hand the code over.

    For example:

    - `comedo admin reset-code robin@example.org`
    """
    with _storage() as storage:
        from comedo.service.accounts.resets import make_code

        typer.echo(make_code(storage.database, email))
    typer.echo("it is typed in at /reset, within 24 hours; a code made before no longer works", err=True)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for this backup.")],
    keys: KeyFile,
) -> None:
    """Copy rows and photos, while the service runs. The folder holds no key.

    For example:

    - `comedo admin backup /backups/2026-03-01 --keys /vault/comedo-keys.json`
    """
    with _storage() as storage:
        from comedo.service.storage.backup import back_up

        made = back_up(storage, folder, keys)
    typer.echo(f"{sum(made.rows.values())} rows and {len(made.files)} photos in {folder}, keys in {keys}", err=True)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    keys: KeyFile,
) -> None:
    """Bring a backup back into an empty place, SQLite or PostgreSQL, folder or bucket, and verify it.

    Whoever was erased after the backup was made is not restored. Every API token and every consent ends, because nobody
    can tell which were taken back since: people give them anew.

    For example:

    - `COMEDO_DATA_DIR=/srv/comedo comedo admin restore /backups/2026-03-01 --keys /vault/comedo-keys.json`
    """
    from comedo.service.admin import restore_into
    from comedo.service.settings import read_settings

    done = restore_into(read_settings(), folder, keys)
    erased = f"; {done.erased} people were erased since and did not come back" if done.erased else ""
    typer.echo(f"{done.rows} rows and {done.files} photos are back{erased}", err=True)
    typer.echo(f"{done.tokens} API tokens and {done.consents} consents ended with it: people give them anew", err=True)
    verify()


@app.command()
def verify() -> None:
    """Open every photo and document, and look for files without rows; changes nothing.

    One finding a line on stdout; exit code 2 when there is one.
    """
    with _storage() as storage:
        from comedo.service.storage.verify import verify as check

        found = 0
        for finding in check(storage):
            found += 1
            typer.echo(f"{finding.what}\t{finding.where}")
    if found:
        raise UnusableInput(f"{found} things are not as they should be; restore them from a backup")
    typer.echo("rows and files agree", err=True)


@app.command()
def purge() -> None:
    """Remove what people's retention says is due, and finish what was left open."""
    with _storage() as storage:
        from comedo.service.storage.recovery import sweep
        from comedo.service.storage.retention import apply_retention

        due, left = apply_retention(storage), sweep(storage)
    typer.echo(f"{due} photos were due, {left} files were left open", err=True)


@app.command("rotate-key")
def rotate_key(
    new: Annotated[Path, typer.Argument(help="File with the new master key: `comedo admin make-key > FILE`.")],
) -> None:
    """Wrap every owner's key by a new master key. Stop the service first, and start it with the new key.

    No photo is touched. Back up right after it: older key files need the old master key.
    """
    from comedo.service.serve_cli import alone
    from comedo.service.settings import read_settings
    from comedo.service.storage.rotation import rotate_master_key
    from comedo.service.storage.vault import read_master_key

    with alone(read_settings()), _storage() as storage:
        count = rotate_master_key(storage.database, storage.vault, read_master_key(_read(new)))
    typer.echo(f"{count} keys wrapped anew; start the service with the key of {new}", err=True)


@contextmanager
def _storage(*, create: bool = False) -> Iterator[Storage]:
    """The storage of the settings, migrated and checked; without `create` it must be there."""
    from comedo.service.database.engine import open_database
    from comedo.service.database.migrate import migrate
    from comedo.service.settings import read_settings
    from comedo.service.storage.open import open_storage

    settings = read_settings()
    if create:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    elif settings.database_url is None and not (settings.data_dir / "comedo.sqlite").is_file():
        raise UnusableInput(f"there is no store of comedo in {settings.data_dir}; set COMEDO_DATA_DIR to its folder")
    database = open_database(settings.database)
    try:
        migrate(database)
        yield open_storage(settings, database)
    finally:
        database.close()


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise UnusableInput(f"{path} cannot be read: {error.strerror}; give the file of a master key") from error
