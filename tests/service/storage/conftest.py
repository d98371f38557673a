"""A storage on each database, and a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comedo.service.database.engine import Database
from comedo.service.storage.store import Storage
from service.places import add_owner, make_storage


@pytest.fixture
def storage(database: Database, tmp_path: Path) -> Storage:
    return make_storage(database, tmp_path / "data")


@pytest.fixture
def owner(storage: Storage) -> str:
    return add_owner(storage)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Where moto's S3 answers."""
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    """A client with an empty bucket called photos."""
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    made = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    made.create_bucket(Bucket="photos")
    yield made
    for entry in made.list_objects_v2(Bucket="photos").get("Contents", ()):
        made.delete_object(Bucket="photos", Key=entry["Key"])
    made.delete_bucket(Bucket="photos")
    made.close()
