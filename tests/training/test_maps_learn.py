"""The recipes of the two shipped networks learn on rendered faces, go on after a kill, and are exported."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.inference import MIRRORED, load_network
from comedo.lesions.network import STRIDE
from comedo.lesions.peaks import find_peaks
from comedo.training.baselines import RednessBlobs
from comedo.training.command import RECIPES
from comedo.training.metrics.curves import Scored, average_precision, pool
from comedo.training.metrics.matching import match_centres
from comedo.training.own_data import WORK_PX_PER_MM
from comedo.training.recipe import read_recipe
from comedo.training.runner.faces import kept_name
from comedo.training.tasks import KINDS, open_data
from comedo.training.train import train
from comedo.training.truth import read_coco
from comedo.types import Group, Part
from recipe_trials import Killed
from rendered_maps import face_set

FROM_NOTHING = (
    "pretrained=null",
    "start=null",
    "schedule.minutes=0",
    "schedule.warmup=5",
    "schedule.rate=0.004",
    "schedule.encoder_share=1.0",
    "schedule.average=0.9",
    "schedule.save_every_s=0",
    "validation.batches=1",
)
FACE = (
    *FROM_NOTHING,
    "per_step=4",
    "schedule.steps=100",
    "crops.size=96",
    "crops.close_share=1.0",
    "crops.rotate_deg=5",
    "crops.look=0.5",
    "crops.shares={faces/celebamask: 1.0}",
    "export.sizes=[[96, 96]]",
)
PX_PER_MM = 3.0  # said to be finer than they are (1.2), so that photos stay small
LESION = (
    *FROM_NOTHING,
    "per_step=8",
    "schedule.steps=110",
    "crops.size=64",
    "crops.on_lesion=0.9",
    "crops.zoom=[0.9, 1.1]",
    "crops.look=0.4",
    "crops.shares={own: 1.0}",
    f"data={{own: {{annotations: annotations.json, photos: '.', pixels_per_mm: {PX_PER_MM}}}}}",
    "export.sizes=[[96, 96]]",
)
GOING_ON = ("schedule.steps=12", "schedule.rate=0.001")


def killed_and_gone_on(recipe, data, out):
    """Train to the end with a kill in the middle; the manifest's entry."""
    kind, calls = KINDS[recipe.network], []

    def dying(output, target):
        calls.append(output.requires_grad)
        if sum(calls) > recipe.schedule.steps // 2:
            raise Killed
        return kind.loss(output, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, recipe.network, replace(kind, loss=dying))
        with pytest.raises(Killed):
            train(recipe, data=data, out=out, device="cpu")
    assert torch.load(out / "last.pt", weights_only=True)["step"] == recipe.schedule.steps // 2
    return train(recipe, data=data, out=out, device="cpu")


@pytest.fixture(scope="module")
def faces(rendered, tmp_path_factory):
    return face_set(rendered, tmp_path_factory.mktemp("faces"), kept_name)


@pytest.fixture(scope="module")
def face_run(faces, tmp_path_factory):
    """A face map that learnt from nothing: its folder and its line of the manifest."""
    out = tmp_path_factory.mktemp("face-map")
    return out, killed_and_gone_on(read_recipe(RECIPES / "face-map.yaml", FACE), faces, out)


@pytest.fixture(scope="module")
def lesion_map_run(rendered, tmp_path_factory):
    """The same of a lesion map."""
    out = tmp_path_factory.mktemp("lesion-map")
    return out, killed_and_gone_on(read_recipe(RECIPES / "lesion-map.yaml", LESION), rendered, out)


def mean_iou(said, true):
    """Mean over the parts that are there of intersection over union."""
    parts = [p for p in Part if (true == p).any()]
    return float(np.mean([((said == p) & (true == p)).sum() / ((said == p) | (true == p)).sum() for p in parts]))


def drawn(batches, number):
    """Pictures and labels of some batches."""
    found = [batches(step) for step in range(number)]
    return np.concatenate([p.numpy() for p, _ in found]), np.concatenate([t["labels"].numpy() for _, t in found])


def assert_faces_are_found(out, faces):
    """On held-back faces the exported network beats the commonest part of each place, and background everywhere."""
    batches = open_data(read_recipe(RECIPES / "face-map.yaml", FACE), faces)
    pictures, true = drawn(batches.held_back, 8)
    network = load_network("face-map", out)
    said = np.stack([network.run(picture).argmax(0) for picture in pictures])
    _, before = drawn(batches.train, 16)
    usual = np.stack([(before == part).sum(0) for part in Part]).argmax(0)
    usual = np.broadcast_to(usual, true.shape)
    assert mean_iou(said, true) > mean_iou(usual, true) + 0.1
    assert (said == true).mean() > max((usual == true).mean(), (true == Part.BACKGROUND).mean()) + 0.1


