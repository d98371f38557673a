"""The tables. Rows hold ids, times and states; every document and free text is sealed with its owner's key.

`owner` is the account whose data a row is: erasing an account takes its rows along (ON DELETE CASCADE). Tables that
must outlive it for a while (blob, owner_key, receipt) or for good (audit of what it did to others) have no foreign key.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from comedo.service.database.columns import ID_LENGTH, Base, Key, Made, Ref, Sealed, Short, Time, Words

ROLES = ("patient", "clinician")
RETENTIONS = ("keep", "without_photos", "days")
VIEWS = ("front", "left", "right")
BLOB_STATES = ("pending", "live", "dead")
JOB_STATES = ("queued", "running", "done", "failed")

Owner = Annotated[str, mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)]


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=f"{column}_known")


class Account(Base):
    """A person who signs in; on loopback there is one, without e-mail address and password."""

    __tablename__ = "account"
    __table_args__ = (_one_of("role", ROLES), _one_of("retention", RETENTIONS))

    id: Mapped[Key]
    role: Mapped[Short]
    email: Mapped[Short | None] = mapped_column(unique=True)  # in small letters
    name: Mapped[Short | None]  # of clinicians: what a patient reads before consenting
    password_hash: Mapped[Short | None]  # argon2id
    locale: Mapped[Short] = mapped_column(default="en")
    retention: Mapped[Short] = mapped_column(default="keep")
    retention_days: Mapped[int | None]  # with retention "days" only
    created: Mapped[Made]
    disabled: Mapped[Time | None]


class WebSession(Base):
    """One signed-in browser; the cookie holds the token, the row its SHA-256."""

    __tablename__ = "session"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[Owner]
    created: Mapped[Made]
    used: Mapped[Made]  # for the idle limit
    expires: Mapped[Time]
    confirmed: Mapped[Time | None]  # when the password was last given: export and erase ask again


class ApiToken(Base):
    """A token for programs; shown once, kept as SHA-256."""

    __tablename__ = "api_token"

    id: Mapped[Key]
    account: Mapped[Owner]
    name: Mapped[Short]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON, default=list)
    created: Mapped[Made]
    used: Mapped[Time | None]
    expires: Mapped[Time | None]
    revoked: Mapped[Time | None]


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
        _one_of("state", BLOB_STATES),
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


class Visit(Base):
    """Photos of one sitting from several sides."""

    __tablename__ = "visit"

    id: Mapped[Key]
    owner: Mapped[Owner]
    taken_at: Mapped[Time]
    created: Mapped[Made]


class Photo(Base):
    """One photo. `blob` is None when only the results were kept."""

    __tablename__ = "photo"
    __table_args__ = (_one_of("view", VIEWS), Index("ix_photo_owner_created_id", "owner", "created", "id"))

    id: Mapped[Key]
    owner: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    blob: Mapped[str | None] = mapped_column(ForeignKey("blob.id"), unique=True)
    visit: Mapped[str | None] = mapped_column(ForeignKey("visit.id", ondelete="SET NULL"), index=True)
    taken_at: Mapped[Time | None]
    view: Mapped[Short | None]
    mirrored: Mapped[bool | None]
    note: Mapped[Sealed | None]  # text
    format: Mapped[Short]  # jpeg, png, webp, heic: by its bytes
    width_px: Mapped[int]  # upright
    height_px: Mapped[int]
    created: Mapped[Made]


Shown = Annotated[str, mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), index=True)]


class Analysis(Base):
    """A comedo.analysis/1 document of one photo by one set of models; a second run of the same is the same row."""

    __tablename__ = "analysis"
    __table_args__ = (UniqueConstraint("photo", "models"),)

    id: Mapped[Key]
    owner: Mapped[Owner]
    photo: Mapped[Shown]
    models: Mapped[str] = mapped_column(String(64))  # SHA-256 of version, options and model names
    document: Mapped[Sealed]  # JSON
    mask: Mapped[Sealed | None]  # PNG: 0 background, 1 skin, 2 lesion
    created: Mapped[Made]


class Correction(Base):
    """A reviewer's comedo.corrections/1 document, beside the analysis that it leaves untouched."""

    __tablename__ = "correction"

    id: Mapped[Key]
    owner: Mapped[Owner]
    analysis: Mapped[str] = mapped_column(ForeignKey("analysis.id", ondelete="CASCADE"), index=True)
    reviewer: Mapped[Ref]  # an account's id
    document: Mapped[Sealed]  # JSON
    created: Mapped[Made]


