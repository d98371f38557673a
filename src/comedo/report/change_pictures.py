"""Pictures of a change: the faces laid on the baseline, and each lesion through the series. Metadata: none."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from comedo.progress.canvas import CANVAS_PX
from comedo.progress.values import Change, State, Track
from comedo.report.drawing import draw_shape
from comedo.report.look import GROUPS, Rgb
from comedo.report.pictures import to_jpeg
from comedo.types import Image

_CROP, _ZOOM = 44, 2  # canvas pixels around a lesion (19 mm), and how much larger they are shown
_GAP = 4
_MOST_TRACKS = 24
_GREY: Rgb = (190, 190, 190)
_STATE_COLOURS: dict[State, Rgb] = {
    State.PRESENT: (120, 120, 120),
    State.NEW: (216, 27, 96),
    State.PERSISTING: (30, 136, 229),
    State.RESOLVED: (0, 140, 90),
    State.TURNED_INTO_MARK: (255, 193, 7),
    State.NOT_VISIBLE: _GREY,
}


def aligned(change: Change, visit: int) -> Image:
    """A visit's face where the baseline's is, (n, n, 3); visits that cannot be compared as they are."""
    canvas, alignment = change.visits[visit].canvas, change.comparisons[visit].alignment
    if alignment is None or not change.comparisons[visit].comparable:
        return canvas.image
    return alignment.warp(canvas.image)


def face_jpeg(change: Change, visit: int) -> bytes:
    """The aligned face with the ledger's lesions of that visit outlined."""
    picture = np.ascontiguousarray(aligned(change, visit).copy())
    for track in change.ledger:
        here = track.at(visit)
        if here is None or here.group is None:
            continue
        look = GROUPS[here.group]
        radius = max(4.0, 1.3 * (here.area_mm2 or 4.0) ** 0.5)
        draw_shape(picture, look.shape, track.xy, radius, _STATE_COLOURS[here.state], 1)
    return to_jpeg(picture)


def chosen_tracks(ledger: Sequence[Track]) -> list[Track]:
    """The lesions worth a strip: those that changed before those that stayed, larger before smaller; marks never."""

    def rank(track: Track) -> tuple[bool, float]:
        changed = any(s.state not in (State.PRESENT, State.PERSISTING) for s in track.sightings)
        return not changed, -max((s.area_mm2 or 0.0 for s in track.sightings), default=0.0)

    return sorted((t for t in ledger if t.was_active), key=rank)[:_MOST_TRACKS]


def strips(change: Change, tracks: Sequence[Track]) -> list[bytes]:
    """For each lesion one JPEG: its place at every comparable visit, framed in the colour of its state."""
    visits = [i for i, c in enumerate(change.comparisons) if c.comparable]
    cells: list[list[Image]] = [[] for _ in tracks]
    for visit in visits:  # one aligned face at a time: a long series needs no more memory than a short one
        face = aligned(change, visit)
        for row, track in zip(cells, tracks, strict=True):
            row.append(_cell(face, track, visit))
    return [to_jpeg(np.concatenate(row, axis=1)) for row in cells]


def _cell(face: Image, track: Track, visit: int) -> Image:
    x, y = (min(max(round(v), _CROP // 2), CANVAS_PX - _CROP // 2) for v in track.xy)
    half = _CROP // 2
    crop = cv2.resize(face[y - half : y + half, x - half : x + half], None, fx=_ZOOM, fy=_ZOOM)
    here = track.at(visit)
    colour = _GREY if here is None else _STATE_COLOURS[here.state]
    framed = cv2.copyMakeBorder(crop, _GAP, _GAP, _GAP, _GAP, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(framed, np.uint8)
