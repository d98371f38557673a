"""The picture and its truth agree with each other and with the spec."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest

from comedo.synthetic import (
    DIAMETER_MM,
    Camera,
    FaceSpec,
    HairStyle,
    LesionSpec,
    Light,
    NotOnSkin,
    Person,
    Pose,
    RenderedFace,
    render,
)
from comedo.types import Group, Kind, Part, Region

_SWAP = np.arange(len(Part), dtype=np.uint8)
_SWAP[[Part.LEFT_CHEEK, Part.RIGHT_CHEEK]] = Part.RIGHT_CHEEK, Part.LEFT_CHEEK


def make_spec(**changes: object) -> FaceSpec:
    """A small frontal face, without noise and blur unless asked."""
    spec = FaceSpec(camera=Camera(width=300, height=400, face_share=0.75, noise=0.0))
    return replace(spec, **changes)


def one_lesion(kind: Kind, diameter_mm: float, **changes: object) -> FaceSpec:
    """A larger cut-out with one lesion on the left cheek, where the skin faces the camera."""
    camera = Camera(width=480, height=480, face_share=1.4, noise=0.0)
    lesion = LesionSpec(kind, (24.0, -20.0), diameter_mm=diameter_mm, seed=3)
    return make_spec(camera=camera, lesions=(lesion,), **changes)


@lru_cache(maxsize=4)
def drawn(spec: FaceSpec) -> RenderedFace:
    """The picture of a spec, made once for the tests that look at it."""
    return render(spec)


def labs(image: np.ndarray) -> np.ndarray:
    """CIELAB, float, lightness in [0, 100]."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def contrast(face: RenderedFace, number: int = 0) -> np.ndarray:
    """Mean CIELAB of a lesion's middle minus that of the skin around it."""
    lesion = face.lesions[number]
    lab = labs(face.image)
    ys, xs = np.mgrid[: face.image.shape[0], : face.image.shape[1]]
    r = np.hypot(xs - lesion.center_xy[0], ys - lesion.center_xy[1]) / (lesion.diameter_px / 2)
    around = (r > 2.2) & (r < 3.0) & (face.parts == lesion.region.part)
    return lab[r < 0.8].mean(0) - lab[around].mean(0)


def test_every_part_of_a_frontal_face_is_there():
    face = drawn(make_spec())
    counts = np.bincount(face.parts.ravel(), minlength=len(Part))
    for part in Part:
        assert counts[part] > 100, part.name
    assert face.image.shape == (400, 300, 3)
    assert face.image.dtype == np.uint8


def test_box_bounds_the_face_parts():
    face = drawn(make_spec())
    x0, y0, x1, y1 = (int(v) for v in face.box_xyxy)
    inside = (face.parts >= Part.FOREHEAD) & (face.parts <= Part.LIPS)
    assert inside[y0:y1, x0:x1].sum() == inside.sum() > 0
    assert inside[y0].any()
    assert inside[y1 - 1].any()
    assert inside[:, x0].any()
    assert inside[:, x1 - 1].any()


def test_same_spec_same_bytes_and_seed_changes_noise():
    spec = make_spec(camera=Camera(width=200, height=260, noise=0.01))
    first = render(spec).image
    assert np.array_equal(first, render(spec).image)
    other = render(replace(spec, noise_seed=1)).image
    assert 0 < np.abs(first.astype(int) - other).mean() < 6


def test_scale_is_physical():
    spec = make_spec()
    face = drawn(spec)
    right, left = face.eyes_xy
    assert (left[0] - right[0]) * face.mm_per_px == pytest.approx(63, abs=0.5)
    assert face.mm_per_px == spec.camera.mm_per_px


@pytest.mark.parametrize("share", [0.1, 0.5, 1.2])
def test_face_share_scales_the_face(share):
    face = render(make_spec(camera=Camera(width=400, height=400, face_share=share, noise=0.0)))
    assert face.mm_per_px == pytest.approx(185 / (share * 400))
    height = face.box_xyxy[3] - face.box_xyxy[1]
    assert height == pytest.approx(min(400, share * 400), rel=0.12)


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("pose", [(0, 0, 0), (40, 5, 0), (-30, -8, 20)], ids=str)
def test_eye_truth_lies_in_the_eyes(pose, closed):
    face = render(make_spec(pose=Pose(*map(float, pose), eyes_closed=closed)))
    ys, xs = np.nonzero(face.parts == Part.EYES)
    for x, y in face.eyes_xy:
        near = np.hypot(xs - x, ys - y) < 17 / face.mm_per_px
        assert np.hypot(xs[near].mean() - x, ys[near].mean() - y) * face.mm_per_px < 4
    (rx, _), (lx, _) = face.eyes_xy
    assert rx < lx


