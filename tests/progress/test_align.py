import numpy as np
import pytest

from change_builders import PLACES, STILL, make_visit, skin_photo, turn
from comedo.geometry import apply, invert
from comedo.progress.align import align
from comedo.progress.canvas import CANVAS_PX, EYE_DISTANCE_PX, Canvas, mirror
from comedo.progress.features import from_features

MOTIONS = {
    "still": (STILL, 1.0),
    "shifted": (turn(x=14, y=-9), 1.0),
    "rolled": (turn(6), 1.0),
    "nearer": (turn(scale=1.12), 1.0),
    "dimmer": (turn(-3, 0.95, 5, 5), 0.7),
}


@pytest.mark.parametrize(("motion", "gain"), MOTIONS.values(), ids=MOTIONS)
def test_known_motion_is_found_to_one_per_cent_of_the_eye_distance(motion, gain):
    first, second = make_visit(), make_visit(motion=motion, gain=gain)
    found = align(first.canvas, second.canvas)
    places = np.array(PLACES, np.float64)
    start = apply(invert(first.canvas.to_photo), places)
    truth = apply(invert(second.canvas.to_photo), apply(motion, places))
    assert found.known_again
    assert np.median(np.hypot(*(found.to_later(start) - truth).T)) < 0.01 * EYE_DISTANCE_PX
    assert found.residual_share < 0.01
    np.testing.assert_allclose(found.to_baseline(found.to_later(start)), start, atol=0.05)


def test_features_find_the_way_where_landmarks_lie():
    first, second = make_visit(), make_visit(motion=turn(4))
    wrong = {
        name: type(p)((p.xy[0] * 0.6 + 90, p.xy[1] * 0.6 + 20), p.weight) for name, p in second.canvas.landmarks.items()
    }
    lying = Canvas(second.canvas.image, second.canvas.parts, second.canvas.to_photo, wrong)
    assert from_features(first.canvas, lying) is not None
    assert align(first.canvas, lying).known_again


FLAT = np.full((640, 480, 3), 128, np.uint8)
OTHERS = {
    "another person": lambda: make_visit(person=2),
    "noise": lambda: make_visit(image=np.random.default_rng(0).integers(0, 256, FLAT.shape, np.uint8)),
    "flat": lambda: make_visit(image=FLAT),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_is_not_this_skin_is_not_known_again(other):
    found = align(make_visit().canvas, other().canvas)
    assert found is None or not found.known_again


def test_without_landmarks_and_features_there_is_nothing():
    empty = Canvas(np.zeros((CANVAS_PX, CANVAS_PX, 3), np.uint8), np.zeros((CANVAS_PX, CANVAS_PX), np.uint8), STILL, {})
    assert align(empty, empty) is None


def test_mirror_twice_is_the_same_and_names_follow():
    canvas = make_visit(motion=turn(x=10)).canvas
    once, twice = mirror(canvas), mirror(mirror(canvas))
    np.testing.assert_array_equal(twice.image, canvas.image)
    np.testing.assert_array_equal(twice.parts, canvas.parts)
    np.testing.assert_allclose(twice.to_photo, canvas.to_photo)
    left, right = once.landmarks["left_eye"].xy, canvas.landmarks["right_eye"].xy
    assert left == (CANVAS_PX - 1 - right[0], right[1])


def test_canvas_leads_back_to_the_photo():
    visit = make_visit()
    photo = skin_photo(1)
    x, y = apply(invert(visit.canvas.to_photo), np.array([[130.0, 330.0]]))[0]
    seen = visit.canvas.image[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7].mean()
    assert seen == pytest.approx(photo[322:339, 122:139].mean(), abs=4)
