"""What a person is shown of a row: answered by the API, drawn by the pages. Never the row itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from comedo.service.accounts.actor import Scope

Side = Literal["front", "left", "right"]
Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=["3f0c9a1e5b7d4c2f8e6a0b1c2d3e4f50"])]
Item = TypeVar("Item")


class View(BaseModel):
    """Base of everything that is shown."""

    model_config = ConfigDict(frozen=True)


class Page(View, Generic[Item]):
    """Some items of a list; `next` asks for those that follow, null: there are none."""

    items: list[Item]
    next: str | None = None


class AccountView(View):
    """The account of who asks."""

    id: Id
    role: Literal["patient", "clinician"]
    email: str | None
    name: str | None = Field(description="Of clinicians: what a patient reads before consenting.")
    locale: str
    retention: Literal["keep", "without_photos", "days"]
    retention_days: int | None
    created: AwareDatetime
    local: bool = Field(description="The one user of a service on loopback, who needs no password.")


class TokenView(View):
    """An API token, without its secret."""

    id: Id
    name: str
    scopes: list[Scope]
    created: AwareDatetime
    used: AwareDatetime | None
    expires: AwareDatetime | None


class TokenMade(TokenView):
    """A new API token; the only answer that holds its secret."""

    token: str


class JobView(View):
    """Work that goes on in the background."""

    id: Id
    kind: str
    photo: Id | None
    state: Literal["queued", "running", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    error: str | None = Field(description="A stable code, when it failed.")
    detail: str | None = Field(description="What to do about it, in words.")
    result: Id | None = Field(description="What was made: an analysis or a change.")
    created: AwareDatetime
    finished: AwareDatetime | None


class Summary(View):
    """The newest analysis of a photo in a few numbers; null: not assessed."""

    id: Id
    created: AwareDatetime
    verdict: Literal["good", "fair", "poor"]
    total: int
    interval_90: tuple[int, int] | None
    severity: float | None
    severity_level: str | None
    affected: bool | None
    fraction: float | None
    group: str | None
    corrected: bool = Field(description="A reviewer corrected it; these numbers are comedo's own.")
    complete: bool = Field(description="False: made before faint lesions were kept; to compare them, analyse it again.")


class PhotoView(View):
    """A photo, without its pixels."""

    id: Id
    owner: Id
    created: AwareDatetime
    taken_at: AwareDatetime | None
    view: Side | None
    mirrored: bool | None = Field(description="By its owner's word; true: flipped before it is compared.")
    baseline: bool = Field(description="Chosen by its owner: later photos of its view are compared with it.")
    visit: Id | None
    note: str | None
    format: str
    width_px: int
    height_px: int
    has_picture: bool = Field(description="False: only the results were kept.")
    analysis: Summary | None
    job: JobView | None = Field(description="The newest analysis job, while or where it did not succeed.")


class Uploaded(View):
    """What became of an upload."""

    photo: PhotoView
    job: Id | None
    created: bool = Field(description="False: this very photo was there already.")


class ReceiptView(View):
    """Proof of what was removed; it names nothing personal."""

    id: Id
    kind: str
    removed: dict[str, int]
    asked: AwareDatetime
    done: AwareDatetime | None


class AnalysisView(View):
    """One analysis; `document` is of schema comedo.analysis/1."""

    id: Id
    photo: Id
    owner: Id
    created: AwareDatetime
    document: dict[str, Any]


class CorrectionView(View):
    """What a reviewer said of an analysis; `document` is of schema comedo.corrections/1."""

    id: Id
    analysis: Id
    reviewer: Id
    created: AwareDatetime
    document: dict[str, Any]


class ReviewView(View):
    """The analysis after a correction; `document` is of schema comedo.review/1."""

    correction: Id
    document: dict[str, Any]


class VisitView(View):
    """Photos of one sitting, from several sides."""

    id: Id
    owner: Id
    taken_at: AwareDatetime
    created: AwareDatetime
    photos: list[PhotoView]


class ChangeView(View):
    """A comparison over time; `document` is of schema comedo.change/1."""

    id: Id
    owner: Id
    view: Side | None
    photos: list[Id] = Field(description="Compared, or named as left out because they could not be analysed.")
    created: AwareDatetime
    document: dict[str, Any]


class TreatmentView(View):
    """A treatment with its days."""

    id: Id
    owner: Id
    name: str
    note: str | None
    started: date
    ended: date | None
    created: AwareDatetime


class AnswersView(View):
    """A person's answers; `document` is of schema comedo.answers/1."""

    id: Id
    owner: Id
    created: AwareDatetime
    document: dict[str, Any]


class AdviceView(View):
    """Sourced information; `document` is of schema comedo.advice/1."""

    id: Id
    owner: Id
    analysis: Id | None
    answers: Id | None
    created: AwareDatetime
    document: dict[str, Any]


class NoteView(View):
    """A text by the owner or a clinician."""

    id: Id
    owner: Id
    author: Id
    photo: Id | None
    text: str
    created: AwareDatetime


class ConsentView(View):
    """A patient lets a clinician see what is theirs, until withdrawn."""

    id: Id
    patient: Id
    patient_email: str | None = Field(description="For the clinician, while the consent holds.")
    clinician: Id
    clinician_name: str | None
    clinician_email: str | None
    given: AwareDatetime
    withdrawn: AwareDatetime | None


class AuditView(View):
    """Who did what to one's data."""

    id: Id
    at: AwareDatetime
    actor: Id | None = Field(description="null: the service itself.")
    actor_name: str | None
    action: str
    object_id: str | None
    address: str | None
