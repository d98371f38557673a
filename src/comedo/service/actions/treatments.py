"""Treatments with their days: what was used, from when to when, in the person's own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from comedo.service.accounts.access import own, see_owner
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.views import TreatmentView
from comedo.service.database.columns import new_id, now
from comedo.service.database.counts import MOST, need_room
from comedo.service.database.tables import Treatment
from comedo.service.parts import Parts
from comedo.service.problems import Problem
from comedo.service.storage.about import treatment_note_about
from comedo.service.storage.vault import DataKey


@dataclass(frozen=True)
class TreatmentIn:
    """What is said of a treatment; `ended` None: still in use."""

    name: str
    started: date
    ended: date | None = None
    note: str | None = None


def add(parts: Parts, actor: Actor, treatment: TreatmentIn) -> TreatmentView:
    """Keep a treatment."""
    actor.need(Scope.WRITE)
    row = Treatment(id=new_id(), owner=actor.account, created=now())
    with parts.database.write() as session:
        need_room(session, Treatment, actor.account, Treatment.owner == actor.account)
        key = parts.vault.key_of(session, actor.account)
        _fill(row, key, treatment)
        session.add(row)
    return _view(row, key)


def list_treatments(parts: Parts, actor: Actor, *, owner: str | None = None) -> list[TreatmentView]:
    """Treatments, the latest begun first."""
    whose = see_owner(parts, actor, owner, "treatment.list")
    rows = select(Treatment).where(Treatment.owner == whose)
    with parts.database.read() as session:
        key = parts.vault.key_of(session, whose)
        found = session.scalars(rows.order_by(Treatment.started.desc(), Treatment.id).limit(MOST[Treatment])).all()
    return [_view(row, key) for row in found]


def change(parts: Parts, actor: Actor, treatment: str, said: TreatmentIn) -> TreatmentView:
    """Say a treatment anew."""
    with parts.database.write() as session:
        row = own(session, actor, Treatment, treatment)
        key = parts.vault.key_of(session, row.owner)
        _fill(row, key, said)
    return _view(row, key)


def delete(parts: Parts, actor: Actor, treatment: str) -> None:
    """Forget a treatment."""
    with parts.database.write() as session:
        session.delete(own(session, actor, Treatment, treatment))


def _fill(row: Treatment, key: DataKey, said: TreatmentIn) -> None:
    if said.ended is not None and said.ended < said.started:
        raise Problem("invalid", "a treatment ends after it began", fields={"ended": "is before started"})
    row.name = key.seal_text(said.name, about=row.id)
    row.note = None if said.note is None else key.seal_text(said.note, about=treatment_note_about(row.id))
    row.started, row.ended = said.started, said.ended


def _view(row: Treatment, key: DataKey) -> TreatmentView:
    return TreatmentView(
        id=row.id,
        owner=row.owner,
        name=key.open_text(row.name, about=row.id),
        note=None if row.note is None else key.open_text(row.note, about=treatment_note_about(row.id)),
        started=row.started,
        ended=row.ended,
        created=row.created,
    )
