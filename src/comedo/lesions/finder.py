"""Lesions of a face: from the network's maps to measured lesions in photo pixels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.calibration import RED_MIDDLE, Thresholds, Weighing
from comedo.geometry import Affine, apply, clip_box, compose, scale_of
from comedo.inference import Network
from comedo.lesions.kinds import Evidence, KindClassifier, kind_probs, likeliest_kind, measure_evidence
from comedo.lesions.network import CELLS_TO_CANVAS, MASK, STRIDE, Canvas, read_face
from comedo.lesions.peaks import Peaks, find_peaks
from comedo.lesions.weighing import log_odds, weigh
from comedo.types import Box, FaceMap, Faint, Group, Lesion, Mask, Photo, Region

_REGION_OF_PART = {int(r.part): r for r in Region}
_RING = (1.35, 2.2)  # skin around a lesion, in radii
_CORE = 0.5  # the middle of a lesion, in radii
_SURE = 2 / 3  # probability of a mark from which its area is none of active lesions
_BORDER = 13  # cells, about 5 mm: how far from a region a lesion may lie and still belong to it
_FAINT_FROM = 0.2  # of the cut-off of active lesions: from here on a series may still count a place as a lesion


@dataclass(frozen=True, eq=False)
class LesionReading:
    """What was found: lesions in reading order, the photo-sized mask of the active ones, and what fell short."""

    lesions: tuple[Lesion, ...]
    mask: Mask
    faint: tuple[Faint, ...] = ()


@dataclass(frozen=True)
class LesionFinder:
    """Finds and measures lesions of one face.

    `mirrored` looks at mirror images; without it `network` does.
    """

    network: Network
    thresholds: Thresholds
    weighing: Weighing = field(default_factory=Weighing)
    classify: KindClassifier = kind_probs
    mirrored: Network | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Name and hash of each network."""
        return (self.network.name,) if self.mirrored is None else (self.network.name, self.mirrored.name)

    def look(self, photo: Photo, face: FaceMap) -> Canvas:
        """The face at the networks' scale, and what they say of it."""
        return read_face(self.network, photo, face, mirrored=self.mirrored)

    def find(self, photo: Photo, face: FaceMap) -> LesionReading:
        """All lesions of the face, with the mask of the active ones on its skin."""
        canvas = self.look(photo, face)
        seen = weigh(find_peaks(canvas.maps, canvas.face), self.weighing)
        peaks = self.choose(seen)
        owner, areas = _share_mask(canvas, peaks, self.thresholds.mask)
        evidence = measure_peaks(
            canvas, peaks, None if face.mm_per_px is None else face.mm_per_px * scale_of(canvas.to_photo)
        )
        red = inflamed_probability(peaks.inflamed, np.array([e.redness for e in evidence], float), self.thresholds)
        groups = [self._groups(peaks, i, float(red[i])) for i in range(len(peaks))]
        regions = _regions(canvas, peaks)
        found = [
            self._lesion(canvas, peaks, i, groups[i], evidence[i], float(areas[i]), regions[i], face.mm_per_px)
            for i in range(len(peaks))
        ]
        # Mask without a centre of its own is lesion too (merged or faint ones); only sure marks take theirs
        # away. Discs of lesions without a mask stay out: they lower Dice on hand-made masks.
        of_mark = (owner >= 0) & np.array([x.group_probs[Group.MARK] > _SURE for x in found] + [False])[owner]
        mask = canvas.skin & (canvas.maps[MASK] >= self.thresholds.mask) & ~of_mark
        order = sorted(range(len(found)), key=lambda i: (round(found[i].center_xy[1]), found[i].center_xy[0]))
        numbered = [
            replace(found[i], id=n, box_xyxy=clip_box(found[i].box_xyxy, photo.width, photo.height))
            for n, i in enumerate(order, start=1)
        ]
        reported = is_reported(seen, self.thresholds)
        short = seen.take(~reported & (seen.active >= _FAINT_FROM * self.thresholds.active))
        return LesionReading(tuple(numbered), _mask_to_photo(mask, canvas, photo), _faint(short, canvas.to_photo))

    def choose(self, peaks: Peaks) -> Peaks:
        """Keep the peaks that reach the cut-off of what they are."""
        return peaks.take(is_reported(peaks, self.thresholds))

    def _groups(self, peaks: Peaks, i: int, red: float) -> dict[Group, float]:
        mark = float(peaks.mark[i]) * self.thresholds.mark_bias
        share = mark / max(mark + float(peaks.active[i]), 1e-9)
        return {
            Group.INFLAMMATORY: (1 - share) * red,
            Group.NON_INFLAMMATORY: (1 - share) * (1 - red),
            Group.MARK: share,
        }

    def _lesion(
        self,
        canvas: Canvas,
        peaks: Peaks,
        i: int,
        groups: dict[Group, float],
        evidence: Evidence,
        area: float,
        region: Region | None,
        mm_per_px: float | None,
    ) -> Lesion:
        mark = groups[Group.MARK] > 0.5
        active = max((Group.INFLAMMATORY, Group.NON_INFLAMMATORY), key=lambda g: groups[g])
        group = Group.MARK if mark else active
        kinds = self.classify(groups, evidence)
        unit = scale_of(canvas.to_photo)
        x, y = (float(v) for v in apply(canvas.to_photo, peaks.xy[i : i + 1].astype(np.float64))[0])
        radius = float(peaks.radius[i]) * unit
        return Lesion(
            id=0,
            box_xyxy=box_around(x, y, radius),
            center_xy=(x, y),
            diameter_px=2 * radius,
            diameter_mm=None if mm_per_px is None else 2 * radius * mm_per_px,
            area_px=area * (STRIDE * unit) ** 2,
            score=float(peaks.mark[i] if mark else peaks.active[i]),
            group=group,
            group_probs=groups,
            kind=likeliest_kind(group, kinds),
            kind_probs=kinds,
            region=region,
            redness=evidence.redness,
            conspicuity=float(peaks.sparse[i]),
        )


