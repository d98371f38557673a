"""Photos of a data set made ready for a preview: read, with their face maps, and lesions to paste."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Protocol

import numpy as np

from comedo.errors import NoFaceFound
from comedo.photo import read_photo
from comedo.training.augmentation.paste import cut_patches
from comedo.training.augmentation.preview import Subject, Supplies
from comedo.training.augmentation.regions import parts_of_photo
from comedo.training.data.dataset import Dataset, Sample
from comedo.types import FaceMap, Photo, skin_of


class Mapper(Protocol):
    """The part of `comedo.face.FaceMapper` that is needed here."""

    def find(self, photo: Photo) -> FaceMap:
        """Map the face of a photo."""
        ...


def choose_subjects(dataset: Dataset, mapper: Mapper, *, number: int, seed: int) -> tuple[list[Subject], Supplies]:
    """Draw photos, map their faces, and cut lesions from training photos.

    Held-back photos give nothing: neither patches nor grades come from any split but `train`,
    where there are splits.
    """
    rng = np.random.default_rng(seed)
    learnt = [s for s in dataset.samples if s.split in (None, "train")]
    chosen = [learnt[k] for k in sorted(rng.permutation(len(learnt))[:number].tolist())]
    subjects = [_subject(dataset, s, mapper) for s in chosen]
    patches = [
        patch
        for subject in subjects
        if subject.parts is not None
        for patch in cut_patches(subject.image, subject.sample, skin_of(subject.parts))
    ]
    grades = Counter(s.grade for s in learnt if s.grade is not None)
    return subjects, Supplies(patches, dict(grades))


def _subject(dataset: Dataset, sample: Sample, mapper: Mapper) -> Subject:
    photo = read_photo(dataset.path_of(sample))
    known = replace(sample, width=photo.width, height=photo.height)
    try:
        parts = parts_of_photo(mapper.find(photo), photo.height, photo.width)
    except NoFaceFound:
        parts = None
    return Subject(photo.image, known, parts)
