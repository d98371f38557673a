"""`comedo serve`: the whole service with one command: web processes, workers, and the housekeeping beside them."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from comedo.errors import UnusableInput

if TYPE_CHECKING:
    import socket

    import uvicorn

    from comedo.service.parts import Parts
    from comedo.service.settings import Settings

EXAMPLES = """
[bold]Examples[/bold]

  comedo serve                     one user, on this computer; open the link that is printed

  comedo serve --data ~/skin       photos and database in a folder of your choice

  COMEDO_ACCOUNTS=true COMEDO_PUBLIC_URL=https://skin.example.org comedo serve --host 0.0.0.0

All settings: docs/service-admin.md. comedo is research software, not a medical device.
"""

app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)


@app.command(epilog=EXAMPLES)
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; by default 8000, 0: a free one.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of database and photos.")] = None,
) -> None:
    """Start the service: pages and API, accounts or a single user, photos kept encrypted."""
    chosen = {"COMEDO_HOST": host, "COMEDO_PORT": port, "COMEDO_DATA_DIR": data}
    # By the environment, so that workers and further web processes read the same.
    os.environ.update({name: str(value) for name, value in chosen.items() if value is not None})
    from comedo.service.settings import read_settings

    signal.signal(signal.SIGTERM, _leave)
    run(read_settings())


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def run(settings: Settings) -> None:
    """Run until told to stop; what was begun is ended first."""
    import uvicorn

    from comedo.service.app import app_from_environment, create_app
    from comedo.service.logs import set_up_logs
    from comedo.service.memory import share_arenas
    from comedo.service.work.house import Housekeeping
    from comedo.service.work.pool import WorkerPool

    set_up_logs()
    share_arenas()
    with alone(settings) as only_one:
        web = create_app(settings)
        parts: Parts = web.state.parts
        house = Housekeeping(parts.storage, alone=only_one)
        pool = WorkerPool.sized(parts.database, settings.analysis_processes)
        several = settings.workers > 1
        config = uvicorn.Config(
            f"{app_from_environment.__module__}:{app_from_environment.__name__}" if several else web,
            factory=several,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            http="comedo.service.security.slow_headers:PatientProtocol",
            ws="none",
            proxy_headers=False,  # ours stand in the application, and only for the proxies that are named
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=64 * 1024,
        )
        listening = _listen(config)
        house.start()
        pool.start()
        try:
            _greet(parts, listening.getsockname()[1])
            with suppress(KeyboardInterrupt):
                if several:
                    from uvicorn.supervisors import Multiprocess

                    Multiprocess(config, sockets=[listening]).run()
                else:
                    uvicorn.Server(config).run(sockets=[listening])
        finally:
            pool.stop()
            house.stop()
            listening.close()


def _listen(config: uvicorn.Config) -> socket.socket:
    """The open port; uvicorn alone would end the process without saying what to do."""
    try:
        opened = config.bind_socket()
        opened.listen(config.backlog)  # before the link is shown: who is early waits instead of being refused
        return opened
    except SystemExit as error:
        raise UnusableInput(
            f"{config.host}:{config.port} cannot be listened on; choose another port with --port, or 0 for a free one"
        ) from error


def _greet(parts: Parts, port: int) -> None:
    """Say where it is; to the one user with the link that opens it, once."""
    from comedo.service.accounts.sessions import new_start_token

    settings = parts.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    place = settings.public_url or f"http://{host}:{port}"
    if settings.accounts:
        typer.echo(f"comedo is at {place}")
    else:
        # After the #, which no browser sends to anyone.
        typer.echo(f"comedo is at {place}/start#{new_start_token(parts)}")
        typer.echo("This link opens it once, in this browser. Stop with Ctrl+C.")
    sys.stdout.flush()


@contextmanager
def alone(settings: Settings) -> Iterator[bool]:
    """Hold the data folder; yields whether no other process can use this database.

    Raises:
        UnusableInput: Another service runs in the folder.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"{settings.data_dir} is no folder that can be used; choose another with --data") from error
    path = settings.data_dir / "serve.lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UnusableInput(
                f"another comedo serve uses {settings.data_dir}; stop it, or choose another folder with --data"
            ) from error
        yield settings.database_url is None
