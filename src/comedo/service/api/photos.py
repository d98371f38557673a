"""Routes of photos and of what was measured in them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Body, Header, Query, Request, Response

from comedo.service.accounts.actor import Actor, Scope, SignedIn
from comedo.service.actions import analyses, corrections, jobs, photos, reports
from comedo.service.actions.views import (
    AnalysisView,
    CorrectionView,
    JobView,
    Page,
    PhotoView,
    ReceiptView,
    ReviewView,
    Side,
    Uploaded,
)
from comedo.service.api.answers import download, picture
from comedo.service.api.common import (
    Cursor,
    Id,
    Key,
    Limit,
    LongText,
    Moment,
    OwnerQuery,
    RowId,
    Sent,
    TheParts,
    example,
    files,
)
from comedo.service.api.receive import IMAGE_TYPES, read_photos
from comedo.service.parts import Parts
from comedo.service.problems import Problem, absent
from comedo.service.security.gate import API

router = APIRouter(prefix=API)
MAX_WAIT_S = 30
IdQuery = Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")]
Wait = Annotated[
    str | None,
    Header(
        alias="Prefer",
        max_length=100,
        description=f"`wait=N`: answer only when the result is there, or after N seconds (at most {MAX_WAIT_S}).",
        examples=["wait=10"],
    ),
]
MaxSide = Annotated[int | None, Query(ge=32, le=4096, description="Longest side of the picture, in pixels.")]
Corrected = Annotated[dict[str, Any], Body(examples=[{"lesions": [{"action": "reject", "id": 1}]}])]
_ABOUT = {
    "view": {"type": "string", "enum": ["front", "left", "right"]},
    "taken_at": {"type": "string", "format": "date-time"},
    "mirrored": {"type": "boolean"},
    "visit": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "note": {"type": "string", "maxLength": 5000},
}
_FILE = {"type": "string", "format": "binary"}


def _body(properties: dict[str, Any], required: str, *, raw: bool) -> dict[str, Any]:
    form = {"schema": {"type": "object", "properties": properties, "required": [required]}}
    kinds = {name: {"schema": _FILE} for name in IMAGE_TYPES} if raw else {}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": form, **kinds}}}


class PhotoChanges(Sent):
    """What to change; null forgets it, what is left out stays."""

    model_config = example(view="left", note="after sport")

    view: Side | None = None
    taken_at: Moment | None = None
    mirrored: bool | None = None
    visit: RowId | None = None
    note: LongText | None = None


class NewAnalysis(Sent):
    """How to analyse; null: as the photo's newest analysis was made, else no poor photo and what is visible."""

    model_config = example(allow_poor=False, convention="visible")

    allow_poor: bool | None = None
    convention: Literal["visible", "acne04-v1"] | None = None


@router.post(
    "/photos",
    status_code=201,
    tags=["photos"],
    responses={200: {"model": Uploaded, "description": "This very photo was there already."}},
    openapi_extra=_body({"file": _FILE, **_ABOUT}, "file", raw=True),
)
async def upload_photo(
    request: Request, parts: TheParts, actor: SignedIn, response: Response, key: Key = None, prefer: Wait = None
) -> Uploaded:
    """Keep a photo, without what its file says about place and camera, and analyse it.

    Send a form, or the photo itself as the body with the same fields as query parameters.
    """
    stored = next(iter(await _upload(request, parts, actor, key, most=1)), None)
    if stored is None:
        raise absent("photo")  # it was deleted again before this answer
    response.status_code = 201 if stored.created else 200
    return await _waited(request, parts, actor, stored, prefer)


@router.post(
    "/photos/batch",
    status_code=201,
    tags=["photos"],
    openapi_extra=_body({"files": {"type": "array", "items": _FILE}, **_ABOUT}, "files", raw=False),
)
async def upload_photos(request: Request, parts: TheParts, actor: SignedIn, key: Key = None) -> list[Uploaded]:
    """Keep several photos, all or none, and analyse them."""
    return await _upload(request, parts, actor, key, most=parts.settings.max_batch_photos)


async def _upload(request: Request, parts: Parts, actor: Actor, key: str | None, *, most: int) -> list[Uploaded]:
    actor.need(Scope.WRITE)  # before a byte of the body is read
    with request.app.state.uploads.hold(actor.account) as held:
        if not held:
            raise Problem("queue_full", "too many uploads at once; try again soon", headers={"Retry-After": "5"})
        sent = await read_photos(request, most=most)
        async with request.app.state.storing:
            return await to_thread.run_sync(lambda: photos.upload(parts, actor, sent, key=key))


async def _waited(request: Request, parts: Parts, actor: Actor, stored: Uploaded, prefer: str | None) -> Uploaded:
    """The upload with its result, where the sender waits for it."""
    if stored.job is not None and await _until_over(request, stored.job, prefer):
        view = await to_thread.run_sync(photos.get_photo, parts, actor, stored.photo.id)
        return stored.model_copy(update={"photo": view})
    return stored


async def wait_for_job(request: Request, parts: Parts, actor: Actor, job: str, prefer: str | None) -> JobView | None:
    """The job when it has ended or the time is over; None: nobody waits for it."""
    waited = await _until_over(request, job, prefer)
    return await to_thread.run_sync(jobs.watch_job, parts, actor, job) if waited else None


async def _until_over(request: Request, job: str, prefer: str | None) -> bool:
    """Wait for the job as long as is preferred; False: not at all."""
    name, _, seconds = (prefer or "").strip().partition("=")
    if name != "wait" or not seconds.isdecimal():
        return False
    await request.app.state.waiting.until_over(job, min(int(seconds[:4]), MAX_WAIT_S))
    return True


