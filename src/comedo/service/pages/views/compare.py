"""Two photos of one person: the verdict, the measures, and each lesion before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from comedo.progress.canvas import CANVAS_PX
from comedo.progress.values import Change, Sighting, State, Track, View
from comedo.report.change_document import ChangeDocument, MeasurePart, VerdictPart
from comedo.report.change_pictures import chosen_tracks
from comedo.report.change_tables import to_change_document
from comedo.service.pages.views.overlay import region_name
from comedo.service.pages.views.result import advice_of
from comedo.service.pages.views.standing import Flip
from comedo.service.pages.views.verdict import VerdictView, view_verdict
from comedo.service.pages.words import Words
from comedo.types import Region

CROP_PX = 44  # canvas pixels around a lesion: 19 mm
_LEAST_RING_PX = 5.0


@dataclass(frozen=True)
class Option:
    """A photo to choose."""

    id: str
    text: str


@dataclass(frozen=True)
class Half:
    """One of the two photos; `picture` is the address of its face on the baseline's place."""

    id: str
    day: str
    picture: str | None
    rings: tuple[Ring, ...] = ()


@dataclass(frozen=True)
class Ring:
    """A lesion's outline on the aligned face."""

    x: float
    y: float
    r: float
    state: str


@dataclass(frozen=True)
class Strip:
    """One lesion: its place before and after."""

    name: str
    text: str
    box: str  # viewBox
    state: str


@dataclass(frozen=True)
class CompareView:
    """Everything on the page."""

    options: tuple[Option, ...]
    before: Half
    after: Half
    verdict: VerdictView
    checks: tuple[str, ...]
    states: tuple[tuple[str, int], ...]
    measures: tuple[tuple[str, ...], ...]
    regions: tuple[tuple[str, ...], ...]
    strips: tuple[Strip, ...]
    flip: Flip | None


@dataclass(frozen=True)
class Chosen:
    """The two photos that are compared, and all that could be; `may_flip`: the owner was not asked yet."""

    before: Half
    after: Half
    options: Sequence[Option]
    may_flip: bool = False
    day: str = ""


def view_compare(change: Change, chosen: Chosen, words: Words) -> CompareView:
    """The page of a comparison of two visits."""
    document = to_change_document(change)
    later = document.photos[-1]
    dates = [photo.when for photo in document.photos]
    return CompareView(
        options=tuple(chosen.options),
        before=Half(chosen.before.id, chosen.before.day, chosen.before.picture, _rings(change, 0)),
        after=Half(
            chosen.after.id,
            chosen.after.day,
            chosen.after.picture if change.last_compared else None,
            _rings(change, 1),
        ),
        verdict=view_verdict(document.verdict, dates[0], dates[-1], words),
        checks=(
            *advice_of(later.checks, words),
            *(words.tell(line) for line in (later.reason, *document.notices) if line),
        ),
        states=_states(change, words),
        measures=tuple(_measure(m, words) for m in document.verdict.measures),
        regions=tuple(_regions(document, words)),
        strips=tuple(_strip(track, words) for track in chosen_tracks(change.ledger)) if change.last_compared else (),
        flip=_flip(chosen, later.view, words),
    )


def _flip(chosen: Chosen, view: View, words: Words) -> Flip | None:
    if not chosen.may_flip or view is not View.MIRRORED:
        return None
    return Flip(chosen.after.id, words.say("flip.question", day=chosen.day))


def _rings(change: Change, visit: int) -> tuple[Ring, ...]:
    seen = [(track, track.at(visit)) for track in change.ledger]
    return tuple(_ring(track, here) for track, here in seen if here is not None and here.group is not None)


def _ring(track: Track, here: Sighting) -> Ring:
    r = max(_LEAST_RING_PX, 1.6 * (here.area_mm2 or 0.0) ** 0.5 + 2)
    return Ring(round(track.xy[0], 1), round(track.xy[1], 1), round(r, 1), str(here.state))


def _states(change: Change, words: Words) -> tuple[tuple[str, int], ...]:
    last = [track.at(1) for track in change.ledger if track.was_active]
    counted = Counter(s.state for s in last if s is not None)
    order = (State.PERSISTING, State.NEW, State.RESOLVED, State.TURNED_INTO_MARK, State.NOT_VISIBLE)
    return tuple((words.say(f"state.{state}"), counted[state]) for state in order)


def _measure(m: MeasurePart, words: Words) -> tuple[str, ...]:
    return (
        words.say(f"measure.{m.name}"),
        words.number(m.before),
        words.number(m.after),
        ("+" if m.difference > 0 else "") + words.number(m.difference),
        words.number(m.noise_limit),
        words.say(f"answer.{m.answer}"),
    )


def _regions(document: ChangeDocument, words: Words) -> list[tuple[str, ...]]:
    return [_region(region, verdict, words) for region, verdict in document.regions.items()]


def _region(region: Region, verdict: VerdictPart, words: Words) -> tuple[str, ...]:
    count = verdict.measures[0] if verdict.measures else None
    before, after = ("–", "–") if count is None else (words.number(count.before, 0), words.number(count.after, 0))
    return region_name(region, words), before, after, words.say(f"answer.{verdict.answer}")


def _strip(track: Track, words: Words) -> Strip:
    half = CROP_PX / 2
    x, y = (min(max(v, half), CANVAS_PX - half) - half for v in track.xy)
    here = track.at(1)
    state = State.NOT_VISIBLE if here is None else here.state
    sizes = [words.say("lesion.mm2", n=words.number(s.area_mm2)) for s in track.sightings if s.area_mm2 is not None]
    text = " · ".join([words.say(f"state.{state}"), " → ".join(sizes)] if sizes else [words.say(f"state.{state}")])
    return Strip(
        words.say("compare.lesion", n=track.id, region=region_name(track.region, words)),
        text,
        f"{x:.0f} {y:.0f} {CROP_PX} {CROP_PX}",
        str(state),
    )
