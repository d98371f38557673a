"""The finder with a network that sees discs: peaks, tiles, masks and places are tested, not the weights."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from builders import make_face, make_image
from comedo.calibration import Calibration, Thresholds, Weighing
from comedo.geometry import apply, clip_box, invert, scale_of
from comedo.lesions import LesionFinder, count_lesions
from comedo.lesions.counting import measure_coverage
from comedo.lesions.finder import _cells, box_around
from comedo.lesions.network import ACTIVE, INFLAMED, MARK, MASK, RADIUS, SPARSE, WORK_FACE_PX, draw_canvas, read_face
from comedo.lesions.peaks import find_peaks
from comedo.types import Group, Image, Part, Photo, Region

_RED, _BLUE = (255, 0, 0), (0, 0, 160)


@dataclass(frozen=True)
class SeesDots:
    """Red dots are inflamed lesions, blue ones marks; centre, mask and radius from their blobs."""

    name: str = "sees-dots"

    def run(self, image: Image) -> NDArray[np.float32]:
        h, w = image.shape[0] // 2, image.shape[1] // 2
        maps = np.zeros((6, h, w), np.float32)
        maps[RADIUS] = 2.0
        half = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA).astype(int)
        for colour, channel in ((_RED, ACTIVE), (_BLUE, MARK)):
            blob = (np.abs(half - colour).sum(-1) < 120).astype(np.uint8)
            count, _, stats, centres = cv2.connectedComponentsWithStats(blob)
            for i in range(1, count):
                # Smooth peaks, as a network's: the same from a mirror image.
                peak = np.exp(-((np.indices((h, w)) - centres[i][::-1, None, None]) ** 2).sum(0) / 4)
                np.maximum(maps[channel], 0.8 * peak, out=maps[channel])
                maps[RADIUS][peak > 0.3] = 2 * np.sqrt(stats[i, cv2.CC_STAT_AREA] / np.pi)
                if channel == ACTIVE:
                    np.maximum(maps[SPARSE], 0.7 * peak, out=maps[SPARSE])
            maps[MASK][blob > 0] = 0.9
        maps[INFLAMED] = 0.9
        return maps


def dotted(*dots: tuple[float, float, float, tuple[int, int, int]], scale: int = 4) -> Photo:
    image = make_image(240 * scale, 320 * scale)
    for x, y, r, colour in dots:
        cv2.circle(image, (round(x * scale), round(y * scale)), round(r * scale), colour, -1)
    return Photo(image, "dots", "0", "array")


def face_at(scale: int):
    to_photo = np.array([[4.0 * scale, 0, 1.5 * scale], [0, 4.0 * scale, 1.5 * scale]])
    box = tuple(v * scale for v in (40.0, 55.0, 200.0, 285.0))
    return make_face(to_photo=to_photo, box_xyxy=box, face_px=96.0 * scale, mm_per_px=0.9 / scale)


FINDER = LesionFinder(SeesDots(), Thresholds())


@pytest.mark.parametrize("scale", [2, 4, 9])
def test_lesions_are_found_where_they_are_in_photo_pixels(scale: int) -> None:
    photo = dotted((70, 180, 3, _RED), (150, 100, 2, _RED), (160, 200, 2.5, _BLUE), scale=scale)
    found = FINDER.find(photo, face_at(scale)).lesions
    assert [x.group for x in found] == [Group.INFLAMMATORY, Group.INFLAMMATORY, Group.MARK]
    assert [x.id for x in found] == [1, 2, 3]
    centres = np.array([x.center_xy for x in found]) / scale
    assert np.abs(centres - [[150, 100], [70, 180], [160, 200]]).max() < 1.0
    assert [x.region for x in found] == [Region.FOREHEAD, Region.RIGHT_CHEEK, Region.LEFT_CHEEK]
    assert found[1].diameter_px == pytest.approx(6 * scale, rel=0.25)
    assert found[1].diameter_mm == pytest.approx(6 * 0.9, rel=0.25)
    assert found[1].redness is not None
    assert found[1].redness > 10


@pytest.mark.parametrize(
    ("disc", "box"),
    [
        pytest.param((10.0, 20.0, 4.0), (6.5, 16.5, 14.5, 24.5), id="inside"),
        pytest.param((0.0, 0.0, 0.5), (0.0, 0.0, 1.0, 1.0), id="the first pixel"),
        pytest.param((99.0, 49.0, 0.5), (99.0, 49.0, 100.0, 50.0), id="the last pixel"),
        pytest.param((99.0, 1.0, 3.0), (96.5, 0.0, 100.0, 4.5), id="cut at the right and the top"),
    ],
)
def test_a_box_lies_on_the_edges_of_its_pixels(disc: tuple[float, float, float], box: tuple[float, ...]) -> None:
    assert clip_box(box_around(*disc), 100, 50) == box


def test_the_box_of_a_found_lesion_is_that_of_its_pixels() -> None:
    photo = dotted((70, 180, 3, _RED))
    rows, columns = np.nonzero((photo.image == _RED).all(-1))
    drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    (lesion,) = FINDER.find(photo, face_at(4)).lesions
    x0, y0, x1, y1 = lesion.box_xyxy
    assert lesion.box_xyxy == pytest.approx(drawn, abs=3)  # the drawn network sees every second canvas pixel
    assert x1 - x0 == pytest.approx(lesion.diameter_px)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(np.add(lesion.center_xy, 0.5))


def test_the_mask_holds_active_lesions_only() -> None:
    photo, face = dotted((70, 180, 3, _RED), (160, 200, 3, _BLUE)), face_at(4)
    reading = FINDER.find(photo, face)
    assert reading.mask.shape == (photo.height, photo.width)
    assert reading.mask[180 * 4, 70 * 4]
    assert not reading.mask[200 * 4, 160 * 4]
    assert reading.mask.sum() == pytest.approx(np.pi * 12**2, rel=0.25)
    coverage = measure_coverage(reading.mask, face)
    assert coverage.fraction == pytest.approx(reading.mask.sum() / face.skin_area_px, rel=1e-6)


@dataclass(frozen=True)
class SeesDoubtfulMarks(SeesDots):
    """Calls every mark an active lesion as well, of that probability."""

    active: float = 0.3

    def run(self, image: Image) -> NDArray[np.float32]:
        maps = super().run(image)
        maps[ACTIVE] = np.maximum(maps[ACTIVE], self.active / 0.8 * maps[MARK])
        return maps


@pytest.mark.parametrize(("active", "kept"), [(0.3, False), (0.6, True)], ids=["sure mark", "doubtful mark"])
def test_a_doubtful_mark_keeps_its_area(active: float, kept: bool) -> None:
    reading = LesionFinder(SeesDoubtfulMarks(active=active), Thresholds()).find(
        dotted((160, 200, 3, _BLUE)), face_at(4)
    )
    assert [x.group for x in reading.lesions] == [Group.MARK]
    assert reading.mask.any() == kept


class SeesTheLeftHalf(SeesDots):
    """Finds centres in the left half of each picture only."""

    def run(self, image: Image) -> NDArray[np.float32]:
        maps = super().run(image)
        maps[ACTIVE, :, maps.shape[2] // 2 :] = 0
        return maps


@dataclass(frozen=True)
class SeesNothing:
    """A network that finds no lesion anywhere."""

    name: str = "sees-nothing"

    def run(self, image: Image) -> NDArray[np.float32]:
        maps = np.zeros((6, image.shape[0] // 2, image.shape[1] // 2), np.float32)
        maps[RADIUS] = 2.0
        return maps


def test_both_ways_count_alike() -> None:
    photo = dotted((70, 180, 3, _RED), (170, 200, 3, _RED))
    canvas = read_face(SeesTheLeftHalf(), photo, face_at(4))
    peaks = find_peaks(canvas.maps, canvas.skin)
    assert len(peaks) == 2, "either is seen by one of the two looks"
    assert peaks.active == pytest.approx(0.4, abs=0.03)


def test_a_second_network_looks_at_the_mirror_images() -> None:
    photo = dotted((70, 180, 3, _RED))
    pair = LesionFinder(SeesDots(), Thresholds(), mirrored=SeesNothing())
    assert pair.models == ("sees-dots", "sees-nothing")
    assert FINDER.models == ("sees-dots",)
    alone, together = (f.look(photo, face_at(4)).maps[ACTIVE].max() for f in (FINDER, pair))
    assert together == pytest.approx(alone / 2)


def test_nothing_on_clear_skin() -> None:
    reading = FINDER.find(dotted(), face_at(4))
    assert reading.lesions == ()
    assert not reading.mask.any()


def test_what_falls_short_is_kept_for_series() -> None:
    photo = dotted((70, 180, 3, _RED), (160, 200, 3, _BLUE))
    short = LesionFinder(SeesDots(), Thresholds(active=0.9)).find(photo, face_at(4))
    assert [lesion.active for lesion in short.lesions] == [False]
    (faint,) = short.faint
    assert faint.center_xy == pytest.approx((280, 720), abs=3)
    assert faint.score == pytest.approx(0.8, abs=0.06)
    assert FINDER.find(photo, face_at(4)).faint == ()


def test_eyes_and_background_are_left_out() -> None:
    on_eye, beside_the_face = (85, 136, 3, _RED), (20, 180, 3, _RED)
    assert FINDER.find(dotted(on_eye, beside_the_face), face_at(4)).lesions == ()


def test_a_lesion_beyond_the_skin_belongs_to_the_nearest_region() -> None:
    on_lips = (120, 232, 3, _RED)
    reading = FINDER.find(dotted(on_lips), face_at(4))
    assert [x.region for x in reading.lesions] == [Region.CHIN]
    assert reading.lesions[0].area_px > 0
    assert not reading.mask.any()  # the mask covers skin, of which lips are none


def test_a_lesion_far_from_every_region_has_none() -> None:
    face = face_at(4)
    parts = np.where(face.parts == Part.CHIN, Part.OTHER, face.parts).astype(np.uint8)
    below = (120, 275, 3, _RED)
    reading = FINDER.find(dotted(below), replace(face, parts=parts))
    assert [x.region for x in reading.lesions] == [None]


def test_the_weights_of_candidates_decide_what_is_reported() -> None:
    photo, face = dotted((70, 180, 3, _RED)), face_at(4)
    doubtful = LesionFinder(SeesDots(), Thresholds(active=0.5), Weighing(offset=-3.0))
    assert doubtful.find(photo, face).lesions == ()
    assert len(FINDER.find(photo, face).lesions) == 1


def test_a_face_of_several_tiles_has_no_seams() -> None:
    dots = [(x, y, 1.2, _RED) for x in range(60, 185, 12) for y in range(170, 212, 12) if abs(x - 120) > 18]
    photo = dotted(*dots, scale=9)
    face = face_at(9)
    canvas = read_face(SeesDots(), photo, face)
    assert max(canvas.image.shape[:2]) > 640, "the case must need several tiles"
    assert len(find_peaks(canvas.maps, canvas.skin)) == len(dots)


@pytest.mark.parametrize("face_px", [77.7, 150.0, 333.3, 811.0])
def test_the_canvas_shows_exactly_its_box(face_px: float) -> None:
    face = make_face(box_xyxy=(41.0, 53.0, 201.0, 285.0), face_px=face_px)
    canvas = read_face(SeesDots(), dotted(scale=1), face)
    _, box = draw_canvas(dotted(scale=1), face)
    height, width = canvas.image.shape[:2]
    corners = apply(canvas.to_photo, np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]]))
    assert np.allclose(corners + 0.5, np.reshape(box, (2, 2)))
    assert scale_of(invert(canvas.to_photo)) == pytest.approx(min(4.0, WORK_FACE_PX / face_px), rel=0.02)


def test_a_centre_lies_in_the_cell_of_its_peak() -> None:
    # Drawn towards the next cell by its neighbour, but still nearer to its own: the region is that of its own.
    maps = np.zeros((6, 40, 60), np.float32)
    maps[RADIUS] = 3.0
    maps[ACTIVE, 20, 30], maps[ACTIVE, 20, 29] = 0.8, 0.6
    peaks = find_peaks(maps, np.ones((40, 60), bool))
    assert 59.5 < peaks.xy[0, 0] < 60, "cell 30 shows pixels 60 and 61, from 59.5 on"
    assert _cells(peaks, (40, 60)).tolist() == [[30, 20]]


def test_two_centres_in_one_lesion_are_one() -> None:
    maps = np.zeros((6, 40, 40), np.float32)
    maps[RADIUS] = 8.0
    maps[ACTIVE, 20, 20], maps[ACTIVE, 20, 22], maps[ACTIVE, 20, 34] = 0.9, 0.8, 0.7
    peaks = find_peaks(maps, np.ones((40, 40), bool))
    assert len(peaks) == 2
    assert peaks.active.tolist() == pytest.approx([0.9, 0.7])


def test_many_candidates_cost_no_table_of_pairs() -> None:
    # Grain can give tens of thousands of peaks: their pairs would take gigabytes.
    maps = np.zeros((6, 400, 400), np.float32)
    maps[RADIUS] = 1.0
    maps[ACTIVE, ::8, ::8] = 0.5
    tracemalloc.start()
    peaks = find_peaks(maps, np.ones((400, 400), bool))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(peaks) == 2500
    assert peak_bytes < 12e6


def test_peak_between_cells() -> None:
    maps = np.zeros((6, 9, 9), np.float32)
    maps[RADIUS] = 2.0
    y, x = np.mgrid[:9, :9]
    maps[ACTIVE] = np.exp(-((x - 4.3) ** 2 + (y - 3.8) ** 2) / 4)
    peaks = find_peaks(maps, np.ones((9, 9), bool))
    assert peaks.xy[0] == pytest.approx([4.3 * 2 + 0.5, 3.8 * 2 + 0.5], abs=0.15)


def test_thresholds_part_marks_from_lesions() -> None:
    maps = np.zeros((6, 20, 40), np.float32)
    maps[RADIUS] = 2.0
    maps[ACTIVE, 10, 10], maps[MARK, 10, 10] = 0.5, 0.4
    maps[ACTIVE, 10, 30], maps[MARK, 10, 30] = 0.2, 0.25
    peaks = find_peaks(maps, np.ones((20, 40), bool))
    kept = LesionFinder(SeesDots(), Thresholds(active=0.3, mark=0.3)).choose(peaks)
    assert len(kept) == 1
    biased = LesionFinder(SeesDots(), Thresholds(active=0.3, mark=0.2, mark_bias=1.5)).choose(peaks)
    assert (biased.mark * 1.5 > biased.active).all()
    assert len(biased) == 2


def test_counts_leave_marks_out_and_name_hidden_regions() -> None:
    photo, face = dotted((70, 180, 3, _RED), (150, 100, 2, _RED), (160, 200, 3, _BLUE)), face_at(4)
    lesions = FINDER.find(photo, face).lesions
    counts = count_lesions(lesions, face, Calibration())
    assert counts.total == 2
    assert counts.by_region[Region.FOREHEAD] == 1
    assert counts.by_region[Region.NOSE] == 0
    low, high = counts.interval_90
    assert low <= 2 <= high
    parts = face.parts.copy()
    parts[parts == Region.NOSE.part] = 9
    hidden = make_face(parts=parts, to_photo=face.to_photo, box_xyxy=face.box_xyxy)
    assert count_lesions(lesions, hidden, Calibration()).by_region[Region.NOSE] is None


@pytest.mark.parametrize(("cut", "total"), [(0.5, 2), (0.9, 0)])
def test_the_sparse_convention_counts_conspicuous_lesions(cut: float, total: int) -> None:
    photo, face = dotted((70, 180, 3, _RED), (150, 100, 2, _RED)), face_at(4)
    calibration = Calibration(thresholds=Thresholds(sparse=cut))
    assert count_lesions(FINDER.find(photo, face).lesions, face, calibration, convention="acne04-v1").total == total


def test_an_unknown_convention_is_named() -> None:
    with pytest.raises(ValueError, match="visible"):
        count_lesions((), make_face(), Calibration(), convention="guess")
