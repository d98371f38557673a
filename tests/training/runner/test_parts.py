"""Parts of the runner that need no training: whose turn it is, rates, sides, export, labelled sets, augmentation."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

from comedo.errors import ModelError, UnusableInput
from comedo.training.command import RECIPES
from comedo.training.recipe import read_values
from comedo.training.runner.augment import Augment, change_light, change_places, patches_of
from comedo.training.runner.contract import Examples, Shipped
from comedo.training.runner.faces import face_parts, kept_name
from comedo.training.runner.feed import DrawnExamples, Turn, divide, training_feed, watching_feed
from comedo.training.runner.labelled import LabelledSet, open_sets, set_aside
from comedo.training.runner.learner import rate_share
from comedo.training.runner.plan import Schedule, Ship, Watch
from comedo.training.runner.recent import Recent
from comedo.training.runner.registry import read_run
from comedo.training.runner.ship import export_checked
from recipe_trials import EACH_TASK, shipped_recipe
from toy_task import Square, Toy, toy_recipe

TASK_RECIPES = sorted(p for p in RECIPES.glob("*.yaml") if p.read_text().find("\ntask: ") >= 0)


@settings(deadline=None)
@given(number=st.integers(1, 40), half=st.integers(1, 8), steps=st.integers(1, 12), epoch=st.integers(0, 3))
def test_two_processes_draw_what_one_draws(number, half, steps, epoch):
    def turns(rank: int, world: int):
        turn = Turn(number, 2 * half, steps, seed=5, rank=rank, world=world)
        turn.set_epoch(epoch)
        return list(turn)

    alone, first, second = turns(0, 1), turns(0, 2), turns(1, 2)
    assert [sorted(a + b) for a, b in zip(first, second, strict=True)] == [sorted(step) for step in alone]
    assert all(len(step) == 2 * half for step in alone)


def test_an_epoch_takes_every_example_once_in_an_order_of_its_own():
    turn = Turn(12, 4, 3, seed=1)
    orders = []
    for epoch in (0, 1):
        turn.set_epoch(epoch)
        orders.append([index for step in turn for _, index, _ in step])
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(12))
    assert orders[0] != orders[1]


def test_an_example_that_an_epoch_draws_again_is_drawn_anew():
    turn = Turn(3, 4, 2, seed=1)  # eight draws of three examples
    places = [place for step in turn for place in step]
    assert Counter(index for _, index, _ in places[:6]) == {0: 2, 1: 2, 2: 2}
    assert len(set(places)) == len(places)
    numbers = DrawnExamples(Examples(3, lambda index, rng: {"x": np.array([index, rng.random()])}), seed=1)
    drawn = [tuple(example["x"]) for example in numbers[places]]
    assert len(set(drawn)) == len(drawn)
    assert drawn == [tuple(example["x"]) for example in numbers[places]]
    assert {places[k][2] for k in range(3)} == {0}


def test_a_step_must_divide_among_the_processes():
    recipe = toy_recipe()
    examples = Toy().examples(recipe, [Square("1", "a", "train", 0)], learning=True)
    with pytest.raises(UnusableInput, match=r"schedule\.per_step=9"):
        training_feed(Toy(), recipe, examples, rank=0, world=3, workers=0)


@pytest.mark.parametrize("rank", range(3))
def test_a_process_with_nothing_to_watch_is_refused_on_all_of_them(rank):
    """Else the others would wait for it for ever."""
    recipe = toy_recipe()
    two, three = (
        Toy().examples(recipe, [Square(str(n), "a", "train", 0) for n in range(number)], learning=False)
        for number in (2, 3)
    )
    with pytest.raises(
        UnusableInput, match=r"2 examples are watched, too few for 3 processes.*--devices.*watch\.share"
    ):
        watching_feed(Toy(), recipe, two, rank=rank, world=3, workers=0)
    assert len(watching_feed(Toy(), recipe, three, rank=rank, world=3, workers=0)) == 1


@pytest.mark.parametrize(
    ("step", "share"),
    [
        pytest.param(0, 0.5, id="rising"),
        pytest.param(2, 0.9045, id="falling by a cosine"),
        pytest.param(5, 0.5, id="half way"),
        pytest.param(10, 0.0, id="the end"),
        pytest.param(99, 0.0, id="beyond the end"),
    ],
)
def test_rates(step, share):
    schedule = Schedule(epochs=1, per_step=1, warmup=2, last_share=0.0)
    assert rate_share(step, 10, schedule) == pytest.approx(share, abs=1e-3)


def test_nobody_is_watched_and_learnt_from():
    items = [Square(str(n), f"p{n // 3}", "val" if n >= 90 else "train", 0) for n in range(120)]
    learnt, watched, held_back = divide(items, Watch(share=0.3), seed=2)
    people = [{i.person for i in side} for side in (learnt, watched, held_back)]
    assert not people[0] & people[1]
    assert not people[2] & (people[0] | people[1])
    assert 0.1 < len(watched) / 90 < 0.5
    assert divide(items, Watch(share=0), seed=2)[1] == []


class Drifting(torch.nn.Module):
    """Answers differently every time it is asked."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return x.float() * float(self.calls)


