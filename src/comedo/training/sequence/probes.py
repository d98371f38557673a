"""Held-back series made of others: long ones, and such as allow no conclusion: noise, a stranger's, another order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np

from comedo.training.sequence.draw import noise_frame, photograph, shuffled_order, whole
from comedo.training.sequence.plan import DrawPlan
from comedo.training.sequence.series import Frames, Series, Sort, save_frames

LONG = "rendered, long"  # source of series of as many photos as the network takes
Spoil = Callable[[Series, Sequence[Series], np.random.Generator], Frames | None]


def probes(held_back: Sequence[Series], cache: Path) -> list[Series]:
    """Each held-back series spoilt in every way that is possible for it."""
    return [
        found
        for series in held_back
        for sort, spoil in _SPOILS.items()
        if (found := _probe(series, sort, spoil, held_back, cache / "probes")) is not None
    ]


def long_series(held_back: Sequence[Series], cache: Path, *, most: int) -> list[Series]:
    """Each series with its photos taken again and again, until there are `most`; the course stays what it is."""
    return [_long(series, cache / "long", most) for series in held_back]


def _long(series: Series, folder: Path, most: int) -> Series:
    rng = np.random.default_rng(crc32(series.name.encode()))
    frames = series.frames()
    again = [photograph(frames[i * len(frames) // most], DrawPlan(), rng) for i in range(most)]
    path = save_frames(folder / f"{series.path.parent.name}-{series.path.stem}-{most}.npy", again)
    return replace(series, name=f"{series.name}/long", source=LONG, path=path, loads=None)


def _probe(series: Series, sort: Sort, spoil: Spoil, others: Sequence[Series], folder: Path) -> Series | None:
    rng = np.random.default_rng([crc32(series.name.encode()), crc32(sort.encode())])
    frames = spoil(series, others, rng)
    if frames is None:
        return None
    path = save_frames(folder / f"{series.path.parent.name}-{series.path.stem}-{sort}.npy", list(frames))
    return replace(series, name=f"{series.name}/{sort}", path=path, loads=None, sort=sort)


def _noise(series: Series, _: Sequence[Series], rng: np.random.Generator) -> Frames:
    frames = series.frames()
    return np.stack([noise_frame(frames.shape[1], rng, channels=frames.shape[3]) for _ in frames])


def _stranger(series: Series, others: Sequence[Series], rng: np.random.Generator) -> Frames | None:
    """The second half shows somebody else of the same source."""
    strangers = [s for s in others if s.person != series.person and s.source == series.source]
    if not strangers:
        return None
    mine, theirs = series.frames(), strangers[int(rng.integers(len(strangers)))].frames()
    kept = (len(mine) + 1) // 2
    return np.concatenate([mine[:kept], theirs[-(len(mine) - kept) :]])


def _shuffled(series: Series, _: Sequence[Series], rng: np.random.Generator) -> Frames | None:
    drawn = whole(series)
    order = shuffled_order(drawn, rng)
    return None if order is None else drawn.frames[order]


_SPOILS: dict[Sort, Spoil] = {Sort.NOISE: _noise, Sort.STRANGER: _stranger, Sort.SHUFFLED: _shuffled}
