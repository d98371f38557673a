"""Which labelled lesions are most likely wrong: a network that finds lesions says something else.

The three faults are those of ObjectLab (Tkachenko, Thyagarajan and Mueller 2023, arXiv:2309.00832):
a lesion without a label, a label of another type, a label where nothing is. There a label counts by
its likeness to the findings; here lesions are small and boxes of one lesion differ in size, so that
two lie together when the middle of one is inside the other.

The score is what Bayes' rule makes of it where one label in twenty has each fault (`FAULT_RATE`), with the
network's errors as these very labels show them, which is the idea of confident learning (Northcutt et al. 2021,
doi:10.1613/jair.1.12125):

- missed: against a false finding, by the share of findings so sure that lie on a label;
- other type: against a mix-up by the network, by how often it calls that type so, and the other one rightly;
- nothing there: against a lesion that it overlooks, by the share of that type's labels that are found.

It ranks, and is no more right than the assumed rate. Faults that the network shares with whoever labelled are never
seen; the others make it look worse than it is, so that scores are rather too low.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from comedo.training.data.dataset import Dataset, Label, Sample
from comedo.training.metrics.matching import by_score, greedy
from comedo.types import Box, Group

FAULT_RATE = 0.05  # of labels: assumed for each fault


class Fault(StrEnum):
    """What may be wrong."""

    MISSED = "missed"
    OTHER_TYPE = "other_type"
    NOTHING = "nothing_there"


@dataclass(frozen=True)
class BoxDoubt:
    """One place where labels and network contradict each other."""

    photo: str
    fault: Fault
    box_xyxy: Box
    label: str | None  # its type; `None` where there is no label
    found: str | None  # the finding's type; `None` where nothing is found
    score: float  # in [0, 1], higher is more doubtful
    sureness: float | None  # the finding's own score; among equal doubts the surest comes first


@dataclass(frozen=True)
class BoxDoubts:
    """All of a data set, the most doubtful first."""

    doubts: tuple[BoxDoubt, ...]
    labels: int  # that were compared
    photos: int
    left_out: int  # labelled photos through which the network did not look, or without a face
    types_compared: bool  # whether both sides have a name of a type in common


@dataclass(frozen=True, eq=False)
class _Pair:
    """One photo: its labels, its findings, and which finding each label got."""

    photo: str
    labels: tuple[Label, ...]
    found: tuple[Label, ...]
    together: NDArray[np.bool_]  # (labels, found)
    match: NDArray[np.intp]  # (labels,) index of the finding, -1 for none


def doubt_boxes(labelled: Dataset, found: Dataset) -> BoxDoubts:
    """Labels that findings contradict, and findings without a label.

    Findings of a type that the labels do not know are held against labels only, unless no type has the same name
    on both sides: then types are not compared, and every finding counts but flat marks (`mark`, as
    `comedo data prelabel` calls them): on one a label may lie, but nobody who labels acne misses it.

    Args:
        labelled: By people; photos on which nobody looked are left out.
        found: The same photos by a network that has not learnt from these labels, with scores (1 where there is none).
    """
    known = {sample.photo: sample for sample in found.samples if sample.labels is not None}
    looked = [sample for sample in labelled.samples if sample.labels is not None]
    common = set(labelled.categories) & set(found.categories)
    pairs = [_pair(s, known[s.photo], typed=bool(common)) for s in looked if s.photo in known]
    doubts = [*_missed(pairs, common), *_other_types(pairs, common), *_nothing(pairs)]
    return BoxDoubts(
        tuple(sorted(doubts, key=lambda d: (-d.score, -(d.sureness or 0), d.photo, d.box_xyxy))),
        sum(len(p.labels) for p in pairs),
        len(pairs),
        len(looked) - len(pairs),
        bool(common),
    )


def _pair(sample: Sample, seen: Sample, *, typed: bool) -> _Pair:
    labels, found = sample.marks, seen.marks
    apart, together = _distances(labels, found)
    order = by_score(np.array([_sure(f) for f in found]))  # the surest finding chooses first
    same = _same_type(labels, found) if typed else np.ones_like(together)
    taken = greedy(apart.T, (together & same).T, order)
    free = np.ones(len(labels), np.bool_)
    free[taken[taken >= 0]] = False
    rest = together.T & free[None] & (taken < 0)[:, None]
    taken = np.where(taken >= 0, taken, greedy(apart.T, rest, order))
    match = np.full(len(labels), -1, np.intp)
    match[taken[taken >= 0]] = np.flatnonzero(taken >= 0)
    return _Pair(sample.photo, labels, found, together, match)


def _distances(labels: Sequence[Label], found: Sequence[Label]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Distances of the middles in half diagonals of the larger box, and who lies together; (labels, found)."""
    a, b = (np.array([x.bounds_xyxy for x in side], np.float64).reshape(-1, 4) for side in (labels, found))
    middle_a, middle_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    in_b = ((middle_a[:, None] >= b[None, :, :2]) & (middle_a[:, None] <= b[None, :, 2:])).all(2)
    in_a = ((middle_b[None] >= a[:, None, :2]) & (middle_b[None] <= a[:, None, 2:])).all(2)
    diagonal = np.maximum(
        np.linalg.norm(a[:, 2:] - a[:, :2], axis=1)[:, None], np.linalg.norm(b[:, 2:] - b[:, :2], axis=1)
    )
    apart = np.linalg.norm(middle_a[:, None] - middle_b[None], axis=2) / np.maximum(diagonal / 2, 1e-6)
    return apart, np.asarray(in_a | in_b, np.bool_)


