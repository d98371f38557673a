"""The S3-compatible store, against moto's server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comedo.service.database.engine import Database
from comedo.service.errors import MissingFile, StorageError, WrongStore
from comedo.service.storage.bucket import Bucket
from comedo.service.storage.photos import read_photo, store_photos
from comedo.service.storage.recovery import recover
from comedo.service.storage.removal import delete_photo, erase_owner
from comedo.service.storage.verify import verify
from service.places import add_owner, bucket_settings, make_photo, make_storage


@pytest.fixture
def bucket(client: Any) -> Bucket:
    made = Bucket(client, "photos", "comedo/")
    made.write_marker("0" * 32)
    return made


def test_objects_come_back_and_go(bucket: Bucket) -> None:
    bucket.put("o/1", b"abc")
    assert bucket.get("o/1") == b"abc"
    assert list(bucket.names()) == ["o/1"]
    bucket.remove("o/1")
    bucket.remove("o/1")
    assert list(bucket.names()) == []
    with pytest.raises(MissingFile):
        bucket.get("o/1")


def test_a_repeated_put_is_fine_and_another_is_refused(bucket: Bucket) -> None:
    bucket.put("o/1", b"abc")
    bucket.put("o/1", b"abc")
    with pytest.raises(StorageError, match="other bytes"):
        bucket.put("o/1", b"abd")
    assert bucket.get("o/1") == b"abc"


def test_a_bucket_with_versions_is_refused(client: Any) -> None:
    client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(WrongStore, match="without versioning"):
        Bucket(client, "photos")
    client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Suspended"})


def test_the_way_of_a_photo_in_a_bucket(client: Any, endpoint: str, database: Database, tmp_path: Path) -> None:
    s3 = bucket_settings(endpoint)
    storage = make_storage(database, tmp_path, **s3)
    owner = add_owner(storage)
    one, two = store_photos(storage, owner, [make_photo(1), make_photo(2)], actor=owner)
    with database.read() as session:
        assert read_photo(storage, session, two.photo) == make_photo(2).data
    assert list(verify(storage)) == []
    delete_photo(storage, one.photo, actor=owner)
    assert len(list(storage.blobs.names())) == 1
    erase_owner(storage, owner)
    assert list(storage.blobs.names()) == []
    assert recover(storage, alone=True).files == 0
    client.delete_object(Bucket="photos", Key="comedo-store")
    with pytest.raises(WrongStore):
        make_storage(database, tmp_path, **s3)


def test_a_bucket_that_is_not_there_is_named(endpoint: str, database: Database, tmp_path: Path) -> None:
    pytest.importorskip("boto3", reason="boto3 is not installed")
    with pytest.raises(StorageError, match="bucket absent"):
        make_storage(database, tmp_path, **{**bucket_settings(endpoint), "s3_bucket": "absent"})