def test_an_export_that_computes_something_else_leaves_nothing(tmp_path):
    shipped = Shipped(Drifting(), [{"x": np.ones((1, 4), np.float32)}], ("y",), "", "")
    with pytest.raises(ModelError, match="differ"):
        export_checked(shipped, tmp_path / "net.onnx", Ship())
    assert list(tmp_path.iterdir()) == []


def test_memory_holds_what_was_asked_for_last_and_no_more():
    read = []

    def photo(number):
        def reading():
            read.append(number)
            return np.full(40 if number != 9 else 400, number, np.uint8)

        return reading

    kept = Recent(most_bytes=100)  # two photos of 40 bytes
    assert [int(kept.get(n, photo(n))[0]) for n in (0, 1, 0, 2, 0, 1)] == [0, 1, 0, 2, 0, 1]
    assert read == [0, 1, 2, 1]  # 0 was asked for lately, so that 1 made room for 2
    for number in (9, 9, 0):  # larger than all room: it stays until the next one is read
        kept.get(number, photo(number))
    assert read[4:] == [9, 0]


@pytest.mark.parametrize("name", ["lesion-segmentation", "severity", "affected"])
def test_a_recipe_learns_from_more_photos_than_memory_holds(name, rendered):
    changes = {"severity": ("grades=[clear, mild, moderate, severe]",), "affected": ("least=6",)}
    task, recipe = shipped_recipe(name, *changes.get(name, ()))
    examples = task.examples(recipe, task.items(recipe, rendered, rendered / "cache")[:3], learning=True)
    (kept,) = (v for v in vars(examples.draw.__self__).values() if isinstance(v, Recent))
    kept.most_bytes = 1
    first, *_, again = (examples.draw(k, np.random.default_rng(k)) for k in (0, examples.number - 1, 0))
    assert len(kept._kept) == 1
    assert all(np.array_equal(first[key], again[key]) for key in first)


