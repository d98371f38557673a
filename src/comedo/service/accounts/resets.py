"""One-time codes for a new password. No mail is ever sent: an administrator makes a code and hands it over.

Not a clinician: whoever makes a code could sign in as the patient, and consent would no longer bound what they see.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, select

from comedo.errors import UnusableInput
from comedo.service.accounts.actor import digest
from comedo.service.accounts.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, take
from comedo.service.accounts.passwords import check_password, hash_password
from comedo.service.accounts.sessions import end_sessions
from comedo.service.database.audit import record
from comedo.service.database.columns import now
from comedo.service.database.engine import Database
from comedo.service.database.tables import Account, ResetCode
from comedo.service.parts import Parts
from comedo.service.problems import Problem

VALID_FOR = timedelta(hours=24)
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none that looks like another
_GROUPS, _IN_GROUP = 4, 4  # 78 bits


def make_code(database: Database, email: str) -> str:
    """A new code for an account; one made before no longer works.

    Raises:
        UnusableInput: There is no such account.
    """
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_IN_GROUP)) for _ in range(_GROUPS))
    code, address = "-".join(groups), email.strip().lower()
    with database.write() as session:
        account = session.scalar(select(Account).where(Account.email == address, Account.disabled.is_(None)))
        if account is None:
            raise UnusableInput(f"there is no account {address}; check the address")
        session.execute(delete(ResetCode).where(ResetCode.account == account.id))
        session.add(ResetCode(code_sha256=digest(_plain(code)), account=account.id, expires=now() + VALID_FOR))
        record(session, actor=None, owner=account.id, action="password.code")
    return code


def use_code(parts: Parts, email: str, code: str, password: str, *, address: str | None) -> None:
    """Set a new password and end every session; the code is used up.

    Raises:
        Problem: `sign_in_failed`, the same for a wrong code and an unknown address; or the password is weak.
    """
    take(parts.database, SIGN_IN_ADDRESS, address or "")
    take(parts.database, SIGN_IN_ACCOUNT, email)
    check_password(password, email=email)
    hashed = hash_password(password)  # before the transaction: it takes a while
    with parts.database.write() as session:
        account = session.scalar(select(Account).where(Account.email == email, Account.disabled.is_(None)))
        row = session.get(ResetCode, digest(_plain(code)))
        if account is None or row is None or row.account != account.id or row.expires < now():
            raise Problem("sign_in_failed", "check the address and the code")
        account.password_hash = hashed
        session.execute(delete(ResetCode).where(ResetCode.account == account.id))
        end_sessions(session, account.id)
        record(session, actor=account.id, owner=account.id, action="password.reset", address=address)


def _plain(code: str) -> str:
    """As it is kept, however it was typed."""
    return "".join(letter for letter in code.upper() if letter.isalnum())
