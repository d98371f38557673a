"""The mapper with a network that knows the drawn face: the rules around the network are tested, not it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from builders import make_image
from comedo.errors import NoFaceFound
from comedo.face import FaceMapper, skin_mask
from comedo.types import Image, Part, Photo, Region

_COLOURS = {
    Part.BACKGROUND: (188, 196, 204),
    Part.OTHER: (62, 44, 36),
    Part.BROWS: (92, 66, 54),
    Part.EYES: (240, 238, 232),
    Part.LIPS: (176, 96, 96),
}
_SKIN = (198, 150, 126)


@dataclass(frozen=True)
class ByColour:
    """Names the parts of the drawn face by their colours; the skin's regions by place in its box."""

    name: str = "by-colour"
    black: Part = Part.BACKGROUND  # what it takes for beyond the photo

    def run(self, image: Image) -> NDArray[np.float32]:
        half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(int)
        names = [*_COLOURS, Part.FOREHEAD]
        palette = np.array([*_COLOURS.values(), _SKIN])
        far = np.abs(half[:, :, None] - palette).sum(-1)
        labels = np.array(names)[far.argmin(-1)]
        labels[half.sum(-1) == 0] = self.black
        ys, xs = np.nonzero(labels == Part.FOREHEAD)
        if len(xs):
            x0, x1, y0, y1 = xs.min(), xs.max(), ys.min(), ys.max()
            u, v = (xs - x0) / max(1, x1 - x0), (ys - y0) / max(1, y1 - y0)
            region = np.where(u < 0.5, Part.RIGHT_CHEEK, Part.LEFT_CHEEK)
            region[v < 0.3] = Part.FOREHEAD
            region[v > 0.72] = Part.CHIN
            region[(np.abs(u - 0.5) < 0.1) & (v > 0.33) & (v < 0.66)] = Part.NOSE
            labels[ys, xs] = region
        return np.eye(len(Part), dtype=np.float32)[labels].transpose(2, 0, 1)


def on_canvas(scale: float, *, width: int = 800, height: int = 800, at: tuple[int, int] = (100, 150)) -> Photo:
    face = make_image(round(240 * scale), round(320 * scale))
    canvas = np.full((height, width, 3), _COLOURS[Part.BACKGROUND], np.uint8)
    canvas[at[1] : at[1] + face.shape[0], at[0] : at[0] + face.shape[1]] = face
    return Photo(canvas, "drawn", "0", "array")


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.8])
def test_the_face_is_found_where_it_is(scale: float) -> None:
    face = FaceMapper(ByColour()).find(on_canvas(scale))
    expected = np.array([40, 55, 200, 285]) * scale + [100, 150, 100, 150]
    assert np.abs(np.array(face.box_xyxy) - expected).max() < 0.03 * 240 * scale
    right, left = face.eyes_xy
    assert right is not None
    assert left is not None
    assert np.hypot(right[0] - (85 * scale + 100), right[1] - (136 * scale + 150)) < 5 * scale
    assert np.hypot(left[0] - (155 * scale + 100), left[1] - (136 * scale + 150)) < 5 * scale


def test_scale_of_a_frontal_face() -> None:
    face = FaceMapper(ByColour()).find(on_canvas(1.0))
    assert face.roll_deg == pytest.approx(0, abs=2)
    assert face.yaw_deg == pytest.approx(0, abs=8)
    assert face.mm_per_px == pytest.approx(63 / 70, rel=0.08)
    assert face.mm_per_px_error is not None
    assert face.mm_per_px_error >= 0.05
    assert face.face_px == pytest.approx(96, rel=0.06)


def test_skin_is_the_five_regions() -> None:
    photo = on_canvas(1.0)
    face = FaceMapper(ByColour()).find(photo)
    skin = skin_mask(face, photo.width, photo.height)
    assert skin.shape == (800, 800)
    assert skin.sum() == pytest.approx(face.skin_area_px, rel=0.03)
    painted = (photo.image == _SKIN).all(-1)
    assert (skin & painted).sum() / (skin | painted).sum() > 0.93
    assert all(face.region_area_px(r) > 0 for r in Region)


