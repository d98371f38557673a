"""Sealing: each owner has a data key, which the master key wraps. Destroying the data key destroys what it sealed.

A sealed value is `CMD1`, 12 random bytes (nonce), then AES-256-GCM of the bytes with its 16-byte tag. The tag also
covers the header, the owner and the id of the row, so that a value cannot be moved to another row or person.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from comedo.errors import UnusableInput
from comedo.service.database.columns import now
from comedo.service.database.tables import OwnerKey, State
from comedo.service.errors import ErasedOwner, Unreadable, WrongMasterKey

VERSION = b"CMD1"
KEY_BYTES = 32
NONCE_BYTES = 12
OVERHEAD_BYTES = len(VERSION) + NONCE_BYTES + 16


@dataclass(frozen=True, repr=False)
class DataKey:
    """The key of one owner, unwrapped."""

    owner: str
    secret: bytes

    def seal(self, data: bytes, *, about: str) -> bytes:
        """Encrypt for the row `about`."""
        return _seal(self.secret, data, f"{self.owner}/{about}")

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Decrypt what was sealed for the row `about`.

        Raises:
            Unreadable: One bit differs, or it was sealed for another row or owner.
        """
        try:
            return _open(self.secret, sealed, f"{self.owner}/{about}")
        except InvalidTag:
            raise Unreadable(
                f"what is stored for {about} does not open with its owner's key: altered or exchanged; "
                "restore it from a backup"
            ) from None

    def seal_text(self, text: str, *, about: str) -> bytes:
        """Encrypt a text."""
        return self.seal(text.encode(), about=about)

    def open_text(self, sealed: bytes, *, about: str) -> str:
        """Decrypt a text."""
        return self.open(sealed, about=about).decode()

    def seal_json(self, value: object, *, about: str) -> bytes:
        """Encrypt a JSON value."""
        return self.seal(json.dumps(value, separators=(",", ":")).encode(), about=about)

    def open_json(self, sealed: bytes, *, about: str) -> Any:
        """Decrypt a JSON value."""
        return json.loads(self.open(sealed, about=about))

    def digest(self, data: bytes) -> str:
        """A fingerprint that finds the owner's same photo again, and that tells others nothing (hexadecimal)."""
        return hmac.new(self.secret, b"digest" + data, hashlib.sha256).hexdigest()


@dataclass(frozen=True, repr=False)
class Vault:
    """The master key, and the data keys that it wraps."""

    master: bytes

    @property
    def fingerprint(self) -> str:
        """Says which master key this is, and nothing about it."""
        return hmac.new(self.master, b"comedo master key", hashlib.sha256).hexdigest()[:16]

    def make_key(self, session: Session, owner: str) -> DataKey:
        """Give a new owner a key, in the transaction that makes the account.

        Raises:
            WrongMasterKey: The master key was changed meanwhile; nobody could read what it wraps after a restart.
        """
        kept = session.get(State, "master_key", with_for_update={"read": True})
        if kept is not None and kept.value != self.fingerprint:
            raise WrongMasterKey("the master key was changed; start the service again with the new one")
        key = DataKey(owner, secrets.token_bytes(KEY_BYTES))
        session.add(OwnerKey(owner=owner, wrapped=self.wrap(key), master=self.fingerprint))
        return key

    def key_of(self, session: Session, owner: str) -> DataKey:
        """The key of an owner.

        Raises:
            ErasedOwner: It was destroyed, or there never was such an owner.
            WrongMasterKey: Another master key wrapped it.
        """
        row = session.get(OwnerKey, owner)
        if row is None or row.wrapped is None:
            raise ErasedOwner(f"the data of {owner} were erased and cannot be read any more")
        return self.unwrap(row)

    def wrap(self, key: DataKey) -> bytes:
        """The data key under the master key, as the row keeps it."""
        return _seal(self.master, key.secret, key.owner)

    def unwrap(self, row: OwnerKey) -> DataKey:
        """The data key of a row.

        Raises:
            WrongMasterKey: Another master key wrapped it, or the row was altered.
        """
        assert row.wrapped is not None
        try:
            return DataKey(row.owner, _open(self.master, row.wrapped, row.owner))
        except InvalidTag:
            raise WrongMasterKey(
                f"the key of {row.owner} was wrapped by master key {row.master}, the settings give {self.fingerprint}; "
                "start with the master key that belongs to this database"
            ) from None

    def destroy_key(self, session: Session, owner: str) -> None:
        """Make everything that the owner's key sealed unreadable, in every copy and backup that lacks the key."""
        row = session.get(OwnerKey, owner)
        if row is not None:
            row.wrapped, row.destroyed = None, now()


def make_master_key() -> str:
    """A new master key, as the settings take it."""
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_master_key(text: str) -> Vault:
    """The vault of a master key in base64.

    Raises:
        UnusableInput: It is not 32 bytes in base64.
    """
    try:
        master = b64decode(text.strip(), validate=True)
    except ValueError:
        master = b""
    if len(master) != KEY_BYTES:
        raise UnusableInput(f"the master key must be {KEY_BYTES} bytes in base64; `comedo admin make-key` makes one")
    return Vault(master)


def _seal(secret: bytes, data: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + AESGCM(secret).encrypt(nonce, data, VERSION + context.encode())


def _open(secret: bytes, sealed: bytes, context: str) -> bytes:
    version, nonce, rest = sealed[:4], sealed[4 : 4 + NONCE_BYTES], sealed[4 + NONCE_BYTES :]
    if version != VERSION or len(sealed) < OVERHEAD_BYTES:
        raise InvalidTag
    return AESGCM(secret).decrypt(nonce, rest, version + context.encode())
