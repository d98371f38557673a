"""The lesions of a photo that nobody labelled, above the cut-offs of their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from comedo.errors import UnusableInput
from comedo.training.data.dataset import Label, Rectangle
from comedo.training.detection.recipe import DetectorRecipe
from comedo.training.detection.serve import Found, without_doubles
from comedo.training.detection.ways import Way
from comedo.training.runner.answer import Answer, Use

_SAME_PLACE = 0.5  # overlap above which two findings are one lesion, whatever their types


def choose_way(recipe: DetectorRecipe, use: Use) -> Way:
    """The way that was asked for, else the first that the run measured."""
    return recipe.ways[0] if use.way is None else Way(use.way)


def choose_cuts(recipe: DetectorRecipe, use: Use, way: Way) -> tuple[float, ...]:
    """The score from which each type is reported: one for all, else those that the run measured for the way.

    Raises:
        UnusableInput: It measured none.
    """
    if use.cut_off is not None:
        return (use.cut_off,) * len(recipe.types)
    measured = use.metrics.get(str(way), {})
    known = [measured.get(f"cut-off {name}") for name in recipe.types]
    if any(v is None for v in known):
        others = " or ".join(w for w in recipe.ways if w is not way and w in use.metrics)
        raise UnusableInput(
            f"the run measured no cut-offs for the way {way!s}; give one with --cut-off"
            + (f", or choose --way {others}" if others else "")
        )
    return tuple(float(v) for v in known if v is not None)


def above_cuts(found: Found, cuts: Sequence[float]) -> Found:
    """The findings above their types' cut-offs, each place with one type."""
    found = found.choose(found.scores >= np.asarray(cuts)[found.classes])
    return without_doubles(found, _SAME_PLACE, across_types=True)


def boxes_answer(
    found: Found, recipe: DetectorRecipe, way: Way, cuts: Sequence[float], notices: tuple[str, ...]
) -> Answer:
    """Findings, in the photo's pixels, in words, values and labels."""
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True)
    labels = tuple(
        Label(recipe.types[number], Rectangle((x0, y0, x1, y1)), round(score, 4), recipe.task)
        for (x0, y0, x1, y1), score, number in rows
    )
    number_of = Counter(label.category for label in labels)
    counts = {name: number_of[name] for name in recipe.types}
    return Answer(
        sentence=f"lesions: {len(labels)} ({', '.join(f'{name} {number}' for name, number in counts.items())})",
        values={
            "lesion_count": len(labels),
            "count_by_type": counts,
            "way": str(way),
            "cut_offs": dict(zip(recipe.types, cuts, strict=True)),
            "lesions": [{"type": x.category, "score": x.score, "box_xyxy": x.bounds_xyxy} for x in labels],
        },
        notices=notices,
        labels=labels,
    )
