"""Notes: texts by the owner or by a clinician whom the owner lets look, about a photo or about the person."""

from __future__ import annotations

from sqlalchemy import select

from comedo.service.accounts.access import may_look, note_look, see_owner
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.paging import piece
from comedo.service.actions.views import NoteView, Page
from comedo.service.database.audit import record
from comedo.service.database.columns import new_id, now
from comedo.service.database.counts import need_room
from comedo.service.database.tables import Note, Photo
from comedo.service.parts import Parts
from comedo.service.problems import absent


def add(parts: Parts, actor: Actor, text: str, *, owner: str | None = None, photo: str | None = None) -> NoteView:
    """Keep a note about one's own, or a patient's, photo or person."""
    actor.need(Scope.WRITE)
    whose = owner or actor.account
    note_look(parts, actor, whose, "note.add", photo, "patient")
    row = Note(id=new_id(), owner=whose, author=actor.account, photo=photo, created=now())
    with parts.database.write() as session:
        about = None if photo is None else session.get(Photo, photo)
        if photo is not None and (about is None or about.owner != whose):
            raise absent("photo")
        need_room(session, Note, whose, Note.owner == whose, Note.author == actor.account)
        row.text = parts.vault.key_of(session, whose).seal_text(text, about=row.id)
        session.add(row)
    return _view(row, text)


def list_notes(
    parts: Parts,
    actor: Actor,
    *,
    owner: str | None = None,
    photo: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[NoteView]:
    """Notes about a person or one photo, newest first."""
    whose = see_owner(parts, actor, owner, "note.list")
    rows = select(Note).where(Note.owner == whose)
    rows = rows if photo is None else rows.where(Note.photo == photo)
    with parts.database.read() as session:
        found, after = piece(session, rows, (Note.created, Note.id), limit=limit, cursor=cursor)
        key = parts.vault.key_of(session, whose)
    return Page(items=[_view(row, key.open_text(row.text, about=row.id)) for row in found], next=after)


def delete(parts: Parts, actor: Actor, note: str) -> None:
    """Remove a note: its author may, and whose data it is."""
    actor.need(Scope.WRITE)
    with parts.database.write() as session:
        row = session.get(Note, note)
        if row is None or actor.account not in (row.author, row.owner) or not may_look(session, actor, row.owner):
            raise absent("note")
        record(session, actor=actor.account, owner=row.owner, action="note.delete", object_id=row.id)
        session.delete(row)


def _view(row: Note, text: str) -> NoteView:
    return NoteView(id=row.id, owner=row.owner, author=row.author, photo=row.photo, text=text, created=row.created)
