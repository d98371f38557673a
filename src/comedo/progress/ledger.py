"""The same lesion from photo to photo: what every visit shows of it, and its history.

Hysteresis along time: a lesion that one photo reports is there as well in the photos before and after that show it
faintly, below the cut-off of a single photo, until a photo shows nothing. A flicker at the cut-off is then no change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from comedo.progress.placing import Placed, inside, match, match_faint, place_faint, place_lesions, region_at
from comedo.progress.values import Comparison, Sighting, State, Track, Visit
from comedo.types import Group, Lesion, Xy

# A lesion that was active at another visit stays so until its probability of being a mark exceeds this.
_SURELY_MARK = 0.65


@dataclass
class _Growing:
    """A lesion while it is followed: by visit what reports it, and where it is seen only faintly."""

    xy: Xy
    diameter_px: float
    found: dict[int, Placed]
    faint: set[int] = field(default_factory=set)

    def take(self, visit: int, placed: Placed) -> None:
        self.found[visit] = placed
        self.xy = (0.5 * (self.xy[0] + placed.xy[0]), 0.5 * (self.xy[1] + placed.xy[1]))
        self.diameter_px = placed.diameter_px


def build_ledger(visits: Sequence[Visit], comparisons: Sequence[Comparison]) -> tuple[Track, ...]:
    """Follow every lesion through the comparable visits; marks too, since lesions turn into them."""
    usable = {i: c for i, c in enumerate(comparisons) if c.comparable}
    growing = _follow(visits, usable)
    _add_faint(growing, visits, usable)
    parts = visits[0].canvas.parts
    return tuple(Track(n, t.xy, region_at(parts, t.xy), tuple(_history(t, usable))) for n, t in enumerate(growing, 1))


def _follow(visits: Sequence[Visit], usable: Mapping[int, Comparison]) -> list[_Growing]:
    growing: list[_Growing] = []
    for index, comparison in usable.items():
        found = [p for p in place_lesions(visits[index], comparison, visits[0].canvas.parts) if p.seen]
        pairs = match([(t.xy, t.diameter_px) for t in growing], found, _residual(comparison))
        for i, j in pairs.items():
            growing[i].take(index, found[j])
        taken = set(pairs.values())
        growing += [_Growing(p.xy, p.diameter_px, {index: p}) for j, p in enumerate(found) if j not in taken]
    return growing


def _add_faint(growing: Sequence[_Growing], visits: Sequence[Visit], usable: Mapping[int, Comparison]) -> None:
    for index, comparison in usable.items():
        missed = {i: t.xy for i, t in enumerate(growing) if index not in t.found}
        for i in match_faint(missed, place_faint(visits[index], comparison), _residual(comparison)):
            growing[i].faint.add(index)


def _residual(comparison: Comparison) -> float | None:
    return None if comparison.alignment is None else comparison.alignment.residual_share


def _history(track: _Growing, usable: Mapping[int, Comparison]) -> list[Sighting]:
    """What every visit says of a lesion from its first sighting on."""
    known = [i for i, c in usable.items() if i in track.found or inside(c.common, track.xy)]
    there = _runs(track, known)
    active = any(p.lesion.active for p in track.found.values())
    sightings: list[Sighting] = []
    for index in usable:
        if not sightings and index not in there:
            continue
        if index not in known:
            sightings.append(Sighting(index, State.NOT_VISIBLE))
        elif index not in there:
            sightings.append(Sighting(index, State.RESOLVED))
        else:
            sightings.append(_sighting(track, index, active, sightings, before=any(i < index for i in known)))
    return sightings


def _runs(track: _Growing, known: Sequence[int]) -> set[int]:
    """The visits at which the lesion is there: runs of sightings, clear or faint, with a clear one among them."""
    there: set[int] = set()
    run: list[int] = []
    for index in [*known, None]:
        if index is not None and (index in track.found or index in track.faint):
            run.append(index)
            continue
        if any(i in track.found for i in run):
            there |= set(run)
        run = []
    return there


def _sighting(track: _Growing, index: int, active: bool, earlier: Sequence[Sighting], *, before: bool) -> Sighting:
    placed = track.found.get(index)
    group = _group(placed.lesion, active) if placed else _group(_nearest(track, index).lesion, active)
    state = _state(group, earlier, before=before)
    if placed is None:
        return Sighting(index, state, None, group)
    lesion = placed.lesion
    return Sighting(index, state, lesion.id, group, placed.area_mm2, lesion.redness)


def _nearest(track: _Growing, index: int) -> Placed:
    return track.found[min(track.found, key=lambda i: abs(i - index))]


def _group(lesion: Lesion, active: bool) -> Group:
    """The group, where a lesion that is active at some visit is a mark only if it surely is one."""
    if lesion.active or not active or lesion.group_probs[Group.MARK] > _SURELY_MARK:
        return lesion.group
    return max((Group.INFLAMMATORY, Group.NON_INFLAMMATORY), key=lambda g: lesion.group_probs[g])


def _state(group: Group, earlier: Sequence[Sighting], *, before: bool) -> State:
    """The state of a lesion that is there; `before`: whether an earlier visit showed its place."""
    seen = [s for s in earlier if s.state is not State.NOT_VISIBLE]
    if not seen:
        return State.NEW if before else State.PRESENT
    was_active = any(s.alive for s in earlier)
    if group is Group.MARK:
        return State.TURNED_INTO_MARK if was_active else State.PERSISTING
    healed = seen[-1].state in (State.RESOLVED, State.TURNED_INTO_MARK) or not was_active
    return State.NEW if healed else State.PERSISTING
