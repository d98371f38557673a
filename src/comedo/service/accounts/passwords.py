"""Passwords: which are taken, and how they are kept."""

from __future__ import annotations

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from comedo.service.problems import Problem

MIN_LENGTH, MAX_LENGTH = 12, 256
# OWASP Password Storage: Argon2id with 19 MiB, two passes, one lane; ours takes a little more.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = BoundedSemaphore(4)  # each call holds its 19 MiB


def check_password(password: str, *, email: str = "") -> None:
    """Refuse a password that is short, common, or the person's own name; nothing else is asked of it.

    Raises:
        Problem: `invalid`, naming the field.
    """
    reason = _weakness(_normal(password), email)
    if reason is not None:
        raise Problem("invalid", f"password {reason}", fields={"password": reason})


def _weakness(password: str, email: str) -> str | None:
    plain = password.casefold()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"must have {MIN_LENGTH} to {MAX_LENGTH} characters"
    if plain in _common() or len(set(plain)) < 4:
        return "is one that is tried first; choose several words"
    name = email.casefold().partition("@")[0]
    return "must not hold your address" if len(name) > 3 and name in plain else None


@cache
def _common() -> frozenset[str]:
    """The passwords that guessers try first, from lists that lie on this computer."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def hash_password(password: str) -> str:
    """The hash to keep, with its parameters and salt."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


def is_password(password: str, hashed: str | None) -> bool:
    """Whether the password is the one that was hashed; an unknown person's (None) takes the same time and is not."""
    with _AT_ONCE:
        try:
            _HASHER.verify(hashed or _nobodys(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's password")


def _normal(password: str) -> str:
    """One form for what people type the same way."""
    return unicodedata.normalize("NFKC", password)
