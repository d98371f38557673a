"""Sealed files in an S3-compatible bucket; needs the extra `s3`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from comedo.errors import missing_extra
from comedo.service.errors import MissingFile, StorageError, WrongStore
from comedo.service.settings import Settings
from comedo.service.storage.blobs import MARKER

ABSENT = ("404", "NoSuchKey", "NotFound")
TAKEN = ("412", "PreconditionFailed")


class Bucket:
    """Files PREFIX/OWNER/ID in one bucket. S3 writes an object whole or not at all, and reads it back at once."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix
        versioning = client.get_bucket_versioning(Bucket=bucket).get("Status")
        if versioning is not None:
            raise WrongStore(
                f"bucket {bucket} keeps old versions ({versioning}), so that deleted photos would stay; "
                "use one without versioning"
            )

    def put(self, name: str, data: bytes) -> None:
        """One PUT; a repeated try may find its own object there already."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=data, IfNoneMatch="*")
        except self._client.exceptions.ClientError as error:
            if _code(error) not in TAKEN:
                raise StorageError(f"the bucket did not take {name}: {_code(error)}") from error
            if hashlib.sha256(self.get(name)).digest() != hashlib.sha256(data).digest():
                raise StorageError(f"the bucket holds other bytes under {name}, which nobody else writes") from error

    def get(self, name: str) -> bytes:
        """Read a whole object."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
        except self._client.exceptions.ClientError as error:
            if _code(error) not in ABSENT:
                raise StorageError(f"the bucket did not give {name}: {_code(error)}") from error
            raise MissingFile(f"the object {name} is not in {self._bucket}; restore it from a backup") from None
        with body:
            data: bytes = body.read()
        return data

    def remove(self, name: str) -> None:
        """Delete an object."""
        if self.read_marker() is None:
            raise WrongStore(f"bucket {self._bucket} has no object {self._prefix}{MARKER}: it is not the store")
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    def names(self) -> Iterator[str]:
        """List the bucket."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        for page in pages:
            names = (entry["Key"].removeprefix(self._prefix) for entry in page.get("Contents", ()))
            yield from (name for name in names if name != MARKER)

    def free_bytes(self) -> None:
        """A bucket does not tell."""

    def read_marker(self) -> str | None:
        """The id in the marker object."""
        try:
            return self.get(MARKER).decode("ascii")
        except MissingFile:
            return None

    def write_marker(self, store_id: str) -> None:
        """Put the marker object."""
        self.put(MARKER, store_id.encode("ascii"))


def open_bucket(settings: Settings, *, make: bool = False) -> Bucket:
    """The bucket of the settings, newly made where asked.

    Raises:
        MissingExtra: boto3 is not installed.
        StorageError: There is no such bucket, or no access to it.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise missing_extra("storage in S3", "boto3", "s3") from error
    assert settings.s3_bucket is not None
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key and settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key and settings.s3_secret_key.get_secret_value(),
        config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 4, "mode": "standard"}),
    )
    try:
        if make:
            client.create_bucket(Bucket=settings.s3_bucket)
        return Bucket(client, settings.s3_bucket, settings.s3_prefix)
    except (BotoCoreError, ClientError) as error:
        raise StorageError(f"bucket {settings.s3_bucket} cannot be used: {error}") from error


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
