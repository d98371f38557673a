"""The head as a surface: how far it reaches from its middle in every direction.

Head frame in mm: x to the person's left, y up, z out of the face; the origin lies on the eye line
in the middle of the head. The surface is star-shaped: `radius` holds one distance per direction,
longitude (0 is straight ahead, positive x) along columns, latitude along rows from the top.
Proportions follow adult averages (Farkas 1994, rounded): eye to chin 120 mm, face width 135 mm,
eyes 63 mm apart, eye opening 30 mm, nose 35 mm, mouth 50 mm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from comedo.synthetic.noise import F32, f32, smoothstep, tile
from comedo.synthetic.spec import HairStyle, Person

COLUMNS, ROWS = 1024, 512  # about 0.6 mm on the skin
FRONT_MM = 0.5  # texel of the height maps
FRONT_X, FRONT_Y = 90.0, 140.0  # they reach this far to each side of the origin
HIDDEN = -100.0  # a distance to the hairline where there is no hair near


@dataclass(frozen=True)
class Build:
    """Proportions of one person, each a factor or an offset around the average, and the features' curves."""

    width: float
    jaw: float
    eye_distance_mm: float
    eye_open_mm: float
    eye_tilt_mm: float
    nose_width: float
    nose_length: float
    nose_height: float
    lip_height: float
    mouth_width: float
    brow_height_mm: float
    brow_y_mm: float
    brow_arch_mm: float
    chin: float

    @property
    def eye_x(self) -> float:
        """Distance of an eye's middle from the midline, mm."""
        return self.eye_distance_mm / 2

    @property
    def mouth_y(self) -> float:
        """Height of the parting line between the lips, mm."""
        return self.nose_base_y - 27.0

    @property
    def nose_base_y(self) -> float:
        """Height of the nose's tip, mm; its wings end about 6 mm below."""
        return 6.0 - 45.0 * self.nose_length


@dataclass(frozen=True, eq=False)
class Head:
    """One person's head, ready for tracing; arrays are (ROWS, COLUMNS[, 3]) float32."""

    build: Build
    radius: F32  # skin or hair, whatever is outside, mm
    skin_radius: F32
    normal: F32  # unit, head frame
    hairline: F32  # mm inside the hair (positive) or away from it
    neck: F32  # 1 where the surface is the neck's
    hollow: F32  # mm below the surroundings: for ambient shade

    def direction_to_texel(self, lon_deg: float, lat_deg: float) -> tuple[float, float]:
        """Column and row of a direction."""
        return (lon_deg / 360 + 0.5) * COLUMNS - 0.5, (0.5 - lat_deg / 180) * ROWS - 0.5

    def skin_point(self, lon_deg: float, lat_deg: float) -> F32:
        """(3,) float32: where the skin lies in a direction, mm."""
        col, row = self.direction_to_texel(lon_deg, lat_deg)
        r = cv2.remap(self.skin_radius, f32([[col]]), f32([[row]]), cv2.INTER_LINEAR)[0, 0]
        lon, lat = np.radians(lon_deg), np.radians(lat_deg)
        return f32(f32([np.cos(lat) * np.sin(lon), np.sin(lat), np.cos(lat) * np.cos(lon)]) * r)


def draw_build(seed: int) -> Build:
    """Proportions for a shape seed; seed 0 is the average face."""
    rng = np.random.default_rng([seed, 77])
    spread = 0.0 if seed == 0 else 1.0

    def around(mean: float, sd: float) -> float:
        return float(mean + spread * sd * np.clip(rng.standard_normal(), -1.8, 1.8))

    return Build(
        width=around(1, 0.025),
        jaw=around(1, 0.05),
        eye_distance_mm=around(63, 1.6),
        eye_open_mm=around(9.6, 0.8),
        eye_tilt_mm=around(1.6, 0.8),
        nose_width=around(1, 0.12),
        nose_length=around(1, 0.05),
        nose_height=around(1, 0.12),
        lip_height=around(1, 0.2),
        mouth_width=around(1, 0.06),
        brow_height_mm=around(6.6, 1.2),
        brow_y_mm=around(21, 1.5),
        brow_arch_mm=around(3.2, 1.2),
        chin=around(1, 0.03),
    )


