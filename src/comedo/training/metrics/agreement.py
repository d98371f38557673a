"""How far raters agree beyond chance."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from comedo.training.metrics.tally import ratio

Answers = Mapping[Hashable, int]  # photo to grade


def cohen_kappa(a: Sequence[int], b: Sequence[int]) -> float | None:
    """Agreement of two raters beyond chance (Cohen 1960); `None` without photos or with one grade only."""
    if len(a) != len(b):
        raise ValueError(f"two raters must grade the same photos, got {len(a)} and {len(b)} grades")
    first, second = np.asarray(a), np.asarray(b)
    if first.size == 0:
        return None
    seen = float((first == second).mean())
    chance = float(sum((first == g).mean() * (second == g).mean() for g in np.union1d(first, second)))
    return None if chance == 1 else (seen - chance) / (1 - chance)


def fleiss_kappa(photos: Sequence[Sequence[int]]) -> float | None:
    """Agreement of several raters beyond chance (Fleiss 1971).

    Args:
        photos: The grades of each photo; a photo may have more or fewer than others, and counts
            by its pairs of raters. Photos with one grade say nothing and are left out.

    Returns:
        `None` without two grades on any photo, or with one grade only.
    """
    several = [list(grades) for grades in photos if len(grades) > 1]
    if not several:
        return None
    known = sorted({g for grades in several for g in grades})
    counts = np.array([[grades.count(g) for g in known] for grades in several], np.float64)
    raters = counts.sum(1)
    agreed = (counts * (counts - 1)).sum(1) / (raters * (raters - 1))
    shares = counts.sum(0) / counts.sum()
    chance = float((shares**2).sum())
    return None if chance == 1 else (float(agreed.mean()) - chance) / (1 - chance)


def agreement(a: Sequence[int], b: Sequence[int]) -> float | None:
    """Share of photos on which two raters say the same; `None` without photos."""
    return ratio(sum(x == y for x, y in zip(a, b, strict=True)), len(a))
