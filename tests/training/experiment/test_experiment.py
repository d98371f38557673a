import json
import math
from xml.etree import ElementTree as ET

import pytest

from comedo.errors import ModelError, UnusableInput
from comedo.training.experiment.cells import Done, Measured, Resolved, read_done, run_cells
from comedo.training.experiment.find import EXPERIMENTS, find_experiment, with_options
from comedo.training.experiment.plan import arms_of, read_experiment
from comedo.training.experiment.run import open_grid, run_experiment
from comedo.training.experiment.table import Outcome, half_width, outcome

PLAN = """
experiment: Losses
description: Which loss.
recipe: base
figures: [F1, error]
seeds: [1, 2]
set: [schedule.epochs=2]
groups:
  - name: Box loss
    grid: {loss.box: [giou, diou]}
  - name: Paste
    set: [deep=true]
    arms:
      - {name: "off"}
      - {name: "on", set: [paste=8]}
  - name: Served
    arms:
      - {name: whole, set: [loss.box=giou]}
      - {name: slices, set: [loss.box=giou], section: slices}
"""


def write(tmp_path, text=PLAN):
    path = tmp_path / "e.yaml"
    path.write_text(text)
    return path


def resolve(name, changes, sections=("whole", "slices")):
    return Resolved({"task": name, "changes": sorted(changes)}, ("F1", "error"), sections)


def made(value, low=None, high=None, baseline=None):
    return Measured(value, None if low is None else (low, high), baseline)


class Trainer:
    """Gives F1 = 0.5, more with paste and by the seed; notes what it was asked."""

    def __init__(self, dies_at=None, fails=(), error=None):
        self.asked = []
        self.dies_at, self.fails = dies_at, fails
        self.error = error or ModelError("differs by 3")

    def __call__(self, cell, folder):
        assert folder.is_dir()
        if len(self.asked) == self.dies_at:
            raise KeyboardInterrupt
        self.asked.append(cell.key)
        changes = cell.recipe.values["changes"]
        if any(f in changes for f in self.fails):
            raise self.error
        f1 = 0.5 + 0.01 * cell.seed + 0.2 * ("paste=8" in changes)
        figures = {"F1": made(f1, f1 - 0.03, f1 + 0.03, 0.1), "error": made(None)}
        return Done({"whole": figures, "slices": {**figures, "F1": made(0.7, 0.6, 0.8, 0.1)}}, 60.0)


def run(tmp_path, trainer, text=PLAN, read=resolve):
    said = []
    plan = read_experiment(write(tmp_path, text))
    lines = run_experiment(plan, tmp_path / "out", resolve=read, train=trainer, tell=said.append)
    return {(line.group, line.name): line for line in lines}, said


def test_lines_inherit_and_grids_multiply(tmp_path):
    arms = arms_of(read_experiment(write(tmp_path)))
    assert [(a.group, a.name) for a in arms] == [
        ("Box loss", "giou"),
        ("Box loss", "diou"),
        ("Paste", "off"),
        ("Paste", "on"),
        ("Served", "whole"),
        ("Served", "slices"),
    ]
    assert arms[3].changes == ("schedule.epochs=2", "deep=true", "paste=8")
    two = PLAN.replace("[giou, diou]}", "[giou, diou], loss.class: [focal, null]}")
    names = [a.name for a in arms_of(read_experiment(write(tmp_path, two))) if a.group == "Box loss"]
    assert names == ["giou, focal", "giou, null", "diou, focal", "diou, null"]


def test_one_training_serves_several_lines(tmp_path):
    grid = open_grid(read_experiment(write(tmp_path)), resolve)
    assert len(grid.arms) == 6
    assert len(grid.all_cells) == 2 * 4  # giou is in two groups, and measured twice in one of them
    assert [c.seed for c in grid.all_cells] == [1] * 4 + [2] * 4


