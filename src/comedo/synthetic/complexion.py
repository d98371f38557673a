"""One person's skin over the surface: flush, mottling, pores, lesions, and the normals they make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.frame import Frame
from comedo.synthetic.lesions import Placed, Skin, paint, reach_mm
from comedo.synthetic.noise import F32, f32, sample_tile, smoothstep
from comedo.synthetic.skin import reflectance
from comedo.synthetic.trace import Surface, look
from comedo.types import Part

# Relief in mm: fine furrows, waves, pores, wider ones on nose and cheeks. On 333 clear windows of ACNE04 photos, at
# 0.22 mm a pixel, log green (sRGB values) varies by 0.010, 0.010 and 0.009 in the octaves from 0.15 to 1.2 mm, of a
# quarter of them by less than 0.008, 0.007 and 0.006: that quarter is what rendered cheeks are like.
_RELIEF_MM, _WAVES_MM = 0.016, 0.025
_PORE_MM, _WIDE_PORE_MM = 0.020, 0.050


def bare_skin(frame: Frame, surface: Surface, parts: NDArray[np.uint8]) -> Skin:
    """Skin without lesions: flush, mottling, shade round the eyes, pores."""
    person, build = frame.spec.person, frame.head.build
    px, py, pz = surface.p
    # these run over face, neck and the underside of the jaw without stretching
    u, v = surface.col * np.float32(0.58), np.float32(0.7) * (pz - 80) * np.tanh((py + 20) / 40) - py
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
    blood = person.ruddiness * 0.30 * flush + 0.016 * blotch + 0.022 * mottle + 0.02 * grain + 0.06 * rings
    zone = spot(0, -30, 16, 18) + 0.7 * spot(30, -35, 18, 18)
    opening = np.maximum(pores - 0.9, 0)
    # an opening keeps light in
    melanin = 0.16 * rings + 0.014 * blotch + 0.014 * mottle + 0.022 * grain + (0.03 + 0.10 * zone) * opening
    shine = 0.35 + 0.5 * spot(0, 50, 30, 18) + 0.6 * spot(0, -25, 8, 25) + 0.35 * spot(38, -22, 14, 12)
    shine += 0.3 * spot(0, -100, 12, 9)
    height = _RELIEF_MM * grain + _WAVES_MM * mottle - (_PORE_MM + _WIDE_PORE_MM * zone) * opening
    return Skin(
        blood=blood.astype(np.float32),
        melanin=melanin.astype(np.float32),
        height_mm=(height * (parts != Part.EYES)).astype(np.float32),
        gloss=((0.15 + person.oil) * shine * (1 + 0.2 * grain)).astype(np.float32),
        pus=np.zeros_like(px),
        plug=np.zeros_like(px),
    )


def add_lesions(
    frame: Frame, placed: tuple[Placed, ...], surface: Surface, parts: NDArray[np.uint8], skin: Skin
) -> NDArray[np.uint16]:
    """Paint every lesion where it can reach; answer with whose pixel is whose."""
    owner = np.zeros(parts.shape, np.uint16)
    on_skin = surface.hit & (parts >= Part.FOREHEAD) & (parts <= Part.CHIN)
    # which pixels of the traced part a lesion can reach follows from its place, the same for every ray
    view_x = sum(frame.rot[0, k] * surface.p[k] for k in range(3))
    view_y = sum(frame.rot[1, k] * surface.p[k] for k in range(3))
    left, top = float(view_x[0, 0]), float(view_y[0, 0])
    for i, lesion in enumerate(placed):
        cx, cy, _ = frame.rot @ np.array(lesion.center)
        reach = reach_mm(lesion)
        cols = slice(max(0, int((cx - reach - left) / frame.px_mm)), max(0, int((cx + reach - left) / frame.px_mm) + 2))
        rows = slice(max(0, int((top - cy - reach) / frame.px_mm)), max(0, int((top - cy + reach) / frame.px_mm) + 2))
        part = tuple(p[rows, cols] for p in surface.p)
        if not part[0].size:
            continue
        views = (getattr(skin, n)[rows, cols] for n in ("blood", "melanin", "height_mm", "gloss", "pus", "plug"))
        mask = paint(lesion, part, Skin(*views), tone=frame.spec.person.tone)  # type: ignore[arg-type]
        owner[rows, cols][mask & on_skin[rows, cols]] = i + 1
    return owner


def skin_albedo(frame: Frame, skin: Skin) -> F32:
    """(h, w, 3) linear reflectance of the skin with pus and plugs."""
    tone = frame.spec.person.tone
    albedo = reflectance(tone, skin.blood, skin.melanin)
    pus = np.array([0.84, 0.68, 0.46]) * (1 - 0.75 * tone)  # seen through the skin's own colour
    for cover, colour in ((skin.pus, pus), (skin.plug, np.array([0.06, 0.040, 0.027]) * (1 - 0.5 * tone))):
        touched = cover > 0
        a = cover[touched][:, None]
        albedo[touched] = albedo[touched] * (1 - a) + a * colour.astype(np.float32)
    return albedo


def coarse_normal(frame: Frame, surface: Surface) -> F32:
    """(h, w, 3) normals of the head in the view frame, without the fine relief."""
    return f32(look(frame.head.normal, surface.col, surface.row) @ frame.rot.T.astype(np.float32))


def fine_normal(frame: Frame, coarse: F32, height_mm: F32) -> F32:
    """(h, w, 3) unit normals of the view frame: `coarse` tilted by the fine relief."""
    normal = coarse.copy()
    slope = np.float32(0.5 / frame.px_mm)
    facing = np.clip(normal[..., 2], 0.15, 1)
    normal[:, 1:-1, 0] -= (height_mm[:, 2:] - height_mm[:, :-2]) * slope * facing[:, 1:-1]
    normal[1:-1, :, 1] += (height_mm[2:] - height_mm[:-2]) * slope * facing[1:-1]
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    return normal
