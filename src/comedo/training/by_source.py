"""Which photo comes next: its set by the sets' shares, then any of the set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


class BySource:
    """Draws numbers of photos; sets without photos, and photos of sets without a share, are left out."""

    def __init__(self, sources: Sequence[str], shares: Mapping[str, float]) -> None:
        numbers = {name: [i for i, source in enumerate(sources) if source == name] for name in shares}
        self._numbers = {name: known for name, known in numbers.items() if known}
        weights = np.array([shares[name] for name in self._numbers])
        self._shares = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> int:
        """Place of a photo in the sources."""
        known = list(self._numbers.values())[rng.choice(len(self._numbers), p=self._shares)]
        return known[rng.integers(len(known))]
