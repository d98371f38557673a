"""The sequence model as a task of the common runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from comedo.errors import UnusableInput
from comedo.pipeline import Analyzer
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.runner.answer import Answer, Answering, Use
from comedo.training.runner.contract import Arrays, Batch, Examples, Run, Shipped, Task
from comedo.training.runner.labelled import LabelledPhoto
from comedo.training.sequence.answer import frame_series, other_finder, series_answer
from comedo.training.sequence.charts import draw_answers
from comedo.training.sequence.draw import draw_series
from comedo.training.sequence.framing import Framing, words_of_dots
from comedo.training.sequence.network import ChangeNet, ShippedChange
from comedo.training.sequence.own import own_series
from comedo.training.sequence.pairs import pair_series
from comedo.training.sequence.plan import SequenceRecipe
from comedo.training.sequence.probes import LONG, long_series, probes
from comedo.training.sequence.rendered import rendered_series
from comedo.training.sequence.rows import MEASURES, Probs, Row, gather, section_of, to_row
from comedo.training.sequence.series import Frames, Series, Sort

_SOURCES = {  # of series, by the key of the recipe that asks for them
    "rendered": ("rendered", LONG),
    "pairs": ("pairs", "pairs with pasted lesions"),
    "own": ("own",),
}
_NO_CHANGE = (0.0, 1.0, 0.0)


class SequenceChange(Task[SequenceRecipe, Series, Row]):
    """Better, the same or worse."""

    recipe = SequenceRecipe
    baseline_words: ClassVar[str] = "always the same, surely: no change"

    def items(self, recipe: SequenceRecipe, root: Path, cache: Path) -> list[Series]:
        framing = _framing(recipe)
        found: list[Series] = []
        if recipe.rendered is not None:
            found += rendered_series(recipe.rendered, framing, cache)
        if recipe.pairs is not None:
            found += pair_series(recipe.pairs, root, framing, cache)
        if recipe.own is not None:
            found += own_series(recipe.own, root, framing, cache)
        if not found:
            raise UnusableInput("the recipe names no series; give it rendered, pairs or own")
        held_back = [s for s in found if s.split == "val"]
        rendered = [s for s in held_back if s.source == "rendered"]
        return found + long_series(rendered, cache, most=recipe.net.most_photos) + probes(held_back, cache)

    def members(self, items: Sequence[Series]) -> list[Member]:
        """Faces as they were photographed, all of them; of a rendered series the first."""
        photos = [s for s in items if s.sort is Sort.SERIES and s.source in ("pairs", "own")]
        rendered = [s for s in items if s.sort is Sort.SERIES and s.source == "rendered"]
        faces = [(s, i) for s in photos for i in range(len(s.frames()))] + [(s, 0) for s in rendered]
        return [Member(f"{s.name} photo {i + 1}", s.person, s.split, partial(s.face, i)) for s, i in faces]

    def build(self, recipe: SequenceRecipe, root: Path, items: Sequence[Series]) -> nn.Module:  # noqa: ARG002
        return ChangeNet(recipe.net)

    def examples(self, recipe: SequenceRecipe, items: Sequence[Series], *, learning: bool) -> Examples:
        series = tuple(s for s in items if s.sort is Sort.SERIES)
        return Examples(len(series), _Drawing(series, recipe, learning).draw)

    def collate(self, examples: Sequence[Arrays]) -> Batch:
        """Series of different lengths, filled up with missing photos."""
        longest = max(len(e["mask"]) for e in examples)
        return {
            name: torch.from_numpy(np.stack([_padded(e[name], longest) if e[name].ndim else e[name] for e in examples]))
            for name in examples[0]
        }

    def loss(self, recipe: SequenceRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:  # noqa: ARG002
        faces = batch["faces"].permute(0, 1, 4, 2, 3).float() / 255.0
        course, order, loads, is_face = (y.float() for y in net(faces, batch["mask"]))
        known = (batch["mask"] > 0) & batch["loads"].isfinite()
        wrong = functional.nll_loss(course, batch["course"].long(), reduction="none")
        mistaken = functional.binary_cross_entropy_with_logits(is_face, batch["is_face"], reduction="none")
        off = functional.smooth_l1_loss(loads, batch["loads"].nan_to_num(0.0), reduction="none", beta=0.5)
        return {
            "course": _mean(wrong, batch["sound"]),
            "sound": functional.binary_cross_entropy_with_logits(order, batch["sound"]),
            "face": _mean(mistaken, batch["mask"]),
            "load": recipe.load_weight * _mean(off, known.float()),
        }

    def shipped(self, recipe: SequenceRecipe, net: nn.Module) -> Shipped:
        assert isinstance(net, ChangeNet)
        rng = np.random.default_rng(0)
        most, side = recipe.net.most_photos, recipe.net.side_px
        shape = (side, side, recipe.net.channels)
        drawn = f" and {words_of_dots(_analyzer().finder.models)}" if recipe.net.lesions else ""
        examples = [asked(rng.integers(0, 256, (n, *shape), dtype=np.uint8), most) for n in sorted({2, 5, most})]
        return Shipped(
            module=ShippedChange(net, recipe.odds_of_sound),
            examples=examples,
            outputs=("course", "sound"),
            input_words=f"faces (1, {most}, {side}, {side}, {shape[2]}) uint8 RGB{drawn} in order of time, "
            f" eye line to lips {0.357 * side:.0f} pixels; mask (1, {most}) bool, false where a photo is missing",
            output_words="course (1, 3) float32: probabilities of worse, same, better; sound (1,): probability of a "
            "series of one person in order",
        )

    def look(self, recipe: SequenceRecipe, run: Run, item: Series) -> Row:
        return to_row(item, *_say(recipe, run, item.frames()), recipe.answer_from)

    def answers(self, recipe: SequenceRecipe, run: Run, use: Use) -> Answering:
        use.allow(recipe.task)
        framing = _framing(recipe)
        other = other_finder(framing, use.input_words)

        def ask(photos: Sequence[LabelledPhoto]) -> Answer:
            frames, absent = frame_series(photos, framing)
            return series_answer(recipe, *_say(recipe, run, frames), len(frames), (*other, *absent))

        return Answering(ask, series=True)

    def baseline(self, recipe: SequenceRecipe, items: Sequence[Series]) -> Callable[[Series], Row]:  # noqa: ARG002
        return lambda item: to_row(item, _NO_CHANGE, 1.0, recipe.answer_from)

    def gather(self, rows: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
        return gather(rows)

    def sections(self, recipe: SequenceRecipe) -> tuple[str, ...]:
        sources = [s for key, names in _SOURCES.items() if getattr(recipe, key) is not None for s in names]
        return tuple(section_of(source, sort) for source in sources for sort in Sort)

    def measures(self, recipe: SequenceRecipe) -> Sequence[Measure[Row]]:  # noqa: ARG002
        return MEASURES

    def pictures(self, recipe: SequenceRecipe, rows: Sequence[Row]) -> Mapping[str, str]:
        return draw_answers(rows, recipe.answer_from)

    def limits(self, recipe: SequenceRecipe) -> Sequence[str]:  # noqa: ARG002
        return (
            "It is no part of comedo's verdict on change, which counts lesions and knows their noise.",
            "Learnt from rendered faces and pasted lesions; no course of a real treatment was seen.",
            "What found the lesions that it sees learnt from ACNE04, with cut-offs chosen on its val people.",
            "A series in the wrong order that happens to fall or rise steadily cannot be told from a true one.",
        )


@dataclass(frozen=True)
class _Drawing:
    """Draws examples; a value, so that other processes can draw too."""

    series: tuple[Series, ...]
    recipe: SequenceRecipe
    learning: bool

    def draw(self, index: int, rng: np.random.Generator) -> Arrays:
        """One series as named arrays."""
        most = self.recipe.net.most_photos
        drawn = draw_series(self.series[index], self.series, self.recipe.draw, rng, most=most, learning=self.learning)
        return {
            "faces": drawn.frames,
            "mask": drawn.present.astype(np.float32),
            "course": np.array(int(drawn.course)),
            "sound": np.array(drawn.sound, np.float32),
            "loads": drawn.loads,
            "is_face": drawn.is_face.astype(np.float32),
        }


def _framing(recipe: SequenceRecipe) -> Framing:
    return Framing(recipe.net.side_px, recipe.net.lesions, _analyzer)


def _say(recipe: SequenceRecipe, run: Run, frames: Frames) -> tuple[Probs, float]:
    """Probabilities of the courses, and that the series is sound."""
    found = run(asked(frames, recipe.net.most_photos))
    worse, same, better = (float(p) for p in found["course"][0])
    return (worse, same, better), float(found["sound"][0])


@cache
def _analyzer() -> Analyzer:
    from comedo.build import build_analyzer

    return build_analyzer()


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean; 0 where nothing weighs."""
    return (values * weights).sum() / weights.sum().clamp(min=1.0)


def _padded(array: NDArray[Any], longest: int) -> NDArray[Any]:
    room = [(0, longest - len(array)), *[(0, 0)] * (array.ndim - 1)]
    return np.pad(array, room)


def asked(frames: Frames, most: int) -> Arrays:
    """What the exported network takes: the newest photos where there are more than it takes, the first one kept.

    Args:
        frames: (T, S, S, channels).
        most: Photos that the network takes.
    """
    if len(frames) > most:
        frames = np.concatenate([frames[:1], frames[1 - most :]])
    mask = np.arange(most) < len(frames)
    return {"faces": _padded(frames, most)[None], "mask": mask[None]}
