"""Two photos laid on each other, made when they are looked at; nothing of them is kept afterwards."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from comedo.progress.change import measure_change
from comedo.progress.values import Change
from comedo.report.change_pictures import aligned
from comedo.report.pictures import to_jpeg
from comedo.service.accounts.access import see
from comedo.service.accounts.actor import Actor
from comedo.service.actions.analyses import newest_of
from comedo.service.actions.stored import even_out, visit_of
from comedo.service.database.tables import Photo
from comedo.service.parts import Parts


@dataclass(frozen=True, eq=False)
class Pair:
    """The change from one photo to another, and both faces on the place of the first, as data addresses."""

    change: Change
    before: str
    after: str


def make_pair(parts: Parts, actor: Actor, before: str, after: str) -> Pair:
    """Lay one photo on another; about half a second.

    Raises:
        Problem: A photo is not there, not for this actor, or not measured.
        UnusableInput: The pixels of one are gone.
    """
    photos = [see(parts, actor, Photo, photo, "photo.read") for photo in (before, after)]
    rows = [newest_of(parts, actor, photo, "analysis.read") for photo in (before, after)]
    with parts.database.read() as session:
        pair = [visit_of(parts, session, row, photo) for row, photo in zip(rows, photos, strict=True)]
    visits, notices = even_out(pair, rows)
    change = measure_change(visits, notices=notices)
    return Pair(change, _address(change, 0), _address(change, 1))


def _address(change: Change, visit: int) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(to_jpeg(aligned(change, visit))).decode()
