"""The detectors as a task of the common runner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from comedo.errors import NoFaceFound
from comedo.training.data.dataset import Rectangle
from comedo.training.detection.answer import above_cuts, boxes_answer, choose_cuts, choose_way
from comedo.training.detection.charts import draw_boxes
from comedo.training.detection.dense import Truth
from comedo.training.detection.detector import Detector, ShippedDetector
from comedo.training.detection.judge import Judged, Seen, judge, measures_of
from comedo.training.detection.parts import join_parts
from comedo.training.detection.photos import (
    BoxPhoto,
    check_types,
    crops_of,
    open_boxes,
    pad,
    pictures_of,
    without_background,
)
from comedo.training.detection.recipe import DetectorRecipe
from comedo.training.detection.serve import MULTIPLE, Found, detect, without_doubles
from comedo.training.detection.ways import Way
from comedo.training.evaluation.baselines import RednessBlobs
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.metrics.matching import boxes_of as squares_around
from comedo.training.runner.answer import Answer, Answering, Use
from comedo.training.runner.contract import Arrays, Batch, Examples, Run, Shipped, Task
from comedo.training.runner.labelled import LabelledPhoto, open_sets, set_aside
from comedo.training.runner.ship import example_pictures
from comedo.types import Image


class DetectLesions(Task[DetectorRecipe, BoxPhoto, Any]):
    """Boxes with a type."""

    recipe = DetectorRecipe
    baseline_words: ClassVar[str] = "red blobs in skin colour, all called the commonest type"

    def items(self, recipe: DetectorRecipe, root: Path, cache: Path) -> list[BoxPhoto]:
        photos = open_sets(recipe.sets, root)
        check_types(photos, recipe.types)
        if recipe.wants_faces:  # only now, because it takes time
            photos = open_sets(recipe.sets, root, faces=cache / "faces")
        return open_boxes(photos, recipe.types, recipe.parts)

    def members(self, items: Sequence[BoxPhoto]) -> list[Member]:
        """Whole photos, each once."""
        photos = {item.photo.path: item.photo for item in items}.values()
        return [Member(p.name, p.person, p.split, p.read) for p in photos]

    def set_aside(self, recipe: DetectorRecipe, root: Path) -> list[Member]:
        return set_aside(recipe.sets, root)

    def build(self, recipe: DetectorRecipe, root: Path, items: Sequence[BoxPhoto]) -> Detector:  # noqa: ARG002
        weights = None if recipe.pretrained is None else root / recipe.pretrained
        return Detector(len(recipe.types), recipe.detector, weights=weights)

    def examples(self, recipe: DetectorRecipe, items: Sequence[BoxPhoto], *, learning: bool) -> Examples:
        return crops_of(recipe, items, learning=learning)

    def collate(self, examples: Sequence[Arrays]) -> Batch:
        return {name: torch.from_numpy(array) for name, array in pad(examples).items()}

    def loss(self, recipe: DetectorRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:
        image = batch["image"].permute(0, 3, 1, 2).float() / 255.0
        rows = zip(batch["boxes"], batch["types"], strict=True)
        truths = [Truth(boxes[types >= 0], types[types >= 0]) for boxes, types in rows]
        # What is watched must mean the same in every epoch: the last phase's loss.
        done = epoch / recipe.schedule.epochs if net.training else 1.0
        assert isinstance(net, Detector)
        return net.losses(net(image), truths, done)

    def shipped(self, recipe: DetectorRecipe, net: nn.Module) -> Shipped:
        assert isinstance(net, Detector)
        longest, tile = (MULTIPLE * max(2, round(v / MULTIPLE)) for v in (recipe.serve.longest, recipe.serve.tile))
        sizes = ((longest, MULTIPLE * round(0.75 * longest / MULTIPLE)), (tile, tile))  # a whole photo, a slice
        return Shipped(
            module=ShippedDetector(net),
            examples=[{"image": picture[None]} for picture in example_pictures(sizes)],
            outputs=("boxes", "scores"),
            input_words="(1, H, W, 3) uint8 RGB, sides multiples of 32",
            output_words="boxes (1, P, 4) float32 x0, y0, x1, y1 in pixels; scores (1, P, types) in [0, 1]",
            varying={"image": {1: "height", 2: "width"}, "boxes": {1: "points"}, "scores": {1: "points"}},
        )

    def look(self, recipe: DetectorRecipe, run: Run, item: BoxPhoto) -> Seen:
        image = self._served(recipe, item)
        boxes, types = item.truth()
        found = {way: detect(run, image, recipe.serve, way) for way in recipe.ways}
        return Seen(item.name, item.person, found, boxes, types, len(recipe.types), item.part)

    def answers(self, recipe: DetectorRecipe, run: Run, use: Use) -> Answering:
        use.allow(recipe.task, "way", "cut_off")
        way = choose_way(recipe, use)
        cuts = choose_cuts(recipe, use, way)

        def ask(photos: Sequence[LabelledPhoto]) -> Answer:
            found, notices = self._find(recipe, run, photos[0], way)
            return boxes_answer(above_cuts(found, cuts), recipe, way, cuts, notices)

        return Answering(ask, categories=recipe.types, shape=Rectangle)

    def _find(self, recipe: DetectorRecipe, run: Run, photo: LabelledPhoto, way: Way) -> tuple[Found, tuple[str, ...]]:
        """Everything found on a photo, in its pixels, and what to mind."""
        pictures = pictures_of(photo, recipe.types, recipe.parts)
        if not pictures:
            raise NoFaceFound(f"no face was found that shows {', '.join(recipe.parts)}; show the whole face")
        looks = [(picture.box, detect(run, self._served(recipe, picture), recipe.serve, way)) for picture in pictures]
        parts = [(box, found) for box, found in looks if box is not None]
        faceless = recipe.augment.background and photo.pictured().parts is None
        notices = ("no face was found: the background was left as it is",) if faceless else ()
        return join_parts(parts, recipe.serve) if parts else looks[0][1], notices

    def _served(self, recipe: DetectorRecipe, item: BoxPhoto) -> Image:
        if not recipe.augment.background:
            return item.read()
        return without_background(item.picture(), np.random.default_rng(0))

    def baseline(self, recipe: DetectorRecipe, items: Sequence[BoxPhoto]) -> Callable[[BoxPhoto], Seen]:
        commonest = Counter(int(t) for i in items for t in i.truth()[1]).most_common(1)[0][0]

        def guess(item: BoxPhoto) -> Seen:
            blobs = RednessBlobs().predict(item.read())
            order = np.argsort(-blobs.scores, kind="stable")
            boxes, scores = squares_around(blobs.circles)[order], blobs.scores[order]
            found = Found(boxes, scores, np.full(len(boxes), commonest, np.int64))
            found = without_doubles(found, recipe.serve.nms)
            found = found.choose(np.arange(len(found)) < recipe.serve.most)
            true, types = item.truth()
            ways = dict.fromkeys(recipe.ways, found)
            return Seen(item.name, item.person, ways, true, types, len(recipe.types), item.part)

        return guess

    def gather(self, rows: Sequence[Seen]) -> Mapping[str, Sequence[Judged]]:
        """By the way they are served, and where they are of parts of the face, by part too."""
        if not rows:
            return {}
        sections = {str(way): judge(rows, way) for way in rows[0].found}
        for part in dict.fromkeys(row.part for row in rows if row.part is not None):
            mine = [row for row in rows if row.part is part]
            sections |= {f"{way}, {part}": judge(mine, way) for way in rows[0].found}
        return sections

    def sections(self, recipe: DetectorRecipe) -> tuple[str, ...]:
        return (*map(str, recipe.ways), *(f"{way}, {part}" for part in recipe.parts for way in recipe.ways))

    def measures(self, recipe: DetectorRecipe) -> Sequence[Measure[Judged]]:
        return measures_of(recipe.types)

    def pictures(self, recipe: DetectorRecipe, rows: Sequence[Seen]) -> Mapping[str, str]:
        drawn: dict[str, str] = {}
        for way in recipe.ways if rows else ():
            drawn |= draw_boxes(judge(rows, way), recipe.types, way)
        return drawn

    def limits(self, recipe: DetectorRecipe) -> Sequence[str]:
        return (
            f"Learnt at {recipe.serve.longest} pixels for the photo's longer side: others are resized.",
            "A box says where a lesion of a type seems to be; it is no diagnosis.",
        )
