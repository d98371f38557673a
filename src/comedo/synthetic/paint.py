"""One band of the picture: trace it, colour it, light it, name its parts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.synthetic import features, scene
from comedo.synthetic.head import Head
from comedo.synthetic.lesions import Placed, Skin, paint, reach_mm
from comedo.synthetic.noise import F32, sample_tile, smoothstep
from comedo.synthetic.shade import Lamps, highlight, light_flat, light_skin
from comedo.synthetic.skin import reflectance
from comedo.synthetic.spec import FaceSpec
from comedo.synthetic.trace import FAR, Surface, look, trace
from comedo.types import Part

_HALO = 3  # rows around a band, for slopes


@dataclass(frozen=True, eq=False)
class Frame:
    """Everything of one photo that is the same in all its bands."""

    spec: FaceSpec
    head: Head
    rot: NDArray[np.float64]
    px_mm: float
    left_mm: float  # view x of the first column's middle
    top_mm: float  # view y of the first row's middle
    coarse: tuple[F32, F32]
    shadow: F32
    lit: Lamps
    room: F32

    def to_pixel(self, point: NDArray[np.float64]) -> tuple[float, float]:
        """Pixel (x, y) of a point of the head frame."""
        view = self.rot @ point
        return float((view[0] - self.left_mm) / self.px_mm), float((self.top_mm - view[1]) / self.px_mm)

    def view_grid(self, rows: slice, columns: slice) -> tuple[F32, F32]:
        """View coordinates of pixels, mm."""
        x = self.left_mm + np.arange(columns.start, columns.stop) * self.px_mm
        y = self.top_mm - np.arange(rows.start, rows.stop) * self.px_mm
        gx, gy = np.meshgrid(x, y)
        return gx.astype(np.float32), gy.astype(np.float32)


def paint_band(
    frame: Frame,
    placed: tuple[Placed, ...],
    rows: slice,
    linear: F32,
    parts: NDArray[np.uint8],
    owner: NDArray[np.uint16],
) -> None:
    """Fill the views `linear` (h, w, 3), `parts` and `owner` (h, w; lesion number + 1) of the rows in place."""
    width = linear.shape[1]
    behind = _background(frame, rows, width)
    linear[...], depth = behind
    box = _head_columns(frame, rows, width)
    if box is not None:
        around = slice(rows.start - _HALO, rows.stop + _HALO)
        x, y = frame.view_grid(around, box)
        surface = trace(frame.head, frame.rot, frame.coarse, x, y)
        if surface.hit.any():
            colour, names, owners = _paint_head(frame, placed, surface, x, y)
            inner = slice(_HALO, -_HALO)
            front = (surface.hit & (surface.z_view > np.pad(depth[:, box], ((_HALO, _HALO), (0, 0)), mode="edge")))[inner]
            linear[:, box][front] = colour[inner][front]
            parts[:, box][front] = names[inner][front]
            owner[:, box][front] = owners[inner][front]
            depth[:, box][front] = surface.z_view[inner][front]
    if frame.spec.glasses:
        _add_glasses(frame, rows, linear, parts, owner, depth)


def _head_columns(frame: Frame, rows: slice, width: int) -> slice | None:
    """Columns of the band that the head can reach."""
    near = frame.coarse[0]
    mm = np.arange(near.shape[0]) * 2.5 - 240
    top, bottom = (frame.top_mm - r * frame.px_mm for r in (rows.start - _HALO, rows.stop + _HALO))
    within = (near > FAR) & (mm[:, None] <= top + 3) & (mm[:, None] >= bottom - 3)
    reached = np.flatnonzero(within.any(0))
    if not len(reached):
        return None
    low, high = ((mm[i] - frame.left_mm) / frame.px_mm for i in (reached[0], reached[-1]))
    start, stop = max(0, int(low - 3 / frame.px_mm)), min(width, int(high + 3 / frame.px_mm) + 2)
    return slice(start, stop) if stop > start else None


def _background(frame: Frame, rows: slice, width: int) -> tuple[F32, F32]:
    """Room and shoulders: linear light (h, w, 3) and depth."""
    room, spec = frame.room, frame.spec
    x, y = frame.view_grid(rows, slice(0, width))
    col = (np.arange(width, dtype=np.float32) + 0.5) * (room.shape[1] / width) - 0.5
    row = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * (room.shape[0] / spec.camera.height) - 0.5
    cols, rws = np.meshgrid(col, row)
    linear = cv2.remap(room, cols, rws, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    depth, normal = scene.shoulders(x, y, spec.pose.yaw_deg)
    body = depth > FAR
    if body.any():
        lowest = slice(int(np.flatnonzero(body.any(1))[0]), None)
        light = scene.cloth_light(spec.background_seed, x[lowest], y[lowest], normal[lowest], frame.px_mm, frame.lit)
        linear[lowest][body[lowest]] = light[body[lowest]]
    return linear, depth


def _paint_head(
    frame: Frame, placed: tuple[Placed, ...], surface: Surface, x: F32, y: F32
) -> tuple[F32, NDArray[np.uint8], NDArray[np.uint16]]:
    """Light, parts and lesion numbers of everything the rays met, hair over eyes over skin."""
    head, person = frame.head, frame.spec.person
    px, py, _ = surface.p
    parts = features.skin_parts(head.build, px, py)
    hairline = look(head.hairline, surface.col, surface.row)
    hair = _hair_cover(frame, surface, hairline)
    eyes = [features.lids(head.build, s, px, py, closed=frame.spec.pose.eyes_closed) for s in (-1, 1)]
    front = surface.p[2] > 40
    brow_cover, brow_in = features.brow(head.build, px, py, frame.px_mm, person.shape_seed)
    lip_in, lip_above = features.lips(head.build, px, py)
    parts[(brow_in > 0) & front] = Part.BROWS
    parts[(lip_in > 0) & front] = Part.LIPS
    for eye in eyes:
        parts[(eye.inside > 0) & front] = Part.EYES
    parts[_not_face(frame, surface) | (hair > 0.5)] = Part.OTHER

    skin = _bare_skin(frame, surface, parts)
    owner = _add_lesions(frame, placed, surface, parts, skin)
    lips = smoothstep(-0.9, 0.9, lip_in) * front
    skin.blood[...] += lips * 0.55
    skin.melanin[...] += lips * (0.12 + 0.1 * person.tone)
    wrinkle = sample_tile((3, 512, 2.0, 30.0), px, py, 0.12, px_mm=frame.px_mm)
    skin.height_mm[...] += lips * 0.05 * wrinkle
    skin.gloss[...] += lips * 0.35
    albedo = _albedo(frame, skin)
    dark = 0.85 * np.exp(-((lip_above / 0.75) ** 2)) * smoothstep(-1.5, 2.0, lip_in) * front
    dark = np.maximum(dark, 0.88 * features.nostrils(head.build, px, py) * front)
    for eye in eyes:
        dark = np.maximum(dark, _lid_lines(frame, eye) * front)
    albedo *= (1 - dark)[..., None]
    hair_rgb = _hair_colour(frame)
    cover = (brow_cover * front * 0.9)[..., None]
    albedo = albedo * (1 - cover) + cover * (hair_rgb * 0.8 + 0.004)

    normal = _normal(frame, surface, skin.height_mm)
    shadow = _half_look(frame.shadow, surface)
    hollow = np.exp(-0.045 * np.maximum(look(head.hollow, surface.col, surface.row), 0))
    gloss = np.clip(skin.gloss, 0, 1.6) * (1 - dark) * (1 - cover[..., 0])
    light = light_skin(albedo, normal, shadow, hollow, gloss, frame.lit)
    if not frame.spec.pose.eyes_closed:
        for side, eye in zip((-1, 1), eyes, strict=True):
            _add_eye(frame, side, eye, surface, (x, y), shadow, light)
    alpha = hair[..., None]
    if (hair > 0).any():
        light = light * (1 - alpha) + alpha * _hair_light(frame, surface, normal, shadow, hairline)
    return light, parts, owner


def _not_face(frame: Frame, surface: Surface) -> NDArray[np.bool_]:
    """Neck, ears, the underside of the jaw, the bald scalp."""
    px, py, pz = surface.p
    neck = look(frame.head.neck, surface.col, surface.row) > 0.5
    lon = np.abs(np.arctan2(px, pz))
    ny = look(np.ascontiguousarray(frame.head.normal[..., 1]), surface.col, surface.row)
    under = (ny < -0.72) & (py < -85)
    scalp = py > 74 + 4 * np.cos(lon * 3)
    behind = lon > np.radians(np.interp(py, [-110, -60, -20, 40, 80], [62, 74, 79, 80, 70]))
    return neck | under | scalp | behind


def _bare_skin(frame: Frame, surface: Surface, parts: NDArray[np.uint8]) -> Skin:
    """Skin without lesions: flush, mottling, shade round the eyes, pores."""
    person, build = frame.spec.person, frame.head.build
    px, py, pz = surface.p
    u, v = surface.col * np.float32(0.58), surface.row * np.float32(0.6)
    seed, fine = person.shape_seed + 101, frame.px_mm

    def noise(k: int, sigma: float, texel: float) -> F32:
        return sample_tile((seed + k, 512, sigma, sigma), u, v, texel, px_mm=fine)

    ax = np.abs(px)
    front = smoothstep(20, 60, pz)

    def spot(cx: float, cy: float, sx: float, sy: float) -> F32:
        return np.exp(-(((ax - cx) / sx) ** 2 + ((py - cy) / sy) ** 2) / 2) * front

    flush = spot(40, -30, 15, 14) + 0.9 * spot(0, build.nose_base_y + 2, 13, 9) + 0.35 * spot(0, -104, 14, 10)
    rings = spot(build.eye_x - 4, -8, 11, 5) + 0.8 * spot(build.eye_x - 12, 2, 6, 8) + 0.5 * spot(build.eye_x, 7, 14, 5)
    blotch, mottle = noise(1, 7.0, 1.2), noise(2, 3.0, 0.5)
    grain, pores = noise(3, 1.3, 0.25), noise(4, 1.6, 0.16)
    blood = person.ruddiness * 0.30 * flush + 0.035 * blotch + 0.035 * mottle + 0.02 * grain + 0.06 * rings
    melanin = 0.16 * rings + 0.025 * blotch[::1, ::1] + 0.02 * mottle + 0.018 * grain
    shine = 0.35 + 0.5 * spot(0, 50, 30, 18) + 0.6 * spot(0, -25, 8, 25) + 0.35 * spot(38, -22, 14, 12)
    shine += 0.3 * spot(0, -100, 12, 9)
    pore_depth = 0.010 + 0.016 * (spot(0, -30, 16, 18) + 0.7 * spot(30, -35, 18, 18))
    height = -pore_depth * np.maximum(pores - 0.5, 0) * 1.6 + 0.006 * grain
    return Skin(
        blood=blood.astype(np.float32),
        melanin=melanin.astype(np.float32),
        height_mm=(height * (parts != Part.EYES)).astype(np.float32),
        gloss=((0.15 + person.oil) * shine * (1 + 0.2 * grain)).astype(np.float32),
        pus=np.zeros_like(px),
        plug=np.zeros_like(px),
    )


def _add_lesions(
    frame: Frame, placed: tuple[Placed, ...], surface: Surface, parts: NDArray[np.uint8], skin: Skin
) -> NDArray[np.uint16]:
    """Paint every lesion where it can reach; answer with whose pixel is whose."""
    owner = np.zeros(parts.shape, np.uint16)
    on_skin = surface.hit & (parts >= Part.FOREHEAD) & (parts <= Part.CHIN)
    # which pixels of the traced part a lesion can reach follows from its place, the same for every ray
    x0, y0 = frame.to_pixel(np.zeros(3))
    view_x = sum(frame.rot[0, k] * surface.p[k] for k in range(3))
    view_y = sum(frame.rot[1, k] * surface.p[k] for k in range(3))
    left, top = float(view_x[0, 0]), float(view_y[0, 0])
    del x0, y0
    for i, lesion in enumerate(placed):
        cx, cy, _ = frame.rot @ np.array(lesion.center)
        reach = reach_mm(lesion)
        cols = slice(max(0, int((cx - reach - left) / frame.px_mm)), max(0, int((cx + reach - left) / frame.px_mm) + 2))
        rows = slice(max(0, int((top - cy - reach) / frame.px_mm)), max(0, int((top - cy + reach) / frame.px_mm) + 2))
        part = tuple(p[rows, cols] for p in surface.p)
        if not part[0].size:
            continue
        views = (getattr(skin, n)[rows, cols] for n in ("blood", "melanin", "height_mm", "gloss", "pus", "plug"))
        mask = paint(lesion, part, Skin(*views))  # type: ignore[arg-type]
        owner[rows, cols][mask & on_skin[rows, cols]] = i + 1
    return owner


def _albedo(frame: Frame, skin: Skin) -> F32:
    tone = frame.spec.person.tone
    albedo = reflectance(tone, skin.blood, skin.melanin)
    pus = np.array([0.80, 0.70, 0.46]) * (1 - 0.45 * tone)  # seen through the skin's own colour
    for cover, colour in ((skin.pus, pus), (skin.plug, np.array([0.03, 0.021, 0.015]) * (1 - 0.5 * tone))):
        touched = cover > 0
        a = cover[touched][:, None]
        albedo[touched] = albedo[touched] * (1 - a) + a * colour.astype(np.float32)
    return albedo


def _normal(frame: Frame, surface: Surface, height_mm: F32) -> F32:
    """(h, w, 3) unit normals of the view frame, tilted by the fine relief."""
    normal = look(frame.head.normal, surface.col, surface.row) @ frame.rot.T.astype(np.float32)
    slope = np.float32(0.5 / frame.px_mm)
    facing = np.clip(normal[..., 2], 0.15, 1)
    normal[:, 1:-1, 0] -= (height_mm[:, 2:] - height_mm[:, :-2]) * slope * facing[:, 1:-1]
    normal[1:-1, :, 1] += (height_mm[2:] - height_mm[:-2]) * slope * facing[1:-1]
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    return normal


def _half_look(texture: F32, surface: Surface) -> F32:
    return look(texture, (surface.col + 0.5) / 2 - 0.5, (surface.row + 0.5) / 2 - 0.5)


def _lid_lines(frame: Frame, eye: features.Lids) -> F32:
    """Darkness of lashes, lid edges and crease."""
    across = smoothstep(features.EYE_HALF_MM + 2, features.EYE_HALF_MM - 1.5, np.abs(eye.out))
    outer = np.clip((eye.out + 15) / 30, 0, 1)
    edge = eye.upper if not frame.spec.pose.eyes_closed else eye.lower
    fan = -eye.upper if not frame.spec.pose.eyes_closed else eye.lower - 0.6
    line = (0.65 + 0.3 * outer) * np.exp(-((edge / (0.75 + 0.4 * outer)) ** 2))
    seed = frame.spec.person.shape_seed
    strands = sample_tile((seed + 61, 256, 1.2, 9.0), eye.out * (1 - 0.06 * fan), fan, 0.16, px_mm=frame.px_mm)
    reach = 2.2 + 2.0 * outer
    lash = np.clip(strands * 0.7 + 0.35, 0, 1) * smoothstep(reach * 1.3, 0.2, fan) * (fan > 0) * 0.8
    if frame.spec.pose.eyes_closed:
        lash = np.clip(strands + 0.3, 0, 1) * smoothstep(2.8, 0.2, -eye.lower) * (eye.lower < 0) * 0.7
    crease = 0.42 * np.exp(-(((eye.upper + 3.6) / 0.8) ** 2)) + 0.16 * smoothstep(-4.5, -0.5, eye.upper) * (eye.upper < 0)
    below = 0.25 * np.exp(-(((eye.lower + 0.2) / 0.7) ** 2))
    return (across * np.maximum(np.maximum(line, lash), np.maximum(crease, below))).astype(np.float32)


def _add_eye(
    frame: Frame, side: int, eye: features.Lids, surface: Surface, xy: tuple[F32, F32], shadow: F32, light: F32
) -> None:
    """Put the eyeball behind the lids: sclera, iris, pupil, wet shine. Changes `light` in place."""
    inside = (eye.inside > -0.3) & (surface.p[2] > 40) & surface.hit
    if not inside.any():
        return
    rows, cols = (np.flatnonzero(inside.any(k)) for k in (1, 0))
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)
    radius = 12.3
    build, person = frame.head.build, frame.spec.person
    front = frame.head.skin_point(float(np.degrees(np.arctan2(side * build.eye_x, 82))), 0.5)[2]
    center = frame.rot @ np.array([side * build.eye_x, 0.8, front - radius - 0.6])
    dx, dy = (xy[k][box] - np.float32(center[k]) for k in (0, 1))
    n = np.stack([dx, dy, np.sqrt(np.maximum(radius**2 - dx * dx - dy * dy, 4.0))], axis=-1)
    n = (n / np.linalg.norm(n, axis=-1, keepdims=True)).astype(np.float32)
    gaze = 0.65 * np.array([0, 0, 1.0]) + 0.35 * frame.rot[:, 2]  # mostly at the camera
    gaze /= np.linalg.norm(gaze)
    off = np.arccos(np.clip(n @ gaze.astype(np.float32), -1, 1)) * radius  # mm from the pupil's middle
    d = person.iris_darkness
    iris_rgb = np.array([0.20, 0.27, 0.33]) * (1 - d) ** 1.5 + np.array([0.055, 0.026, 0.012]) * (0.35 + 0.65 * d)
    spokes = sample_tile((7, 256, 2.0, 2.0), np.arctan2(dy, dx) * 9, off, 0.25, px_mm=frame.px_mm)
    albedo = np.array([0.62, 0.56, 0.52]) * (1 - 0.12 * (eye.out[box] / 15) ** 2)[..., None]
    iris = smoothstep(6.1, 5.5, off)[..., None]
    ring = 1 - 0.55 * smoothstep(4.6, 5.7, off)
    albedo = albedo * (1 - iris) + iris * iris_rgb * (ring * (1 + 0.25 * spokes))[..., None]
    albedo *= (1 - 0.97 * smoothstep(2.5, 2.0, off))[..., None]
    lid_shade = 0.45 + 0.55 * smoothstep(-0.2, 3.2, eye.upper[box])
    seen = light_flat(albedo.astype(np.float32), n, shadow[box], frame.lit) * lid_shade[..., None]
    seen += (highlight(n, frame.lit.key, 700) * 1.1 + 0.10 * highlight(n, frame.lit.fill, 120))[..., None]
    cover = (smoothstep(-0.25, 0.25, eye.inside[box]) * inside[box])[..., None]
    light[box] = light[box] * (1 - cover) + cover * seen


def _hair_cover(frame: Frame, surface: Surface, hairline: F32) -> F32:
    """Cover by head hair in [0, 1]; strands fray the line."""
    if hairline.max() < -20:
        return np.zeros_like(hairline)
    seed = frame.spec.person.shape_seed
    u, v = surface.col * np.float32(0.58), surface.row * np.float32(0.6)
    locks = sample_tile((seed + 71, 512, 3.0, 60.0), u + 0.15 * v, v, 0.3, px_mm=frame.px_mm)
    hairs = sample_tile((seed + 72, 1024, 1.0, 70.0), u + 0.1 * v, v, 0.12, px_mm=frame.px_mm)
    return smoothstep(-1.2, 2.2, hairline + 2.6 * locks + 1.6 * hairs - 2)


def _hair_colour(frame: Frame) -> F32:
    """Linear RGB of the hair."""
    p = frame.spec.person
    light, dark = np.array([0.46, 0.33, 0.17]), np.array([0.012, 0.009, 0.008])
    colour = np.exp(np.log(light) * (1 - p.hair_darkness) + np.log(dark) * p.hair_darkness)
    return (colour * np.array([1 + 0.7 * p.hair_warmth, 1.0, 1 - 0.45 * p.hair_warmth])).astype(np.float32)


def _hair_light(frame: Frame, surface: Surface, normal: F32, shadow: F32, hairline: F32) -> F32:
    """Light from hair: strands of uneven tone with a stretched highlight."""
    seed = frame.spec.person.shape_seed
    u, v = surface.col * np.float32(0.58), surface.row * np.float32(0.6)
    locks = sample_tile((seed + 71, 512, 3.0, 60.0), u + 0.15 * v, v, 0.3, px_mm=frame.px_mm)
    hairs = sample_tile((seed + 72, 1024, 1.0, 70.0), u + 0.1 * v, v, 0.12, px_mm=frame.px_mm)
    tone = np.exp(0.30 * locks + 0.32 * hairs) * (0.55 + 0.45 * smoothstep(0, 14, hairline))
    base = light_flat(_hair_colour(frame) * tone[..., None], normal, shadow, frame.lit)
    # Kajiya's highlight: strands run downwards, so it depends on the vertical part of the half vector only
    half = frame.lit.key + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    down = frame.rot @ np.array([0, -1.0, 0])
    along = down.astype(np.float32) - normal * (normal @ down.astype(np.float32))[..., None]
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-6
    sine = np.sqrt(np.clip(1 - (along @ half.astype(np.float32) + 0.06 * locks) ** 2, 0, 1))
    facing = np.clip(normal @ half.astype(np.float32), 0, 1)
    shine = sine**40 * facing * shadow * np.clip(0.6 + 0.5 * hairs, 0, 2) * 0.06
    return base + shine[..., None] * (0.5 * frame.lit.key_rgb + 2.0 * _hair_colour(frame))


def _add_glasses(
    frame: Frame, rows: slice, linear: F32, parts: NDArray[np.uint8], owner: NDArray[np.uint16], depth: F32
) -> None:
    """Frame and lenses over what is there, in place."""
    x, y = frame.view_grid(rows, slice(0, linear.shape[1]))
    z, cover, lens = scene.glasses(frame.head.build, frame.rot, x, y, _glasses_mm(frame.head))
    cover = cover * (z > depth)
    on_face = depth > FAR
    linear += (lens * on_face * 0.012)[..., None] * frame.lit.key_rgb
    dark = np.array([0.015, 0.014, 0.016], np.float32) * (frame.lit.key_rgb + frame.lit.ambient_rgb)
    linear[...] = linear * (1 - cover[..., None]) + cover[..., None] * dark
    parts[cover > 0.5] = Part.OTHER
    owner[cover > 0.5] = 0


def _glasses_mm(head: Head) -> float:
    """Just before the lids and on the nose's bridge."""
    return float(head.skin_point(20.0, 1.0)[2]) + 13.0