@lru_cache(maxsize=6)
def head_of(person: Person) -> Head:
    """The head of a person, kept for the next photo."""
    build = draw_build(person.shape_seed)
    skin_radius, neck = _solve_radius(build)
    hairline = _hairline(person)
    fine, lumps = tile(person.shape_seed + 5, COLUMNS, 2.0, 60.0), tile(person.shape_seed + 6, COLUMNS, 14.0, 20.0)
    strands = (0.5 * fine + lumps)[:ROWS]
    depth = {HairStyle.NONE: 0.0, HairStyle.SHORT: 13.0, HairStyle.LONG: 17.0}[person.hair]
    thickness = depth * smoothstep(-1, 26, hairline) * (1 + 0.11 * strands) + smoothstep(-1, 3, hairline) * 1.5
    under = skin_radius
    if person.hair is HairStyle.LONG:  # long hair lies over the ears
        covered = smoothstep(4, 20, hairline)
        under = skin_radius * (1 - covered) + cv2.GaussianBlur(skin_radius, (0, 0), 12) * covered
    outside = under + (thickness if person.hair is not HairStyle.NONE else 0)
    if person.hair is HairStyle.LONG:
        outside = np.maximum(outside, _curtain(hairline, strands))
    radius = outside.astype(np.float32)
    return Head(
        build=build,
        radius=radius,
        skin_radius=skin_radius,
        normal=_normals(f32(cv2.GaussianBlur(radius, (0, 0), 0.8))),
        hairline=hairline,
        neck=neck,
        hollow=cv2.GaussianBlur(radius, (0, 0), 14) - radius,
    )


def grid_angles(columns: int = COLUMNS, rows: int = ROWS) -> tuple[F32, F32]:
    """Longitude and latitude of the texels, radians, each (rows, columns) float32."""
    lon = ((np.arange(columns, dtype=np.float32) + 0.5) / columns - 0.5) * 2 * np.pi
    lat = (0.5 - (np.arange(rows, dtype=np.float32) + 0.5) / rows) * np.pi
    both = np.meshgrid(lon, lat)
    return both[0].astype(np.float32), both[1].astype(np.float32)


def grid_directions(columns: int = COLUMNS, rows: int = ROWS) -> F32:
    """(rows, columns, 3) unit vectors of the texels."""
    lon, lat = grid_angles(columns, rows)
    return np.stack([np.cos(lat) * np.sin(lon), np.sin(lat), np.cos(lat) * np.cos(lon)], axis=-1)


def _normals(radius: F32) -> F32:
    p = grid_directions() * radius[..., None]
    wrapped = np.concatenate([p[:, -1:], p, p[:, :1]], axis=1)
    across = wrapped[:, 2:] - wrapped[:, :-2]
    along = np.gradient(p, axis=0)
    n = np.cross(along, across)
    return f32(n / (np.linalg.norm(n, axis=-1, keepdims=True) + 1e-9))


# Cross-sections of head and face without features: y, half width, front, back (mm).
_SECTIONS = np.array(
    [
        (60, 75.5, 93, 101), (40, 75.5, 93, 101), (20, 75, 92, 100), (0, 74.5, 91, 96), (-20, 72.5, 89.5, 88),
        (-40, 69.5, 90, 76), (-53, 66.5, 90.5, 66), (-68, 62, 90, 58), (-82, 56.5, 87.5, 52), (-94, 51, 87, 44),
        (-104, 47, 87, 36), (-118, 44, 86, 30),
    ],
    dtype=np.float32,
)  # fmt: skip
_CROWN = (48.0, 116.0)  # the skull closes between these heights, and the chin between the next
_CHIN = (-88.0, -118.0)