def test_a_table_with_intervals_and_differences(tmp_path):
    lines, said = run(tmp_path, Trainer())
    on = lines["Paste", "on"].outcomes["F1"]
    assert on.value == pytest.approx(0.715)
    assert on.difference == pytest.approx(0.2)
    assert on.difference_90 == pytest.approx((0.2, 0.2))
    assert on.baseline == 0.1
    assert lines["Paste", "off"].outcomes["F1"].difference is None
    assert lines["Served", "slices"].outcomes["F1"].value == pytest.approx(0.7)
    assert lines["Paste", "on"].outcomes["error"] == Outcome(None, None, None, 0)
    assert len(said) == 8
    text = (tmp_path / "out" / "experiment.md").read_text()
    assert "| on | 0.715 (" in text
    assert "| +0.200 (+0.200 to +0.200) | 2 seeds, 2 min |" in text
    assert "Baseline without learning: F1 0.100." in text
    svg = ET.parse(tmp_path / "out" / "experiment.svg").getroot()
    assert sum(e.tag.endswith("circle") for e in svg) == 6
    assert json.loads((tmp_path / "out" / "experiment.json").read_text())["lines"][3]["name"] == "on"


def test_a_killed_run_goes_on_and_a_new_line_trains_only_itself(tmp_path):
    first = Trainer(dies_at=3)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, first)
    second = Trainer()
    run(tmp_path, second)
    assert len(first.asked) == 3
    assert len(second.asked) == 5
    assert not set(first.asked) & set(second.asked)
    third = Trainer()
    run(tmp_path, third, PLAN.replace("[giou, diou]", "[giou, diou, ciou]"))
    assert len(third.asked) == 2
    fourth = Trainer()
    run(tmp_path, fourth)
    assert fourth.asked == []


def test_a_training_that_fails_is_told_and_tried_again(tmp_path):
    lines, said = run(tmp_path, Trainer(fails=("paste=8",)))
    assert lines["Paste", "on"].failed == ("differs by 3", "differs by 3")
    assert lines["Paste", "on"].outcomes["F1"].value is None
    assert "Paste, on failed: differs by 3" in (tmp_path / "out" / "experiment.md").read_text()
    assert sum("failed" in line for line in said) == 2
    again = Trainer()
    run(tmp_path, again)
    assert len(again.asked) == 2
    with pytest.raises(UnusableInput, match="no training of Losses went through: differs by 3"):
        run(tmp_path / "out", Trainer(fails=("schedule.epochs=2",)))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(
            ("figures: [F1, error]", "figures: [recall]"), "no figure 'recall'; there are F1, error", id="fig"
        ),
        pytest.param(
            ("section: slices", "section: tiles"), "no section 'tiles'; there are whole, slices", id="section"
        ),
        pytest.param(('name: "on"', 'name: "off"'), "two lines named 'off'", id="same name"),
        pytest.param(("recipe: base", "recipe: null"), "names no recipe", id="no recipe"),
        pytest.param(("seeds: [1, 2]", "seeds: [1, 1]"), "names a seed twice", id="seeds"),
        pytest.param(("seeds: [1, 2]", "seeds: [one]"), "seeds", id="no number"),
        pytest.param(
            ("grid: {loss.box: [giou, diou]}", "grid: {}"), "groups.1 must have either arms or a grid", id="grid"
        ),
        pytest.param(("description:", "descripton:"), "has no descripton", id="unknown key"),
        pytest.param(("section: slices", "sektion: slices"), "groups.3.arms.2 has no sektion", id="unknown arm key"),
        pytest.param((PLAN, "- a"), "is no experiment", id="a list"),
        pytest.param((PLAN, "a: ["), "cannot read", id="no YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, error):
    trainer = Trainer()
    with pytest.raises(UnusableInput, match=error):
        run(tmp_path, trainer, PLAN.replace(*change))
    assert trainer.asked == []  # hours before


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(RuntimeError("out of memory\non some device"), "RuntimeError: out of memory", id="of torch"),
        pytest.param(ValueError("not a number"), "ValueError: not a number", id="no number"),
        pytest.param(MemoryError(), "MemoryError", id="without words"),
    ],
)
def test_a_training_that_breaks_fails_its_line_alone(tmp_path, error, reason):
    lines, _ = run(tmp_path, Trainer(fails=("paste=8",), error=error))
    assert lines["Paste", "on"].failed == (reason, reason)
    assert lines["Paste", "off"].failed == ()