def _any(together: NDArray[np.bool_], axis: int) -> list[bool]:
    """Who lies together with somebody."""
    return [bool(v) for v in np.any(together, axis=axis).reshape(-1)]


def _same_type(labels: Sequence[Label], found: Sequence[Label]) -> NDArray[np.bool_]:
    rows = [[label.category == finding.category for finding in found] for label in labels]
    return np.array(rows, np.bool_).reshape(len(labels), len(found))


def _sure(label: Label) -> float:
    return 1.0 if label.score is None else label.score


def _share(right: int, number: int) -> float:
    """One yes and one no are added, so that few say little."""
    return (right + 1) / (number + 2)


def _posterior(fault: float, no_fault: float) -> float:
    return round(fault / (fault + no_fault), 4)


def _missed(pairs: Sequence[_Pair], common: set[str]) -> Iterator[BoxDoubt]:
    rows = [
        (p.photo, finding, on)
        for p in pairs
        for finding, on in zip(p.found, _any(p.together, 0), strict=True)
        if common or finding.category != Group.MARK
    ]
    real = _shares_by_score([_sure(finding) for _, finding, _ in rows], [on for _, _, on in rows])
    for (photo, finding, on), share in zip(rows, real, strict=True):
        if not on and (not common or finding.category in common):
            score = _posterior(FAULT_RATE * share, 1 - share)
            yield BoxDoubt(photo, Fault.MISSED, finding.bounds_xyxy, None, finding.category, score, _sure(finding))


def _shares_by_score(scores: Sequence[float], right: Sequence[bool]) -> list[float]:
    """The share of true ones among those of a like score, never falling with it; (N,) inside 0 to 1."""
    from sklearn.isotonic import IsotonicRegression

    if not scores:
        return []
    least = _share(0, len(scores))
    fitted = IsotonicRegression(y_min=least, y_max=1 - least).fit_transform(scores, np.asarray(right, np.float64))
    return [float(v) for v in fitted]


def _other_types(pairs: Sequence[_Pair], common: set[str]) -> Iterator[BoxDoubt]:
    matched = [
        (p.photo, label, p.found[number])
        for p in pairs
        for label, number in zip(p.labels, p.match, strict=True)
        if number >= 0 and label.category in common
    ]
    said = Counter((label.category, finding.category) for _, label, finding in matched)
    number = Counter(label.category for _, label, _ in matched)
    for photo, label, finding in matched:
        mine, other = label.category, finding.category
        if mine != other:
            fault = FAULT_RATE / max(1, len(common) - 1) * _share(said[other, other], number[other])
            score = _posterior(fault, (1 - FAULT_RATE) * _share(said[mine, other], number[mine]))
            yield BoxDoubt(photo, Fault.OTHER_TYPE, label.bounds_xyxy, mine, other, score, _sure(finding))


def _nothing(pairs: Sequence[_Pair]) -> Iterator[BoxDoubt]:
    rows = [(p.photo, label, on) for p in pairs for label, on in zip(p.labels, _any(p.together, 1), strict=True)]
    number, found = Counter(r[1].category for r in rows), Counter(r[1].category for r in rows if r[2])
    for photo, label, on in rows:
        if not on:
            seen = _share(found[label.category], number[label.category])
            score = _posterior(FAULT_RATE, (1 - FAULT_RATE) * (1 - seen))
            yield BoxDoubt(photo, Fault.NOTHING, label.bounds_xyxy, label.category, None, score, None)
