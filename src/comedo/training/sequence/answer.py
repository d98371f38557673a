"""A series of photos that nobody labelled: better, the same, worse, or nothing that could be told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from comedo.errors import NoFaceFound
from comedo.photo import read_photo
from comedo.training.runner.answer import Answer
from comedo.training.runner.labelled import LabelledPhoto
from comedo.training.sequence.framing import Framing, words_of_dots
from comedo.training.sequence.plan import SequenceRecipe
from comedo.training.sequence.rows import Probs, answer_of
from comedo.training.sequence.series import Course, Frames


def frame_series(photos: Sequence[LabelledPhoto], framing: Framing) -> tuple[Frames, tuple[str, ...]]:
    """The faces of photos in their order, (T, side, side, 3 or 4), and notices of photos without one.

    Raises:
        NoFaceFound: Fewer than two photos show a face.
    """
    frames = [(photo.path.name, framing.frame(read_photo(photo.path))) for photo in photos]
    found = [frame for _, frame in frames if frame is not None]
    if len(found) < 2:
        raise NoFaceFound(
            f"a series wants two photos or more with a face, {len(found)} of these {len(photos)} show one; name the "
            "folder of one person's photos"
        )
    absent = tuple(f"{name} was left out: no face was found" for name, frame in frames if frame is None)
    return np.stack(found), absent


def other_finder(framing: Framing, input_words: str) -> tuple[str, ...]:
    """A notice where the lesions that the network sees are not found by what found them in training."""
    if not framing.lesions or words_of_dots(framing.load().finder.models) in input_words:
        return ()
    return ("the lesions that the network sees were found by another lesion map than in training: trust this less",)


def series_answer(recipe: SequenceRecipe, probs: Probs, sound: float, photos: int, notices: tuple[str, ...]) -> Answer:
    """What a network said of a series of so many faces."""
    course = answer_of(probs, sound, recipe.answer_from)
    most = recipe.net.most_photos
    if photos > most:
        notices += (f"of {photos} photos the network took the first and the {most - 1} newest",)
    return Answer(
        sentence=_sentence(course, max(probs), sound, recipe.answer_from),
        values={
            "course": None if course is None else course.name.lower(),
            "probabilities": {str(c.name).lower(): probs[c] for c in Course},
            "sound_series_probability": sound,
            "answer_from": recipe.answer_from,
            "photos_used": min(photos, most),
        },
        notices=notices,
    )


def _sentence(course: Course | None, likeliest: float, sound: float, answer_from: float) -> str:
    if course is not None:
        return f"{course.name.lower()} (probability {likeliest:.2f})"
    if sound < answer_from:
        return f"cannot tell: that these photos are of one person in order has a probability of only {sound:.2f}"
    return f"cannot tell: the likeliest course has a probability of only {likeliest:.2f}"
