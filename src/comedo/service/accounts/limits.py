"""How often signing in and up may be tried, counted in the database so that all processes share the count."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from comedo.service.database.columns import now
from comedo.service.database.engine import Database
from comedo.service.database.tables import RateBucket
from comedo.service.problems import Problem


@dataclass(frozen=True)
class Limit:
    """At most `count` in each window of `per`."""

    name: str
    count: int
    per: timedelta


SIGN_IN_ADDRESS = Limit("sign-in address", 60, timedelta(minutes=10))
SIGN_IN_ACCOUNT = Limit("sign-in account", 10, timedelta(minutes=10))
SIGN_UP_ADDRESS = Limit("sign-up address", 20, timedelta(hours=1))
CONFIRM_ACCOUNT = Limit("confirm account", 10, timedelta(minutes=10))


def take(database: Database, limit: Limit, key: str) -> None:
    """Count one try.

    Raises:
        Problem: `too_many_requests`, with the seconds to wait.
    """
    name, moment = _name(limit, key), now()
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    first = insert(RateBucket).values(name=name, count=1, resets=moment + limit.per)
    once_more = first.on_conflict_do_update(index_elements=["name"], set_={"count": RateBucket.count + 1})
    with database.write() as session:
        session.execute(delete(RateBucket).where(RateBucket.resets < moment))
        count, resets = session.execute(once_more.returning(RateBucket.count, RateBucket.resets)).one()
    if count > limit.count:
        wait = max(1, round((resets - moment).total_seconds()))
        raise Problem("too_many_requests", f"wait {wait} s and try again", headers={"Retry-After": str(wait)})


def forget(database: Database, limit: Limit, key: str) -> None:
    """Start counting anew, as after a sign-in that went well."""
    with database.write() as session:
        session.execute(delete(RateBucket).where(RateBucket.name == _name(limit, key)))


def _name(limit: Limit, key: str) -> str:
    return hashlib.sha256(f"{limit.name}\n{key}".encode("utf-8", "replace")).hexdigest()
