"""A face from its spec: the picture and the truth about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from comedo.synthetic import camera, scene
from comedo.synthetic.frame import Frame, Layers
from comedo.synthetic.head import Head, head_of
from comedo.synthetic.lesions import Placed, place
from comedo.synthetic.paint import paint_band
from comedo.synthetic.shade import lamps
from comedo.synthetic.skin import base_reflectance
from comedo.synthetic.spec import Camera, FaceSpec
from comedo.synthetic.trace import coarse_depth, rotation, shadow_map
from comedo.synthetic.visibility import can_be_seen, contrast_of
from comedo.types import Box, Group, Image, Kind, Mask, Part, Region, Xy

_BAND_PX = 1_500_000  # pixels painted at a time: bounds the memory
_SEEN_SHARE = 0.25  # a lesion of which less is seen than this share of its disc is not in the truth
_SEEN_PX = 3
_FACE_MIDDLE_MM = (0.0, -24.0, 70.0)


@dataclass(frozen=True, eq=False)
class RenderedLesion:
    """The truth about one lesion in sight; one that is too faint or too small to be seen there says so (`visible`)."""

    index: int  # into `FaceSpec.lesions`
    kind: Kind
    group: Group
    region: Region
    center_xy: Xy  # of the visible pixels
    diameter_px: float  # of a disc of the visible area
    diameter_mm: float  # on the skin
    area_px: int
    box_xyxy: Box
    mask: Mask  # inside the box, whose corners are whole pixels
    contrast: float  # mean CIELAB distance of its pixels from bare skin, after lens blur, before noise
    visible: bool  # whether that can be seen: see `comedo.synthetic.visibility.can_be_seen`


@dataclass(frozen=True, eq=False)
class RenderedFace:
    """A picture and everything that is true about it, in its pixels."""

    image: Image
    parts: NDArray[np.uint8]  # (H, W) of `Part`
    lesions: tuple[RenderedLesion, ...]
    lesion_mask: Mask  # (H, W): active lesions, marks left out
    box_xyxy: Box | None  # of all face parts; None where the face is outside the frame
    eyes_xy: tuple[Xy | None, Xy | None]  # the person's right eye, left eye; None where hidden or outside
    mm_per_px: float
    yaw_deg: float  # positive: the cheek called left is turned to the camera
    roll_deg: float  # clockwise turn of the line through the eyes
    spec: FaceSpec


def render(spec: FaceSpec) -> RenderedFace:
    """Render a face; the same spec gives the same bytes.

    A megapixel takes about a second on one core; the first photo of a person half a second more.

    Raises:
        NotOnSkin: If a lesion's place is not on skin.
    """
    head = head_of(spec.person)
    frame = _frame(spec, head)
    placed = tuple(place(lesion, head) for lesion in spec.lesions)
    h, w = spec.camera.height, spec.camera.width
    linear, change = np.empty((h, w, 3), np.float32), np.zeros((h, w, 3), np.float32)
    parts, owner = np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint16)
    layers = Layers(linear, change, parts, owner)
    step = max(64, _BAND_PX // w)
    for top in range(0, h, step):
        rows = slice(top, min(h, top + step))
        paint_band(frame, placed, rows, layers.rows(rows))
    exposure = np.float32(camera.exposure(base_reflectance(spec.person.tone), spec.light.strength))
    linear *= exposure
    contrasts = _contrasts(layers, exposure, spec.camera.blur_px)
    image = camera.develop(linear, spec.camera.blur_px, spec.camera.noise, spec.noise_seed)
    eyes = _eyes(frame, parts)
    if spec.camera.mirrored:
        image, parts, owner, eyes = _mirror(image, parts, owner, eyes)
    lesions = _truth(placed, owner, contrasts, spec.camera)
    active = np.zeros(len(placed) + 1, bool)
    for lesion in lesions:
        active[lesion.index + 1] = lesion.group is not Group.MARK
    if spec.camera.mirrored:
        lesions = tuple(_swap_side(lesion) for lesion in lesions)
    sign = -1.0 if spec.camera.mirrored else 1.0
    return RenderedFace(
        image=image,
        parts=parts,
        lesions=lesions,
        lesion_mask=active[owner],
        box_xyxy=_face_box(parts),
        eyes_xy=eyes,
        mm_per_px=frame.px_mm,
        yaw_deg=sign * spec.pose.yaw_deg,
        roll_deg=sign * _eye_line_deg(frame),
        spec=spec,
    )


def _frame(spec: FaceSpec, head: Head) -> Frame:
    rot = rotation(spec.pose)
    middle = rot @ np.array(_FACE_MIDDLE_MM)
    cam, px = spec.camera, spec.camera.mm_per_px
    lit = lamps(spec.light)
    return Frame(
        spec=spec,
        head=head,
        rot=rot,
        px_mm=px,
        left_mm=float(middle[0]) - (cam.center_xy[0] * cam.width - 0.5) * px,
        top_mm=float(middle[1]) + (cam.center_xy[1] * cam.height - 0.5) * px,
        coarse=coarse_depth(head, rot),
        shadow=shadow_map(head, rot.T @ lit.key, spec.light.softness),
        lit=lit,
        room=scene.room(spec.background_seed, cam.width, cam.height, float(lit.key_rgb[1]) * 0.5 + 0.35),
    )


def _eyes(frame: Frame, parts: NDArray[np.uint8]) -> tuple[Xy | None, Xy | None]:
    """Middles of the eye openings where the picture shows them, the person's right eye first."""
    found: list[Xy | None] = []
    for point in eye_points(frame.head, closed=frame.spec.pose.eyes_closed):
        x, y = frame.to_pixel(point)
        col, row = round(x), round(y)
        near = parts[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2] if col >= 0 and row >= 0 else parts[:0]
        found.append((x, y) if (near == Part.EYES).any() else None)
    return found[0], found[1]


