"""What surrounds the head: a blurred room, shoulders in cloth, glasses."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.head import Build
from comedo.synthetic.noise import F32, sample_tile, smoothstep
from comedo.synthetic.shade import Lamps, light_flat
from comedo.synthetic.trace import FAR


def room(seed: int, width: int, height: int, brightness: float) -> F32:
    """A small (h, 96, 3) linear picture of an out-of-focus room, to be stretched over the photo."""
    rng = np.random.default_rng([seed, 11])
    w = 96
    h = max(8, round(w * height / width))
    top, bottom = (rng.uniform(0.08, 0.75) * (1 + rng.uniform(-0.18, 0.18, 3)) for _ in range(2))
    t = np.linspace(0, 1, h)[:, None, None]
    picture = ((1 - t) * top + t * bottom) * np.ones((h, w, 1))
    for _ in range(int(rng.integers(2, 9))):  # doors, frames, furniture
        x, y = rng.uniform(-0.1, 1.0) * w, rng.uniform(-0.1, 1.0) * h
        ww, hh = rng.uniform(0.08, 0.4) * w, rng.uniform(0.1, 0.6) * h
        colour = rng.uniform(0.03, 0.8) * (1 + rng.uniform(-0.3, 0.3, 3))
        box = (int(x), int(y)), (int(x + ww), int(y + hh))
        cv2.rectangle(picture, *box, colour.tolist(), -1)
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), float(rng.uniform(1.2, 6)))
    return np.clip(blurred, 0.005, 1.2) * np.float32(brightness)


def cloth_colour(seed: int) -> NDArray[np.float64]:
    """Linear RGB of the clothes."""
    rng = np.random.default_rng([seed, 12])
    level = float(np.exp(rng.uniform(np.log(0.02), np.log(0.6))))
    return level * (1 + rng.uniform(-0.45, 0.45, 3))


def shoulders(x: F32, y: F32, yaw_deg: float) -> tuple[F32, F32]:
    """Depth (mm, FAR where none) and normal (h, w, 3), view frame, of a body turned part of the way."""
    turn = np.radians(-0.45 * yaw_deg)
    depth = np.full(x.shape, FAR, np.float32)
    normal = np.zeros((*x.shape, 3), np.float32)
    normal[..., 2] = 1
    for center, radii in (((0.0, -262.0, -38.0), (205.0, 104.0, 84.0)), ((0.0, -170.0, -30.0), (66.0, 34.0, 62.0))):
        c, s = np.cos(turn), np.sin(turn)
        # the ellipsoid's matrix in the view frame: A = R diag(1/r^2) R^T
        rot = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        m = rot @ np.diag(1 / np.square(radii)) @ rot.T
        dx, dy = x - np.float32(rot[0] @ center), y - np.float32(center[1])
        qa, qb = m[2, 2], m[0, 2] * dx + m[1, 2] * dy
        qc = m[0, 0] * dx * dx + m[1, 1] * dy * dy + 2 * m[0, 1] * dx * dy - 1
        inside = qb * qb - qa * qc
        dz = (-qb + np.sqrt(np.maximum(inside, 0))) / qa
        z = np.where(inside > 0, dz + np.float32(rot[2] @ center), FAR).astype(np.float32)
        front = z > depth
        n = np.stack([m[k, 0] * dx + m[k, 1] * dy + m[k, 2] * dz for k in range(3)], axis=-1)
        n /= np.linalg.norm(n, axis=-1, keepdims=True) + 1e-9
        depth = np.where(front, z, depth)
        normal = np.where(front[..., None], n, normal).astype(np.float32)
    return depth, normal


def cloth_light(seed: int, x: F32, y: F32, normal: F32, px_mm: float, lit: Lamps) -> F32:
    """Linear light from the clothes, with folds and weave."""
    folds = sample_tile((seed + 91, 256, 9.0, 26.0), x, y, 1.0, px_mm=px_mm)
    weave = sample_tile((seed + 92, 512, 1.2, 1.2), x, y, 0.3, px_mm=px_mm)
    albedo = cloth_colour(seed).astype(np.float32) * (1 + 0.16 * folds + 0.07 * weave)[..., None]
    return light_flat(np.clip(albedo, 0.003, 0.9), normal, np.full(x.shape, 0.8, np.float32), lit)


def glasses(build: Build, rot: NDArray[np.float64], x: F32, y: F32, front_mm: float) -> tuple[F32, F32, F32]:
    """Spectacles before the face.

    Args:
        build: Where the eyes are.
        rot: From head to view frame.
        x: (h, w) view coordinates, mm.
        y: The same.
        front_mm: z of the lenses' plane in the head frame.

    Returns:
        Depth of frame (mm, view frame; FAR where none), cover by the frame in [0, 1], cover by the lens.
    """
    r = rot.astype(np.float32)
    # plane z_head = front_mm: p_head = R^T (x, y, zv)
    zv = (front_mm - r[0, 2] * x - r[1, 2] * y) / (r[2, 2] if abs(r[2, 2]) > 0.05 else 0.05)
    hx, hy = (r[0, k] * x + r[1, k] * y + r[2, k] * zv for k in range(2))
    dx, dy = (np.abs(hx) - build.eye_x - 1.5) / 24.5, (hy + 3.0) / 18.5
    d = (np.abs(dx) ** 3.2 + np.abs(dy) ** 3.2) ** (1 / 3.2)
    rim = smoothstep(0.115, 0.075, np.abs(d - 1).astype(np.float32))
    bridge = smoothstep(1.6, 1.0, np.abs(hy - 3 - 0.02 * hx * hx).astype(np.float32)) * (np.abs(hx) < build.eye_x - 22)
    hinge = (np.abs(hy - 3) < 2.0) & (np.abs(hx) > build.eye_x + 24) & (np.abs(hx) < 73)
    frame = np.maximum(np.maximum(rim, bridge), hinge)
    depth = np.where(frame > 0, zv, FAR).astype(np.float32)
    for side in (-1.0, 1.0):  # the arms, upright strips in the planes x = +-72
        if side * r[2, 0] <= 0.03:
            continue
        za = (side * 72 - r[0, 0] * x - r[1, 0] * y) / r[2, 0]
        ay, az = (r[0, k] * x + r[1, k] * y + r[2, k] * za for k in (1, 2))
        arm = ((np.abs(ay - 3) < 2.2) & (az < front_mm) & (az > -8)).astype(np.float32)
        depth = np.where((arm > 0) & (za > depth), za, depth).astype(np.float32)
        frame = np.maximum(frame, arm)
    return (
        depth,
        frame.astype(np.float32),
        (smoothstep(1.0, 0.95, d.astype(np.float32)) * (np.abs(hx) > 6)).astype(np.float32),
    )