@pytest.mark.parametrize("pose", [Pose(roll_deg=20), Pose(roll_deg=-15), Pose(yaw_deg=30, pitch_deg=12)], ids=str)
def test_roll_is_the_clockwise_turn_of_the_eye_line(pose):
    face = render(make_spec(pose=pose))
    (rx, ry), (lx, ly) = face.eyes_xy
    assert np.degrees(np.arctan2(ly - ry, lx - rx)) == pytest.approx(face.roll_deg, abs=0.01)
    if not pose.pitch_deg:
        assert face.roll_deg == pytest.approx(pose.roll_deg, abs=0.5)


def test_yaw_hides_the_far_cheek():
    seen = []
    for yaw in (0.0, 35.0, 70.0):
        face = drawn(make_spec(pose=Pose(yaw_deg=yaw)))
        left, right = (int((face.parts == p).sum()) for p in (Part.LEFT_CHEEK, Part.RIGHT_CHEEK))
        seen.append(right / (left + right))
    assert seen[0] == pytest.approx(0.5, abs=0.02)
    assert seen[0] > 2 * seen[1] > 8 * seen[2]


def test_far_eye_is_hidden_in_profile():
    right, left = render(make_spec(pose=Pose(yaw_deg=75))).eyes_xy
    assert right is None
    assert left is not None


def test_bald_frontal_face_is_symmetric():
    spec = make_spec(person=Person(hair=HairStyle.NONE))
    parts = render(spec).parts
    flipped = _SWAP[parts][:, ::-1]
    assert (parts == flipped).mean() > 0.985


def test_mirrored_picture_flips_everything():
    lesions = (LesionSpec(Kind.PAPULE, Region.LEFT_CHEEK, seed=1), LesionSpec(Kind.NODULE, Region.CHIN, seed=2))
    spec = make_spec(pose=Pose(yaw_deg=25, roll_deg=8), lesions=lesions)
    plain, mirrored = render(spec), render(replace(spec, camera=replace(spec.camera, mirrored=True)))
    assert np.array_equal(mirrored.image, plain.image[:, ::-1])
    assert np.array_equal(mirrored.parts, _SWAP[plain.parts][:, ::-1])
    assert np.array_equal(mirrored.lesion_mask, plain.lesion_mask[:, ::-1])
    assert mirrored.yaw_deg == -plain.yaw_deg
    assert mirrored.roll_deg == -plain.roll_deg != 0
    width = spec.camera.width
    assert mirrored.eyes_xy[0][0] == pytest.approx(width - 1 - plain.eyes_xy[1][0])
    assert mirrored.lesions[0].region is Region.RIGHT_CHEEK
    for a, b in zip(plain.lesions, mirrored.lesions, strict=True):
        assert b.center_xy == pytest.approx((width - 1 - a.center_xy[0], a.center_xy[1]))
        x0, y0, x1, y1 = (int(v) for v in b.box_xyxy)
        assert b.mask.shape == (y1 - y0, x1 - x0)
        assert np.array_equal(b.mask, a.mask[:, ::-1])


@pytest.mark.parametrize("kind", list(Kind))
def test_lesions_lie_in_their_regions(kind):
    specs = tuple(LesionSpec(kind, region, seed=5) for region in Region)
    face = render(make_spec(lesions=specs, camera=Camera(450, 600, 0.95, noise=0.0)))
    assert [lesion.region for lesion in face.lesions] == list(Region)
    active = 0
    for i, lesion in enumerate(face.lesions):
        x, y = (round(v) for v in lesion.center_xy)
        assert face.parts[y, x] == lesion.region.part
        assert (lesion.kind, lesion.index) == (kind, i)
        assert DIAMETER_MM[kind][0] <= lesion.diameter_mm <= DIAMETER_MM[kind][1]
        x0, y0, x1, y1 = (int(v) for v in lesion.box_xyxy)
        parts = face.parts[y0:y1, x0:x1][lesion.mask]
        assert ((parts >= Part.FOREHEAD) & (parts <= Part.CHIN)).all()
        assert lesion.area_px == lesion.mask.sum()
        active += lesion.area_px if lesion.group is not Group.MARK else 0
    assert face.lesion_mask.sum() == active


@pytest.mark.parametrize("diameter_mm", [2.0, 4.0, 8.0])
def test_diameter_in_pixels_follows_millimetres(diameter_mm):
    face = render(one_lesion(Kind.PAPULE, diameter_mm, pose=Pose(yaw_deg=24)))
    (lesion,) = face.lesions
    assert lesion.diameter_mm == diameter_mm
    # a little smaller than its size on the skin: the cheek is never quite square to the camera
    assert 0.85 < lesion.diameter_px * face.mm_per_px / diameter_mm < 1.03


def test_lesion_changes_only_what_is_around_it():
    spec = one_lesion(Kind.PUSTULE, 4.0)
    clear, face = render(replace(spec, lesions=())), render(spec)
    (lesion,) = face.lesions
    ys, xs = np.nonzero((clear.image != face.image).any(-1))
    distance = np.hypot(xs - lesion.center_xy[0], ys - lesion.center_xy[1]) * face.mm_per_px
    assert len(ys) > lesion.area_px * 0.8
    assert distance.max() < 4.0 * 1.3
    assert np.array_equal(clear.parts, face.parts)
    assert clear.lesions == ()
    assert not clear.lesion_mask.any()


