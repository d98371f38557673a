from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from builders import make_image
from change_builders import PLACES, make_visit, moved_face, spots
from comedo.errors import UnusableInput
from comedo.progress.compare import compare, compare_with_itself
from comedo.progress.ledger import build_ledger
from comedo.progress.values import State
from comedo.training.change.known import Known, count_annotated, told_statements, true_statements
from comedo.training.change.pairs import PASTED, RETAKEN, VISITS, Pair
from comedo.training.change.pasted import Donor, cut_lesions, draw_places, paste
from comedo.training.change.repeats import jobs_of, retaken_beside
from comedo.training.change.retake import draw_retake
from comedo.training.evaluation.truth import LabelledPhoto, TrueLesions

SIZE_WH = (480, 640)
STILL = replace(
    draw_retake(np.random.default_rng(0), strength=0.0), quality=100, wave=(0.0, 0.0, 0.0), gain_rgb=(1.0, 1.0, 1.0)
)


def smooth_photo():
    return cv2.GaussianBlur(make_image(*SIZE_WH), (0, 0), 4)


def test_a_retake_without_differences_is_the_photo():
    photo = smooth_photo()
    assert np.abs(STILL.apply(photo).astype(int) - photo).max() <= 6  # what JPEG leaves


@pytest.mark.parametrize("seed", range(4))
def test_a_retake_shows_what_it_says_where_it_says(seed):
    retake = replace(draw_retake(np.random.default_rng(seed), strength=2.0), grain=0.0, blur_px=0.0)
    still = replace(retake, slope=(0.0, 0.0), wave=(0.0, 0.0, 0.0), gain_rgb=(1.0, 1.0, 1.0), quality=100)
    photo = smooth_photo()
    points = np.array([[200.0, 300.0], [260.0, 350.0], [240.0, 220.0]])
    x, y = retake.places(points, SIZE_WH).round().astype(int).T
    seen = still.apply(photo)[points[:, 1].astype(int), points[:, 0].astype(int)]
    assert np.abs(seen.astype(int) - photo[y, x]).max() <= 14


def test_retakes_are_drawn_again_from_their_seed():
    one, again = (draw_retake(np.random.default_rng(5)) for _ in range(2))
    assert one == again != draw_retake(np.random.default_rng(6))


def donor(radius=6.0):
    far = np.hypot(*np.mgrid[-12:13, -12:13]) / radius
    ratio = np.where(far <= 1, -0.5, 0.0)[..., None] * np.array([0.3, 1.0, 1.0])
    return Donor(ratio.astype(np.float32), radius, radius / 250)


def test_a_pasted_lesion_darkens_its_place_and_nothing_else():
    photo = smooth_photo()
    seen = paste(photo, [donor()], np.array([[200.0, 300.0]]), 250.0)
    changed = np.argwhere((seen != photo).any(axis=2))
    assert seen[300, 200, 1] == pytest.approx((photo[300, 200, 1] + 4) * np.exp(-0.5) - 4, abs=1)
    assert np.hypot(*(changed - [300, 200]).T).max() <= 7
    assert paste(photo, [donor()], np.array([[0.0, 0.0]]), 250.0) == pytest.approx(photo)  # it would hang over the edge


def test_a_lesion_is_as_large_against_the_face_as_it_was():
    photo = np.full((300, 300, 3), 180, np.uint8)
    small, large = (paste(photo, [donor()], np.array([[150.0, 150.0]]), px) for px in (250.0, 500.0))
    areas = [(p[..., 1] < 170).sum() for p in (small, large)]
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.3)


def test_places_are_on_skin_and_apart():
    face, skin = moved_face(), np.full((600, 600, 3), 180, np.uint8)
    taken = np.array([[240.0, 200.0, 8.0]], np.float32)
    places = draw_places(skin, face, 5.0, taken, 12, np.random.default_rng(0))
    assert 1 < len(places) <= 12
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + np.eye(len(places)) * 99
    assert gaps.min() > 30
    assert np.hypot(*(places - taken[0, :2]).T).min() > 23
    assert draw_places(skin, face, 5.0, taken, 0, np.random.default_rng(0)).shape == (0, 2)


def test_nothing_is_pasted_into_stubble():
    face, photo = moved_face(), np.full((600, 600, 3), 180, np.uint8)
    stubble = np.random.default_rng(1).random((600, 240)) < 0.5
    photo[:, :240][stubble] = 120
    nothing = np.zeros((0, 3), np.float32)
    places = draw_places(photo, face, 5.0, nothing, 200, np.random.default_rng(0))
    assert len(places) > 1
    assert (places[:, 0] > 240).all()
    smooth = draw_places(np.full_like(photo, 180), face, 5.0, nothing, 200, np.random.default_rng(0))
    assert (smooth[:, 0] < 240).any(), "there is skin on both sides"