def test_the_face_map_learns_goes_on_and_is_exported(face_run, faces):
    out, entry = face_run
    assert entry.parity <= 1e-3
    assert entry.data["photos"] == {"faces/celebamask/train": 16, "faces/celebamask/val": 8}
    assert_faces_are_found(out, faces)


@pytest.mark.parametrize("name", ["face-map-fine", "face-map-glasses"])
def test_finer_face_maps_go_on_from_it(name, face_run, faces, tmp_path):
    start = f"start={face_run[0] / 'face-map.onnx'}"
    recipe = read_recipe(RECIPES / f"{name}.yaml", (*FACE, *GOING_ON, start))
    killed_and_gone_on(recipe, faces, tmp_path)
    assert_faces_are_found(tmp_path, faces)


def precision_of(photos, find):
    """Mean over active lesions and marks of the average precision on some photos; `find` gives scores of both."""
    kinds = ((Group.INFLAMMATORY, Group.NON_INFLAMMATORY), (Group.MARK,))
    scored = [[], []]
    for photo in photos:
        image = photo.read()
        circles, *scores = find(image)
        for kind, score, rows in zip(kinds, scores, scored, strict=True):
            true = photo.lesions.choose(kind).circles
            hits = match_centres(circles, score, true, image.shape[1]) >= 0
            rows.append(Scored(np.asarray(score, np.float64), hits, len(true)))
    return float(np.mean([average_precision(pool(rows)) for rows in scored]))


def assert_lesions_are_found(out, rendered, name="lesion-map"):
    """On held-back faces the exported network beats red blobs, which take marks for lesions."""
    network, zoom = load_network(name, out), WORK_PX_PER_MM / PX_PER_MM

    def by_network(image):
        size = (round(image.shape[1] * zoom), round(image.shape[0] * zoom))
        canvas = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        canvas = cv2.copyMakeBorder(canvas, 0, -size[1] % 32, 0, -size[0] % 32, cv2.BORDER_REPLICATE)
        peaks = find_peaks(network.run(canvas), np.ones((canvas.shape[0] // STRIDE, canvas.shape[1] // STRIDE), bool))
        return np.column_stack([peaks.xy / zoom, peaks.radius / zoom]).astype(np.float32), peaks.active, peaks.mark

    def by_redness(image):
        found = RednessBlobs().predict(image)
        return found.circles, found.scores, found.scores

    photos = read_coco(rendered / "annotations.json", rendered, split="val").photos
    ours, blobs = precision_of(photos, by_network), precision_of(photos, by_redness)
    assert ours > blobs + 0.1


def test_the_lesion_map_learns_goes_on_and_is_exported(lesion_map_run, rendered):
    out, entry = lesion_map_run
    assert entry.parity <= 1e-3
    assert entry.data["photos"] == {"own/train": 16, "own/val": 8}
    assert_lesions_are_found(out, rendered)


@pytest.mark.parametrize("name", ["lesion-map-fine", "lesion-map-few"])
def test_further_lesion_maps_go_on_from_it(name, lesion_map_run, rendered, tmp_path):
    before = lesion_map_run[0] / "lesion-map.onnx"
    few = (
        "made={rendered: 1}",
        "crops.shares={own: 0.9, rendered: 0.1}",
        f"keep_mask={{weights: {before}, crops: 2}}",
    )
    more = few if name == "lesion-map-few" else ()
    recipe = read_recipe(RECIPES / f"{name}.yaml", (*LESION, *GOING_ON, f"start={before}", *more))
    entry = killed_and_gone_on(recipe, rendered, tmp_path)
    assert ("rendered/train" in entry.data["photos"]) is (name == "lesion-map-few")
    assert_lesions_are_found(tmp_path, rendered)


def test_the_second_of_a_pair_goes_on_from_it_and_is_found_by_its_name(lesion_map_run, rendered, tmp_path):
    before = lesion_map_run[0] / "lesion-map.onnx"
    changes = (*LESION, *GOING_ON, f"start={before}", "made={}", "looks_at=mirror images")
    entry = killed_and_gone_on(read_recipe(RECIPES / "lesion-map-made.yaml", changes), rendered, tmp_path)
    assert (entry.name, entry.file) == (MIRRORED, "lesion-map-mirrored.onnx")
    assert entry.parity <= 1e-3
    assert_lesions_are_found(tmp_path, rendered, MIRRORED)
