"""The tables by which the service itself keeps going: keys, files, jobs, answers given, receipts."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from comedo.service.database.columns import ID_LENGTH, Base, Key, Made, Ref, Sealed, Short, Time, Words, one_of

BLOB_STATES = ("pending", "live", "dead")
JOB_STATES = ("queued", "running", "done", "failed")


class OwnerKey(Base):
    """The data key of one owner, wrapped by the master key; without it nothing of the owner can be read."""

    __tablename__ = "owner_key"

    owner: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    wrapped: Mapped[Sealed | None]  # None once destroyed
    master: Mapped[Short]  # fingerprint of the master key that wrapped it
    created: Mapped[Made]
    destroyed: Mapped[Time | None]


class Blob(Base):
    """The intent to keep, or to remove, one file. The row is there before the file comes and until it is gone."""

    __tablename__ = "blob"
    __table_args__ = (
        one_of("state", BLOB_STATES),
        Index(
            "uq_blob_owner_digest_live",
            "owner",
            "digest",
            unique=True,
            sqlite_where=text("state = 'live'"),
            postgresql_where=text("state = 'live'"),
        ),
        Index(
            "ix_blob_open", "state", sqlite_where=text("state <> 'live'"), postgresql_where=text("state <> 'live'")
        ),  # what recovery looks at: the open ones, however many photos there are
    )

    id: Mapped[Key]
    owner: Mapped[Ref] = mapped_column(index=True)
    digest: Mapped[str] = mapped_column(String(64))  # HMAC-SHA256 of the photo's bytes by the owner's key
    size: Mapped[int] = mapped_column(BigInteger)  # of the sealed file, in bytes
    state: Mapped[Short]
    lease_until: Mapped[Time | None]  # until then a writer may still be at work
    receipt: Mapped[Ref | None] = mapped_column(index=True)  # dead: which receipt waits for the file to be gone
    created: Mapped[Made]


class Job(Base):
    """Work that outlives a request and a restart: claimed under a lease, which a heartbeat renews."""

    __tablename__ = "job"
    __table_args__ = (
        one_of("state", JOB_STATES),
        Index("ix_job_state_created", "state", "created"),
        Index("ix_job_owner_created_id", "owner", "created", "id"),
    )

    id: Mapped[Key]
    owner: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    kind: Mapped[Short]
    photo: Mapped[str | None] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), index=True)
    arguments: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)  # ids and options, nothing personal
    state: Mapped[Short] = mapped_column(default="queued")
    progress: Mapped[float] = mapped_column(default=0.0)  # 0 to 1
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[Short | None]
    lease_until: Mapped[Time | None]
    error: Mapped[Short | None]  # a stable code
    detail: Mapped[Words | None]  # what a person can do about it
    result: Mapped[Short | None]  # id of what was made
    created: Mapped[Made]
    finished: Mapped[Time | None]


class Idempotency(Base):
    """What a request with this key was answered, so that its repetition is answered the same."""

    __tablename__ = "idempotency"

    owner: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[Short] = mapped_column(primary_key=True)
    request: Mapped[str] = mapped_column(String(64))  # digest: another request under the same key is refused
    result: Mapped[dict[str, object]] = mapped_column(JSON)  # ids
    created: Mapped[Made]


class Receipt(Base):
    """What was removed for good; holds counts and ids, nothing personal. `done` None: files are still to go."""

    __tablename__ = "receipt"

    id: Mapped[Key]
    owner: Mapped[Ref] = mapped_column(index=True)
    kind: Mapped[Short]  # photo, everything
    removed: Mapped[dict[str, int]] = mapped_column(JSON)  # rows and files by kind
    asked: Mapped[Made]
    done: Mapped[Time | None]


class RateBucket(Base):
    """Attempts within one window, for limits that all workers share; `name` is a keyed hash, not an address."""

    __tablename__ = "rate_bucket"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    resets: Mapped[Time] = mapped_column(index=True)


class State(Base):
    """Facts about the installation: which store and which master key belong to this database."""

    __tablename__ = "state"

    name: Mapped[Short] = mapped_column(primary_key=True)
    value: Mapped[Short]
