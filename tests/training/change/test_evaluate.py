"""The measurement of changes on photos whose motion is known, by the shipped networks."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from change_builders import make_visit, turn
from comedo.progress.compare import compare
from comedo.progress.noise import load_noise
from comedo.synthetic import Camera, FaceSpec, Person, render, scatter_lesions
from comedo.training.change.evaluate import affine_error, evaluate_pairs, read_results
from comedo.training.change.pairs import Pair
from comedo.training.change.repeats import load_material
from comedo.types import Kind

MOTION = np.array([[0.98, 0.05, 9.0], [-0.05, 0.98, 22.0]])  # a turn of 3 degrees, a little smaller, moved


def test_an_alignment_is_measured_against_a_given_affine():
    motion = turn(4.0, scale=1.03, x=6.0)
    first, second = make_visit(0), make_visit(0, motion=motion)
    found = compare(first, second)
    assert found.comparable
    right = affine_error(first, second, found, motion)
    assert right < 0.02
    eyes_px = second.face.face_px * 63 / 65
    moved = motion + np.array([[0, 0, 0.1 * eyes_px], [0, 0, 0]])
    assert affine_error(first, second, found, moved) == pytest.approx(0.1, abs=0.02)


def face_of(seed):
    """A rendered person, and the same skin moved as known."""
    person = Person(shape_seed=seed, tone=seed / 10)
    lesions = scatter_lesions(person, {Kind.PAPULE: 9}, seed=seed)
    photo = render(FaceSpec(person=person, camera=Camera(480, 560, 0.62), lesions=lesions)).image
    moved = cv2.warpAffine(photo, MOTION, (480, 560), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return photo, moved


@pytest.mark.weights
def test_pairs_strangers_and_mirror_images_are_told_apart(tmp_path):
    from comedo.build import default_analyzer

    pairs = []
    for seed in (3, 8):
        for name, image in zip("ab", face_of(seed), strict=True):
            assert cv2.imwrite(str(tmp_path / f"{name}{seed}.png"), image[..., ::-1])
        pairs.append(Pair(f"a{seed}", f"b{seed}", "similar", "val", "session"))
    affines = tmp_path / "affines.json"
    affines.write_text(json.dumps([{"a": p.a, "b": p.b, "affine_a_to_b_512": MOTION.tolist()} for p in pairs]))
    material = load_material(tmp_path, default_analyzer(), load_noise(), None, donors_from="", split="val")
    figures = evaluate_pairs(pairs, material, tmp_path, affines=affines, rounds=20)
    assert figures["views"] == {"comparable": 2}
    assert figures["alignment_against_affines_median"]["value"] < 0.02
    assert (figures["mirrored_noticed"]["value"], figures["mirrored_false_alarms"]["value"]) == (1.0, 0.0)
    assert (figures["strangers_compared"]["value"], figures["strangers_compared"]["n"]) == (0.0, 1)
    assert figures["noise_images_with_a_face"]["value"] == 0.0
    assert figures["retaken"]["pairs"] == 4
    stored = [r.observation.pair for r in read_results(tmp_path / "pairs.jsonl")]
    assert sorted(p.a for p in stored) == ["a3", "a8"]
    further = replace(material, people={"a3": "1", "a8": "2", "alone": "2"})
    assert cv2.imwrite(str(tmp_path / "alone.png"), face_of(8)[0][..., ::-1])
    retaken = evaluate_pairs(pairs, further, tmp_path, affines=affines, rounds=20)["retaken"]
    assert retaken["pairs"] == 5
    assert retaken["no_change_called_changed"]["people"] == 2
    again = evaluate_pairs(pairs, material, tmp_path, affines=affines, rounds=20)
    assert again == figures, "what was read is not read again, and says the same"
