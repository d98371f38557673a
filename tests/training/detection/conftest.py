"""Rendered close-ups of skin with large lesions, so that a tiny detector learns them in seconds. Nobody's skin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from comedo.synthetic import Camera, FaceSpec, Light, Person, render, scatter_lesions
from comedo.training.data.convert import write_dataset
from comedo.training.data.dataset import Dataset, Label, Rectangle, Sample
from comedo.training.data.formats.coco import COCO
from comedo.types import Kind

SIDE = 96
TYPES = ("red", "brown")
PEOPLE = 8  # the last three are held back
_KINDS = {Kind.NODULE: "red", Kind.MARK: "brown"}


def close_up(person: int) -> tuple[NDArray[np.uint8], tuple[Label, ...]]:
    """Up to ten lesions of two types on one face, angrier than real ones."""
    who = Person(tone=0.15 + 0.03 * person, shape_seed=person, ruddiness=0.1)
    drawn = scatter_lesions(who, dict.fromkeys(_KINDS, 5), seed=person, strength=(2.7, 2.8))
    spots = tuple(replace(spot, diameter_mm=14.0 if spot.kind is Kind.NODULE else 12.0) for spot in drawn)
    face = render(
        FaceSpec(
            person=who,
            light=Light(azimuth_deg=10.0 * (person - 4), ambient=0.6),
            camera=Camera(width=SIDE, height=SIDE, face_share=1.5, center_xy=(0.5, 0.62)),
            lesions=spots,
            background_seed=person,
            noise_seed=person,
        )
    )
    return face.image, tuple(Label(_KINDS[s.kind], Rectangle(s.box_xyxy)) for s in face.lesions)


@pytest.fixture(scope="session")
def closeups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with photos/ and annotations.json (COCO): two types, people on one side each."""
    folder = tmp_path_factory.mktemp("closeups")
    (folder / "photos").mkdir()
    samples = []
    for person in range(PEOPLE):
        image, labels = close_up(person)
        name = f"photos/{person}.png"
        cv2.imwrite(str(folder / name), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        split = "val" if person >= PEOPLE - 3 else "train"
        samples.append(Sample(name, labels, SIDE, SIDE, person=f"person-{person}", split=split))
    write_dataset(Dataset(tuple(samples), TYPES, folder), folder / "annotations.json", COCO)
    return folder
