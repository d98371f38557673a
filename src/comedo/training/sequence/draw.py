"""From a kept series to one that is learnt from: shortened, turned around, photographed anew, sometimes spoilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.sequence.framing import COLOURS
from comedo.training.sequence.plan import DrawPlan
from comedo.training.sequence.series import Course, Frames, Series, Sort

_SPOILS = (Sort.NOISE, Sort.STRANGER, Sort.SHUFFLED)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A series with what is true of it; `present` is False where a photo is missing."""

    frames: Frames
    present: NDArray[np.bool_]
    course: Course
    loads: NDArray[np.float32]  # log(1 + lesions); NaN where unknown
    sound: bool
    is_face: NDArray[np.bool_]  # False where the photo is noise


def draw_series(
    series: Series, others: Sequence[Series], plan: DrawPlan, rng: np.random.Generator, *, most: int, learning: bool
) -> Drawn:
    """Draw one version of a series.

    Args:
        series: At least two photos.
        others: Series of anybody, for a stranger's photos.
        plan: The shares.
        rng: The same state gives the same version.
        most: At most so many photos, missing ones included.
        learning: Whether photos are changed too; without it, only their choice and order.
    """
    drawn = shorten(whole(series), rng, most=most)
    if rng.random() < plan.reverse:
        drawn = backwards(drawn)
    if rng.random() < plan.longer:
        drawn = lengthen(drawn, rng, most=most)
    if rng.random() < plan.unsound:
        strangers = [s for s in others if s.person != series.person]
        other = strangers[int(rng.integers(len(strangers)))].frames() if strangers else None
        drawn = spoil(drawn, other, rng)
    if learning:
        if rng.random() < plan.mirror:
            drawn = replace(drawn, frames=np.ascontiguousarray(drawn.frames[:, :, ::-1]))
        drawn = replace(drawn, frames=np.stack([photograph(f, plan, rng) for f in drawn.frames]))
    if rng.random() < plan.gaps:
        drawn = leave_gaps(drawn, rng, most=most)
    return drawn


def whole(series: Series) -> Drawn:
    """A series as it is."""
    frames = series.frames()
    loads = np.full(len(frames), np.nan) if series.loads is None else np.log1p(np.array(series.loads, np.float64))
    present = np.ones(len(frames), np.bool_)
    return Drawn(frames, present, series.course, loads.astype(np.float32), series.sort is Sort.SERIES, present)


def _chosen(drawn: Drawn, order: NDArray[np.intp]) -> Drawn:
    rows = {name: getattr(drawn, name)[order] for name in ("frames", "present", "loads", "is_face")}
    return replace(drawn, **rows)


def shorten(drawn: Drawn, rng: np.random.Generator, *, most: int) -> Drawn:
    """Some photos in between are left out; the first and the last decide the course and stay."""
    number = len(drawn.frames)
    kept = int(rng.integers(0, min(number, most) - 1))
    between = np.sort(rng.permutation(np.arange(1, number - 1))[:kept])
    return _chosen(drawn, np.array([0, *between, number - 1], np.intp))


def lengthen(drawn: Drawn, rng: np.random.Generator, *, most: int) -> Drawn:
    """Photos come several times, one after the other, up to `most` in all: long series without as many renderings."""
    number = len(drawn.frames)
    if number >= most:
        return drawn
    wanted = round(float(np.exp(rng.uniform(np.log(number), np.log(most)))))
    extra = rng.integers(0, number, wanted - number)
    return _chosen(drawn, np.sort(np.concatenate([np.arange(number), extra])))


def backwards(drawn: Drawn) -> Drawn:
    """The series from its end."""
    order = np.arange(len(drawn.frames))[::-1]
    return replace(_chosen(drawn, order), course=drawn.course.backwards)


def spoil(drawn: Drawn, stranger: Frames | None, rng: np.random.Generator) -> Drawn:
    """Make a series unsound in a way that is possible for it; a short steady one without strangers becomes noise."""
    sort = _SPOILS[int(rng.integers(len(_SPOILS)))]
    if sort is Sort.SHUFFLED and (order := shuffled_order(drawn, rng)) is not None:
        return replace(_chosen(drawn, order), sound=False)
    if sort is not Sort.NOISE and stranger is not None:
        return with_stranger(drawn, stranger, rng)
    return with_noise(drawn, rng)