class Mapper:
    def find(self, photo):
        return moved_face()


class FaceOnly:
    mapper = Mapper()


def test_clear_lesions_that_stand_alone_are_cut_out(tmp_path):
    photo = np.full((640, 480, 3), 170, np.uint8)
    circles = np.array([[100, 100, 8], [300, 300, 8], [308, 308, 8], [200, 500, 2], [400, 100, 8]], np.float32)
    for x, y, r in circles[:4]:
        cv2.circle(photo, (int(x), int(y)), int(r), (160, 90, 90), -1)  # the last one shows nothing
    cv2.imwrite(str(tmp_path / "a.png"), photo[..., ::-1])
    labelled = LabelledPhoto(Path(tmp_path / "a.png"), "a", "s", "p", TrueLesions(circles, np.zeros((5, 4))))
    (cut,) = cut_lesions([labelled], FaceOnly())
    assert cut.radius_px == 8
    assert cut.ratio[..., 1].min() == pytest.approx(np.log(94 / 174), abs=0.02)
    with pytest.raises(UnusableInput, match="cut out"):
        cut_lesions([replace(labelled, lesions=None)], FaceOnly())


def known(first, second):
    """Three places: what is pasted in either visit, all of them found."""
    visits = [make_visit(28 * i, lesions=spots([PLACES[j] for j in on])) for i, on in enumerate((first, second))]
    places = [np.array([PLACES[j] if j in on else (np.nan, np.nan) for j in range(3)]) for on in (first, second)]
    return Known((visits[0], visits[1]), len(second) - len(first), (places[0], places[1]), np.full(3, 6.0))


def test_a_perfect_ledger_tells_the_truth():
    case = known((0, 1), (1, 2))
    assert true_statements(case) == {(0, 1, State.RESOLVED), (1, 1, State.PERSISTING), (2, 1, State.NEW)}
    both = compare_with_itself(case.visits[0]), compare(*case.visits)
    assert told_statements(case, build_ledger(case.visits, both)) == true_statements(case)


def test_lesions_of_the_face_itself_count_only_when_they_seem_to_change():
    case = known((0,), (0,))
    stays = [replace(v, lesions=(*v.lesions, *spots(PLACES[8:9]))) for v in case.visits]
    goes = [stays[0], case.visits[1]]
    told = []
    for first, second in (stays, goes):
        pair = replace(case, visits=(first, second))
        both = compare_with_itself(first), compare(first, second)
        told.append(told_statements(pair, build_ledger(pair.visits, both)) - true_statements(pair))
    assert told[0] == set()
    assert [state for _, _, state in told[1]] == [State.RESOLVED]


def test_annotated_lesions_count_on_shared_skin():
    visit = make_visit(0)
    here = compare_with_itself(visit)
    circles = np.array([[*PLACES[0], 5], [*PLACES[9], 5], [2, 2, 5]], np.float32)
    assert count_annotated(circles, visit, here, here.common) == 2
    assert count_annotated(np.zeros((0, 3), np.float32), visit, here, here.common) == 0


def test_every_photo_is_retaken_and_pasted_on_once():
    pairs = [Pair("a", "b", "similar", "val", "later"), Pair("b", "c", "similar", "val", "later")]
    jobs = jobs_of(pairs, pasted=True)
    assert [job.kind for job in jobs] == [VISITS] * 2 + [RETAKEN] * 3 + [PASTED] * 3
    assert [job.pair.a for job in jobs[2:5]] == ["a", "b", "c"]
    assert not [job for job in jobs_of(pairs, pasted=False) if job.kind == PASTED]


def test_photos_that_no_pair_lists_are_retaken_too():
    pairs = [Pair("a", "b", "similar", "val", "later")]
    jobs = retaken_beside(pairs, {"d": "1", "a": "2", "c": "3", "b": "2"})
    assert [(job.kind, job.pair.a, job.pair.b) for job in jobs] == [(RETAKEN, "c", "c"), (RETAKEN, "d", "d")]
    seeds = [job.seed for job in (*jobs, *jobs_of(pairs, pasted=False)) if job.kind == RETAKEN]
    assert len(set(seeds)) == 4, "no two photos are retaken alike"