def _faint(peaks: Peaks, to_photo: Affine) -> tuple[Faint, ...]:
    """Candidates below the cut-off in photo pixels: measured no further, since no report names them."""
    centres = apply(to_photo, peaks.xy.astype(np.float64)).tolist()
    return tuple(Faint((x, y), score) for (x, y), score in zip(centres, peaks.active.tolist(), strict=True))


def box_around(x: float, y: float, radius: float) -> Box:
    """The box of a disc on edges of pixels, where (x, y) counts whole pixels from the first one's middle."""
    return (x + 0.5 - radius, y + 0.5 - radius, x + 0.5 + radius, y + 0.5 + radius)


def is_mark(peaks: Peaks, thresholds: Thresholds) -> NDArray[np.bool_]:
    """Which candidates are marks rather than active lesions, (N,)."""
    return np.asarray(peaks.mark * thresholds.mark_bias > peaks.active)


def is_reported(peaks: Peaks, thresholds: Thresholds) -> NDArray[np.bool_]:
    """Which candidates reach the cut-off of what they are, (N,)."""
    reached = np.where(is_mark(peaks, thresholds), peaks.mark >= thresholds.mark, peaks.active >= thresholds.active)
    return np.asarray(reached, np.bool_)


def inflamed_probability(
    said: NDArray[np.float32], redness: NDArray[np.float64], thresholds: Thresholds
) -> NDArray[np.float64]:
    """Probability that active lesions are inflamed: the network's, moved by the redness measured.

    Args:
        said: (N,) the network's probability.
        redness: (N,) CIELAB a* above the skin around; NaN where not assessed, which moves nothing.
        thresholds: The cut-off, which comes out as 0.5, and the weight of redness.
    """
    logit = log_odds(said, least=1e-6) - log_odds(thresholds.inflamed, least=1e-6)
    logit += thresholds.red_weight * np.nan_to_num(redness - RED_MIDDLE)
    return np.asarray(1 / (1 + np.exp(-logit)), np.float64)