@router.get("/photos", tags=["photos"])
def list_photos(
    parts: TheParts,
    actor: SignedIn,
    owner: OwnerQuery = None,
    view: Side | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[PhotoView]:
    """Photos with the numbers of their newest analysis, newest first."""
    return photos.list_photos(parts, actor, owner=owner, view=view, limit=limit, cursor=cursor)


@router.get("/photos/{photo}", tags=["photos"])
def get_photo(parts: TheParts, actor: SignedIn, photo: Id) -> PhotoView:
    """One photo."""
    return photos.get_photo(parts, actor, photo)


@router.patch("/photos/{photo}", tags=["photos"])
def change_photo(parts: TheParts, actor: SignedIn, photo: Id, sent: PhotoChanges) -> PhotoView:
    """Change what is said of a photo."""
    change = photos.PhotoChange(frozenset(sent.model_fields_set), **sent.model_dump())
    return photos.change_photo(parts, actor, photo, change)


@router.delete("/photos/{photo}", tags=["photos"])
def delete_photo(parts: TheParts, actor: SignedIn, photo: Id) -> ReceiptView:
    """Remove a photo with everything made of it; the answer is the receipt."""
    return photos.delete(parts, actor, photo)


@router.get(
    "/photos/{photo}/image",
    tags=["photos"],
    response_class=Response,
    responses=files("image/jpeg", "image/png", "image/webp"),
)
def get_image(parts: TheParts, actor: SignedIn, photo: Id, max_side: MaxSide = None) -> Response:
    """The photo itself, or a smaller JPEG of it."""
    return picture(photos.image(parts, actor, photo, max_side=max_side))


@router.get(
    "/photos/{photo}/overlay", tags=["photos"], response_class=Response, responses=files("image/jpeg", "image/png")
)
def get_overlay(
    parts: TheParts,
    actor: SignedIn,
    photo: Id,
    max_side: Annotated[int, Query(ge=320, le=3000)] = analyses.OVERLAY_SIDE,
    png: bool = False,
) -> Response:
    """The newest analysis drawn over the photo."""
    return picture(analyses.overlay(parts, actor, photo, max_side=max_side, png=png))


@router.get("/photos/{photo}/mask", tags=["photos"], response_class=Response, responses=files("image/png"))
def get_mask(parts: TheParts, actor: SignedIn, photo: Id) -> Response:
    """The mask of the newest analysis: 0 background, 1 skin, 2 active lesion."""
    return picture(analyses.mask(parts, actor, photo))


@router.post("/photos/{photo}/analyses", status_code=202, tags=["analyses"])
async def start_analysis(
    request: Request, parts: TheParts, actor: SignedIn, photo: Id, sent: NewAnalysis, prefer: Wait = None
) -> JobView:
    """Analyse a photo (again); the answer is the job, that of before while the same one waits or runs."""
    job = await to_thread.run_sync(
        lambda: analyses.start(parts, actor, photo, allow_poor=sent.allow_poor, convention=sent.convention)
    )
    return await wait_for_job(request, parts, actor, job.id, prefer) or job


@router.get("/photos/{photo}/analyses", tags=["analyses"])
def list_analyses(parts: TheParts, actor: SignedIn, photo: Id) -> list[AnalysisView]:
    """The analyses of a photo, newest first."""
    return analyses.list_analyses(parts, actor, photo)


@router.get("/analyses/{analysis}", tags=["analyses"])
def get_analysis(parts: TheParts, actor: SignedIn, analysis: Id) -> AnalysisView:
    """One analysis with its document."""
    return analyses.get_analysis(parts, actor, analysis)


@router.get("/analyses/{analysis}/corrections", tags=["corrections"])
def list_corrections(parts: TheParts, actor: SignedIn, analysis: Id) -> list[CorrectionView]:
    """What reviewers said of an analysis, newest first."""
    return corrections.list_corrections(parts, actor, analysis)


@router.post("/analyses/{analysis}/corrections", status_code=201, tags=["corrections"])
def add_correction(parts: TheParts, actor: SignedIn, analysis: Id, sent: Corrected) -> CorrectionView:
    """Correct an analysis; the fields are those of comedo.corrections/1, see docs/review.md.

    Who and when are filled in by the service.
    """
    return corrections.correct(parts, actor, analysis, sent)


@router.get("/corrections/{correction}/review", tags=["corrections"])
def get_review(parts: TheParts, actor: SignedIn, correction: Id) -> ReviewView:
    """Every number after a correction."""
    return corrections.get_review(parts, actor, correction)


@router.get(
    "/analyses/{analysis}/reports/{kind}",
    tags=["reports"],
    response_class=Response,
    responses=files("application/pdf", "application/fhir+json", "application/zip", "application/json"),
)
def get_report(
    parts: TheParts,
    actor: SignedIn,
    analysis: Id,
    kind: Literal["pdf", "fhir", "dicom", "csv", "json"],
    correction: IdQuery = None,
    without_photo: bool = False,
    mask_eyes: bool = False,
    advice: IdQuery = None,
    change: IdQuery = None,
) -> Response:
    """A report: PDF, FHIR Bundle, DICOM (three files), CSV (two files) or the analysis as JSON."""
    options = reports.Options(correction, without_photo, mask_eyes, advice, change)
    return download(reports.make(parts, actor, analysis, kind, options))
