"""Consent: a patient lets a clinician see everything of theirs, until they withdraw it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.views import ConsentView
from comedo.service.database.audit import record
from comedo.service.database.columns import new_id, now
from comedo.service.database.counts import need_room
from comedo.service.database.tables import Account, Consent
from comedo.service.parts import Parts
from comedo.service.problems import Problem, absent


def give(parts: Parts, actor: Actor, clinician_email: str) -> ConsentView:
    """Let a clinician look, named by their address.

    Raises:
        Problem: There is no such clinician, or the consent is there already.
    """
    actor.need_browser("giving consent")
    with parts.database.write() as session:
        clinician = session.scalar(
            select(Account).where(
                Account.email == clinician_email, Account.role == "clinician", Account.disabled.is_(None)
            )
        )
        if clinician is None:
            raise absent("clinician")
        if clinician.id == actor.account:
            raise Problem("invalid", "you see your own photos anyway", fields={"clinician_email": "is your own"})
        need_room(session, Consent, actor.account, Consent.patient == actor.account)
        row = Consent(id=new_id(), patient=actor.account, clinician=clinician.id, given=now())
        session.add(row)
        _record(session, actor, "consent.give", row)
        try:
            session.flush()
        except IntegrityError as error:
            raise Problem("conflict", "this clinician may look already") from error
        return _views(session, [row], actor)[0]


def withdraw(parts: Parts, actor: Actor, consent: str) -> None:
    """End a consent; the clinician's next request finds nothing."""
    actor.need_browser("withdrawing consent")
    with parts.database.write() as session:
        row = session.get(Consent, consent)
        if row is None or row.patient != actor.account:
            raise absent("consent")
        if row.withdrawn is None:
            row.withdrawn = now()
            _record(session, actor, "consent.withdraw", row)


def _record(session: Session, actor: Actor, action: str, consent: Consent) -> None:
    """Note what the patient, who alone may, did about a consent."""
    mine = actor.account
    record(session, actor=mine, owner=mine, action=action, object_id=consent.id, address=actor.address)


def list_consents(parts: Parts, actor: Actor) -> list[ConsentView]:
    """Those that the actor gave, and, of a clinician, those that hold; newest first."""
    actor.need_browser("looking at consents")
    held = (Consent.clinician == actor.account) & Consent.withdrawn.is_(None)
    return _listed(parts, actor, (Consent.patient == actor.account) | held)


def patients(parts: Parts, actor: Actor) -> list[ConsentView]:
    """The patients who let this clinician look."""
    actor.need(Scope.READ)
    if actor.role != "clinician":
        raise Problem("not_allowed", "only clinicians have patients")
    return _listed(parts, actor, (Consent.clinician == actor.account) & Consent.withdrawn.is_(None))


def _listed(parts: Parts, actor: Actor, which: ColumnElement[bool]) -> list[ConsentView]:
    with parts.database.read() as session:
        rows = session.scalars(select(Consent).where(which).order_by(Consent.given.desc(), Consent.id)).all()
        return _views(session, rows, actor)


def _views(session: Session, rows: Sequence[Consent], actor: Actor) -> list[ConsentView]:
    ids = {one for row in rows for one in (row.patient, row.clinician)}
    people = {a.id: a for a in session.scalars(select(Account).where(Account.id.in_(ids)))}
    return [_view(row, people, actor) for row in rows]


def _view(row: Consent, people: dict[str, Account], actor: Actor) -> ConsentView:
    patient, clinician = people[row.patient], people[row.clinician]
    return ConsentView(
        id=row.id,
        patient=row.patient,
        patient_email=patient.email if row.withdrawn is None or row.patient == actor.account else None,
        clinician=row.clinician,
        clinician_name=clinician.name,
        clinician_email=clinician.email,
        given=row.given,
        withdrawn=row.withdrawn,
    )
