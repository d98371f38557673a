"""Small data sets for the tests of labelled data."""

from __future__ import annotations

from pathlib import Path

import pytest

from comedo.training.data.dataset import Dataset
from drawn import drawn_face, sample, save


@pytest.fixture
def people(tmp_path: Path) -> Dataset:
    """Six photos of six people in two splits, each before a wall of its own."""
    samples = []
    for number in range(6):
        name = f"{number}.jpg"
        save(tmp_path / name, drawn_face(number))
        split = "val" if number > 3 else "train"
        samples.append(sample(name, person=f"p{number}", split=split, grade=number % 3))
    return Dataset(tuple(samples), ("acne",), tmp_path)
