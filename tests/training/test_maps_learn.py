"""The recipes of the two shipped networks learn on rendered faces, go on after a kill, and are exported."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.inference import MIRRORED, load_network
from comedo.lesions.network import STRIDE
from comedo.lesions.peaks import find_peaks
from comedo.training.command import RECIPES
from comedo.training.evaluation.baselines import RednessBlobs
from comedo.training.evaluation.truth import read_coco
from comedo.training.face_map.judge import view
from comedo.training.face_map.model import face_loss
from comedo.training.figures import Rounds
from comedo.training.lesion_map.data import WORK_PX_PER_MM
from comedo.training.lesion_map.model import lesion_loss
from comedo.training.metrics.curves import Scored, average_precision, pool
from comedo.training.metrics.matching import match_centres
from comedo.training.recipe import read_values
from comedo.training.runner.faces import kept_name
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import Result, export_last, open_items, train_run
from comedo.types import Group, Part
from recipe_trials import Killed
from rendered_maps import face_set

FROM_NOTHING = (
    "pretrained=null",
    "start=null",
    "schedule.epochs=10",
    "schedule.warmup=5",
    "schedule.rate=0.004",
    "schedule.encoder_share=1.0",
    "schedule.average=0.9",
)
FACE = (
    *FROM_NOTHING,
    "schedule.per_step=4",
    "schedule.steps=14",
    "crops.size=96",
    "crops.close_share=1.0",
    "crops.rotate_deg=5",
    "crops.look=0.5",
    "crops.shares={faces/celebamask: 1.0}",
)
PX_PER_MM = 3.14  # said to be finer than they are (1.2), so that photos stay small
LESION = (
    *FROM_NOTHING,
    "schedule.per_step=8",
    "schedule.steps=11",
    "crops.size=64",
    "crops.on_lesion=0.9",
    "crops.zoom=[0.9, 1.1]",
    "crops.look=0.4",
    "crops.shares={own: 1.0}",
    f"data={{own: {{annotations: annotations.json, photos: '.', pixels_per_mm: {PX_PER_MM}}}}}",
)
FIRST = {"face-map": FACE, "lesion-map": LESION}
DIES = {"face-map": 2, "lesion-map": 1}  # after so many epochs
GOING_ON = ("schedule.epochs=5", "schedule.steps=12", "schedule.rate=0.003")


@dataclass(frozen=True)
class Ran:
    """What a run from nothing left."""

    out: Path
    begun: Path  # the same where it was killed: it has hardly learnt anything yet
    result: Result


def recipe_of(name, changes):
    return read_run(read_values(RECIPES / f"{name}.yaml", changes), name)


def killed_and_gone_on(name, changes, data, out, begun=None):
    """Train to the end with a kill, which `begun` keeps where it is asked for; the result."""
    task, recipe = recipe_of(name, changes)

    class Dying(type(task)):
        def loss(self, recipe, net, batch, epoch):
            if epoch == DIES[task.recipe.task]:
                raise Killed
            return super().loss(recipe, net, batch, epoch)

    with pytest.raises(Killed):
        train_run(Dying(), recipe, data=data, out=out, quiet=True)
    assert (
        torch.load(out / "last.ckpt", weights_only=False)["global_step"]
        == DIES[task.recipe.task] * recipe.schedule.steps
    )
    if begun is not None:
        shutil.copytree(out, begun)
        export_last(task, recipe, data=data, out=begun)
    return train_run(task, recipe, data=data, out=out, quiet=True, rounds=Rounds(0))


@pytest.fixture(scope="module")
def faces(rendered, tmp_path_factory):
    return face_set(rendered, tmp_path_factory.mktemp("faces"), kept_name)


def run_of(name, data, folder):
    """Train the first recipe of a network."""
    out, begun = folder / "whole", folder / "begun"
    return Ran(out, begun, killed_and_gone_on(name, FIRST[name], data, out, begun))


@pytest.fixture(scope="module")
def face_run(faces, tmp_path_factory):
    """A face map that learnt from nothing."""
    return run_of("face-map", faces, tmp_path_factory.mktemp("face-map"))


@pytest.fixture(scope="module")
def lesion_map_run(rendered, tmp_path_factory):
    """The same of a lesion map."""
    return run_of("lesion-map", rendered, tmp_path_factory.mktemp("lesion-map"))


# From what the shipped network says back to what its loss is counted from.
LOGITS = {
    "face-map": lambda maps: maps.clamp(min=1e-9).log(),
    "lesion-map": lambda maps: torch.cat([torch.logit(maps[:, :5], eps=1e-6), maps[:, 5:].log()], 1),
}


LOSSES = {
    "face-map": lambda logits, batch: face_loss(logits, batch["labels"]),
    "lesion-map": lesion_loss,
}


def held_back_crops(name, data):
    """Crops of held-back people that are always the same, in batches."""
    task, recipe = recipe_of(name, FIRST[name])
    examples = task.examples(recipe, open_items(task, recipe, data, data / "cache").held_back, learning=True)
    size = recipe.schedule.per_step
    drawn = [examples.draw(k % examples.number, np.random.default_rng([5, k])) for k in range(4 * size)]
    return [task.collate(drawn[k : k + size]) for k in range(0, len(drawn), size)]


def objective(out, data, name, exported=None):
    """The loss of the first recipe on them, through the exported network."""
    network, terms = load_network(exported or name, out), []
    for batch in held_back_crops(name, data):
        maps = torch.from_numpy(np.stack([network.run(picture) for picture in batch["image"].numpy()]))
        terms += [float(term) for term in LOSSES[name](LOGITS[name](maps), batch).values()]
    return sum(terms) / 4


def mean_iou(said, true):
    """Mean over the parts that are there of intersection over union."""
    parts = [p for p in Part if (true == p).any()]
    return float(np.mean([((said == p) & (true == p)).sum() / ((said == p) | (true == p)).sum() for p in parts]))


def figures(result, section):
    """Value and baseline of each figure by name."""
    (chosen,) = [s for s in result.evaluation.sections if s.name == section]
    return {f.name: (f.value, f.baseline) for f in chosen.figures}


def faces_said(out, faces):
    """Parts that the exported network sees on held-back faces, and the true ones."""
    task, recipe = recipe_of("face-map", FACE)
    near = [view(face.labelled(), 0.75, 96) for face in open_items(task, recipe, faces, faces / "cache").held_back]
    network = load_network("face-map", out)
    return np.stack([network.run(picture).argmax(0) for picture, _ in near]), np.stack([true for _, true in near])


def test_the_face_map_learns_goes_on_and_is_exported(face_run, faces):
    """On held-back faces it beats the commonest part of each place, and background everywhere."""
    entry = face_run.result.entry
    assert entry.parity <= 1e-3
    assert entry.data["items"] == {"train": 16, "val": 8}
    near = figures(face_run.result, "near")
    assert near["mean IoU"][0] > near["mean IoU"][1] + 0.02
    assert near["IoU skin"][0] > near["IoU skin"][1]
    said, true = faces_said(face_run.out, faces)
    assert near["mean IoU"][0] == pytest.approx(mean_iou(said, true), abs=0.05)
    assert (said == true).mean() > (true == Part.BACKGROUND).mean() + 0.1


@pytest.mark.parametrize("name", ["face-map-fine", "face-map-glasses"])
def test_finer_face_maps_learn_more_than_what_they_start_from(name, face_run, faces, tmp_path):
    start = f"start={face_run.begun / 'face-map.onnx'}"
    killed_and_gone_on(name, (*FACE, *GOING_ON, start), faces, tmp_path)
    before, after = (objective(out, faces, "face-map") for out in (face_run.begun, tmp_path))
    assert after < 0.9 * before
    assert mean_iou(*faces_said(tmp_path, faces)) > mean_iou(*faces_said(face_run.begun, faces)) + 0.02


def precisions_of(photos, find):
    """Average precision of active lesions, and of marks, on some photos; `find` gives scores of both."""
    kinds = ((Group.INFLAMMATORY, Group.NON_INFLAMMATORY), (Group.MARK,))
    scored = [[], []]
    for photo in photos:
        image = photo.read()
        circles, *scores = find(image)
        for kind, score, rows in zip(kinds, scores, scored, strict=True):
            true = photo.lesions.choose(kind).circles
            hits = match_centres(circles, score, true, image.shape[1]) >= 0
            rows.append(Scored(np.asarray(score, np.float64), hits, len(true)))
    return [average_precision(pool(rows)) for rows in scored]


def held_back(rendered):
    return read_coco(rendered / "annotations.json", rendered, split="val").photos


def found_by_network(out, rendered, name="lesion-map"):
    """Those of the exported network on held-back faces."""
    network, zoom = load_network(name, out), WORK_PX_PER_MM / PX_PER_MM

    def by_network(image):
        size = (round(image.shape[1] * zoom), round(image.shape[0] * zoom))
        canvas = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        canvas = cv2.copyMakeBorder(canvas, 0, -size[1] % 32, 0, -size[0] % 32, cv2.BORDER_REPLICATE)
        peaks = find_peaks(network.run(canvas), np.ones((canvas.shape[0] // STRIDE, canvas.shape[1] // STRIDE), bool))
        return np.column_stack([peaks.xy / zoom, peaks.radius / zoom]).astype(np.float32), peaks.active, peaks.mark

    return precisions_of(held_back(rendered), by_network)


def found_by_redness(rendered):
    """Those of red blobs, which take marks for lesions."""

    def by_redness(image):
        found = RednessBlobs().predict(image)
        return found.circles, found.scores, found.scores

    return precisions_of(held_back(rendered), by_redness)


def test_the_lesion_map_learns_goes_on_and_is_exported(lesion_map_run, rendered):
    """It finds active lesions as well as red blobs do, which is well on rendered skin, and tells marks from them."""
    entry = lesion_map_run.result.entry
    assert entry.parity <= 1e-3
    assert entry.data["items"] == {"train": 16, "val": 8}
    active, marks = found_by_network(lesion_map_run.out, rendered)
    said = figures(lesion_map_run.result, "own")
    assert said["AP"][0] == pytest.approx(active, abs=0.06)  # of candidates that are likelier active than mark
    assert said["AP of marks"][0] > 0.1 > said["AP of marks"][1]
    active_blobs, mark_blobs = found_by_redness(rendered)
    assert active > active_blobs - 0.05
    assert marks > mark_blobs + 0.1


def assert_more_was_learnt(begun, out, rendered, name="lesion-map"):
    """Than the start knew, which found next to nothing."""
    before, after = objective(begun, rendered, "lesion-map"), objective(out, rendered, "lesion-map", name)
    assert after < 0.8 * before
    assert found_by_network(out, rendered, name)[0] > found_by_network(begun, rendered)[0] + 0.3


@pytest.mark.parametrize("name", ["lesion-map-fine", "lesion-map-few"])
def test_further_lesion_maps_learn_more_than_what_they_start_from(name, lesion_map_run, rendered, tmp_path):
    before = lesion_map_run.begun / "lesion-map.onnx"
    few = (
        "made={rendered: 1}",
        "crops.shares={own: 0.9, rendered: 0.1}",
        f"keep_mask={{weights: {before}, crops: 2}}",
    )
    more = few if name == "lesion-map-few" else ()
    killed_and_gone_on(name, (*LESION, *GOING_ON, f"start={before}", *more), rendered, tmp_path)
    assert_more_was_learnt(lesion_map_run.begun, tmp_path, rendered)


def test_the_second_of_a_pair_learns_more_and_is_found_by_its_name(lesion_map_run, rendered, tmp_path):
    before = lesion_map_run.begun / "lesion-map.onnx"
    changes = (*LESION, *GOING_ON, f"start={before}", "made={}", "looks_at=mirror images")
    entry = killed_and_gone_on("lesion-map-made", changes, rendered, tmp_path).entry
    assert (entry.name, entry.file) == (MIRRORED, "lesion-map-mirrored.onnx")
    assert entry.parity <= 1e-3
    assert_more_was_learnt(lesion_map_run.begun, tmp_path, rendered, MIRRORED)
