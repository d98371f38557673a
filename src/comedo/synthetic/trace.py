"""From pixels to places on the head: rays against the star-shaped surface, light against itself.

View frame in mm: x right in the picture, y up, z to the camera. The camera is far away, so rays are
parallel and the scale is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.head import COLUMNS, ROWS, Head, grid_directions
from comedo.synthetic.noise import F32, f32
from comedo.synthetic.spec import Pose

FAR = -1e6
_COARSE_MM, _SPAN_MM = 2.5, 240.0


@dataclass(frozen=True, eq=False)
class Surface:
    """What the rays of a picture's part met; arrays are (h, w), invalid where `hit` is False."""

    hit: NDArray[np.bool_]
    p: tuple[F32, F32, F32]  # head frame, mm
    z_view: F32  # mm to the camera; FAR where nothing was met
    col: F32  # texel of the direction, for the head's maps
    row: F32


def rotation(pose: Pose) -> NDArray[np.float64]:
    """(3, 3) matrix from head to view frame."""
    yaw, pitch, roll = (np.radians(a) for a in (-pose.yaw_deg, pose.pitch_deg, -pose.roll_deg))
    ry = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    rx = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    rz = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(rz @ rx @ ry)


def texel_of(px: F32, py: F32, pz: F32) -> tuple[F32, F32, F32]:
    """Column, row and distance from the middle of points in the head frame."""
    level = np.sqrt(px * px + pz * pz)
    col = np.arctan2(px, pz) * np.float32(COLUMNS / (2 * np.pi)) + np.float32(COLUMNS / 2 - 0.5)
    row = np.float32(ROWS / 2 - 0.5) - np.arctan2(py, level) * np.float32(ROWS / np.pi)
    return col, row, np.sqrt(level * level + py * py)


