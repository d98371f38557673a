"""Everything that the noise model is fitted to and measured on: pairs of visits, retaken photos, pasted lesions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comedo.errors import ComedoError, UnusableInput
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.progress.compare import compare
from comedo.progress.noise import ChangeNoise
from comedo.progress.values import Comparison, Visit
from comedo.training.change.known import (
    NO_CIRCLES,
    count_annotated,
    paste_and_retake,
    retake_twice,
    told_statements,
    true_statements,
)
from comedo.training.change.pairs import (
    CLEAR,
    PASTED,
    RETAKEN,
    VISITS,
    Observation,
    Pair,
    find_photo,
    observe,
    read_observations,
    read_visit,
)
from comedo.training.change.pasted import Donor, cut_lesions
from comedo.training.evaluation.truth import pictures_in, read_coco
from comedo.training.lesion_map.data import clear_split
from comedo.types import Image

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Job:
    """One pair to be measured; of retaken and pasted ones both names are those of the one photo."""

    kind: str
    pair: Pair
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Material:
    """What jobs need: photos, networks, lesions that annotators marked by name of photo, and lesions to paste.

    `people` says who is on each annotated photo of the split.
    """

    folder: Path
    analyzer: Analyzer
    noise: ChangeNoise
    circles: Mapping[str, F32]
    donors: tuple[Donor, ...]
    people: Mapping[str, str] = field(default_factory=dict)


def load_material(
    folder: Path,
    analyzer: Analyzer,
    noise: ChangeNoise,
    annotations: Path | None,
    *,
    donors_from: str,
    split: str,
) -> Material:
    """Read annotations where there are any, and cut out lesions of the photos in the folder `donors_from` beside them.

    Raises:
        UnusableInput: The annotations are no COCO file, or there is no lesion to cut out.
    """
    if annotations is None:
        return Material(folder, analyzer, noise, {}, ())
    marked = read_coco(annotations, folder.parent, split=None, only=f"{folder.name}/").photos
    circles = {Path(p.name).stem: p.lesions.circles for p in marked if p.lesions is not None}
    sharp = read_coco(annotations, annotations.parent, split=split, only=f"{donors_from}/").photos
    drawn = [sharp[i] for i in np.random.default_rng(2).permutation(len(sharp))]
    people = {Path(p.name).stem: p.group for p in marked if split in ("all", p.split)}
    return Material(folder, analyzer, noise, circles, cut_lesions(drawn, analyzer), people)


def jobs_of(pairs: Sequence[Pair], *, pasted: bool) -> list[Job]:
    """The pairs as they are; each of their photos retaken twice; and, if wanted, each with lesions pasted."""
    split = {name: p.split for p in pairs for name in (p.a, p.b)}
    alone = [_of_one(name, split[name]) for name in sorted(split)]
    jobs = [Job(VISITS, p) for p in pairs]
    jobs += [Job(RETAKEN, p, i) for i, p in enumerate(alone)]
    return jobs + ([Job(PASTED, p, i) for i, p in enumerate(alone)] if pasted else [])


def _of_one(name: str, split: str) -> Pair:
    return Pair(name, name, "differs", split, "session")


def retaken_beside(pairs: Sequence[Pair], people: Mapping[str, str]) -> list[Job]:
    """Photos that no pair lists, each retaken twice."""
    listed = {name for p in pairs for name in (p.a, p.b)}
    others = sorted(people.keys() - listed)
    return [Job(RETAKEN, _of_one(name, ""), len(listed) + i) for i, name in enumerate(others)]


def clear_jobs(folder: Path, split: str, most: int) -> list[Job]:
    """Lesions pasted on clear faces of one side (`all` for every one), at most so many, drawn at random."""
    sides = [(clear_split(i), path.stem) for i, path in enumerate(pictures_in(folder))]
    names = [name for side, name in sides if split in (side, "all")]
    drawn = [names[i] for i in np.random.default_rng(3).permutation(len(names))][:most]
    return [Job(PASTED, _of_one(name, CLEAR), i) for i, name in enumerate(drawn)]


def on_clear(material: Material, folder: Path) -> Material:
    """The same networks and lesions for a folder of faces that have none of their own."""
    return replace(material, folder=folder, circles={})


def observe_all(jobs: Iterable[Job], material: Material, store: Path) -> Iterator[Observation]:
    """Do the jobs one by one; each is a line of `store`, and what is there already is not done again."""
    known = {(o.kind, o.pair.a, o.pair.b): o for o in read_observations(store)} if store.is_file() else {}
    with store.open("a", encoding="utf-8") as file:
        for job in jobs:
            found = known.get((job.kind, job.pair.a, job.pair.b))
            if found is None:
                found = do_job(job, material)
                file.write(json.dumps(asdict(found)) + "\n")
                file.flush()
            yield found


def do_job(job: Job, material: Material) -> Observation:
    """Measure one pair. A photo without a face is counted, not compared.

    Raises:
        UnusableInput: A photo is not there.
    """
    try:
        return _JOBS[job.kind](job, material)
    except UnusableInput:
        raise
    except ComedoError as error:
        return Observation(job.pair, error.code, None, None, None, 0.0, {}, {}, kind=job.kind)


def _visits(job: Job, material: Material) -> Observation:
    first, second = (read_visit(material.analyzer, find_photo(material.folder, n)) for n in (job.pair.a, job.pair.b))
    return observe_visits(job.pair, (first, second), compare(first, second), material)


def observe_visits(pair: Pair, visits: tuple[Visit, Visit], found: Comparison, material: Material) -> Observation:
    """Read two photos of different days; the change is known where annotators marked the lesions of both."""
    read, _ = observe(pair, visits, found, material.noise)
    if not found.comparable or not {pair.a, pair.b} <= material.circles.keys():
        return read
    here = (replace(found, alignment=None), found)
    counts = [
        count_annotated(material.circles[name], visit, comparison, found.common)
        for name, visit, comparison in zip((pair.a, pair.b), visits, here, strict=True)
    ]
    return replace(read, known=float(counts[1] - counts[0]))


def _retaken(job: Job, material: Material) -> Observation:
    known = retake_twice(_picture(job, material), job.pair.a, material.analyzer, job.seed)
    read, _ = observe(job.pair, known.visits, compare(*known.visits), material.noise)
    return replace(read, kind=RETAKEN, known=0.0)


def _pasted(job: Job, material: Material) -> Observation:
    own = material.circles.get(job.pair.a, NO_CIRCLES)
    known = paste_and_retake(_picture(job, material), job.pair.a, material.analyzer, material.donors, job.seed, own)
    read, ledger = observe(job.pair, known.visits, compare(*known.visits), material.noise)
    if not read.comparable:
        return replace(read, kind=PASTED)
    true, told = true_statements(known), told_statements(known, ledger)
    found = (len(true & told), len(told - true), len(true - told))
    return replace(read, kind=PASTED, known=float(known.change), found=found)


def _picture(job: Job, material: Material) -> Image:
    return read_photo(find_photo(material.folder, job.pair.a)).image


_JOBS = {VISITS: _visits, RETAKEN: _retaken, PASTED: _pasted}
