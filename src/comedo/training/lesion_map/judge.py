"""Figures of a lesion map alone, on whole photos at its working scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.lesions.network import MASK, STRIDE
from comedo.lesions.peaks import find_peaks
from comedo.training.charts.ranking import found_line, recall_chart
from comedo.training.evaluation.lesion_figures import ACTIVE, MATCH
from comedo.training.evaluation.predictors import Prediction
from comedo.training.figures import Measure
from comedo.training.lesion_map.data import LesionPhoto
from comedo.training.metrics.curves import Scored, average_precision, best_threshold, pool
from comedo.training.metrics.maps import mask_tally
from comedo.training.metrics.matching import match_centres
from comedo.training.metrics.tally import Tally
from comedo.training.runner.contract import Run
from comedo.types import Group, Image

SURE = 0.3  # probability from which a candidate counts where there are no lesions


@dataclass(frozen=True, eq=False)
class LesionMapRow:
    """One photo: active lesions and marks with their scores, pixels of lesion; None where nobody looked."""

    person: str
    source: str
    active: Scored | None
    marks: Scored | None
    mask: Tally | None


def read_maps(run: Run, image: Image, scale_xy: tuple[float, float]) -> Prediction:
    """What the network says of a photo: every candidate, active where that is likelier than mark, and the mask.

    Args:
        run: The network.
        image: (H, W, 3) uint8 RGB.
        scale_xy: Working pixels in a pixel of the photo, along and down.

    Returns:
        Circles and mask in the photo's pixels.
    """
    height, width = image.shape[:2]
    zoom = np.array(scale_xy)
    w, h = (max(1, int(np.ceil(side * z))) for side, z in zip((width, height), zoom, strict=True))
    # As crops are cut: pixel centres at whole numbers, so that x becomes zoom * x.
    canvas = cv2.warpAffine(image, np.diag([*zoom, 1.0])[:2], (w, h), borderMode=cv2.BORDER_REPLICATE)
    canvas = cv2.copyMakeBorder(canvas, 0, -h % 32, 0, -w % 32, cv2.BORDER_REPLICATE)
    maps = run({"image": np.asarray(canvas, np.uint8)[None]})["maps"][0]
    allowed = np.zeros(maps.shape[1:], np.bool_)
    allowed[: h // STRIDE, : w // STRIDE] = True
    peaks = find_peaks(maps, allowed)
    is_mark, inflamed = peaks.mark > peaks.active, peaks.inflamed > 0.5
    kinds = np.where(is_mark, Group.MARK, np.where(inflamed, Group.INFLAMMATORY, Group.NON_INFLAMMATORY))
    # Cell k covers pixels 2k and 2k + 1 of the canvas, whose common centre is 2k + 0.5.
    to_cells = np.array([[zoom[0] / STRIDE, 0, -0.25], [0, zoom[1] / STRIDE, -0.25]])
    lesion = cv2.warpAffine(maps[MASK], to_cells, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return Prediction(
        circles=np.column_stack([peaks.xy / zoom, peaks.radius / np.sqrt(zoom.prod())]).astype(np.float32),
        scores=np.where(is_mark, peaks.mark, peaks.active).astype(np.float64),
        groups=tuple(Group(kind) for kind in kinds),
        mask=np.asarray(lesion) > 0.5,
    )


def row_of(photo: LesionPhoto, width: int, said: Prediction) -> LesionMapRow:
    """Compare what was said of a photo, `width` pixels wide, with what is known of it."""
    mask = photo.read_mask()

    def scored(true: NDArray[np.float32] | None, groups: Sequence[Group]) -> Scored | None:
        if true is None:
            return None
        chosen = np.array([g in groups for g in said.groups], np.bool_)
        circles, scores = said.circles[chosen], said.scores[chosen]
        return Scored(scores, match_centres(circles, scores, true, width) >= 0, len(true))

    found = None if mask is None or said.mask is None else mask_tally(said.mask, mask > 0)
    marks = scored(photo.marks, (Group.MARK,))
    return LesionMapRow(photo.person, photo.source, scored(photo.active, ACTIVE), marks, found)


Rows = Sequence[LesionMapRow]
Of = Callable[[Rows], list[Scored]]


def _active(rows: Rows) -> list[Scored]:
    return [r.active for r in rows if r.active is not None]


def _marks(rows: Rows) -> list[Scored]:
    return [r.marks for r in rows if r.marks is not None]


def _precision(rows: Rows, of: Of) -> float | None:
    return average_precision(pool(of(rows)))


def _best_f1(rows: Rows, of: Of) -> float | None:
    known = pool(of(rows))
    best = best_threshold(known)
    if best is None:
        return None if known.true == 0 else 0.0
    return best.tally.f1


def _on_clear(rows: Rows) -> float | None:
    clear = [r.active for r in rows if r.active is not None and r.active.true == 0]
    return float(np.mean([(found.scores >= SURE).sum() for found in clear])) if clear else None


def _dice(rows: Rows) -> float | None:
    return sum((r.mask for r in rows if r.mask is not None), Tally()).f1


MEASURES: tuple[Measure[LesionMapRow], ...] = (
    Measure("AP", f"COCO's 101 points, active lesions; {MATCH}", partial(_precision, of=_active)),
    Measure("F1 at best threshold", f"searched on these same photos; {MATCH}", partial(_best_f1, of=_active)),
    Measure("AP of marks", f"COCO's 101 points, flat marks and moles; {MATCH}", partial(_precision, of=_marks)),
    Measure("found on clear photos", f"candidates of at least {SURE}, mean of photos without lesions", _on_clear),
    Measure("mask Dice", "of the pixels of all photos with masks together, at probability 0.5", _dice),
)


def draw_curves(sections: Mapping[str, Rows]) -> dict[str, str]:
    """Precision over recall of active lesions, a line for each kind of photo with lesions."""
    known = {source: pool(_active(rows)) for source, rows in sections.items()}
    lines = [found_line(source, scored) for source, scored in known.items() if scored.true]
    return {"precision-recall": recall_chart("Active lesions, network alone", lines)} if lines else {}