def test_the_largest_of_two_faces_is_taken_and_the_other_named() -> None:
    photo = on_canvas(1.5)
    small = make_image(170, 226)
    canvas = photo.image.copy()
    canvas[500:726, 560:730] = small
    face = FaceMapper(ByColour()).find(Photo(canvas, "two", "0", "array"))
    assert face.other_faces == 1
    assert face.box_xyxy[0] < 250


def test_no_face() -> None:
    plain = Photo(np.full((300, 400, 3), _COLOURS[Part.BACKGROUND], np.uint8), "wall", "0", "array")
    with pytest.raises(NoFaceFound, match="no face"):
        FaceMapper(ByColour()).find(plain)


def test_skin_without_features_is_no_face() -> None:
    canvas = np.full((300, 300, 3), _COLOURS[Part.BACKGROUND], np.uint8)
    cv2.circle(canvas, (150, 150), 90, _SKIN, -1)
    with pytest.raises(NoFaceFound):
        FaceMapper(ByColour()).find(Photo(canvas, "ball", "0", "array"))


@pytest.mark.parametrize("left", [0, 60, 120])
def test_no_skin_beyond_the_frame(left: int) -> None:
    # The closer look at a face that the frame cuts reaches beyond it; there a network may see anything.
    whole = on_canvas(1.8, width=600, height=700, at=(80, 60)).image
    photo = Photo(np.ascontiguousarray(whole[:, 140 + left :]), "cut", "0", "array")
    face = FaceMapper(ByColour(black=Part.LEFT_CHEEK)).find(photo)
    rows, columns = np.nonzero((face.parts >= Part.FOREHEAD) & (face.parts <= Part.LIPS))
    x, y = face.to_photo @ np.stack([columns, rows, np.ones(len(rows))])
    unit = face.to_photo[0, 0]
    assert x.min() > -0.5 - unit
    assert y.min() > -0.5 - unit
    assert face.skin_area_px == pytest.approx((photo.image == _SKIN).all(-1).sum(), rel=0.06)


@dataclass(frozen=True)
class SurestUpright(ByColour):
    """Less sure of a face whose eyes do not lie above its lips, as a network that learnt upright faces is."""

    def run(self, image: Image) -> NDArray[np.float32]:
        probs = super().run(image)
        eyes, lips = (np.argwhere(probs[part] > 0.5) for part in (Part.EYES, Part.LIPS))
        if len(eyes) and len(lips):
            down, across = lips.mean(0) - eyes.mean(0)
            if down < abs(across):
                probs = 0.93 * probs
                probs[Part.BACKGROUND] += 0.07
        return probs


@pytest.mark.parametrize(("turns", "roll"), [(0, 0.0), (1, -90.0), (2, 180.0), (3, 90.0)])
def test_a_face_on_its_side_or_upside_down_is_mapped_where_it_is(turns: int, roll: float) -> None:
    upright = on_canvas(1.0, width=800, height=700)
    photo = Photo(np.ascontiguousarray(np.rot90(upright.image, turns)), "turned", "0", "array")
    face = FaceMapper(SurestUpright()).find(photo)
    assert face.roll_deg is not None
    assert abs((face.roll_deg - roll + 180) % 360 - 180) < 2
    assert face.yaw_deg == pytest.approx(0, abs=8)
    assert face.face_px == pytest.approx(96, rel=0.06)
    skin, painted = skin_mask(face, photo.width, photo.height), (photo.image == _SKIN).all(-1)
    assert (skin & painted).sum() / (skin | painted).sum() > 0.93
    eye = face.eyes_xy[0]
    assert eye is not None
    x, y = 185.0, 286.0  # the person's right eye in the upright picture of 800 x 700
    wanted = ((x, y), (y, 799 - x), (799 - x, 699 - y), (699 - y, x))[turns]
    assert np.hypot(eye[0] - wanted[0], eye[1] - wanted[1]) < 5


def test_a_photo_of_one_pixel_has_no_face() -> None:
    with pytest.raises(NoFaceFound):
        FaceMapper(ByColour()).find(Photo(np.full((1, 1, 3), 200, np.uint8), "dot", "0", "array"))