def look(texture: F32, col: F32, row: F32) -> F32:
    """Bilinear look-up in a map of directions; longitude wraps."""
    return f32(cv2.remap(texture, col, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def coarse_depth(head: Head, rot: NDArray[np.float64]) -> tuple[F32, F32]:
    """Depth on a 2.5 mm grid over the view, taken as nearest and farthest of the neighbours."""
    axis = np.arange(-_SPAN_MM, _SPAN_MM + 1, _COARSE_MM, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    depth = np.full(x.shape, FAR, np.float32)
    open_ = np.arange(x.size)
    flat_x, flat_y, flat_d = x.ravel(), y.ravel(), depth.reshape(-1)
    for z in np.arange(230, -231, -3.0, dtype=np.float32):
        inside = _gap(head, rot, flat_x[open_], flat_y[open_], np.full(open_.size, z, np.float32)) < 0
        flat_d[open_[inside]] = z
        open_ = open_[~inside]
    ring = np.ones((3, 3), np.uint8)
    return f32(cv2.dilate(depth, ring)), f32(cv2.erode(depth, ring))


def _gap(head: Head, rot: NDArray[np.float64], x: F32, y: F32, z: F32) -> F32:
    """How far points of the view frame, flat arrays, are outside the surface along their direction, mm."""
    r = rot.astype(np.float32)
    px, py, pz = (r[0, k] * x + r[1, k] * y + r[2, k] * z for k in range(3))
    col, row, distance = texel_of(px, py, pz)
    return distance - _look_flat(head.radius, col, row)


def _look_flat(texture: F32, col: F32, row: F32) -> F32:
    """`look` for flat arrays of any length: cv2 takes sides below 32,768 only."""
    n, wide = col.size, 4096
    if n <= wide:
        return f32(look(texture, col[None], row[None])[0])
    pad = -n % wide
    both = (np.pad(a, (0, pad)).reshape(-1, wide) for a in (col, row))
    return look(texture, *both).ravel()[:n]


def trace(head: Head, rot: NDArray[np.float64], coarse: tuple[F32, F32], x: F32, y: F32) -> Surface:
    """Meet the head with one ray per pixel at view coordinates `x`, `y`, each (h, w) in mm."""
    cols, rows = (x + _SPAN_MM) / _COARSE_MM, (y + _SPAN_MM) / _COARSE_MM
    near, far = (
        cv2.remap(c, cols, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=FAR) for c in coarse
    )
    depth = np.full(x.shape, FAR, np.float32).ravel()
    todo = np.flatnonzero(near.ravel() > FAR)
    fx, fy, lowest = x.ravel()[todo], y.ravel()[todo], np.maximum(far.ravel()[todo], -230) - 6
    z = near.ravel()[todo] + 3.0
    gap = _gap(head, rot, fx, fy, z)
    for _ in range(90):
        z_next = z - np.clip(0.75 * gap, 0.4, 6).astype(np.float32)
        gap_next = _gap(head, rot, fx, fy, z_next)
        met = gap_next < 0
        if met.any():
            depth[todo[met]] = _refine(head, rot, (fx[met], fy[met]), (z[met], gap[met]), (z_next[met], gap_next[met]))
        go = ~met & (z_next > lowest)
        todo, fx, fy, lowest, z, gap = todo[go], fx[go], fy[go], lowest[go], z_next[go], gap_next[go]
        if not todo.size:
            break
    z_view = depth.reshape(x.shape)
    hit = z_view > FAR
    safe = np.where(hit, z_view, 0)
    r = rot.astype(np.float32)
    px, py, pz = (r[0, k] * x + r[1, k] * y + r[2, k] * safe for k in range(3))
    col, row, _ = texel_of(px, py, pz)
    return Surface(hit, (px, py, pz), z_view, col, row)


def _refine(
    head: Head, rot: NDArray[np.float64], xy: tuple[F32, F32], above: tuple[F32, F32], below: tuple[F32, F32]
) -> F32:
    """Depth of the crossing between a point above and one below the surface, by false position."""
    (z0, g0), (z1, g1) = above, below
    for _ in range(2):
        z = z0 + (z1 - z0) * (np.maximum(g0, 1e-4) / (np.maximum(g0, 1e-4) - np.minimum(g1, -1e-4)))
        g = _gap(head, rot, *xy, z)
        out = g > 0
        z0, g0 = np.where(out, z, z0), np.where(out, g, g0)
        z1, g1 = np.where(out, z1, z), np.where(out, g1, g)
    return f32(z0 + (z1 - z0) * (np.maximum(g0, 1e-4) / (np.maximum(g0, 1e-4) - np.minimum(g1, -1e-4))))


def shadow_map(head: Head, to_light: NDArray[np.float64], softness: float) -> F32:
    """Share of the key light that reaches each direction's surface, (ROWS / 2, COLUMNS / 2) float32.

    `to_light` is the unit vector to the light in the head frame.
    """
    rows, columns = ROWS // 2, COLUMNS // 2
    radius = cv2.resize(head.radius, (columns, rows), interpolation=cv2.INTER_AREA)
    normal = cv2.resize(head.normal, (columns, rows), interpolation=cv2.INTER_AREA)
    p = grid_directions(columns, rows) * radius[..., None] + normal * 1.2
    lit = np.ones((rows, columns), np.float32)
    spread = 0.06 + 0.22 * softness
    light = to_light.astype(np.float32)
    for t in (2.0, 4.0, 6.0, 9.0, 12.0, 16.0, 21.0, 27.0, 34.0, 43.0, 55.0, 70.0, 90.0):
        q = p + light * np.float32(t)
        col, row, distance = texel_of(q[..., 0], q[..., 1], q[..., 2])
        gap = distance - look(head.radius, col, row)
        lit = np.minimum(lit, np.clip(gap / np.float32(spread * t) * 0.5 + 0.6, 0, 1))
    return f32(cv2.GaussianBlur(lit, (0, 0), 0.8 + 2.0 * softness))