def _share_mask(canvas: Canvas, peaks: Peaks, cut: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Give each mask cell to the nearest lesion that reaches it.

    Returns:
        (h, w) index of the owner or -1, and each lesion's area in cells; a lesion without any
        mask gets its disc.
    """
    h, w = canvas.skin.shape
    owner = np.full((h, w), -1, np.intp)
    if len(peaks) == 0:
        return owner, np.zeros(0)
    seeds = np.ones((h, w), np.uint8)
    cells = _cells(peaks, (h, w))
    seeds[cells[:, 1], cells[:, 0]] = 0
    far, label = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.full(int(label.max()) + 1, -1, np.intp)
    table[label[cells[:, 1], cells[:, 0]]] = np.arange(len(peaks))
    nearest = table[label]
    radius = np.maximum(peaks.radius / STRIDE, 1.0)
    masked = (canvas.maps[MASK] >= cut) & (far <= 2.5 * radius[nearest])
    disc = far <= radius[nearest]
    has_mask = np.bincount(nearest[masked & disc], minlength=len(peaks)) >= 0.3 * np.bincount(
        nearest[disc], minlength=len(peaks)
    )
    mine = np.where(has_mask[nearest], masked, disc) & canvas.face
    owner[mine] = nearest[mine]
    return owner, np.bincount(nearest[mine], minlength=len(peaks)).astype(np.float64)


def _cells(peaks: Peaks, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Column and row of the cell in which each centre lies, (N, 2); cell k shows pixels 2k and 2k + 1."""
    return np.clip(np.floor((peaks.xy + 0.5) / STRIDE).astype(np.intp), 0, [shape[1] - 1, shape[0] - 1])


def _regions(canvas: Canvas, peaks: Peaks) -> list[Region | None]:
    """The region in which each centre lies, or the nearest one; None where no region is near, as on an ear."""
    h, w = canvas.parts.shape
    return [
        _nearest_region(
            canvas.parts[max(0, y - _BORDER) : y + _BORDER + 1, max(0, x - _BORDER) : x + _BORDER + 1],
            min(y, _BORDER),
            min(x, _BORDER),
        )
        for x, y in _cells(peaks, (h, w)).tolist()
    ]


def _nearest_region(parts: NDArray[np.uint8], row: int, column: int) -> Region | None:
    """The region of the cell nearest to (row, column) that has one, within the reach of a border's error."""
    if (here := _REGION_OF_PART.get(int(parts[row, column]))) is not None:
        return here
    ys, xs = np.nonzero(np.isin(parts, list(_REGION_OF_PART)))
    far = np.hypot(ys - row, xs - column)
    if len(far) == 0 or far.min() > _BORDER:
        return None
    nearest = int(np.argmin(far))
    return _REGION_OF_PART[int(parts[ys[nearest], xs[nearest]])]


def measure_peaks(canvas: Canvas, peaks: Peaks, mm_per_canvas_px: float | None) -> list[Evidence]:
    """Colour and relief of every lesion, on small CIELAB patches of the canvas."""
    h, w = canvas.image.shape[:2]
    skin = canvas.skin
    lesions = np.zeros((h, w), np.uint8)
    for (x, y), r in zip(peaks.xy, peaks.radius, strict=True):
        cv2.circle(lesions, (round(float(x)), round(float(y))), max(1, round(float(r))), 1, -1)
    result = []
    for (x, y), r in zip(peaks.xy, peaks.radius, strict=True):
        radius = max(float(r), 2.0)
        reach = int(np.ceil(_RING[1] * radius))
        x0, x1 = max(0, int(x) - reach), min(w, int(x) + reach + 1)
        y0, y1 = max(0, int(y) - reach), min(h, int(y) + reach + 1)
        lab = cv2.cvtColor(canvas.image[y0:y1, x0:x1].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        far = np.hypot(np.arange(x0, x1)[None] - float(x), np.arange(y0, y1)[:, None] - float(y)) / radius
        rows = np.minimum(np.arange(y0, y1) // STRIDE, skin.shape[0] - 1)
        columns = np.minimum(np.arange(x0, x1) // STRIDE, skin.shape[1] - 1)
        around = (far >= _RING[0]) & (far <= _RING[1]) & (lesions[y0:y1, x0:x1] == 0) & skin[np.ix_(rows, columns)]
        size = None if mm_per_canvas_px is None else 2 * float(r) * mm_per_canvas_px
        result.append(measure_evidence(np.asarray(lab, np.float32), far <= 1, far <= _CORE, around, size))
    return result


def _mask_to_photo(mask: NDArray[np.bool_], canvas: Canvas, photo: Photo) -> Mask:
    """Bring the mask from the network's cells to photo pixels; only the face's box is touched."""
    full = np.zeros((photo.height, photo.width), bool)
    ys, xs = np.nonzero(mask)
    if len(xs) == 0:
        return full
    cells_to_photo = compose(canvas.to_photo, CELLS_TO_CANVAS)
    low = np.floor(cells_to_photo @ [xs.min() - 1, ys.min() - 1, 1]).astype(int)
    high = np.ceil(cells_to_photo @ [xs.max() + 1, ys.max() + 1, 1]).astype(int)
    x0, y0 = max(0, low[0]), max(0, low[1])
    x1, y1 = min(photo.width, high[0] + 1), min(photo.height, high[1] + 1)
    window = cells_to_photo.copy()
    window[:, 2] -= (x0, y0)
    soft = cv2.warpAffine(mask.astype(np.uint8) * 255, window, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    np.greater(soft, 127, out=full[y0:y1, x0:x1])
    return full
