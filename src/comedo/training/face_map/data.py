"""Faces with parts for the face map: masks of people where there are some, landmarks elsewhere.

Two public sets have masks (CelebAMask-HQ, FASSEG); they do not say which skin is forehead, cheek
or chin. Landmarks of a face mesh do: each skin pixel takes the region of its nearest landmark.
Photos with landmarks alone teach the regions inside the mesh, and that what is far outside is no
face; what lies between stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.types import Part

NOT_FACE = 254  # background or other, nobody knows which
IGNORE = 255

Labels = NDArray[np.uint8]
Points = NDArray[np.float32]

# Vertices of the 478-point face mesh. Left and right are the person's.
_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
         148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
_RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
_LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
_RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_NOSE = (168, 122, 188, 114, 217, 126, 129, 98, 97, 2, 326, 327, 358, 355, 437, 343, 412, 351)
_NOSE_BASE, _MOUTH_LEFT, _MOUTH_RIGHT, _MIDDLE = 2, 291, 61, 168

# CelebAMask-HQ classes to ours; skin (1) is split by landmarks.
_CELEBA = {0: Part.BACKGROUND, 2: Part.NOSE, 3: Part.OTHER, 4: Part.EYES, 5: Part.EYES, 6: Part.BROWS, 7: Part.BROWS,
           8: Part.OTHER, 9: Part.OTHER, 10: Part.LIPS, 11: Part.LIPS, 12: Part.LIPS, 13: Part.OTHER, 14: Part.OTHER,
           15: Part.OTHER, 16: Part.OTHER, 17: Part.OTHER, 18: Part.BACKGROUND}  # fmt: skip


@dataclass(frozen=True, eq=False)
class FacePhoto:
    """One face with its labels, (H, W) uint8 of `Part`, NOT_FACE or IGNORE."""

    name: str
    source: str
    person: str
    split: str
    image: NDArray[np.uint8]
    labels: Labels
    box_xyxy: tuple[float, float, float, float]

    @property
    def nbytes(self) -> int:
        """Room that the picture and its labels take."""
        return self.image.nbytes + self.labels.nbytes


def vertex_regions(mean_shape: Points) -> NDArray[np.uint8]:
    """The region of each mesh vertex, decided once on the mean frontal face.

    Args:
        mean_shape: (478, 2) float32, eyes level, y down, any unit.

    Returns:
        (478,) uint8 of `Part`: forehead, nose, cheeks or chin.
    """
    x, y = mean_shape[:, 0], mean_shape[:, 1]
    eyes_y = float(y[list(_LEFT_EYE + _RIGHT_EYE)].mean())
    middle = float(x[_MIDDLE])
    half_mouth = abs(float(x[_MOUTH_LEFT] - x[_MOUTH_RIGHT])) / 2
    mouth_y = float(y[list(_LIPS)].mean())
    regions = np.where(x > middle, Part.LEFT_CHEEK, Part.RIGHT_CHEEK).astype(np.uint8)
    regions[y < eyes_y] = Part.FOREHEAD
    chin = (y > y[_NOSE_BASE]) & (np.abs(x - middle) < half_mouth * np.where(y > mouth_y, 1.35, 1.1))
    regions[chin] = Part.CHIN
    nose = mean_shape[list(_NOSE)].astype(np.float32)
    inside = [cv2.pointPolygonTest(nose, (float(px), float(py)), False) >= 0 for px, py in mean_shape]
    regions[inside] = Part.NOSE
    return regions


def mean_face(landmarks: Sequence[Points]) -> Points:
    """Mean of faces brought to one eye position, (478, 2) float32."""
    aligned = []
    for points in landmarks:
        xy = points[:, :2]
        right, left = xy[list(_RIGHT_EYE)].mean(0), xy[list(_LEFT_EYE)].mean(0)
        axis = left - right
        turn = np.array([[axis[0], axis[1]], [-axis[1], axis[0]]]) / float(axis @ axis)
        aligned.append((xy - (left + right) / 2) @ turn.T)
    shape = np.mean(aligned, axis=0)
    mirrored = shape * np.array([-1, 1])
    # The mesh is symmetric but its numbering is not: average over the nearest mirrored vertex.
    pairs = np.argmin(((shape[:, None] - mirrored[None]) ** 2).sum(-1), axis=1)
    return np.asarray((shape + mirrored[pairs]) / 2, np.float32)


def _nearest_region(points: Points, regions: NDArray[np.uint8], shape: tuple[int, int]) -> Labels:
    """For each pixel the region of the nearest landmark."""
    h, w = shape
    seeds = np.full((h, w), 255, np.uint8)
    owner = np.zeros((h, w), np.uint8)
    xy = np.round(points[:, :2]).astype(int)
    inside = (xy[:, 0] >= 0) & (xy[:, 0] < w) & (xy[:, 1] >= 0) & (xy[:, 1] < h)
    for (x, y), region in zip(xy[inside], regions[inside], strict=True):
        seeds[y, x], owner[y, x] = 0, region
    if not inside.any():
        return owner
    _, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(nearest.max()) + 1, np.uint8)
    table[nearest[seeds == 0]] = owner[seeds == 0]
    return np.asarray(table[nearest], np.uint8)


def _visible(points: Points) -> NDArray[np.bool_]:
    """Vertices of the mesh that no nearer part of it hides; z grows away from the camera."""
    size = float(np.ptp(points[list(_OVAL), 1]))
    apart = np.hypot(points[:, None, 0] - points[None, :, 0], points[:, None, 1] - points[None, :, 1])
    behind = points[:, None, 2] - points[None, :, 2] > 0.12 * size
    return np.asarray(~((apart < 0.05 * size) & behind).any(axis=1), np.bool_)


def _fill(labels: Labels, points: Points, vertices: Sequence[int], value: int) -> None:
    polygon = np.round(points[list(vertices), :2]).astype(np.int32)
    cv2.fillPoly(labels, [polygon], int(value))


def hull_mask(points: Points, shape: tuple[int, int], *, grow: float = 0.0) -> NDArray[np.bool_]:
    """Inside of the face oval, grown by a share of the face height (negative: shrunk)."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [cv2.convexHull(np.round(points[list(_OVAL), :2]).astype(np.int32))], 1)
    height = float(np.ptp(points[list(_OVAL), 1]))
    radius = abs(grow) * height
    if grow > 0:
        return np.asarray(cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) <= radius)
    if grow < 0:
        return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 5) > radius)
    return mask > 0


