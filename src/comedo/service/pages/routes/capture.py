"""Taking and choosing photos. The form works without scripts; with them each photo is sent on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import FormData, UploadFile

from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions import photos, visits
from comedo.service.actions.photos import Upload
from comedo.service.actions.views import PhotoView, Side
from comedo.service.api.receive import opened_form
from comedo.service.pages.pose import MOST_BYTES, PoseJudge
from comedo.service.pages.reading import Wired, all_photos, day_of, see_other
from comedo.service.pages.site import render, words_of
from comedo.service.parts import Parts
from comedo.service.problems import Problem

router = APIRouter()

SIDES: tuple[Side, ...] = ("front", "left", "right")
_NOON = time(12, tzinfo=UTC)  # of a day that is told without an hour
_SCRIPT_TEXTS = ("guide", "queue", "quality", "refusal")
_GHOST_PX = 900


@router.get("/capture")
def capture(request: Request, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """The page; the last photo of each side becomes its ghost."""
    words = words_of(request)
    return render(
        request,
        "capture.html",
        limit=parts.settings.max_upload_bytes,
        today=datetime.now(UTC).date().isoformat(),
        ghosts=_ghosts(all_photos(parts, actor)),
        script_texts={k: v for k, v in words.texts.items() if k.split(".")[0] in _SCRIPT_TEXTS},
    )


def _ghosts(found: Sequence[PhotoView]) -> dict[Side, str]:
    """By side, the address of the newest measured photo's picture."""
    last: dict[Side, PhotoView] = {}
    for photo in found:
        if photo.has_picture and photo.analysis is not None:
            last.setdefault(photo.view or "front", photo)
    return {side: f"/api/v1/photos/{photo.id}/image?max_side={_GHOST_PX}" for side, photo in last.items()}


@router.post("/capture/pose")
async def pose(request: Request, actor: SignedIn, side: Side = "front") -> JSONResponse:
    """How the head is held in a small JPEG, for the guide; null: ask later. Nothing of it is kept."""
    if request.headers.get("content-type") != "image/jpeg":
        raise Problem("wrong_type", "send a picture as image/jpeg")
    picture = await request.body()
    if len(picture) > MOST_BYTES:
        raise Problem("too_large", f"a picture for the guide may have at most {MOST_BYTES} bytes")
    judge: PoseJudge = request.app.state.pose
    found = await run_in_threadpool(judge.look, picture, side) if judge.may_ask(actor.account) else None
    return JSONResponse({"pose": found})


@router.post("/photos/upload")
async def upload(request: Request, parts: Wired, actor: SignedIn) -> Response:
    """Photos of one sitting, one a side, or many of no known side."""
    with request.app.state.uploads.hold(actor.account) as held:  # the same places as the API's
        if not held:
            raise Problem("queue_full", "too many uploads at once; try again soon", headers={"Retry-After": "5"})
        chosen, taken_at = await _read(request, most=parts.settings.max_batch_photos)
        async with request.app.state.storing:
            kept = await run_in_threadpool(_keep, parts, actor, chosen, taken_at)
    return see_other(f"/photos/{kept.id}")


async def _read(request: Request, *, most: int) -> tuple[list[tuple[Side | None, bytes]], datetime | None]:
    """The photos with their sides, and the day that was given."""
    _check_form(request)
    async with opened_form(request, most=most) as form:
        chosen = [(side, await file.read()) for side, file in _files(form)]
        taken = str(form.get("taken") or "")
        taken_at = datetime.combine(day_of(taken, "taken"), _NOON) if taken else None
    if not chosen:
        raise Problem("invalid", "choose at least one photo", fields={"front": "is missing"})
    return chosen, taken_at


def _check_form(request: Request) -> None:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem("wrong_type", "send the form as multipart/form-data")


def _files(form: FormData) -> Iterator[tuple[Side | None, UploadFile]]:
    """The files that were chosen, with their side."""
    for side in (*SIDES, None):
        files = form.getlist(side or "many")
        yield from ((side, file) for file in files if isinstance(file, UploadFile) and file.size)


def _keep(parts: Parts, actor: Actor, chosen: list[tuple[Side | None, bytes]], taken_at: datetime | None) -> PhotoView:
    """Store them, as one sitting where there are several sides; the first is shown."""
    sides = [side for side, _ in chosen if side is not None]
    visit = visits.add(parts, actor, taken_at=taken_at).id if len(sides) > 1 else None
    uploads = [
        Upload(data, view=side or "front", taken_at=taken_at, visit=visit if side is not None else None)
        for side, data in chosen
    ]
    return photos.upload(parts, actor, uploads)[0].photo  # equal bytes are one photo without a key, too
