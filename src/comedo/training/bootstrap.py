"""Intervals by drawing people again, with replacement.

Photos of one person are alike; drawing photos would make the interval too narrow, so that whole
groups are drawn (Field & Welsh 2007, cluster bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

Interval = tuple[float, float]
Rows = Sequence[int]


def interval(
    groups: Sequence[Hashable],
    figure: Callable[[Rows], float | None],
    *,
    level: float = 0.9,
    rounds: int = 1000,
    seed: int = 0,
) -> Interval | None:
    """Percentile interval of a figure over groups drawn with replacement.

    Args:
        groups: The group (person) of each row.
        figure: Rows, some of them several times, to the figure.
        level: Share of the drawn figures inside.
        rounds: How often the groups are drawn.
        seed: The same seed gives the same interval.

    Returns:
        Low and high end. `None` with fewer than two groups, or when the figure is undefined in
        more than half of the rounds.
    """
    rows_of: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        rows_of.setdefault(group, []).append(row)
    people = list(rows_of.values())
    if len(people) < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(rounds):
        chosen = rng.integers(len(people), size=len(people))
        value = figure([row for person in chosen for row in people[person]])
        if value is not None:
            drawn.append(value)
    if 2 * len(drawn) <= rounds:
        return None
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
