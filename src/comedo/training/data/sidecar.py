"""The sidecar: what a format has no place for, in a file beside it, so that nothing is lost on the way.

One JSON file `comedo.json` in the folder of the format, or NAME.comedo.json beside its file:
`photos` holds, by name, the facts of each photo; `labels` there are the facts of its labels, in
the order in which the format lists them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel

from comedo.training.data.dataset import Dataset, Label, Sample, Vote
from comedo.training.data.files import BadAnnotations, read_json, row
from comedo.training.data.formats.base import FACTS, Format

SCHEMA = "comedo.sidecar/1"


class _LabelFacts(BaseModel):
    score: float | None = None
    rater: str | None = None
    box: tuple[float, float, float, float] | None = None


class _PhotoFacts(BaseModel):
    person: str | None = None
    split: str | None = None
    grade: int | None = None
    source: str | None = None
    size: tuple[int, int] | None = None
    unseen: bool = False
    votes: list[tuple[str, int | None]] = []
    labels: list[_LabelFacts] = []


class Sidecar(BaseModel):
    """The whole file."""

    categories: list[str] | None = None
    photos: dict[str, _PhotoFacts] = {}

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Known width and height of photos."""
        return {name: facts.size for name, facts in self.photos.items() if facts.size is not None}


def sidecar_path(path: Path, kind: Format) -> Path:
    """Where the sidecar of a data set lies."""
    return path / "comedo.json" if kind.folder else path.with_suffix(".comedo.json")


def write_sidecar(dataset: Dataset, path: Path, kind: Format) -> bool:
    """Write what the format does not carry; an old sidecar goes when there is nothing to keep.

    Returns:
        Whether there was something to keep.
    """
    absent = FACTS - kind.carries
    photos = {s.photo: facts for s in dataset.samples if (facts := _photo_facts(s, absent))}
    target = sidecar_path(path, kind)
    met = sorted(dataset.samples, key=_file) if kind.folder else dataset.samples  # as they are read again
    listed = tuple(dict.fromkeys(label.category for s in met for label in s.marks))
    categories = {"categories": dataset.categories} if "categories" in absent and listed != dataset.categories else {}
    if not photos and not categories:
        target.unlink(missing_ok=True)
        return False
    content = {"schema": SCHEMA, "format": kind.name, **categories, "photos": photos}
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return True


def _file(sample: Sample) -> PurePosixPath:
    """Where a folder of one file a photo has that of a sample."""
    return PurePosixPath(sample.photo).with_suffix(".xml")


def _photo_facts(sample: Sample, absent: frozenset[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "person": sample.person,
        "split": sample.split,
        "grade": sample.grade,
        "source": sample.source,
        "size": None if sample.width is None else (sample.width, sample.height),
        "unseen": True if sample.labels is None else None,
        "votes": [(v.rater, v.grade) for v in sample.votes] or None,
    }
    facts = {name: value for name, value in facts.items() if name in absent and value is not None}
    labels = [_label_facts(label, absent) for label in sample.marks]
    return facts | ({"labels": labels} if any(labels) else {})


def _label_facts(label: Label, absent: frozenset[str]) -> dict[str, Any]:
    facts = {"score": label.score, "rater": label.rater, "box": label.box_xyxy}
    return {name: value for name, value in facts.items() if name in absent and value is not None}


def read_sidecar(path: Path, kind: Format) -> Sidecar:
    """The sidecar of a data set; an empty one where there is none."""
    target = sidecar_path(path, kind)
    return read_json(target, Sidecar, "a sidecar written by comedo") if target.exists() else Sidecar()


def merge(dataset: Dataset, sidecar: Sidecar, where: Path) -> Dataset:
    """Put the sidecar's facts back.

    Raises:
        BadAnnotations: It names a photo that is not there, or labels have come or gone since.
    """
    gone = sorted(set(sidecar.photos) - {s.photo for s in dataset.samples})
    if gone:
        raise BadAnnotations(f"{where}: {gone[0]} is not among the photos; remove it from the sidecar")
    samples = [_merge(s, sidecar.photos[s.photo], where) if s.photo in sidecar.photos else s for s in dataset.samples]
    categories = tuple(dict.fromkeys([*(sidecar.categories or ()), *dataset.categories]))
    with row(str(where)):
        return replace(dataset, samples=tuple(samples), categories=categories)


def _merge(sample: Sample, facts: _PhotoFacts, where: Path) -> Sample:
    labels: tuple[Label, ...] | None = sample.marks
    if facts.labels and len(facts.labels) != len(sample.marks):
        raise BadAnnotations(
            f"{where}: {sample.photo} had {len(facts.labels)} labels and now has {len(sample.marks)}, so that raters "
            "and scores no longer fit; remove its `labels` from the sidecar"
        )
    with row(f"{where}: {sample.photo}"):
        if facts.labels:
            labels = tuple(_merge_label(*pair) for pair in zip(sample.marks, facts.labels, strict=True))
        width, height = facts.size or (sample.width, sample.height)
        return Sample(
            photo=sample.photo,
            labels=None if facts.unseen or sample.labels is None else labels,
            width=width,
            height=height,
            person=facts.person or sample.person,
            split=facts.split or sample.split,
            grade=sample.grade if facts.grade is None else facts.grade,
            votes=tuple(Vote(rater, grade) for rater, grade in facts.votes) or sample.votes,
            source=facts.source or sample.source,
        )


def _merge_label(label: Label, facts: _LabelFacts) -> Label:
    score = label.score if facts.score is None else facts.score
    return replace(label, score=score, rater=facts.rater or label.rater, box_xyxy=facts.box or label.box_xyxy)
