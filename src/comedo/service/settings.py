"""Settings of the service: environment or `.env`, prefix COMEDO_; refused at start where they would be unsafe."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

from comedo.errors import UnusableInput

DEFAULT_SECRETS = frozenset(
    "admin change-me changeme comedo default example minioadmin password postgres secret".split()  # noqa: SIM905
) | {""}
MIB = 1024 * 1024


class Settings(BaseSettings):
    """Everything that an administrator can choose; docs/service-admin.md lists it."""

    model_config = SettingsConfigDict(env_prefix="COMEDO_", env_file=".env", extra="ignore", frozen=True)

    # Where it listens
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    accounts: bool = False  # sign-up and sign-in; off: one user, and loopback only
    public_url: str | None = None  # https://… as browsers see it, behind a proxy
    allowed_hosts: tuple[str, ...] = ()  # Host headers beside those of host and public_url
    trusted_proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-… headers count
    docs_and_metrics: bool | None = None  # open without a token; None: on loopback only
    metrics_token: SecretStr | None = None

    # Where it keeps things
    data_dir: Path = Path("comedo-data")
    database_url: SecretStr | None = None  # None: comedo.sqlite in data_dir; or postgresql://user:password@host/name
    store: Literal["folder", "s3"] = "folder"
    s3_bucket: str | None = None
    s3_prefix: str = ""
    s3_endpoint: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    master_key: SecretStr | None = None  # 32 bytes in base64: `comedo admin make-key`
    master_key_file: Path | None = None  # None: master.key in data_dir, made at the first start on loopback

    # Limits
    max_upload_bytes: int = Field(default=32 * MIB, ge=1)  # of one photo
    max_batch_photos: int = Field(default=20, ge=1)
    quota_bytes: int = Field(default=2048 * MIB, ge=1)  # of one account
    quota_photos: int = Field(default=2000, ge=1)
    min_free_bytes: int = Field(default=512 * MIB, ge=0)  # uploads stop while the disk has less
    queue_limit: int = Field(default=64, ge=1)  # jobs that wait; more are answered 503
    analysis_processes: int = Field(default=0, ge=0)  # 0: by the cores this process may use
    workers: int = Field(default=1, ge=1)  # web processes
    session_idle_minutes: int = Field(default=60, ge=1)
    session_days: int = Field(default=14, ge=1)

    @property
    def on_loopback(self) -> bool:
        """Whether only this computer can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_private(self) -> bool:
        """Whether nobody else reaches it, by a proxy neither."""
        return self.on_loopback and self.public_url is None

    @property
    def database(self) -> str:
        """The database's URL for SQLAlchemy, with its password: never print it."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir.absolute() / 'comedo.sqlite'}"
        url = make_url(self.database_url.get_secret_value())
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        return url.render_as_string(hide_password=False)

    @property
    def key_file(self) -> Path:
        """Where the master key lies when it is not given itself."""
        return self.master_key_file or self.data_dir / "master.key"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.store == "s3" and self.s3_bucket is None:
            raise ValueError("COMEDO_STORE=s3 needs COMEDO_S3_BUCKET")
        if self.on_loopback:
            return self
        if not self.accounts:
            raise ValueError(
                f"COMEDO_HOST={self.host} is reachable from other computers; set COMEDO_ACCOUNTS=true, "
                "or listen on 127.0.0.1"
            )
        if self.master_key is None and self.master_key_file is None:
            raise ValueError(
                "beyond loopback the master key must be chosen: set COMEDO_MASTER_KEY or COMEDO_MASTER_KEY_FILE "
                "(`comedo admin make-key` makes one) and keep it apart from the backups"
            )
        for name, secret in self._secrets().items():
            if secret is not None and secret.strip().lower() in DEFAULT_SECRETS:
                raise ValueError(f"{name} is a well-known default; choose a secret of your own")
        return self

    def _secrets(self) -> dict[str, str | None]:
        given = {
            "COMEDO_MASTER_KEY": self.master_key,
            "COMEDO_METRICS_TOKEN": self.metrics_token,
            "COMEDO_S3_SECRET_KEY": self.s3_secret_key,
        }
        secrets = {name: None if value is None else value.get_secret_value() for name, value in given.items()}
        url = make_url(self.database)
        password = None if url.get_backend_name() == "sqlite" else str(url.password or "")
        return {**secrets, "the password in COMEDO_DATABASE_URL": password}


def read_settings(**values: object) -> Settings:
    """Settings from the environment and `.env`; `values` (of command-line options) win.

    Raises:
        UnusableInput: A value is wrong, or the settings together are unsafe; names the setting, never its value.
    """
    try:
        return Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [
            f"{'COMEDO_' + str(e['loc'][0]).upper() + ': ' if e['loc'] else ''}{e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False, include_url=False)
        ]
        raise UnusableInput("settings: " + "; ".join(lines)) from None
