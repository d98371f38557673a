"""The tables. Rows hold ids, times and states; every document and free text is sealed with its owner's key.

`owner` is the account whose data a row is: erasing an account takes its rows along (ON DELETE CASCADE). Tables that
must outlive it for a while (blob, owner_key, receipt) or for good (audit of what it did to others) have no foreign key.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from comedo.service.database.columns import Base, Key, Made, Ref, Sealed, Short, Time, one_of
from comedo.service.database.upkeep import Blob, Idempotency, Job, OwnerKey, RateBucket, Receipt, State

__all__ = [
    "Account",
    "Advice",
    "Analysis",
    "Answers",
    "ApiToken",
    "Audit",
    "Blob",
    "Change",
    "ChangePhoto",
    "Consent",
    "Correction",
    "Idempotency",
    "Job",
    "Note",
    "OwnerKey",
    "Photo",
    "RateBucket",
    "Receipt",
    "ResetCode",
    "State",
    "Treatment",
    "Visit",
    "WebSession",
]

ROLES = ("patient", "clinician")
RETENTIONS = ("keep", "without_photos", "days")
VIEWS = ("front", "left", "right")

Owner = Annotated[str, mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)]


class Account(Base):
    """A person who signs in; on loopback there is one, without e-mail address and password."""

    __tablename__ = "account"
    __table_args__ = (one_of("role", ROLES), one_of("retention", RETENTIONS))

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


class ResetCode(Base):
    """A one-time code for a new password, made by an administrator; the row holds its SHA-256."""

    __tablename__ = "reset_code"

    code_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[Owner]
    created: Mapped[Made]
    expires: Mapped[Time]


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
    __table_args__ = (one_of("view", VIEWS), Index("ix_photo_owner_created_id", "owner", "created", "id"))

    id: Mapped[Key]
    owner: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    blob: Mapped[str | None] = mapped_column(ForeignKey("blob.id"), unique=True)
    visit: Mapped[str | None] = mapped_column(ForeignKey("visit.id", ondelete="SET NULL"), index=True)
    taken_at: Mapped[Time | None]
    view: Mapped[Short | None]
    mirrored: Mapped[bool | None]  # by its owner's word: flipped before it is compared
    baseline: Mapped[bool | None]  # at most one of a view: what later photos are compared with
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
    faint: Mapped[Sealed | None]  # JSON: candidates below the cut-off; None: of an earlier version
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
    inputs: Mapped[str] = mapped_column(String(64))  # SHA-256 of analyses in order, their dates, and what is missing
    view: Mapped[Short | None]
    document: Mapped[Sealed]  # JSON
    created: Mapped[Made]


class ChangePhoto(Base):
    """Which photos a change was made of, or names as left out: it goes when one of them goes."""

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
