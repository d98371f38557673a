"""Corrections: a reviewer says what comedo got wrong; the analysis stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo.report.case import Case
from comedo.report.written import first_fault
from comedo.review.corrections import Corrections
from comedo.review.document import Review
from comedo.review.run import review, reviewed_case
from comedo.service.accounts.access import see
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.stored import case_of
from comedo.service.actions.views import CorrectionView, ReviewView
from comedo.service.database.audit import record
from comedo.service.database.columns import new_id, now
from comedo.service.database.counts import need_room
from comedo.service.database.tables import Account, Analysis, Correction
from comedo.service.parts import Parts
from comedo.service.problems import Problem, absent

SCHEMA = "comedo.corrections/1"


def correct(parts: Parts, actor: Actor, analysis: str, said: Mapping[str, Any]) -> CorrectionView:
    """Keep what a reviewer says of an analysis, after trying it.

    Args:
        parts: Of the service.
        actor: A clinician whom the owner lets look, or the one user of a service on loopback.
        analysis: Of which.
        said: The fields of comedo.corrections/1; who and when are filled in here, whatever was sent.

    Raises:
        Problem: It is not for this actor, or a field is wrong.
        UnusableInput: It names what is not in the analysis.
    """
    actor.need(Scope.REVIEW)
    row = see(parts, actor, Analysis, analysis, "correction.add")
    if actor.role != "clinician" and not actor.local:
        raise Problem("not_allowed", "corrections are made by a clinician whom you let look")
    made_at = now()
    with parts.database.read() as session:
        case = case_of(parts, session, row, with_photo=False)
        reviewer = session.get_one(Account, actor.account)
    signed = {"schema": SCHEMA, "reviewer": reviewer.name or reviewer.email or "the owner", "reviewed_at": made_at}
    document = _checked({**said, **signed, "analysis_sha256": case.sha256})
    review(case, document)
    kept = Correction(id=new_id(), owner=row.owner, analysis=row.id, reviewer=actor.account, created=made_at)
    written = document.model_dump(mode="json", by_alias=True)
    with parts.database.write() as session:
        if session.get(Analysis, analysis) is None:
            raise absent("analysis")
        mine = Correction.reviewer == actor.account
        need_room(session, Correction, row.owner, Correction.owner == row.owner, mine)
        kept.document = parts.vault.key_of(session, row.owner).seal_json(written, about=kept.id)
        session.add(kept)
        if row.owner == actor.account:
            record(session, actor=actor.account, owner=row.owner, action="correction.add", object_id=kept.id)
    return _view(kept, written)


def _checked(values: dict[str, Any]) -> Corrections:
    try:
        return Corrections.model_validate(values)
    except ValidationError as error:
        fault = first_fault(error)
        field, _, reason = fault.partition(": ")
        raise Problem("invalid", f"corrections: {fault}", fields={field: reason or fault}) from error


def list_corrections(parts: Parts, actor: Actor, analysis: str) -> list[CorrectionView]:
    """What was said of an analysis, newest first."""
    row = see(parts, actor, Analysis, analysis, "correction.list")
    of_it = select(Correction).where(Correction.analysis == row.id).order_by(Correction.created.desc())
    with parts.database.read() as session:
        key = parts.vault.key_of(session, row.owner)
        return [_view(one, key.open_json(one.document, about=one.id)) for one in session.scalars(of_it)]


def get_review(parts: Parts, actor: Actor, correction: str) -> ReviewView:
    """The analysis after a correction: every number that follows from it."""
    row = see(parts, actor, Correction, correction, "correction.read")
    with parts.database.read() as session:
        analysis = session.get_one(Analysis, row.analysis)
        done = _review(parts, session, row, case_of(parts, session, analysis, with_photo=False))
    return ReviewView(correction=row.id, document=done.model_dump(mode="json", by_alias=True))


def case_after(parts: Parts, session: Session, case: Case, analysis: str, correction: str) -> Case:
    """The case with a correction's numbers in place of comedo's; the caller has checked who looks."""
    row = session.get(Correction, correction)
    if row is None or row.analysis != analysis:
        raise absent("correction")
    return reviewed_case(case, _review(parts, session, row, case))


def _review(parts: Parts, session: Session, row: Correction, case: Case) -> Review:
    said = parts.vault.key_of(session, row.owner).open_json(row.document, about=row.id)
    return review(case, Corrections.model_validate(said))


def _view(row: Correction, document: dict[str, Any]) -> CorrectionView:
    return CorrectionView(
        id=row.id, analysis=row.analysis, reviewer=row.reviewer, created=row.created, document=document
    )
