import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

from comedo.errors import UnusableInput
from comedo.training.cli import RECIPES
from comedo.training.face_map.recipe import FaceRecipe
from comedo.training.lesion_map.crops import CropPlan
from comedo.training.lesion_map.recipe import LesionRecipe, OwnPhotos
from comedo.training.recipe import read_values
from comedo.training.runner.claim import run_values
from comedo.training.runner.plan import Schedule
from comedo.training.runner.registry import read_run

SHORT = """
task: lesion-map
description: short
pretrained: null
schedule: {epochs: 5, per_step: 2}
data: {own: {annotations: a.json, photos: p, pixels_per_mm: 3}}
"""


def read_recipe(path, changes=()):
    return read_run(read_values(path, changes), path.name)[1]


def written(folder, text=SHORT):
    path = folder / "short.yaml"
    path.write_text(text)
    return path


def test_the_shipped_lesion_recipe_is_the_default_plan():
    recipe = read_recipe(RECIPES / "lesion-map.yaml")
    assert isinstance(recipe, LesionRecipe)
    assert recipe.crops == CropPlan()
    assert recipe.schedule.epochs * recipe.schedule.steps == 9000
    assert len(set(recipe.data.masks_held_back)) == 24


def test_the_shipped_face_recipe_reads():
    recipe = read_recipe(RECIPES / "face-map.yaml")
    assert isinstance(recipe, FaceRecipe)
    assert recipe.task == "face-map"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_value_of_a_shipped_recipe_is_explained(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(" ")]
    explained = ("task", "description")
    assert all("#" in line or line.endswith(":") or line.startswith(explained) for line in lines)


def test_a_short_recipe_takes_defaults(tmp_path):
    recipe = read_recipe(written(tmp_path))
    assert recipe.schedule == Schedule(epochs=5, per_step=2)
    assert recipe.data.own == OwnPhotos("a.json", "p", 3.0)
    assert recipe.data.acne04 is None
    assert run_values(recipe)["task"] == "lesion-map"


def test_a_lesion_map_is_exported_by_what_it_looks_at(tmp_path):
    assert read_recipe(written(tmp_path)).exported == "lesion-map"
    assert read_recipe(written(tmp_path), ["looks_at=mirror images"]).exported == "lesion-map-mirrored"
    assert read_recipe(RECIPES / "face-map.yaml").exported == "face-map"
    with pytest.raises(UnusableInput, match="looks_at"):
        read_recipe(written(tmp_path), ["looks_at=the sky"])


@pytest.mark.parametrize(
    ("change", "read"),
    [
        pytest.param("schedule.steps=7", lambda r: r.schedule.steps == 7, id="a number"),
        pytest.param("crops.zoom=[0.9, 1.1]", lambda r: r.crops.zoom == (0.9, 1.1), id="a group that was absent"),
        pytest.param("pretrained=w.npz", lambda r: r.pretrained == "w.npz", id="a text"),
        pytest.param("data.own=null", lambda r: r.data.own is None, id="nothing"),
    ],
)
def test_values_can_be_set(tmp_path, change, read):
    assert read(read_recipe(written(tmp_path), [change]))


@pytest.mark.parametrize(
    ("text", "changes", "match"),
    [
        pytest.param("- 1", (), "must start with `task", id="no recipe"),
        pytest.param("a: [", (), "cannot read", id="no YAML"),
        pytest.param("task: sky", (), "no task 'sky'; .*face-map, lesion-map", id="another network"),
        pytest.param(SHORT + "colour: red", (), "short.yaml has no colour; it knows", id="an unknown key"),
        pytest.param(SHORT, ("schedule.stepz=1",), "short.yaml.schedule has no stepz", id="an unknown key inside"),
        pytest.param(SHORT.replace("pretrained: null", ""), (), "lacks pretrained", id="an absent key"),
        pytest.param(SHORT, ("schedule.per_step=many",), "per_step: .*integer.*got 'many'", id="a wrong type"),
        pytest.param(SHORT, ("start",), "wants key=value", id="no value"),
        pytest.param(SHORT, ("pretrained.a=1", "pretrained.a.b=1"), "holds no keys", id="a key inside a value"),
        pytest.param(SHORT, ("schedule=1",), "schedule: .*dictionary.*got 1", id="a value for a group"),
    ],
)
def test_mistakes_are_named(tmp_path, text, changes, match):
    with pytest.raises(UnusableInput, match=match):
        read_recipe(written(tmp_path, text), changes)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(UnusableInput, match=r"cannot read the recipe .*none\.yaml"):
        read_recipe(tmp_path / "none.yaml")
