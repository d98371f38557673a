"""What jobs do: analyse a photo, compare photos over time. Results appear in the transaction that ends the job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo import __version__
from comedo.dating import Dated, order_by_date
from comedo.photo import read_photo as decode
from comedo.pipeline import Analyzer
from comedo.progress.change import measure_change
from comedo.progress.values import Change as Measured
from comedo.progress.values import LeftOut, Visit
from comedo.report.change_tables import to_change_document
from comedo.report.pictures import mask_png
from comedo.report.tables import to_document
from comedo.service.actions.analyses import options_of
from comedo.service.actions.series import analysed, compare_soon, unread
from comedo.service.actions.stored import even_out, faint_json, name_of, visit_of
from comedo.service.database.columns import new_id, now
from comedo.service.database.jobs import finish
from comedo.service.database.tables import Analysis, Change, ChangePhoto, Job, Photo, Treatment
from comedo.service.errors import NotThere, QueueFull
from comedo.service.parts import Parts
from comedo.service.storage.about import faint_about, mask_about
from comedo.service.storage.photos import read_photo

Say = Callable[[float], None]  # how far the work is, 0 to 1


@dataclass(frozen=True)
class Task:
    """A claimed job, with what is needed to do it."""

    parts: Parts
    job: Job
    worker: str
    analyzer: Analyzer
    say: Say

    def option(self, name: str, otherwise: Any) -> Any:
        """An argument of the job."""
        return self.job.arguments.get(name, otherwise)


def analyze(task: Task) -> None:
    """Analyse a photo; the same photo with the same networks and options is the same analysis."""
    photo = task.job.photo
    assert photo is not None
    with task.parts.database.read() as session:
        data = read_photo(task.parts.storage, session, photo)
        row = session.get_one(Photo, photo)
    task.say(0.1)
    options = options_of(task.job)
    found = task.analyzer.analyze(decode(data, name=name_of(row)), **options)
    task.say(0.8)
    document, mask = to_document(found), mask_png(found)
    models = _digest([__version__, options, found.models])
    with task.parts.database.write() as session:
        if session.get(Photo, photo) is None:
            raise NotThere("the photo was deleted meanwhile")
        key = task.parts.vault.key_of(session, row.owner)
        kept = session.scalar(select(Analysis).where(Analysis.photo == photo, Analysis.models == models))
        complete = kept is not None and kept.faint is not None
        if kept is None:
            kept = Analysis(id=new_id(), owner=row.owner, photo=photo, models=models)
            kept.document = key.seal(document.model_dump_json(by_alias=True).encode(), about=kept.id)
            kept.mask = key.seal(mask, about=mask_about(kept.id))
            session.add(kept)
        if not complete:
            kept.faint = key.seal(faint_json(found.faint), about=faint_about(kept.id))
            session.flush()
            compare_soon(session, task.parts, row.owner, row.view)
        finish(session, task.job.id, task.worker, result=kept.id)


def compare_without(task: Task) -> None:
    """After a photo could not be analysed: compare anew, so that no verdict passes over it in silence."""
    job = task.job
    with suppress(QueueFull), task.parts.database.write() as session:
        photo = session.get(Photo, job.photo) if job.kind == "analyze" and job.photo else None
        if photo is not None:
            compare_soon(session, task.parts, photo.owner, photo.view)


@dataclass(frozen=True)
class _Series:
    """What is compared: of each photo the newest analysis; and photos that could not be analysed."""

    photos: Sequence[str]
    analyses: Sequence[Analysis]
    unread: Mapping[str, LeftOut]
    start: str | None

    def digest(self, view: str | None, visits: Sequence[Visit], flipped: Sequence[str]) -> str:
        """Of all that the comparison depends on: what was measured, when, and what is missing."""
        seen = [[a.id, a.faint is not None, str(v.when)] for a, v in zip(self.analyses, visits, strict=True)]
        missed = [[photo, left.code, left.reason, str(left.when)] for photo, left in self.unread.items()]
        return _digest([__version__, view, self.start, seen, flipped, missed])


def change(task: Task) -> None:
    """Compare photos over time; the same analyses, and the same photos left out, are the same comparison."""
    parts, owner, view = task.parts, task.job.owner, task.option("view", None)
    series = _gather(task, owner, view)
    visits, flipped = [], []
    for n, analysis in enumerate(series.analyses):
        visit, mirrored = _visit(parts, analysis)
        visits.append(visit)
        flipped += [visit.name] if mirrored else []
        task.say(0.8 * (n + 1) / len(series.analyses))
    document = to_change_document(_measure(series, visits, flipped))
    inputs = series.digest(view, visits, flipped)
    kept = Change(id=new_id(), owner=owner, inputs=inputs, view=view)
    with parts.database.write() as session:
        before = session.scalar(select(Change.id).where(Change.owner == owner, Change.inputs == inputs))
        if before is None:
            key = parts.vault.key_of(session, owner)
            kept.document = key.seal(document.model_dump_json(by_alias=True).encode(), about=kept.id)
            session.add(kept)
            session.flush()
            for photo in (*series.photos, *series.unread):  # it names these too: it goes when one of them goes
                if session.get(Photo, photo) is None:
                    raise NotThere("a photo of the series was deleted meanwhile")
                session.add(ChangePhoto(change=kept.id, photo=photo))
        else:
            session.get_one(Change, before).created = now()  # what was asked for last is the newest
        finish(session, task.job.id, task.worker, result=before or kept.id)


def _gather(task: Task, owner: str, view: str | None) -> _Series:
    """The photos that were named, or those of the view with what is missing among them."""
    named = task.option("photos", None)
    with task.parts.database.read() as session:
        photos = named or analysed(session, owner, view)
        if len(photos) < 2:
            raise NotThere("fewer than two analysed photos are left to compare")
        analyses = [_newest_analysis(session, owner, photo) for photo in photos]
        missed: Mapping[str, LeftOut] = {} if named else unread(session, owner, view, photos)
        start = task.option("treatment_start", None) or _treatment_start(session, owner)
    return _Series(photos, analyses, missed, start)


def _measure(series: _Series, visits: Sequence[Visit], flipped: Sequence[str]) -> Measured:
    even, lacking = even_out(visits, series.analyses)
    ordered, notices = _in_order(even)
    notices += [*lacking, *(f"{name} was flipped first, as you named it mirrored" for name in flipped)]
    start = None if series.start is None else datetime.fromisoformat(series.start)
    return measure_change(ordered, left_out=tuple(series.unread.values()), treatment_start=start, notices=notices)


def _newest_analysis(session: Session, owner: str, photo: str) -> Analysis:
    of_it = select(Analysis).where(Analysis.photo == photo, Analysis.owner == owner)
    row = session.scalar(of_it.order_by(Analysis.created.desc()).limit(1))
    if row is None:
        raise NotThere("a photo of the series was deleted meanwhile")
    return row


def _visit(parts: Parts, analysis: Analysis) -> tuple[Visit, bool]:
    """The visit, and whether it was flipped."""
    with parts.database.read() as session:
        photo = session.get_one(Photo, analysis.photo)
        return visit_of(parts, session, analysis, photo), photo.mirrored is True


def _in_order(visits: list[Visit]) -> tuple[list[Visit], list[str]]:
    """By date, with a notice where that is another order than the one asked for."""
    dated, notices = order_by_date([Dated(b"", str(n), visit.when) for n, visit in enumerate(visits)])
    return [visits[int(item.name)] for item in dated], notices


def _treatment_start(session: Session, owner: str) -> str | None:
    running = select(Treatment.started).where(Treatment.owner == owner, Treatment.ended.is_(None))
    first = session.scalar(running.order_by(Treatment.started).limit(1))
    return None if first is None else first.isoformat()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


TASKS: Mapping[str, Callable[[Task], None]] = {"analyze": analyze, "change": change}