def eye_sockets(points: Points, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Around and between eyes and brows, (H, W): what glasses would cover."""
    mask = np.zeros(shape, np.uint8)
    around = points[list(_LEFT_EYE + _RIGHT_EYE + _LEFT_BROW + _RIGHT_BROW), :2]
    cv2.fillPoly(mask, [cv2.convexHull(np.round(around).astype(np.int32))], 1)
    reach = 0.09 * float(np.ptp(points[list(_OVAL), 1]))
    return np.asarray(cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) <= reach)


def _paint_features(labels: Labels, points: Points) -> None:
    for vertices, part in ((_LEFT_BROW, Part.BROWS), (_RIGHT_BROW, Part.BROWS), (_LEFT_EYE, Part.EYES),
                           (_RIGHT_EYE, Part.EYES), (_LIPS, Part.LIPS)):  # fmt: skip
        _fill(labels, points, vertices, part)


def labels_from_landmarks(points: Points, regions: NDArray[np.uint8], image: NDArray[np.uint8]) -> Labels:
    """Labels of a photo without masks: sure inside the mesh, sure far outside, unknown between."""
    shape = (image.shape[0], image.shape[1])
    labels = np.full(shape, IGNORE, np.uint8)
    labels[~hull_mask(points, shape, grow=0.16)] = NOT_FACE
    inside = hull_mask(points, shape, grow=-0.03)
    keep = (regions != Part.NOSE) & _visible(points)
    near = _nearest_region(points[keep], regions[keep], shape)
    labels[inside] = near[inside]
    nose = np.zeros(shape, np.uint8)
    _fill(nose, points, _NOSE, 1)
    labels[nose > 0] = Part.NOSE
    # Hair may hang over the forehead; what is much darker than the cheeks stays unknown there.
    light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    cheeks = inside & ((near == Part.LEFT_CHEEK) | (near == Part.RIGHT_CHEEK))
    if cheeks.any():
        dark = light < 0.55 * float(np.median(light[cheeks]))
        labels[inside & (near == Part.FOREHEAD) & dark] = IGNORE
        temple = inside & ~hull_mask(points, shape, grow=-0.10) & dark
        labels[temple] = IGNORE
    _paint_features(labels, points)
    return labels


def labels_from_celeba(mask: NDArray[np.uint8], points: Points, regions: NDArray[np.uint8]) -> Labels:
    """Exact labels: a CelebAMask-HQ mask whose skin is split by landmarks."""
    table = np.full(256, IGNORE, np.uint8)
    for theirs, ours in _CELEBA.items():
        table[theirs] = ours
    labels = table[mask]
    skin = mask == 1
    keep = (regions != Part.NOSE) & _visible(points)  # the nose has its own class there; skin beside it is cheek
    near = _nearest_region(points[keep], regions[keep], (mask.shape[0], mask.shape[1]))
    labels[skin] = near[skin]
    return labels


def labels_from_fasseg(mask: NDArray[np.uint8], points: Points, regions: NDArray[np.uint8]) -> Labels:
    """FASSEG: skin includes neck and ears, hair includes brows; the mesh tells them apart."""
    shape = (mask.shape[0], mask.shape[1])
    labels = np.full(shape, IGNORE, np.uint8)
    labels[mask == 0] = Part.BACKGROUND
    hair = mask == 2
    labels[hair] = Part.OTHER
    keep = (regions != Part.NOSE) & _visible(points)
    near = _nearest_region(points[keep], regions[keep], shape)
    inside = hull_mask(points, shape, grow=0.01)
    above = points[:, 1][list(_LEFT_BROW + _RIGHT_BROW)].min()
    rows = np.arange(shape[0])[:, None]
    skin = mask == 1
    labels[skin & (inside | (rows < above))] = near[skin & (inside | (rows < above))]
    labels[skin & ~hull_mask(points, shape, grow=0.05) & (rows >= above)] = Part.OTHER
    labels[(mask == 3)] = Part.EYES
    labels[(mask == 4)] = Part.NOSE
    labels[(mask == 5)] = Part.LIPS
    brows = np.zeros(shape, np.uint8)
    _fill(brows, points, _LEFT_BROW, 1)
    _fill(brows, points, _RIGHT_BROW, 1)
    labels[hair & (brows > 0)] = Part.BROWS
    return labels


def box_of(labels: Labels) -> tuple[float, float, float, float]:
    """Bounding box of everything that is part of the face."""
    ys, xs = np.nonzero((labels >= 1) & (labels <= 8))
    if len(xs) == 0:
        h, w = labels.shape
        return (0.0, 0.0, float(w), float(h))
    return (float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1))
