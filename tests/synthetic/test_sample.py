"""Specs drawn at random, the demo picture, the same skin in another photo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import comedo.synthetic as synthetic
from comedo.synthetic import (
    Camera,
    FaceSpec,
    Person,
    Pose,
    random_spec,
    render,
    same_person,
    sample_spec,
    scatter_lesions,
)
from comedo.synthetic.head import head_of
from comedo.synthetic.lesions import place
from comedo.types import Kind, Part, Region


def test_public_names():
    assert all(hasattr(synthetic, name) for name in synthetic.__all__)
    assert len(set(synthetic.__all__)) == len(synthetic.__all__)


def test_scattered_lesions_do_not_touch():
    person = Person(shape_seed=4)
    head = head_of(person)
    placed = [place(s, head) for s in scatter_lesions(person, {Kind.PAPULE: 12, Kind.NODULE: 3}, seed=1)]
    assert len(placed) >= 14
    for i, a in enumerate(placed):
        for b in placed[:i]:
            apart = np.linalg.norm(np.subtract(a.center, b.center))
            assert apart > (a.diameter_mm + b.diameter_mm) / 2


def test_scattered_lesions_keep_to_regions_and_counts():
    person = Person()
    counts = {Kind.MARK: 2, Kind.CLOSED_COMEDONE: 3}
    specs = scatter_lesions(person, counts, seed=2, regions=[Region.CHIN])
    assert {k: sum(s.kind is k for s in specs) for k in counts} == counts
    assert {place(s, head_of(person)).region for s in specs} == {Region.CHIN}


@pytest.mark.parametrize("seed", range(6))
def test_random_spec_is_its_seed_and_renders_a_face(seed):
    spec = random_spec(seed, size_wh=(240, 300), n_lesions=8)
    assert spec == random_spec(seed, size_wh=(240, 300), n_lesions=8)
    assert len(spec.lesions) <= 8
    face = render(spec)
    skin = (face.parts >= Part.FOREHEAD) & (face.parts <= Part.CHIN)
    assert skin.mean() > 0.02


def test_random_specs_are_diverse():
    specs = [random_spec(s, n_lesions=0) for s in range(40)]
    assert np.ptp([s.person.tone for s in specs]) > 0.8
    assert np.ptp([s.pose.yaw_deg for s in specs]) > 80
    assert len({s.person.hair for s in specs}) == 3
    assert len({(s.camera.width, s.camera.height) for s in specs}) == 40


def test_limits_of_random_spec_hold():
    for seed in range(20):
        spec = random_spec(seed, n_lesions=0, max_yaw_deg=20, tone=0.9)
        assert abs(spec.pose.yaw_deg) <= 20
        assert spec.person.tone == 0.9
        assert spec.lesions == ()


def test_same_person_keeps_skin_and_lesions():
    person = Person(tone=0.4, shape_seed=9)
    lesions = scatter_lesions(person, {Kind.PAPULE: 4}, seed=3)
    first = FaceSpec(person, Pose(yaw_deg=5), camera=Camera(300, 400, 0.75), lesions=lesions)
    second = same_person(first, 1)
    assert (second.person, second.lesions) == (first.person, first.lesions)
    assert second.pose != first.pose
    assert second.light != first.light
    assert second == same_person(first, 1) != same_person(first, 2)
    a, b = render(first), render(second)
    assert [lesion.diameter_mm for lesion in a.lesions] == [lesion.diameter_mm for lesion in b.lesions]
    assert [lesion.region for lesion in a.lesions] == [lesion.region for lesion in b.lesions]


def test_lesion_stays_on_the_skin_when_the_head_turns():
    lesions = scatter_lesions(Person(), {Kind.PAPULE: 3}, seed=5, regions=[Region.NOSE, Region.CHIN])
    spec = FaceSpec(camera=Camera(300, 400, 0.75), lesions=lesions)
    turned = replace(spec, pose=Pose(yaw_deg=25, roll_deg=10))
    head = head_of(spec.person)
    for face in (render(spec), render(turned)):
        for lesion in face.lesions:
            assert lesion.region is place(lesions[lesion.index], head).region
            x, y = (round(v) for v in lesion.center_xy)
            assert face.parts[y, x] == lesion.region.part


def test_sample_has_lesions_of_every_kind_in_sight():
    spec = sample_spec()
    assert (spec.camera.width, spec.camera.height) == (1200, 1600)
    small = replace(spec, camera=replace(spec.camera, width=600, height=800))
    face = render(small)
    assert {lesion.kind for lesion in face.lesions} == set(Kind)
    assert len(spec.lesions) == 14
    assert len(face.lesions) >= 12, "a head that is turned may hide one or two"
    assert None not in face.eyes_xy