def test_a_section_that_only_photos_decide_fails_its_line_alone(tmp_path):
    lines, _ = run(
        tmp_path,
        Trainer(),
        PLAN.replace("section: slices", "section: tiles"),
        read=lambda name, changes: resolve(name, changes, None),
    )
    assert lines["Served", "slices"].failed == ("there is no section 'tiles'; there are whole, slices",) * 2
    assert lines["Served", "slices"].outcomes["F1"].value is None
    assert lines["Served", "whole"].outcomes["F1"].value == pytest.approx(0.515)
    assert "Served, slices failed: there is no section 'tiles'" in (tmp_path / "out" / "experiment.md").read_text()


def test_a_damaged_result_is_not_believed(tmp_path):
    (tmp_path / "cell.json").write_text('{"sections": []}')
    with pytest.raises(UnusableInput, match="delete it to train again"):
        read_done(tmp_path)
    assert read_done(tmp_path / "none") is None
    assert list(run_cells([], tmp_path, Trainer())) == []


@pytest.mark.parametrize(
    ("mine", "value", "interval"),
    [
        pytest.param([], None, None, id="nothing"),
        pytest.param([None, made(None)], None, None, id="nothing measured"),
        pytest.param([made(0.5, 0.4, 0.6)], 0.5, (0.4, 0.6), id="one seed: over people"),
        pytest.param([made(0.02, 0.0, 0.09)], 0.02, (0.0, 0.09), id="one seed: farther to one side"),
        pytest.param([made(0.5, 0.4, 0.6), made(0.5, 0.4, 0.6)], 0.5, (0.4, 0.6), id="seeds agree: people remain"),
        # t(0.95, 1) is 6.3138; the standard error of 0 and 0.02 is 0.01
        pytest.param([made(0.0), made(0.02)], 0.01, (0.01 - 0.063138, 0.01 + 0.063138), id="two seeds"),
    ],
)
def test_chance_of_people_and_of_seeds(mine, value, interval):
    found = outcome(mine)
    assert found.value == (None if value is None else pytest.approx(value))
    assert found.interval_90 == (None if interval is None else pytest.approx(interval, abs=1e-5))


def test_both_chances_add_as_squares():
    low, high = outcome([made(0.0, -0.1, 0.1), made(0.02, -0.08, 0.12)]).interval_90
    assert (high - low) / 2 == pytest.approx(math.hypot(0.1, half_width([0.0, 0.02])))


def test_a_seed_that_failed_is_left_out_of_the_difference():
    found = outcome([made(0.5), None, made(0.7)], [made(0.4), made(0.1), made(0.6)])
    assert found.seeds == 2
    assert found.difference == pytest.approx(0.1)


def test_options_of_the_command_line(tmp_path):
    plan = with_options(read_experiment(write(tmp_path)), ("a=1",), "7,8")
    assert (plan.seeds, plan.set) == ((7, 8), ("schedule.epochs=2", "a=1"))
    with pytest.raises(UnusableInput, match="whole numbers"):
        with_options(plan, (), "7;8")
    with pytest.raises(UnusableInput, match="one of detection, sequence"):
        find_experiment("nothing")


@pytest.mark.parametrize(
    ("recipe", "change", "there", "not_there"),
    [
        ("affected", "least=6", "photos", "people"),
        ("severity", "schedule.epochs=1", "people (mean of their photos)", "people"),
        ("detect-tood", "parts=[chin]", "slices, chin", "slices, nose"),
        ("sequence-change", "pairs=null", "noise (rendered)", "pairs"),
    ],
)
def test_recipes_know_their_sections_before_they_are_trained(recipe, change, there, not_there):
    pytest.importorskip("lightning", reason="needs comedo[train]")
    from comedo.training.cli import find_recipe
    from comedo.training.experiment.trainings import resolve_recipe
    from comedo.training.recipe import read_values

    found = resolve_recipe(find_recipe, read_values)(recipe, [change])
    assert there in found.sections
    assert not_there not in found.sections
    assert len(set(found.figures)) == len(found.figures) > 0


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda p: p.stem)
def test_comedos_own_experiments_name_recipes_that_read(path):
    pytest.importorskip("lightning", reason="needs comedo[train]")
    from comedo.training.cli import find_recipe
    from comedo.training.experiment.trainings import resolve_recipe
    from comedo.training.recipe import read_values

    grid = open_grid(read_experiment(find_experiment(path.stem)), resolve_recipe(find_recipe, read_values))
    assert len(grid.all_cells) < 3 * len(grid.arms)
