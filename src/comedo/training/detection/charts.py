"""What a detector found, as pictures: precision over recall, types against each other, what scores are worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from comedo.training.charts.plots import confusion_chart
from comedo.training.charts.ranking import found_line, recall_chart
from comedo.training.charts.reliability import Curve, reliability_chart
from comedo.training.detection.judge import Judged
from comedo.training.detection.ways import Way
from comedo.training.metrics.curves import Scored, pool
from comedo.training.metrics.reliability import Reliability, reliability

_MOST_CURVES = 5  # that can be told apart


def draw_boxes(rows: Sequence[Judged], types: Sequence[str], way: Way) -> dict[str, str]:
    """Curves of each type, the table of types, and scores against the share of boxes that hit.

    More types than can be told apart share one curve of scores.
    """
    by_type = {name: [row.scored[number] for row in rows] for number, name in enumerate(types)}
    asked = by_type if len(types) <= _MOST_CURVES else {"all types": [pool(list(row.scored)) for row in rows]}
    people = [row.person for row in rows]
    table = np.stack([row.confusion for row in rows]).sum(0)
    lines = [found_line(name, pool(scored)) for name, scored in by_type.items()]
    curves = [Curve(name, [_ranges(s) for s in scored], people) for name, scored in asked.items()]
    return {
        f"curves-{way}": recall_chart(f"Precision and recall, {way}", lines),
        f"confusion-{way}": confusion_chart(f"Types, {way}", [*types, "nothing"], table.tolist()),
        f"calibration-{way}": reliability_chart(
            f"Scores, {way}", curves, x="score", y="share of boxes that are such a lesion"
        ),
    }


def _ranges(scored: Scored) -> Reliability:
    return reliability(scored.scores, scored.hits)
