"""One band of the picture: trace it, colour it, light it, name its parts."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.synthetic import features, scene
from comedo.synthetic.complexion import add_lesions, bare_skin, coarse_normal, fine_normal, skin_albedo
from comedo.synthetic.eyes import add_eye, lid_lines
from comedo.synthetic.frame import Frame, Layers
from comedo.synthetic.hair import hair_colour, hair_cover, hair_light
from comedo.synthetic.head import Head
from comedo.synthetic.lesions import Placed, Skin
from comedo.synthetic.noise import F32, f32, sample_tile, smoothstep
from comedo.synthetic.shade import light_skin
from comedo.synthetic.spec import HairStyle
from comedo.synthetic.trace import FAR, Surface, look, trace
from comedo.types import Part

_HALO = 3  # rows around a band, for slopes


def paint_band(frame: Frame, placed: tuple[Placed, ...], rows: slice, band: Layers) -> None:
    """Fill the views of the rows in place; `change` and `owner` come as zeros."""
    linear, parts, owner = band.linear, band.parts, band.owner
    width = linear.shape[1]
    behind = _background(frame, rows, width)
    linear[...], depth = behind
    box = _head_columns(frame, rows, width)
    if box is not None:
        around = slice(rows.start - _HALO, rows.stop + _HALO)
        x, y = frame.view_grid(around, box)
        surface = trace(frame.head, frame.rot, frame.coarse, x, y)
        if surface.hit.any():
            colour, change, names, owners = _paint_head(frame, placed, surface, x, y)
            inner = slice(_HALO, -_HALO)
            front = (surface.hit & (surface.z_view > np.pad(depth[:, box], ((_HALO, _HALO), (0, 0)), mode="edge")))[
                inner
            ]
            linear[:, box][front] = colour[inner][front]
            band.change[:, box][front] = change[inner][front]
            parts[:, box][front] = names[inner][front]
            owner[:, box][front] = owners[inner][front]
            depth[:, box][front] = surface.z_view[inner][front]
            _soften_outlines(linear[:, box], depth[:, box])
    if frame.spec.glasses:
        _add_glasses(frame, rows, linear, parts, owner, depth)


def _soften_outlines(linear: F32, depth: F32) -> None:
    """One ray a pixel leaves steps where depth jumps; blur those pixels only. Changes `linear` in place."""
    ring = np.ones((3, 3), np.uint8)
    jump = (cv2.dilate(depth, ring) - cv2.erode(depth, ring)) > 6
    linear[jump] = cv2.GaussianBlur(linear, (0, 0), 0.8)[jump]


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
    return f32(linear), depth


def _paint_head(
    frame: Frame, placed: tuple[Placed, ...], surface: Surface, x: F32, y: F32
) -> tuple[F32, F32, NDArray[np.uint8], NDArray[np.uint16]]:
    """Light, what lesions change in it, parts and lesion numbers of what the rays met, hair over eyes over skin."""
    head, person = frame.head, frame.spec.person
    px, py, _ = surface.p
    parts = features.skin_parts(head.build, px, py)
    hairline = look(head.hairline, surface.col, surface.row)
    hair = hair_cover(frame, surface, hairline)
    eyes = [features.lids(head.build, s, px, py, closed=frame.spec.pose.eyes_closed) for s in (-1, 1)]
    front = surface.p[2] > 40
    brow_cover, brow_in = features.brow(head.build, px, py, frame.px_mm, person.shape_seed)
    lip_in, lip_above = features.lips(head.build, px, py, smile=frame.spec.pose.smile)
    parts[(brow_in > 0) & front] = Part.BROWS
    parts[(lip_in > 0) & front] = Part.LIPS
    for eye in eyes:
        parts[(eye.inside > 0) & front] = Part.EYES
    parts[_not_face(frame, surface) | (hair > 0.5)] = Part.OTHER

    bare = bare_skin(frame, surface, parts)
    _add_lips(frame, bare, (px, py), smoothstep(-0.9, 0.9, lip_in) * front)
    skin = bare.copy()
    owner = add_lesions(frame, placed, surface, parts, skin)
    dark = 0.85 * np.exp(-((lip_above / 0.75) ** 2)) * smoothstep(-1.5, 2.0, lip_in) * front
    dark = np.maximum(dark, 0.88 * features.nostrils(head.build, px, py) * front)
    for eye in eyes:
        dark = np.maximum(dark, lid_lines(frame, eye) * front)
    shadow = _half_look(frame.shadow, surface)
    hollow = np.exp(-0.065 * np.maximum(look(head.hollow, surface.col, surface.row), 0))
    coarse = coarse_normal(frame, surface)
    normal = fine_normal(frame, coarse, skin.height_mm)
    covers = [f32(layer) for layer in (dark, brow_cover * front * 0.9, shadow, hollow)]
    light, change = _light_skin(frame, skin, normal, covers), np.zeros_like(coarse)
    if placed:
        touched, plain = skin.differs(bare), fine_normal(frame, coarse, bare.height_mm)
        touched = cv2.dilate(touched.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0  # slopes reach a pixel farther
        change[touched] = light[touched] - _light_at(frame, bare, plain, covers, touched)
    if not frame.spec.pose.eyes_closed:
        for side, eye in zip((-1, 1), eyes, strict=True):
            add_eye(frame, side, eye, surface, (x, y), shadow, light)
    alpha = hair[..., None]
    if (hair > 0).any():
        light = light * (1 - alpha) + alpha * hair_light(frame, surface, normal, shadow, hairline)
        change *= 1 - alpha
    return light, change, parts, owner


def _add_lips(frame: Frame, skin: Skin, p: tuple[F32, F32], lips: F32) -> None:
    """Redden and wrinkle the skin in place where `lips` (h, w) cover it."""
    skin.blood[...] += lips * 0.55
    skin.melanin[...] += lips * (0.12 + 0.1 * frame.spec.person.tone)
    wrinkle = sample_tile((3, 512, 2.0, 30.0), *p, 0.12, px_mm=frame.px_mm)
    skin.height_mm[...] += lips * 0.05 * wrinkle
    skin.gloss[...] += lips * 0.35


def _light_skin(frame: Frame, skin: Skin, normal: F32, covers: Sequence[F32]) -> F32:
    """(h, w, 3) light from skin under dark lines and brows; `covers`: of dark, of hair, key and ambient light."""
    dark, cover, shadow, hollow = covers
    albedo = skin_albedo(frame, skin) * (1 - dark)[..., None]
    albedo = albedo * (1 - cover[..., None]) + cover[..., None] * (hair_colour(frame) * 0.8 + 0.004)
    gloss = np.clip(skin.gloss, 0, 1.6) * (1 - dark) * (1 - cover)
    return light_skin(f32(albedo), normal, shadow, hollow, gloss, frame.lit)


def _light_at(frame: Frame, skin: Skin, normal: F32, covers: Sequence[F32], chosen: NDArray[np.bool_]) -> F32:
    """`_light_skin` of the N chosen pixels only, (N, 3)."""
    few = skin.take(lambda layer: layer[chosen][None])
    return f32(_light_skin(frame, few, normal[chosen][None], [layer[chosen][None] for layer in covers])[0])


def _not_face(frame: Frame, surface: Surface) -> NDArray[np.bool_]:
    """Neck, ears, the underside of the jaw, the bald scalp."""
    px, py, pz = surface.p
    neck = (look(frame.head.neck, surface.col, surface.row) > 0.15) | (py < -119)
    lon = np.abs(np.arctan2(px, pz))
    ny = look(np.ascontiguousarray(frame.head.normal[..., 1]), surface.col, surface.row)
    under = (ny < -0.90) & (py < -95)
    bald = frame.spec.person.hair is HairStyle.NONE
    scalp = (py > 76) & bald  # where a hairline would be
    behind = lon > np.radians(np.interp(py, [-110, -60, -20, 40, 80], [62, 74, 79, 80, 70]))
    return neck | under | scalp | behind


def _half_look(texture: F32, surface: Surface) -> F32:
    return look(texture, f32(surface.col / 2 - 0.25), f32(surface.row / 2 - 0.25))


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