class Change(Base):
    """A comedo.change/1 document of several photos of one person."""

    __tablename__ = "change"
    __table_args__ = (UniqueConstraint("owner", "inputs"),)

    id: Mapped[Key]
    owner: Mapped[Owner]
    inputs: Mapped[str] = mapped_column(String(64))  # SHA-256 of the analyses' ids in order
    view: Mapped[Short | None]
    document: Mapped[Sealed]  # JSON
    created: Mapped[Made]


class ChangePhoto(Base):
    """Which photos a change was made of: it goes when one of them goes."""

    __tablename__ = "change_photo"

    change: Mapped[str] = mapped_column(ForeignKey("change.id", ondelete="CASCADE"), primary_key=True)
    photo: Mapped[str] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True, index=True)


class Treatment(Base):
    """A treatment with its days; `ended` None: still in use."""

    __tablename__ = "treatment"

    id: Mapped[Key]
    owner: Mapped[Owner]
    name: Mapped[Sealed]  # text
    note: Mapped[Sealed | None]  # text
    started: Mapped[date]
    ended: Mapped[date | None]
    created: Mapped[Made]


class Answers(Base):
    """A comedo.answers/1 document."""

    __tablename__ = "answers"

    id: Mapped[Key]
    owner: Mapped[Owner]
    document: Mapped[Sealed]  # JSON
    created: Mapped[Made]


class Advice(Base):
    """A comedo.advice/1 document for an analysis and answers."""

    __tablename__ = "advice"

    id: Mapped[Key]
    owner: Mapped[Owner]
    analysis: Mapped[str | None] = mapped_column(ForeignKey("analysis.id", ondelete="CASCADE"), index=True)
    answers: Mapped[str | None] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), index=True)
    document: Mapped[Sealed]  # JSON
    created: Mapped[Made]


class Note(Base):
    """A text by the owner or a clinician, about a photo or about the person."""

    __tablename__ = "note"

    id: Mapped[Key]
    owner: Mapped[Owner]
    author: Mapped[Ref]  # an account's id
    photo: Mapped[str | None] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), index=True)
    text: Mapped[Sealed]
    created: Mapped[Made]


class Consent(Base):
    """A patient lets a clinician see everything of theirs, until withdrawn."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "uq_consent_patient_clinician_given",
            "patient",
            "clinician",
            unique=True,
            sqlite_where=text("withdrawn IS NULL"),
            postgresql_where=text("withdrawn IS NULL"),
        ),
    )

    id: Mapped[Key]
    patient: Mapped[Owner]
    clinician: Mapped[Owner]
    given: Mapped[Made]
    withdrawn: Mapped[Time | None]


class Audit(Base):
    """Who did what to whose data; rows are added and never changed."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_owner_at_id", "owner", "at", "id"),)

    id: Mapped[Key]
    at: Mapped[Made]
    actor: Mapped[Ref | None]  # an account's id; None: the service itself
    owner: Mapped[Ref]  # whose data
    action: Mapped[Short]  # photo.read, photo.delete, consent.give …
    object_id: Mapped[Short | None]
    address: Mapped[Short | None]  # where the request came from


class Job(Base):
    """Work that outlives a request and a restart: claimed under a lease, which a heartbeat renews."""

    __tablename__ = "job"
    __table_args__ = (
        _one_of("state", JOB_STATES),
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
