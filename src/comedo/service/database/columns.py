"""What the columns of every table are made of."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import CheckConstraint, DateTime, Dialect, LargeBinary, MetaData, String, Text, TypeDecorator
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeEngine

from comedo.errors import UnusableInput

ID_LENGTH = 32  # 128 random bits in hexadecimal
SHORT = 255  # characters


class UnstorableText(UnusableInput, DontWrapMixin):
    """A text holds NUL or a lone surrogate, which PostgreSQL cannot store, or is too long for its column."""

    code = "unstorable_text"


def new_id() -> str:
    """128 random bits: an id that nobody guesses and that says nothing about its row."""
    return secrets.token_hex(ID_LENGTH // 2)


def now() -> datetime:
    """The time in UTC, which is the only zone of the database."""
    return datetime.now(UTC)


def storable(text: str) -> str:
    """The text itself, where both databases can hold it.

    Raises:
        UnstorableText: It holds NUL or a lone surrogate.
    """
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UnstorableText("a text must not hold NUL or half a surrogate pair; leave such characters out")
    return text


class PlainText(TypeDecorator[str]):
    """Text of any length; what PostgreSQL would refuse is refused on SQLite too."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Check on the way in, also where a query only compares."""
        return None if value is None else storable(value)


class ShortText(PlainText):
    """Text of at most 255 characters, for indexed columns; SQLite by itself would take longer ones."""

    impl = String(SHORT)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Check the length too."""
        if value is not None and len(value) > SHORT:
            raise UnstorableText(f"a text of {len(value)} characters is too long here; at most {SHORT}")
        return super().process_bind_param(value, dialect)


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone; SQLite keeps it as UTC without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without zone: it would be read as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a stored time needs a zone, got {value.isoformat()}; use datetime.now(UTC)")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give every time back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables; every constraint has a name, which SQLite's migrations need."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """The column holds one of these."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=f"{column}_known")


Key = Annotated[str, mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)]
Ref = Annotated[str, mapped_column(String(ID_LENGTH))]  # an id of another row, without a foreign key
Words = Annotated[str, mapped_column(PlainText)]
Short = Annotated[str, mapped_column(ShortText)]
Time = Annotated[datetime, mapped_column(UtcTime)]
Made = Annotated[datetime, mapped_column(UtcTime, default=now)]
Sealed = Annotated[bytes, mapped_column(LargeBinary)]  # by the owner's key: see storage/vault.py
