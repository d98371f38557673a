"""Sealing and opening."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comedo.errors import UnusableInput
from comedo.service.database.tables import OwnerKey
from comedo.service.errors import ErasedOwner, Unreadable, WrongMasterKey
from comedo.service.storage.store import Storage
from comedo.service.storage.vault import OVERHEAD_BYTES, DataKey, make_master_key, read_master_key
from service.places import OTHER_KEY, add_owner

KEY = DataKey("anna", b"0" * 32)


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_and_does_not_show(data: bytes) -> None:
    sealed = KEY.seal(data, about="row")
    assert KEY.open(sealed, about="row") == data
    assert len(sealed) == len(data) + OVERHEAD_BYTES
    assert len(data) < 8 or data not in sealed


@given(st.binary(max_size=50), st.data())
def test_one_flipped_bit_is_refused(data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(KEY.seal(data, about="row"))
    bit = draw.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unreadable):
        KEY.open(bytes(sealed), about="row")


@pytest.mark.parametrize("length", range(0, OVERHEAD_BYTES + 3, 5))
def test_what_is_cut_is_refused(length: int) -> None:
    with pytest.raises(Unreadable):
        KEY.open(KEY.seal(b"abc", about="row")[:length], about="row")


@pytest.mark.parametrize(
    ("key", "about"),
    [
        pytest.param(KEY, "other row", id="moved to another row"),
        pytest.param(DataKey("berta", KEY.secret), "row", id="moved to another person"),
        pytest.param(DataKey("anna", b"1" * 32), "row", id="another key"),
    ],
)
def test_what_is_moved_is_refused(key: DataKey, about: str) -> None:
    with pytest.raises(Unreadable):
        key.open(KEY.seal(b"abc", about="row"), about=about)


def test_texts_and_json_come_back() -> None:
    assert KEY.open_text(KEY.seal_text("Größe \0", about="a"), about="a") == "Größe \0"
    value = {"a": [1, None, "ü"], "b": 0.1}
    assert KEY.open_json(KEY.seal_json(value, about="a"), about="a") == value


def test_a_digest_finds_the_same_bytes_of_the_same_owner_only() -> None:
    assert KEY.digest(b"a") == KEY.digest(b"a")
    assert len({KEY.digest(b"a"), KEY.digest(b"b"), DataKey("anna", b"1" * 32).digest(b"a")}) == 3


@pytest.mark.parametrize("text", ["", "secret", "ä", "MDEyMw==", "A" * 43], ids=["empty", "word", "ä", "short", "cut"])
def test_a_master_key_is_32_bytes_in_base64(text: str) -> None:
    with pytest.raises(UnusableInput, match="32 bytes in base64"):
        read_master_key(text)


def test_master_keys_differ_and_do_not_show() -> None:
    one, two = read_master_key(make_master_key()), read_master_key(make_master_key())
    assert one.fingerprint != two.fingerprint
    assert one.master.hex() not in repr(one)
    assert "0000" not in repr(KEY)


def test_the_key_of_an_owner_is_wrapped_and_found(storage: Storage, owner: str) -> None:
    other = add_owner(storage)
    with storage.database.read() as session:
        key = storage.vault.key_of(session, owner)
        row = session.get_one(OwnerKey, owner)
        assert row.wrapped is not None
        assert key.secret not in row.wrapped
        assert key.secret != storage.vault.key_of(session, other).secret


def test_a_destroyed_key_is_gone(storage: Storage, owner: str) -> None:
    with storage.database.write() as session:
        storage.vault.destroy_key(session, owner)
    with storage.database.read() as session, pytest.raises(ErasedOwner):
        storage.vault.key_of(session, owner)


def test_another_master_key_opens_nothing(storage: Storage, owner: str) -> None:
    with storage.database.read() as session, pytest.raises(WrongMasterKey, match="start with the master key"):
        read_master_key(OTHER_KEY).key_of(session, owner)


def test_a_key_moved_to_another_owner_is_refused(storage: Storage, owner: str) -> None:
    other = add_owner(storage)
    with storage.database.write() as session:
        session.get_one(OwnerKey, owner).wrapped = session.get_one(OwnerKey, other).wrapped
    with storage.database.read() as session, pytest.raises(WrongMasterKey):
        storage.vault.key_of(session, owner)
