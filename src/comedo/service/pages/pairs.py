"""Two photos laid on each other, made when they are looked at: about half a second, kept for a few minutes' clicks."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from comedo.progress.change import measure_change
from comedo.progress.values import Change
from comedo.report.change_pictures import aligned
from comedo.report.pictures import to_jpeg
from comedo.service.accounts.access import see
from comedo.service.accounts.actor import Actor
from comedo.service.actions.analyses import newest_of
from comedo.service.actions.stored import case_of, visit_of
from comedo.service.database.tables import Analysis, Photo
from comedo.service.parts import Parts

_KEPT = 12  # pairs in memory, 3 MB each


@dataclass(frozen=True, eq=False)
class Pair:
    """The change from one photo to another, and both faces as JPEG on the place of the first."""

    change: Change
    faces: tuple[bytes, bytes]


class Pairs:
    """Pairs made lately. Who may see a pair is asked before, every time."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, str], Pair] = OrderedDict()
        self._lock = Lock()

    def get(self, parts: Parts, actor: Actor, before: str, after: str) -> Pair:
        """The pair of two photos that the actor may see.

        Raises:
            Problem: A photo is not there, not for this actor, or not measured.
            UnusableInput: The pixels of one are gone.
        """
        photos = [see(parts, actor, Photo, photo, "photo.read") for photo in (before, after)]
        rows = [newest_of(parts, actor, photo, "analysis.read") for photo in (before, after)]
        key = (rows[0].id, rows[1].id)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        pair = _make(parts, photos, rows)
        with self._lock:
            self._made[key] = pair
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return pair


def _make(parts: Parts, photos: list[Photo], rows: list[Analysis]) -> Pair:
    with parts.database.read() as session:
        cases = [case_of(parts, session, row) for row in rows]
    visits = [visit_of(case, photo) for case, photo in zip(cases, photos, strict=True)]
    change = measure_change(visits)
    return Pair(change, (to_jpeg(aligned(change, 0)), to_jpeg(aligned(change, 1))))
