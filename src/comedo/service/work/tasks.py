"""What jobs do: analyse a photo, compare photos over time. Results appear in the transaction that ends the job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
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
from comedo.progress.values import Visit
from comedo.report.change_tables import to_change_document
from comedo.report.pictures import mask_png
from comedo.report.tables import to_document
from comedo.service.actions.series import analysed, compare_soon
from comedo.service.actions.stored import case_of, visit_of
from comedo.service.database.columns import new_id, now
from comedo.service.database.jobs import finish
from comedo.service.database.tables import Analysis, Change, ChangePhoto, Job, Photo, Treatment
from comedo.service.errors import NotThere
from comedo.service.parts import Parts
from comedo.service.storage.about import mask_about
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
    options = {"allow_poor": task.option("allow_poor", False), "convention": task.option("convention", "visible")}
    name = f"photo-{photo[:8]}.{row.format}"
    found = task.analyzer.analyze(decode(data, name=name), **options)
    task.say(0.8)
    document, mask = to_document(found), mask_png(found)
    models = _digest([__version__, options, found.models])
    kept = Analysis(id=new_id(), owner=row.owner, photo=photo, models=models)
    with task.parts.database.write() as session:
        if session.get(Photo, photo) is None:
            raise NotThere("the photo was deleted meanwhile")
        before = session.scalar(select(Analysis.id).where(Analysis.photo == photo, Analysis.models == models))
        if before is None:
            key = task.parts.vault.key_of(session, row.owner)
            kept.document = key.seal(document.model_dump_json(by_alias=True).encode(), about=kept.id)
            kept.mask = key.seal(mask, about=mask_about(kept.id))
            session.add(kept)
            session.flush()
            compare_soon(session, task.parts, row.owner, row.view)
        finish(session, task.job.id, task.worker, result=before or kept.id)


def change(task: Task) -> None:
    """Compare photos over time; the same analyses are the same comparison."""
    parts, owner, view = task.parts, task.job.owner, task.option("view", None)
    with parts.database.read() as session:
        photos = task.option("photos", None) or analysed(session, owner, view)
        start = task.option("treatment_start", None) or _treatment_start(session, owner)
        chosen = [_newest_analysis(session, owner, photo) for photo in photos]
    if len(chosen) < 2:
        raise NotThere("fewer than two analysed photos are left to compare")
    visits, flipped = [], []
    for n, analysis in enumerate(chosen):
        visit, mirrored = _visit(parts, analysis)
        visits.append(visit)
        flipped += [visit.name] if mirrored else []
        task.say(0.8 * (n + 1) / len(chosen))
    ordered, notices = _in_order(visits)
    notices += [f"{name} was flipped first, as you named it mirrored" for name in flipped]
    task.say(0.9)
    treatment_start = None if start is None else datetime.fromisoformat(str(start))
    document = to_change_document(measure_change(ordered, treatment_start=treatment_start, notices=notices))
    inputs = _digest([__version__, view, start, [analysis.id for analysis in chosen], flipped])
    kept = Change(id=new_id(), owner=owner, inputs=inputs, view=view)
    with parts.database.write() as session:
        before = session.scalar(select(Change.id).where(Change.owner == owner, Change.inputs == inputs))
        if before is None:
            key = parts.vault.key_of(session, owner)
            kept.document = key.seal(document.model_dump_json(by_alias=True).encode(), about=kept.id)
            session.add(kept)
            session.flush()
            for photo in photos:
                if session.get(Photo, photo) is None:
                    raise NotThere("a photo of the series was deleted meanwhile")
                session.add(ChangePhoto(change=kept.id, photo=photo))
        else:
            session.get_one(Change, before).created = now()  # what was asked for last is the newest
        finish(session, task.job.id, task.worker, result=before or kept.id)


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
        return visit_of(case_of(parts, session, analysis), photo), photo.mirrored is True


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