@pytest.mark.parametrize("tone", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_lesions_show_on_every_skin(tone):
    places = {Kind.PAPULE: (24.0, -20.0), Kind.NODULE: (-24.0, -20.0), Kind.MARK: (26.0, -33.0)}
    lesions = tuple(LesionSpec(kind, place, diameter_mm=5.0, seed=3) for kind, place in places.items())
    face = render(replace(one_lesion(Kind.PAPULE, 5.0, person=Person(tone=tone)), lesions=lesions))
    assert [lesion.kind for lesion in face.lesions] == list(places)
    for number, kind in enumerate(places):
        difference = contrast(face, number)
        assert np.linalg.norm(difference) > 3.5, kind  # CIELAB; about 1 is just visible
        assert difference[0] < 0, kind  # darker than the skin around, never brighter


def test_inflamed_skin_is_red_on_light_and_dark_on_dark_skin():
    light, dark = (contrast(render(one_lesion(Kind.PAPULE, 5.0, person=Person(tone=t)))) for t in (0.1, 0.95))
    assert light[1] > 8  # a*: redder
    assert dark[1] < light[1] / 2


def test_pustule_has_a_pale_middle():
    face = render(one_lesion(Kind.PUSTULE, 5.0))
    (lesion,) = face.lesions
    lab = labs(face.image)
    x, y = (round(v) for v in lesion.center_xy)
    ring = lesion.diameter_px / 2 * 0.85
    rim = [lab[round(y + ring * np.sin(a)), round(x + ring * np.cos(a))] for a in np.linspace(0, 6, 12)]
    assert lab[y, x, 0] > np.mean([v[0] for v in rim]) + 5
    assert lab[y, x, 1] < np.mean([v[1] for v in rim]) - 5


def test_open_comedone_is_dark():
    assert contrast(render(one_lesion(Kind.OPEN_COMEDONE, 1.6)))[0] < -8


def test_lesion_on_the_far_side_is_not_in_the_truth():
    lesions = (LesionSpec(Kind.NODULE, Region.RIGHT_CHEEK, seed=1), LesionSpec(Kind.NODULE, Region.LEFT_CHEEK, seed=1))
    face = render(make_spec(pose=Pose(yaw_deg=70), lesions=lesions))
    assert [lesion.index for lesion in face.lesions] == [1]


@pytest.mark.parametrize(
    "place", [(0.0, 80.0), (170.0, 0.0), (21.5, 0.0), (0.0, -37.0)], ids=["hair", "back", "eye", "lips"]
)
def test_place_off_the_skin_is_refused(place):
    with pytest.raises(NotOnSkin, match="must be on the skin"):
        render(make_spec(lesions=(LesionSpec(Kind.PAPULE, place),)))


def test_glasses_cover_skin_and_lesions():
    spec = make_spec()
    plain, worn = drawn(spec), render(replace(spec, glasses=True))
    became = worn.parts[plain.parts != worn.parts]
    assert len(became) > 100
    assert (became == Part.OTHER).all()


def test_fringe_covers_the_forehead():
    areas = [(drawn(make_spec(person=Person(fringe=f))).parts == Part.FOREHEAD).sum() for f in (0.0, 0.5, 1.0)]
    assert areas[0] > 1.2 * areas[1] > 1.4 * areas[2] > 0


def test_light_and_tone_change_brightness():
    def cheek(spec: FaceSpec) -> float:
        face = drawn(spec)
        return float(face.image[face.parts == Part.LEFT_CHEEK].mean())

    assert cheek(make_spec(light=Light(strength=0.25))) < 0.7 * cheek(make_spec())
    tones = [cheek(make_spec(person=Person(tone=t))) for t in np.linspace(0, 1, 5)]
    assert tones == sorted(tones, reverse=True)
    assert tones[-1] < 0.55 * tones[0]


def test_face_outside_the_frame_leaves_no_truth():
    face = render(make_spec(camera=Camera(200, 200, 0.3, center_xy=(3.0, 0.5))))
    assert face.box_xyxy is None
    assert face.eyes_xy == (None, None)
    assert not ((face.parts >= Part.FOREHEAD) & (face.parts <= Part.LIPS)).any()


def test_bands_leave_no_seam(monkeypatch):
    spec = make_spec(lesions=(LesionSpec(Kind.NODULE, Region.CHIN, seed=2),))
    whole = render(spec)
    module = sys.modules[render.__module__]  # its name in the package is the function's
    monkeypatch.setattr(module, "_BAND_PX", 64 * 300)
    banded = render(spec)
    assert np.array_equal(whole.parts, banded.parts)
    difference = np.abs(whole.image.astype(int) - banded.image)
    assert (difference > 2).mean() < 0.002  # outlines are softened within their band


def test_too_small_a_camera_is_refused():
    with pytest.raises(ValueError, match="at least 16 x 16"):
        Camera(width=4, height=400)