def _eye_line_deg(frame: Frame) -> float:
    """Turn of the line from the right to the left eye in the picture, also where one is hidden."""
    (x0, y0), (x1, y1) = (frame.to_pixel(p) for p in eye_points(frame.head, closed=frame.spec.pose.eyes_closed))
    return float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))


def eye_points(head: Head, *, closed: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of the right and left eye opening on the surface, head frame, mm."""
    up = head.build.eye_open_mm * (-0.2 if closed else 0.09)
    points = []
    for side in (-1, 1):
        lon, lat = np.degrees(np.arctan2(side * head.build.eye_x, 80)), np.degrees(np.arctan2(up, 85))
        for _ in range(8):  # walk to the place whose x and y are wanted
            p = head.skin_point(float(lon), float(lat))
            lon += np.degrees((side * head.build.eye_x - p[0]) / 90)
            lat += np.degrees((up - p[1]) / 90)
        points.append(head.skin_point(float(lon), float(lat)).astype(np.float64))
    return points[0], points[1]


def _contrasts(layers: Layers, exposure: np.float32, blur_px: float) -> dict[int, float]:
    """Contrast of every lesion in sight by its index, see `contrast_of`: after lens and tone curve, without noise."""
    found = {}
    margin = int(np.ceil(3 * blur_px)) + 1
    h, w = layers.owner.shape
    for index, (ys, xs) in _pixels(layers.owner).items():
        rows = slice(max(0, int(ys.min()) - margin), min(h, int(ys.max()) + 1 + margin))
        columns = slice(max(0, int(xs.min()) - margin), min(w, int(xs.max()) + 1 + margin))
        light = layers.linear[rows, columns]
        both = light.copy(), light - exposure * layers.change[rows, columns]
        image, without = (camera.develop(picture, blur_px, 0.0, 0) for picture in both)
        found[index] = contrast_of(image, without, layers.owner[rows, columns] == index + 1)
    return found


def _pixels(owner: NDArray[np.uint16]) -> dict[int, tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows and columns of every lesion's pixels, by its index."""
    ys, xs = np.nonzero(owner)
    number = owner[ys, xs]
    order = np.argsort(number, kind="stable")
    values, starts = np.unique(number[order], return_index=True)
    pieces = np.split(order, starts[1:])
    return {int(v) - 1: (ys[rows], xs[rows]) for v, rows in zip(values, pieces, strict=False)}


def _truth(
    placed: tuple[Placed, ...], owner: NDArray[np.uint16], contrasts: Mapping[int, float], cam: Camera
) -> tuple[RenderedLesion, ...]:
    out = []
    for i, (ys, xs) in _pixels(owner).items():
        lesion = placed[i]
        disc = np.pi * (lesion.diameter_mm / 2 / cam.mm_per_px) ** 2
        if len(xs) < max(_SEEN_PX, _SEEN_SHARE * disc):
            continue
        x0, x1, y0, y1 = int(xs.min()), int(xs.max()) + 1, int(ys.min()), int(ys.max()) + 1
        out.append(
            RenderedLesion(
                index=i,
                kind=lesion.spec.kind,
                group=lesion.spec.group,
                region=lesion.region,
                center_xy=(float(xs.mean()), float(ys.mean())),
                diameter_px=float(2 * np.sqrt(len(xs) / np.pi)),
                diameter_mm=lesion.diameter_mm,
                area_px=len(xs),
                box_xyxy=(float(x0), float(y0), float(x1), float(y1)),
                mask=owner[y0:y1, x0:x1] == i + 1,
                contrast=contrasts[i],
                visible=can_be_seen(contrasts[i], len(xs), cam.noise),
            )
        )
    return tuple(out)


def _face_box(parts: NDArray[np.uint8]) -> Box | None:
    face = (parts >= Part.FOREHEAD) & (parts <= Part.LIPS)
    ys, xs = np.flatnonzero(face.any(1)), np.flatnonzero(face.any(0))
    if not len(ys):
        return None
    return float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)


_SIDES = {Region.LEFT_CHEEK: Region.RIGHT_CHEEK, Region.RIGHT_CHEEK: Region.LEFT_CHEEK}


def _swap_side(lesion: RenderedLesion) -> RenderedLesion:
    return replace(lesion, region=_SIDES.get(lesion.region, lesion.region))


def _mirror(
    image: Image, parts: NDArray[np.uint8], owner: NDArray[np.uint16], eyes: tuple[Xy | None, Xy | None]
) -> tuple[Image, NDArray[np.uint8], NDArray[np.uint16], tuple[Xy | None, Xy | None]]:
    """Flip; what looks like the left cheek in the flipped picture is called the left cheek."""
    table = np.arange(len(Part), dtype=np.uint8)
    table[[Part.LEFT_CHEEK, Part.RIGHT_CHEEK]] = Part.RIGHT_CHEEK, Part.LEFT_CHEEK
    w = image.shape[1]
    right, left = ((w - 1 - eye[0], eye[1]) if eye else None for eye in eyes)
    flipped = (np.ascontiguousarray(a[:, ::-1]) for a in (image, table[parts], owner))
    return (*flipped, (left, right))  # type: ignore[return-value]
