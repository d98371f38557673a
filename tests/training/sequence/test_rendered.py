"""Rendered series as the recipe asks for them, and the shipped recipe from its file to its figures."""

import numpy as np
import pytest

pytest.importorskip("lightning", reason="needs comedo[train]")

from comedo.errors import UnusableInput
from comedo.training.command import RECIPES
from comedo.training.figures import Rounds
from comedo.training.recipe import read_values
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import train_run
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.plan import PairsPlan, RenderedPlan
from comedo.training.sequence.rendered import rendered_series
from comedo.training.sequence.series import shows

PLAN = RenderedPlan(people=2, held_back=1, series=2, photos=(2, 3), lesions=20, width_px=128)
COLOURS = Framing(64, lesions=False, load=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rendered-series")


def test_series_show_their_course_and_people_are_apart(folder):
    found = rendered_series(PLAN, COLOURS, folder)
    assert found
    assert all(shows(s.course, s.loads) for s in found)
    assert all(2 <= len(s.frames()) == len(s.loads) <= 3 for s in found)
    sides = {split: {s.person for s in found if s.split == split} for split in ("train", "val")}
    assert sides["train"].isdisjoint(sides["val"])


def test_what_was_lost_is_made_again_alike(folder):
    before = {s.name: s.frames() for s in rendered_series(PLAN, COLOURS, folder)}
    lost = rendered_series(PLAN, COLOURS, folder)[0].path
    lost.with_suffix(".json").unlink()
    after = {s.name: s.frames() for s in rendered_series(PLAN, COLOURS, folder)}
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], frames) for name, frames in before.items())


@pytest.mark.parametrize(
    ("values", "error"),
    [
        pytest.param({"lesions": 6}, "rendered.lesions must be at least 7, got 6", id="too few lesions for a change"),
        pytest.param(
            {"photos": (1, 4)}, r"rendered.photos must be two whole numbers from 2 on, .* got \[1, 4\]", id="one"
        ),
        pytest.param({"photos": (4, 3)}, "the smaller first", id="order"),
    ],
)
def test_plans_that_cannot_be_drawn_are_refused(values, error):
    with pytest.raises(UnusableInput, match=error):
        RenderedPlan(**values)


def test_pasted_lesions_want_a_range():
    with pytest.raises(UnusableInput, match=r"pairs\.pasted must be two whole numbers from 1 on"):
        PairsPlan(photos="p", annotations="a", pasted=(0, 3))


@pytest.mark.weights
def test_the_recipe_as_it_is_shipped_trains_and_is_measured(tmp_path):
    small = (
        "pairs=null",
        "rendered={people: 2, held_back: 1, series: 2, photos: [2, 2], lesions: 20, width_px: 160}",
        "net.side_px=64",
        "net.most_photos=6",
        "schedule.epochs=2",
        "schedule.per_step=4",
        "schedule.steps=null",
        "watch.share=0",
    )
    values = read_values(RECIPES / "sequence-change.yaml", small)
    done = train_run(*read_run(values, "sequence-change"), data=tmp_path, out=tmp_path, quiet=True, rounds=Rounds(0))
    assert done.entry.parity < 1e-3
    assert "lesions found by lesion-map" in done.entry.input
    assert {s.name for s in done.evaluation.sections} >= {"rendered", "rendered, long", "noise (rendered)"}
