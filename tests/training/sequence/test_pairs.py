"""Repeat photos, as they are and with lesions pasted onto them; rendered faces stand for real ones."""

import shutil
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from comedo.build import build_analyzer
from comedo.training.change.pairs import Pair
from comedo.training.data.convert import read_dataset, write_dataset
from comedo.training.data.dataset import Dataset
from comedo.training.data.formats.coco import COCO
from comedo.training.sequence import pairs
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.plan import PairsPlan
from comedo.training.sequence.series import Course

PEOPLE = {"anna": ("0-1", "train"), "ben": ("2-1", "train"), "cleo": ("4-1", "val"), "dan": ("5-1", "val")}
PLAN = PairsPlan(photos="twice", annotations="twice/annotations.json", pasted=(5, 6))


@pytest.fixture(scope="module")
def root(rendered, tmp_path_factory):
    """Each person's photo twice, with its labels."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "twice").mkdir()
    labelled = {sample.photo: sample for sample in read_dataset(rendered / "annotations.json").samples}
    samples = []
    for person, (photo, split) in PEOPLE.items():
        for time in "ab":
            shutil.copy(rendered / f"photos/{photo}.png", folder / f"twice/{person}_{time}.png")
            known = labelled[f"photos/{photo}.png"]
            samples.append(replace(known, photo=f"twice/{person}_{time}.png", person=person, split=split))
    names = tuple(sorted({mark.category for s in samples for mark in s.marks}))
    write_dataset(Dataset(tuple(samples), names, folder), folder / "twice/annotations.json", COCO)
    return folder


@pytest.fixture
def series(root, tmp_path, monkeypatch):
    """The series of a plan, by name."""
    listed = tuple(Pair(f"{n}_a", f"{n}_b", "similar", split) for n, (_, split) in PEOPLE.items())
    monkeypatch.setattr(pairs, "read_pairs", lambda path: listed)
    framing = Framing(64, lesions=False, load=cache(build_analyzer))
    return lambda plan=PLAN: {s.name: s for s in pairs.pair_series(plan, root, framing, tmp_path)}


def test_versions_of_a_pair_and_what_is_true_of_them(series):
    found = series()
    anna = [found[f"pairs/anna_a-anna_b-{version}"] for version in range(4)]
    assert [s.course for s in anna] == [Course.SAME, Course.WORSE, Course.BETTER, Course.SAME]
    assert [s.source for s in anna] == ["pairs", *["pairs with pasted lesions"] * 3]
    plain, worse, better, both = (s.frames() for s in anna)
    assert np.array_equal(plain[0], plain[1])
    assert np.array_equal(worse[0], plain[0])
    assert not np.array_equal(worse[1], plain[1])
    assert not np.array_equal(better[0], plain[0])
    assert np.array_equal(better[1], plain[1])
    assert not any(np.array_equal(new, old) for new, old in zip(both, plain, strict=True))


def test_labelled_and_pasted_lesions_are_counted(series, root):
    labelled = {sample.photo: len(sample.marks) for sample in read_dataset(root / PLAN.annotations).samples}
    own = labelled["twice/anna_a.png"]
    anna = [s for name, s in series().items() if "anna" in name]
    assert 0 < own <= 5
    assert anna[0].loads == (own, own)
    assert anna[1].loads[0] == own
    assert own + 5 <= anna[1].loads[1] <= own + 6
    assert anna[2].loads[0] >= own + 5


def test_held_back_people_come_unchanged_and_with_one_change(series):
    names = [name for name, s in series().items() if s.split == "val"]
    assert len(names) == 4
    assert {"pairs/cleo_a-cleo_b-0", "pairs/dan_a-dan_b-0"} < set(names)


def test_what_is_kept_is_not_made_again(series, monkeypatch):
    before = series()
    monkeypatch.setattr(pairs, "_subjects", None)
    assert series() == before


def test_a_run_that_was_killed_goes_on_to_the_same_series(series):
    before = {name: s.frames() for name, s in series().items()}
    lost = series()["pairs/anna_a-anna_b-1"].path
    lost.with_suffix(".json").unlink()
    lost.unlink()
    after = {name: s.frames() for name, s in series().items()}
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], frames) for name, frames in before.items())


def test_other_labels_make_other_series(series, root):
    before = {s.path.parent for s in series().values()}
    labels = root / PLAN.annotations
    text = labels.read_text()
    labels.write_text(text + " ")
    try:
        assert {s.path.parent for s in series().values()}.isdisjoint(before)
    finally:
        labels.write_text(text)


def test_photos_that_nobody_labelled_have_no_course(series, root):
    labels = root / PLAN.annotations
    text = labels.read_text()
    labels.write_text(text.replace("twice/anna_b.png", "twice/nobody.png"))
    try:
        assert not [name for name in series() if "anna" in name]
    finally:
        labels.write_text(text)


def test_one_lesion_more_beside_four_is_no_change_to_be_seen(series):
    found = series(replace(PLAN, pasted=(1, 1)))
    assert {s.source for s in found.values()} == {"pairs"}
