"""Right, false and missed boxes of photos: what every figure of a detector is counted from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from comedo.training.detection.serve import Found, without_doubles
from comedo.training.detection.ways import Way
from comedo.training.figures import Measure
from comedo.training.metrics.curves import Scored, average_precision, best_threshold, pool
from comedo.training.metrics.matching import match_boxes
from comedo.training.metrics.reliability import reliability
from comedo.training.metrics.tally import Tally
from comedo.types import Region

IOU = 0.5  # overlap from which a found box is the true one
_OVERLAP = f"overlap (IoU) of at least {IOU:g}"
_CUT = "above the score that is best for the type on the other half of the people"
_UNKNOWN_CUT = 0.5  # where the other half of the people tells nothing


@dataclass(frozen=True, eq=False)
class Seen:
    """What was found on one photo by each way, and what is there."""

    name: str
    person: str
    found: Mapping[Way, Found]
    boxes: NDArray[np.float64]  # (G, 4) true
    types: NDArray[np.int64]  # (G,) true
    kinds: int  # how many types there are
    part: Region | None = None  # of the face that the photo shows, where it was cut


@dataclass(frozen=True, eq=False)
class Judged:
    """One photo's verdicts by one way; everything by type, in the order of the recipe's types."""

    person: str
    scored: tuple[Scored, ...]  # all findings
    tallies: tuple[Tally, ...]  # those above the type's cut-off
    confusion: NDArray[np.int64]  # (C + 1, C + 1) true by called, above the cut-offs; the last is background


def score_photo(seen: Seen, way: Way) -> tuple[Scored, ...]:
    """Match the findings of each type to the true boxes of that type, as COCO does."""
    found = seen.found[way]
    rows = []
    for number in range(seen.kinds):
        mine, true = found.choose(found.classes == number), seen.boxes[seen.types == number]
        matched = match_boxes(mine.boxes, mine.scores, true, IOU)
        rows.append(Scored(mine.scores, matched >= 0, len(true)))
    return tuple(rows)


def confuse(seen: Seen, way: Way, cuts: Sequence[float]) -> NDArray[np.int64]:
    """Which true type was called what, one finding a place, whatever its type; (C + 1, C + 1)."""
    found = seen.found[way]
    found = found.choose(found.scores >= np.asarray(cuts, np.float64)[found.classes])
    found = without_doubles(found, IOU, across_types=True)
    matched = match_boxes(found.boxes, found.scores, seen.boxes, IOU)
    nothing = len(cuts)
    called = np.full(len(seen.boxes), nothing)
    called[matched[matched >= 0]] = found.classes[matched >= 0]
    table = np.zeros((nothing + 1, nothing + 1), np.int64)
    np.add.at(table, (seen.types, called), 1)
    np.add.at(table, (np.full(int((matched < 0).sum()), nothing), found.classes[matched < 0]), 1)
    return table


def cut_off(photos: Sequence[Scored]) -> float:
    """The score of the highest F1 of a type over some photos."""
    best = best_threshold(pool(list(photos)))
    return _UNKNOWN_CUT if best is None else best.threshold


def _halves(people: Sequence[str]) -> list[int]:
    """0 or 1 for each row: half of the people each, in an order that says nothing."""
    order = sorted(set(people), key=lambda name: (crc32(name.encode()), name))
    half = {name: rank % 2 for rank, name in enumerate(order)}
    return [half[name] for name in people]


def judge(rows: Sequence[Seen], way: Way) -> list[Judged]:
    """Judge photos with cut-offs that come from other people.

    People are halved; the cut-offs of one half are those of the highest F1 on the
    other, so that no photo chooses the cut-off that it is measured at.
    """
    scored = [score_photo(row, way) for row in rows]
    halves = _halves([row.person for row in rows])
    cuts = []
    for side in (0, 1):
        others = [s for s, half in zip(scored, halves, strict=True) if half != side]
        cuts.append([cut_off([s[number] for s in others]) for number in range(rows[0].kinds if rows else 0)])
    judged = []
    for row, own, half in zip(rows, scored, halves, strict=True):
        mine = cuts[half]
        tallies = tuple(s.at(cut) for s, cut in zip(own, mine, strict=True))
        judged.append(Judged(row.person, own, tallies, confuse(row, way, mine)))
    return judged


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def _precision_of(rows: Sequence[Judged], number: int) -> float | None:
    return average_precision(pool([row.scored[number] for row in rows]))


def _tally_of(rows: Sequence[Judged], number: int) -> Tally:
    return sum((row.tallies[number] for row in rows), Tally())


def _of_any_type(rows: Sequence[Judged]) -> float | None:
    table = np.stack([row.confusion for row in rows]).sum(0)
    hits = int(table[:-1, :-1].sum())
    return Tally(hits, int(table[-1, :-1].sum()), int(table[:-1, -1].sum())).f1


def _calibration_error(rows: Sequence[Judged]) -> float | None:
    found = pool([scored for row in rows for scored in row.scored])
    return reliability(found.scores, found.hits).error


def _measures_of_type(number: int, name: str) -> list[Measure[Judged]]:
    return [
        Measure(
            f"AP50 {name}",
            f"average precision at an {_OVERLAP}",
            lambda rows: _precision_of(rows, number),
        ),
        Measure(f"F1 {name}", f"F1 of findings {_CUT}", lambda rows: _tally_of(rows, number).f1),
        Measure(
            f"cut-off {name}",
            "score of the highest F1 on all held-back photos",
            lambda rows: cut_off([row.scored[number] for row in rows]),
            resampled=False,
        ),
    ]


def measures_of(types: Sequence[str]) -> list[Measure[Judged]]:
    """The figures of a detector of some types."""
    numbers = range(len(types))
    figures = [
        Measure(
            "mAP50",
            f"mean over types of the average precision (101 recall points) at an {_OVERLAP}",
            lambda rows: _mean([_precision_of(rows, n) for n in numbers]),
        ),
        Measure(
            "mean F1",
            f"mean over types of the F1 of findings {_CUT}, at an {_OVERLAP}",
            lambda rows: _mean([_tally_of(rows, n).f1 for n in numbers]),
        ),
        Measure("F1, any type", f"F1 of findings {_CUT}, whatever type they are called", _of_any_type),
        Measure(
            "calibration error",
            "mean distance of scores from the share of boxes that are a lesion of their type, over ten bins, by boxes",
            _calibration_error,
        ),
    ]
    for number, name in enumerate(types):
        figures += _measures_of_type(number, name)
    return figures