def shuffled_order(drawn: Drawn, rng: np.random.Generator) -> NDArray[np.intp] | None:
    """An order that no steady course has; None where the series is too short or does not change."""
    number = len(drawn.frames)
    if number < 3 or drawn.course is Course.SAME:
        return None
    for _ in range(20):
        order = rng.permutation(number)
        steps = np.sign(np.subtract.outer(order, order))[np.tril_indices(number, -1)]
        if abs(steps.mean()) <= 1 / 3:  # Kendall's tau against the true order
            return order
    return None


def with_stranger(drawn: Drawn, stranger: Frames, rng: np.random.Generator) -> Drawn:
    """From some photo on, or at one place only, somebody else."""
    frames = drawn.frames.copy()
    start = int(rng.integers(1, len(frames)))
    places = range(start, len(frames)) if rng.random() < 0.5 else [start]
    for place in places:
        frames[place] = stranger[int(rng.integers(len(stranger)))]
    loads = np.where(np.isin(np.arange(len(frames)), list(places)), np.nan, drawn.loads).astype(np.float32)
    return replace(drawn, frames=frames, loads=loads, sound=False)


def with_noise(drawn: Drawn, rng: np.random.Generator) -> Drawn:
    """Some photos, or all, are noise: of single pixels, or soft."""
    frames = drawn.frames.copy()
    which = rng.random(len(frames)) < (1.0 if rng.random() < 0.5 else 0.5)
    which[int(rng.integers(len(frames)))] = True
    for place in np.flatnonzero(which):
        frames[place] = noise_frame(frames.shape[1], rng, channels=frames.shape[3])
    loads = np.where(which, np.nan, drawn.loads).astype(np.float32)
    return replace(drawn, frames=frames, loads=loads, sound=False, is_face=drawn.is_face & ~which)


def noise_frame(side_px: int, rng: np.random.Generator, *, channels: int = COLOURS) -> NDArray[np.uint8]:
    """A picture of nothing, (side, side, channels); where lesions are drawn, mostly none or noise of their own."""
    coarse = int(rng.choice([side_px, side_px // 4, side_px // 16]))
    small = rng.normal(rng.uniform(70, 190), rng.uniform(15, 70), (max(1, coarse), max(1, coarse), channels))
    small[..., COLOURS:] -= rng.choice([0.0, 150.0, 255.0])
    full = cv2.resize(np.clip(small, 0, 255).astype(np.uint8), (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(full, np.uint8)


def photograph(frame: NDArray[np.uint8], plan: DrawPlan, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The same skin in another photo: a little elsewhere, larger, turned, in other light, with grain.

    Lesions that are drawn move along; light does not change them.
    """
    side = frame.shape[0]
    zoom = float(np.exp(rng.uniform(-plan.zoom, plan.zoom)))
    affine = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), float(rng.uniform(-4, 4)), zoom)
    affine[:, 2] += rng.uniform(-plan.shift, plan.shift, 2) * side
    moved = cv2.warpAffine(frame, affine, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gain = np.exp(rng.uniform(-plan.light, plan.light) + rng.uniform(-plan.white_balance, plan.white_balance, COLOURS))
    colours = moved[..., :COLOURS]
    grain = rng.normal(0, rng.uniform(0, 4), colours.shape)
    lit = np.clip(colours * gain + grain + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(np.concatenate([lit, moved[..., COLOURS:]], 2), np.uint8)


def leave_gaps(drawn: Drawn, rng: np.random.Generator, *, most: int) -> Drawn:
    """One to three photos are missing, anywhere."""
    number = min(int(rng.integers(1, 4)), most - len(drawn.frames))
    for _ in range(max(0, number)):
        at = int(rng.integers(0, len(drawn.frames) + 1))
        drawn = replace(
            drawn,
            frames=np.insert(drawn.frames, at, 0, axis=0),
            present=np.insert(drawn.present, at, False),
            loads=np.insert(drawn.loads, at, np.nan),
            is_face=np.insert(drawn.is_face, at, False),
        )
    return drawn