@pytest.mark.parametrize("path", TASK_RECIPES, ids=lambda p: p.stem)
def test_every_shipped_recipe_reads(path):
    task, recipe = read_run(read_values(path), path.name)
    assert isinstance(recipe, task.recipe)
    assert recipe.description


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param({"task": "magic"}, "no task 'magic'", id="no such task"),
        pytest.param({"task": "severity", "grades": ["a"], "sets": []}, "lacks description", id="a key is absent"),
        pytest.param({"task": "affected", "colour": 1}, "has no colour", id="an unknown key"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_told_why(values, words):
    with pytest.raises(UnusableInput, match=words):
        read_run(values, "r.yaml")


def test_photos_come_with_person_split_size_and_face(rendered):
    photos = open_sets([LabelledSet(labels="annotations.json")], rendered, faces=rendered / "cache/faces")
    assert len(photos) == 24
    assert {p.split for p in photos if p.person == "person-5"} == {"val"}
    pictured = photos[3].pictured()
    assert pictured.parts is not None
    assert pictured.parts.shape == pictured.image.shape[:2] == (photos[3].sample.height, photos[3].sample.width)


@pytest.mark.parametrize(
    ("chosen", "held_back"),
    [
        pytest.param({"held_back": ("0-1", "3-2")}, {"photos/0-1.png", "photos/3-2.png"}, id="by name"),
        pytest.param({"only": ("photos/5", "photos/1")}, {f"photos/5-{k}.png" for k in range(4)}, id="some photos"),
    ],
)
def test_sets_are_narrowed(rendered, chosen, held_back):
    photos = open_sets([LabelledSet(labels="annotations.json", **chosen)], rendered)
    assert {p.name for p in photos if p.split == "val"} == held_back


def test_names_of_held_back_photos_let_no_test_photo_into_training(rendered, tmp_path):
    content = json.loads((rendered / "annotations.json").read_text())
    for image in content["images"][:4]:  # all of one person
        image["split"] = "test"
    (tmp_path / "tested.json").write_text(json.dumps(content))
    one = LabelledSet(labels="tested.json", photos=str(rendered), held_back=("3-2",))
    kept_out = {image["file_name"] for image in content["images"][:4]}
    assert {p.name: p.split for p in open_sets([one], tmp_path) if p.name in kept_out} == {}
    assert {(m.name, m.split) for m in set_aside([one], tmp_path)} == {(name, "test") for name in kept_out}


def test_a_rehearsal_draws_some_of_each_split(rendered):
    few = LabelledSet(labels="annotations.json", at_most=3)
    one, same, other = (open_sets([replace(few, split_seed=seed)], rendered) for seed in (1, 1, 2))
    assert [p.split for p in one] == ["train"] * 3 + ["val"] * 3
    assert [p.name for p in one] == [p.name for p in same] != [p.name for p in other]


@pytest.fixture
def undivided(rendered, tmp_path):
    """The rendered set in a file that names no split."""
    content = json.loads((rendered / "annotations.json").read_text())
    for image in content["images"]:
        del image["split"]
    (tmp_path / "bare.json").write_text(json.dumps(content))
    return LabelledSet(labels="bare.json", photos=str(rendered), val_share=0.34)


def test_a_set_without_splits_is_divided_by_person(undivided, tmp_path):
    photos = open_sets([undivided], tmp_path)
    sides = {p.person: {q.split for q in photos if q.person == p.person} for p in photos}
    assert all(len(splits) == 1 for splits in sides.values())
    assert {"train"} in sides.values()
    assert {"val"} in sides.values()


@EACH_TASK
def test_every_seed_is_measured_on_the_same_people(name, changes, undivided, rendered, tmp_path):
    """An experiment over seeds compares trainings, not people; another `split_seed` draws other people."""

    def held_back(seed, split_seed):
        task, recipe = shipped_recipe(name, *changes, f"schedule.seed={seed}")
        recipe = replace(recipe, sets=(replace(undivided, split_seed=split_seed),))
        return {item.person for item in task.items(recipe, tmp_path, rendered / "cache") if item.split == "val"}

    assert held_back(1, 0) == held_back(2, 0) == held_back(3, 0) != set()
    assert any(held_back(1, split_seed) != held_back(1, 0) for split_seed in (1, 2, 3))


def test_augmentation_follows_its_switches(rendered):
    photos = open_sets([LabelledSet(labels="annotations.json")], rendered, faces=rendered / "cache/faces")
    clear, spotted = photos[0].pictured(), photos[7].pictured()
    patches = patches_of([spotted])
    rng = np.random.default_rng(0)
    still = Augment(mirror=False, light=0, white_balance=0)
    assert change_places(still, clear, rng) is clear
    assert change_light(still, clear.image, rng) is clear.image
    pasted = change_places(replace(still, paste=5, paste_share=1.0), clear, rng, patches=patches)
    assert len(pasted.sample.marks) > len(clear.sample.marks) == 0
    assert (pasted.image != clear.image).any()
    alone = change_places(replace(still, background=True), clear, rng)
    assert len(np.unique(alone.image[clear.parts == 0], axis=0)) == 1


@pytest.mark.weights
def test_faces_are_mapped_once_and_kept(rendered, tmp_path):
    photo = rendered / "photos/0-0.png"
    found = face_parts(photo, tmp_path)
    true = face_parts(photo, rendered / "cache/faces")
    assert found.shape == true.shape
    assert ((found > 0) == (true > 0)).mean() > 0.8
    (kept,) = tmp_path.iterdir()
    kept.write_bytes((rendered / "cache/faces" / kept.name).read_bytes())
    assert (face_parts(photo, tmp_path) == true).all()


def test_a_photo_without_a_face_has_no_map(tmp_path):
    photo = tmp_path / "grey.png"
    cv2.imwrite(str(photo), np.full((40, 40, 3), 90, np.uint8))
    cv2.imwrite(str(tmp_path / kept_name(photo)), np.zeros((40, 40), np.uint8))
    assert face_parts(photo, tmp_path) is None
