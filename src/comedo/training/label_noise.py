"""Labels that are not certain: several raters' votes, and grades whose neighbours are nearly right too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ordinal_smoothing(grade: int, grades: int, *, width: float) -> Floats:
    """A grade as a distribution that falls with the distance: a mistake of one step is likelier than of two.

    Args:
        grade: 0 to `grades` - 1.
        grades: How many there are.
        width: Standard deviation in grades of the bell that is spread over them; 0 for certainty.

    Returns:
        (grades,) with sum 1.
    """
    if not 0 <= grade < grades:
        raise ValueError(f"a grade must lie in 0 to {grades - 1}, got {grade}")
    if width < 0:
        raise ValueError(f"the width of smoothing must not be negative, got {width}")
    steps = np.abs(np.arange(grades) - grade)
    bell: Floats = np.exp(-0.5 * (steps / width) ** 2) if width > 0 else (steps == 0).astype(np.float64)
    return np.asarray(bell / bell.sum())


def vote_distribution(votes: Sequence[int], grades: int, *, width: float = 0.0) -> Floats | None:
    """Several raters' votes as one label distribution: the mean of their smoothed grades.

    Returns:
        (grades,) with sum 1; `None` without votes.
    """
    if not votes:
        return None
    return np.asarray(np.mean([ordinal_smoothing(v, grades, width=width) for v in votes], axis=0))


def soft_labels(
    votes: Sequence[Sequence[int]], agreed: Sequence[int | None], grades: int, *, width: float
) -> NDArray[np.float64]:
    """The target of each photo: its raters' votes, else its agreed grade.

    Args:
        votes: Of each photo, possibly none.
        agreed: The photo's one grade, `None` where there is none.
        grades: How many grades there are.
        width: Of the ordinal smoothing.

    Returns:
        (N, grades); a row of zeros where nothing is known, which has no weight in a cross entropy.
    """
    rows = []
    for several, one in zip(votes, agreed, strict=True):
        found = vote_distribution(several or ([] if one is None else [one]), grades, width=width)
        rows.append(np.zeros(grades) if found is None else found)
    return np.array(rows).reshape(-1, grades)