@lru_cache(maxsize=4)
def _solve_radius(build: Build) -> tuple[F32, F32]:
    """Radius of the skin (mm) per direction, and where it belongs to the neck.

    The dearest step of a head, kept for people of the same build: with another tone or hair they share it.
    """
    front, side = _front_map(build), _side_map()
    ys = np.arange(-160, 140, 0.5, dtype=np.float32)
    knots = _SECTIONS[::-1]
    table = np.stack([np.interp(ys, knots[:, 0], knots[:, k]) for k in (1, 2, 3)]).astype(np.float32)
    table = f32(cv2.GaussianBlur(table, (0, 0), sigmaX=13, sigmaY=0.01, borderType=cv2.BORDER_REPLICATE))
    crown = np.sqrt(np.clip(1 - np.clip((ys - _CROWN[0]) / (_CROWN[1] - _CROWN[0]), 0, 1) ** 2, 1e-4, 1))
    chin = np.clip(1 - np.clip((_CHIN[0] - ys) / (_CHIN[0] - _CHIN[1]), 0, 1) ** 2, 1e-4, 1)
    table *= crown * np.stack([chin**0.5, chin**0.22, chin**0.5])
    lower = smoothstep(-30, -90, ys)
    table[0] *= build.width * (1 + (build.jaw - 1) * lower)

    def outside(p: F32) -> tuple[F32, F32]:
        x, y, z = np.abs(p[..., 0]), p[..., 1], p[..., 2]
        w, f, b = (_look(table[k : k + 1], (y + 160) * 2, np.zeros_like(y)) for k in range(3))
        zz = z - _look(front, *_map_texel(p[..., 0], y)) * smoothstep(0, 45, z)
        xx = x - _look(side, *_map_texel(z, y))
        d = np.where(zz > 0, f, np.maximum(b, 1))
        head = np.sqrt((xx / np.maximum(w, 0.5)) ** 2 + (zz / np.maximum(d, 0.5)) ** 2) - 1
        head += np.maximum(np.maximum(y - _CROWN[1], _CHIN[1] - y), 0) * 0.2
        lean = -16 + (y + 60) * 0.12
        neck = np.sqrt((x / 51) ** 2 + ((z - lean) / 51) ** 2) - 1 + np.maximum(y + 35, 0) * 0.1
        return f32(head), f32(neck)

    # bisection on a coarse grid, then a few on the fine one around it
    low = np.full((ROWS // 2, COLUMNS // 2), 30, np.float32)
    high = np.full_like(low, 235)
    coarse = _bisect(lambda p: np.minimum(*outside(p)), grid_directions(COLUMNS // 2, ROWS // 2), low, high, 10)
    near = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR)
    low = f32(cv2.erode(near, np.ones((5, 5), np.uint8)) - 2)
    high = f32(cv2.dilate(near, np.ones((5, 5), np.uint8)) + 2)
    directions = grid_directions()
    radius = _bisect(lambda p: np.minimum(*outside(p)), directions, low, high, 9)
    head, neck = outside(directions * radius[..., None])
    on_neck = cv2.GaussianBlur(f32(neck < head), (0, 0), 1)
    return f32(cv2.GaussianBlur(radius, (0, 0), 0.7)), f32(on_neck)


def _bisect(outside: Callable[[F32], F32], directions: F32, low: F32, high: F32, steps: int) -> F32:
    for _ in range(steps):
        middle = (low + high) / 2
        out = outside(f32(directions * middle[..., None])) > 0
        high = f32(np.where(out, middle, high))
        low = f32(np.where(out, low, middle))
    return ((low + high) / 2).astype(np.float32)


def _look(table: F32, col: F32, row: F32) -> F32:
    return f32(cv2.remap(table, col, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _map_texel(a: F32, b: F32) -> tuple[F32, F32]:
    return (a + FRONT_X) / FRONT_MM, (FRONT_Y - b) / FRONT_MM


def _map_axes() -> tuple[F32, F32]:
    a = np.arange(-FRONT_X, FRONT_X + FRONT_MM, FRONT_MM, dtype=np.float32)
    b = np.arange(FRONT_Y, -FRONT_Y - FRONT_MM, -FRONT_MM, dtype=np.float32)
    both = np.meshgrid(a, b)
    return both[0], both[1]


def _front_map(build: Build) -> F32:
    """How far features stand out along z, mm, over (x, y) of the face."""
    x, y = _map_axes()
    ax = np.abs(x)

    def bump(cx: float, cy: float, sx: float, sy: float, h: float) -> F32:
        return np.float32(h) * np.exp(-(((ax - cx) / sx) ** 2 + ((y - cy) / sy) ** 2) / 2)

    ex, my, lips, mouth = build.eye_x, build.mouth_y, build.lip_height, build.mouth_width
    z = bump(30, -25, 22, 45, 4.5)  # faces are flatter than ellipsoids
    z += bump(27, build.brow_y_mm, 15, 7, 3.0) + bump(0, 22, 9, 8, 1.5)  # brow ridges, glabella
    z += bump(ex + 1, 4, 15, 9, -8.5) + bump(16, 1, 6, 8, -5.0)  # sockets
    z += bump(ex, -0.5, 10.5, 7.5, 5.6) + bump(ex + 1, -13, 13, 5, -1.2)  # the eye under its lids, the furrow below
    z += bump(47, -26, 16, 13, 4.5) + bump(33, -42, 14, 14, 2.5)  # cheekbone, cheek
    z += bump(44, -74, 12, 16, -2.0)  # below the cheek
    z += bump(0, my, 25, 17, 4.0)  # the teeth behind the lips
    z += bump(0, my + 5 * lips, 15 * mouth, 3.6 * lips, 3.4) + bump(0, my - 6.5 * lips, 14 * mouth, 4.2 * lips, 4.4)
    z += np.float32(-2.6) * np.exp(-(((y - my) / 1.5) ** 2) / 2 - (ax / (20 * mouth)) ** 4)  # parting line
    z += bump(25 * mouth, my - 1, 4, 4, -2.2)  # corners
    z += bump(0, my + 14, 2.4, 5, -1.3) + bump(0, my - 16, 17, 5, -3.0)  # philtrum, furrow above the chin
    z += bump(0, my - 32, 15, 10, 5.5 * build.chin)
    z += _nose(ax, y, build)
    fold_x = 17 + (-42 - y) * 0.52  # from the wing of the nose past the mouth
    fold = np.exp(-(((ax - fold_x) / 3.2) ** 2) / 2) * smoothstep(-36, -44, y) * smoothstep(-80, -64, y)
    return f32(z - 1.5 * fold)


def _nose(ax: F32, y: F32, build: Build) -> F32:
    tall, long, wide = build.nose_height, build.nose_length, build.nose_width
    down = np.clip((6 - y) / (45 * long), -0.4, 1.4)  # 0 at the root, 1 at the tip
    ridge = np.interp(down, [-0.4, -0.1, 0.15, 0.5, 0.85, 0.98, 1.06, 1.16, 1.3], [0, 1, 5.5, 11.5, 18.5, 20, 16, 4, 0])
    ridge = cv2.GaussianBlur(ridge.astype(np.float32), (0, 0), sigmaX=0.01, sigmaY=5)
    half = np.interp(down, [-0.2, 0.2, 0.6, 1, 1.2], [8.5, 6.8, 7.6, 9.5 * wide, 10.5 * wide]).astype(np.float32)
    body = tall * ridge * np.exp(-((ax / half) ** 2) / 2)
    base = build.nose_base_y

    def bump(cx: float, cy: float, sx: float, sy: float, h: float) -> F32:
        return np.float32(h) * np.exp(-(((ax - cx) / sx) ** 2 + ((y - cy) / sy) ** 2) / 2)

    wings = bump(13.5 * wide, base + 1.5, 4.6, 5.2, 8.5 * tall) + bump(0, base + 2, 7.5, 6, 3 * tall)
    groove = bump(19 * wide, base + 3, 2.2, 5.5, -2.0)
    nostrils = bump(6.3 * wide, base - 5.2, 3.3, 2.0, -5.0)
    return f32(body + wings + groove + nostrils)


def _side_map() -> F32:
    """How far the ears stand out sideways, mm, over (z, y)."""
    z, y = _map_axes()
    zz = z + 14 - (y + 8) * -0.12
    d = np.sqrt((zz / (13.5 + 2 * np.tanh((y + 8) / 8))) ** 2 + ((y + 8) / 31) ** 2)
    flare = 5 + 12 * np.clip((12 - zz) / 24, 0, 1)
    ear = flare * smoothstep(1.0, 0.86, d)
    ear -= 6.0 * np.exp(-(((d - 0.68) / 0.1) ** 2)) * smoothstep(-28, -12, y)  # the furrow inside the rim
    ear -= 8.0 * np.exp(-(((zz - 2) / 5.5) ** 2 + ((y + 12) / 8) ** 2))
    return f32(cv2.GaussianBlur(np.maximum(ear, 0).astype(np.float32), (0, 0), 1.2))


def _hairline(person: Person) -> F32:
    """Distance into the hair, mm, per direction."""
    lon, lat = (np.degrees(a) for a in grid_angles())
    if person.hair is HairStyle.NONE:
        return np.full(lon.shape, HIDDEN, np.float32)
    rng = np.random.default_rng([person.shape_seed, 78])
    lift = float(rng.uniform(-2, 3)) if person.shape_seed else 0.0
    knots = [0, 15, 30, 42, 52, 60, 68, 74, 80, 87, 108, 117, 140, 180]
    line = np.array([43, 43, 42.5, 40, 33, 24, 12, -6, -9, 15, 15, -22, -40, -42]) + np.array([lift] * 5 + [0] * 9)
    edge = np.interp(np.abs(lon), knots, line)
    if person.fringe > 0:
        side = float(rng.choice([-1, 1])) * 0.25
        cover = person.fringe * np.exp(-((lon / 48) ** 4)) * (1 + side * np.clip(lon / 40, -1, 1))
        edge = edge - cover * (edge - 17)
    into = (lat - edge) * 1.75
    if person.hair is HairStyle.LONG:
        open_to = np.interp(lat, [-90, -60, -30, 0, 25, 40], [50, 62, 70, 69, 58, 30])
        into = np.maximum(into, (np.abs(lon) - open_to) * 1.3)
    return f32(cv2.GaussianBlur(into.astype(np.float32), (0, 0), 4))


def _curtain(hairline: F32, strands: F32) -> F32:
    """Radius of long hair that hangs beside the face to the shoulders."""
    _, lat = grid_angles()
    reach = (84 + 2.5 * strands) / np.maximum(np.cos(lat), 0.2)
    fall = smoothstep(0.7, 0.0, lat)  # from the crown's curve into the hanging part
    full = np.minimum((86 + fall * 5) / 86 * reach, 225) * smoothstep(-4, 16, hairline)
    return np.where((lat < 0.7) & (hairline > 0), full, 0)
