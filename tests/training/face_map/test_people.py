"""Whom the photos of the face sets show; a person or a mirrored copy on both sides stops `comedo train face-map`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

from comedo.errors import UnusableInput
from comedo.training.command import RECIPES
from comedo.training.face_map.people import find_faces
from comedo.training.face_map.task import FaceMap
from comedo.training.leaks import LeakyData
from comedo.training.recipe import read_values
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import open_items
from drawn import drawn_face, save
from rendered_maps import mean_mesh


def sets(root: Path, *, acne04=(), typed=()) -> Path:
    for name, images in (("acne04", acne04), ("typed", typed)):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "annotations.json").write_text(json.dumps({"images": list(images)}))
    return root


def image(name: str, split: str = "train", **more) -> dict[str, object]:
    return {"file_name": name, "split": split, **more}


def people(root: Path, *names: str) -> dict[str, str]:
    return {file.name: file.person for file in find_faces(root, names)}


def test_no_photos_no_people(tmp_path):
    assert find_faces(sets(tmp_path), []) == []


def test_acne04_tells_the_person(tmp_path):
    # Photos a and b show person 7, c another one, and nobody knows whom d shows.
    known = [image("frames512/a.jpg", group=7), image("crops1024/b.jpg", group=7), image("frames512/c.jpg", group=8)]
    names = ("acne04/frames512/a.jpg", "acne04/crops1024/b.jpg", "acne04/frames512/c.jpg")
    unknown = ("acne04/frames512/d.jpg", "acne04/crops1024/d.jpg")
    found = people(sets(tmp_path, acne04=known), *names, *unknown)
    assert [found[name] for name in names] == ["acne04-7", "acne04-7", "acne04-8"]
    assert {found[name] for name in unknown} == {"acne04/d"}


def test_an_image_without_a_split_goes_where_its_person_goes(tmp_path):
    names = [f"images/{n}.jpg" for n in range(60)]
    images = [{"file_name": name, "group": n // 2} for n, name in enumerate(names)]
    found = find_faces(sets(tmp_path, typed=images), [f"typed/{name}" for name in names])
    assert len({(file.person, file.split) for file in found}) == len({file.person for file in found}) == 30
    assert {file.split for file in found} == {"train", "val"}


def test_versions_of_a_photo_that_nobody_listed_stay_together(tmp_path):
    names = [f"acne04/{folder}/{n}.jpg" for n in range(40) for folder in ("frames512", "crops1024")]
    splits = {file.name: file.split for file in find_faces(sets(tmp_path), names)}
    assert all(splits[name] == splits[name.replace("frames512", "crops1024")] for name in names)
    assert set(splits.values()) == {"train", "val"}


def test_fasseg_numbers_its_people(tmp_path):
    poses = [f"faces/fasseg/images/multipose_personne{person:02}{pose}.jpg" for person in (4, 5) for pose in (143, 250)]
    frontal = [f"faces/fasseg/images/frontal_{n}.jpg" for n in (4, 5)]
    found = {file.name: (file.person, file.split) for file in find_faces(sets(tmp_path), [*poses, *frontal])}
    assert [found[name] for name in poses] == [
        ("faces/fasseg/personne04", "train"),
        ("faces/fasseg/personne04", "train"),
        ("faces/fasseg/personne05", "val"),
        ("faces/fasseg/personne05", "val"),
    ]
    # Frontal photos have numbers of their own: number 5 is not the fifth person of the turned heads.
    assert [found[name] for name in frontal] == [(frontal[0], "train"), (frontal[1], "val")]


def test_a_table_of_people_keeps_them_on_one_side(tmp_path):
    folder = sets(tmp_path) / "faces/celebamask"
    (folder / "images").mkdir(parents=True)
    names = [f"{n}.jpg" for n in range(60)]
    paths = [f"faces/celebamask/images/{name}" for name in names]
    alone = find_faces(tmp_path, paths)
    assert {file.person for file in alone} == set(paths)
    (folder / "people.json").write_text(json.dumps({name: f"p{n // 6}" for n, name in enumerate(names)}))
    told = {file.person: file.split for file in find_faces(tmp_path, paths)}
    assert len({(file.person, file.split) for file in find_faces(tmp_path, paths)}) == len(told) == 10
    assert set(told.values()) == {"train", "val"}


@pytest.mark.parametrize("table", ["[1, 2]", '{"1.jpg": 5}', "1.jpg anna"])
def test_a_wrong_table_of_people_is_refused(tmp_path, table):
    folder = sets(tmp_path) / "faces/generated"
    folder.mkdir(parents=True)
    (folder / "people.json").write_text(table)
    with pytest.raises(UnusableInput, match=r"people\.json must be a table of file name to person"):
        find_faces(tmp_path, [])


def test_frames_that_are_there_twice_and_coarse_ones_are_left_out(tmp_path):
    assert find_faces(sets(tmp_path), ["acne04/frames640/a.jpg", "lesion_masks/images/b.jpg"]) == []


TRAIN, VAL = "frames512/a.jpg", "frames512/b.jpg"
SMALL = ("pretrained=null", "crops.size=64", "schedule.per_step=1", "crops.shares={acne04/frames512: 1.0}")


@pytest.fixture
def leaky(tmp_path):
    """Drawn faces: one with a mask, and one of the ACNE04 folder on each side."""
    masked = "faces/celebamask/images/frontal.jpg"  # by its hash one to learn from
    mask = tmp_path / "faces/celebamask/masks/frontal.png"
    mask.parent.mkdir(parents=True)
    cv2.imwrite(str(mask), np.ones((128, 128), np.uint8))
    draw_faces(tmp_path, masked, f"acne04/{TRAIN}", f"acne04/{VAL}")
    return sets(tmp_path)


def draw_faces(root, *names):
    """Photos with landmarks, each another face."""
    for seed, name in enumerate(names):
        save(root / name, drawn_face(seed))
    mesh = np.pad(mean_mesh() * 30 + (64, 55), ((0, 0), (0, 1))).astype(np.float32)
    np.savez(root / "landmarks.npz", **dict.fromkeys(names, mesh))


def face_map_recipe(*changes):
    return read_run(read_values(RECIPES / "face-map.yaml", (*SMALL, *changes)), "face-map")[1]


def opened_face_map(root, *changes):
    """Its photos, refused where they leak."""
    return open_items(FaceMap(), face_map_recipe(*changes), root, root / "cache")


def run_face_map(root):
    from comedo.cli import app

    changes = [word for value in SMALL for word in ("--set", value)]
    command = ["train", "face-map", "--data", str(root), "--out", str(root / "run"), *changes, "--device", "cpu"]
    return CliRunner().invoke(app, command)


def test_a_person_on_both_sides_stops_the_face_map(leaky):
    sets(leaky, acne04=[image(TRAIN, "train", group=7), image(VAL, "val", group=7)])
    stopped = run_face_map(leaky)
    assert stopped.exit_code == 2
    assert "people have photos in more than one split (first: acne04-7, in train and val)" in stopped.output
    assert not (leaky / "run/last.ckpt").exists()


def test_a_mirrored_copy_of_somebody_else_stops_the_face_map(leaky):
    sets(leaky, acne04=[image(TRAIN, "train", group=7), image(VAL, "val", group=8)])
    save(leaky / "acne04" / VAL, drawn_face(1)[:, ::-1])
    stopped = run_face_map(leaky)
    assert stopped.exit_code == 2
    assert f"acne04/{VAL} (val) is a mirrored copy of acne04/{TRAIN} (train)" in " ".join(stopped.output.split())
    assert not (leaky / "run/last.ckpt").exists()


@pytest.mark.parametrize("side", ["val", "test"])
def test_a_copy_among_photos_that_nothing_is_drawn_from_stops_it_too(leaky, side):
    """The recipe gives its set no share."""

    masked, further = "faces/celebamask/images/frontal.jpg", "frames512/c.jpg"
    draw_faces(leaky, masked, *(f"acne04/{name}" for name in (TRAIN, VAL, further)))
    known = [(TRAIN, "train"), (VAL, "val"), (further, side)]
    sets(leaky, acne04=[image(name, split, group=n) for n, (name, split) in enumerate(known)])
    shares = ("crops.shares={faces/celebamask: 1.0}",)
    opened_face_map(leaky, *shares)
    save(leaky / "acne04" / further, drawn_face(1)[:, ::-1])
    with pytest.raises(LeakyData, match=rf"c.jpg \({side}\) is a mirrored copy of acne04/{TRAIN} \(train\)"):
        opened_face_map(leaky, *shares)


def test_two_people_on_two_sides_do_not(leaky):
    sets(leaky, acne04=[image(TRAIN, "train", group=7), image(VAL, "val", group=8)])
    about = opened_face_map(leaky).about
    assert about["items"] == {"train": 1, "val": 1}
    assert about["people"] == 2
    assert "leaks_allowed" not in about


def test_faces_of_ones_own_are_enough(tmp_path):
    """Neither ACNE04 nor the typed portraits nor CelebAMask-HQ are there."""
    draw_faces(tmp_path, *(f"faces/own/{n}.jpg" for n in range(12)))
    opened = opened_face_map(tmp_path, "crops.shares={faces/own: 1.0}")
    recipe = face_map_recipe("crops.shares={faces/own: 1.0}")
    drawn = FaceMap().examples(recipe, opened.learnt, learning=True).draw(0, np.random.default_rng(0))
    assert drawn["image"].shape == (64, 64, 3)
    assert drawn["labels"].shape == (32, 32)
    assert opened.about["people"] == 12
    with pytest.raises(UnusableInput, match="nothing to learn from"):
        opened_face_map(tmp_path)
