"""A small data set of rendered faces: photos, masks by kind, grades, votes, people, splits. Nobody's face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from comedo.synthetic import Camera, FaceSpec, HairStyle, Light, Person, Pose, render, scatter_lesions
from comedo.synthetic.render import RenderedFace
from comedo.training.data.bitmap import bitmap_of
from comedo.training.data.convert import write_dataset
from comedo.training.data.dataset import Dataset, Label, Sample, Vote
from comedo.training.data.formats.coco import COCO
from comedo.training.runner.faces import kept_name
from comedo.types import Group, Kind

PEOPLE = 6  # the last two are held back
LESIONS = (0, 5, 12, 26)  # of each person's photos; their place is the grade
WIDTH, HEIGHT = 216, 288
CATEGORY = {Group.NON_INFLAMMATORY: "acne", Group.INFLAMMATORY: "pimple", Group.MARK: "spot"}
_KINDS = (Kind.PAPULE, Kind.PAPULE, Kind.PUSTULE, Kind.CLOSED_COMEDONE, Kind.MARK)


def rendered_face(person: int, grade: int) -> RenderedFace:
    """One photo: lesions angrier than real ones, in the number that belongs to the grade."""
    rng = np.random.default_rng([person, grade, 5])
    head = person // 2  # dear to make: two people share one; the skin of the held-back two lies between the others
    tone, hair = ((0.12, HairStyle.NONE), (0.4, HairStyle.SHORT), (0.26, HairStyle.LONG))[head]
    who = Person(tone=tone, shape_seed=head, ruddiness=0.2, hair=hair, fringe=head * 0.2)
    counts = {kind: sum(_KINDS[n % len(_KINDS)] is kind for n in range(LESIONS[grade])) for kind in set(_KINDS)}
    lesions = scatter_lesions(who, counts, seed=10 * person + grade, strength=(2.3, 2.8))
    return render(
        FaceSpec(
            person=who,
            pose=Pose(yaw_deg=float(rng.uniform(-12, 12)), roll_deg=float(rng.uniform(-4, 4))),
            light=Light(azimuth_deg=float(rng.uniform(-30, 30)), ambient=0.55),
            camera=Camera(width=WIDTH, height=HEIGHT, face_share=0.8),
            lesions=tuple(replace(spot, diameter_mm=4.6) if spot.kind is Kind.PAPULE else spot for spot in lesions),
            background_seed=10 * person + grade,
            noise_seed=10 * person + grade,
        )
    )


def labels_of(face: RenderedFace) -> tuple[Label, ...]:
    """The visible lesions as masks, the category by their group."""
    return tuple(
        Label(CATEGORY[spot.group], bitmap_of(spot.mask, left=int(spot.box_xyxy[0]), top=int(spot.box_xyxy[1])))
        for spot in face.lesions
    )


def rendered_set(folder: Path) -> Path:
    """Write photos/, annotations.json (COCO) and the true face maps in cache/faces; returns the folder."""
    (folder / "photos").mkdir(parents=True)
    (folder / "cache/faces").mkdir(parents=True)
    samples = []
    for person in range(PEOPLE):
        for grade in range(len(LESIONS)):
            face, name = rendered_face(person, grade), f"photos/{person}-{grade}.png"
            cv2.imwrite(str(folder / name), cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR))
            cv2.imwrite(str(folder / "cache/faces" / kept_name(folder / name)), face.parts)
            samples.append(
                Sample(
                    name,
                    labels_of(face),
                    WIDTH,
                    HEIGHT,
                    person=f"person-{person}",
                    split="val" if person >= PEOPLE - 2 else "train",
                    grade=grade,
                    votes=(Vote("a", grade), Vote("b", max(0, grade - person % 2))),
                )
            )
    write_dataset(Dataset(tuple(samples), tuple(CATEGORY.values()), folder), folder / "annotations.json", COCO)
    return folder
