"""Numbers fitted after training are found again in readings made by known ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from builders import make_face
from comedo.calibration import AffectedCurve, Calibration, CountNoise, SeverityCurve, Thresholds, Weighing
from comedo.errors import UnusableInput
from comedo.inference import read_manifest
from comedo.lesions.peaks import Peaks
from comedo.training.calibration import calibrate, weights_folder
from comedo.training.calibration.readings import Reading
from comedo.training.calibration.sufficiency import Number, lacking
from comedo.training.calibration.weighing import fit_weighing, weighed
from comedo.training.calibration.weights_folder import (
    CALIBRATION,
    choose_photos,
    install,
    provenance,
    write_calibration,
)
from comedo.training.leaks import LeakyData
from comedo.training.lesion_map.data import LesionPhoto
from comedo.training.manifest import Entry

WIDTH = 1000
RADIUS = 10.0
Draw = Callable[[np.random.Generator], float]


def circles_at(places: NDArray[np.intp]) -> NDArray[np.float32]:
    """Circles on a grid 40 pixels wide, so that none matches its neighbour."""
    xy = np.stack([places % 25, places // 25], 1) * 40.0 + 20
    return np.concatenate([xy, np.full((len(places), 1), RADIUS)], 1).astype(np.float32)


def make_photo(source: str = "crops1024", split: str = "val", number: int = 0, **known: object) -> LesionPhoto:
    values = {"person": f"{split}-{number}", "scale_xy": (1.0, 1.0), **known}
    return LesionPhoto(name=f"{source}-{number}", source=source, split=split, path=Path(f"{number}.jpg"), **values)


def make_reading(
    true: int,
    false: int,
    *,
    source: str = "crops1024",
    number: int = 0,
    true_score: Draw = lambda rng: rng.uniform(0.42, 0.95),
    false_score: Draw = lambda rng: rng.uniform(0.05, 0.37),
    conspicuous: int = 0,
    grade: int | None = None,
) -> Reading:
    """A photo with `true` lesions, all among the candidates, and `false` candidates beside them."""
    rng = np.random.default_rng([number, true, false])
    places = rng.permutation(500)[: true + false]
    circles = circles_at(places)
    scores = [true_score(rng) for _ in range(true)] + [false_score(rng) for _ in range(false)]
    n = true + false
    sparse = np.where(np.arange(n) < conspicuous, 0.8, 0.01)
    peaks = Peaks(
        xy=circles[:, :2],
        radius=circles[:, 2],
        active=np.asarray(scores, np.float32),
        mark=np.zeros(n, np.float32),
        sparse=sparse.astype(np.float32),
        inflamed=np.full(n, 0.9, np.float32),
        around=np.zeros(n, np.float32),
    )
    truth = make_photo(source, number=number, active=circles[:true], sparse=circles[:conspicuous], grade=grade)
    return Reading(truth, WIDTH, make_face(face_px=300.0), circles, peaks, np.full(n, 6.0), None)


def clinic(grades: bool = False, split_seed: int = 0) -> list[Reading]:
    """Photos with 0 to 60 conspicuous lesions; the grade is that of ACNE04's bands."""
    readings = []
    for number in range(13):
        true = 5 * number
        grade = int(np.searchsorted([5, 20, 50], true)) if grades else None
        source = "frames512" if number % 2 else "crops1024"
        readings.append(make_reading(true, 5, source=source, number=number + split_seed, conspicuous=true, grade=grade))
    return readings


def test_the_cut_off_lies_between_true_and_false_candidates():
    fitted = calibrate.fit_thresholds(clinic())
    assert 0.35 < fitted.active < 0.45
    assert calibrate.active_tally(clinic(), fitted).f1 == pytest.approx(1.0, abs=0.01)


def test_marks_are_told_apart_by_the_bias_that_separates_them():
    def typed(number: int) -> Reading:
        # Each place has both probabilities; a mark's own is lower than its active one, but not by half.
        circles = circles_at(np.arange(20))
        mark = np.arange(20) < 10
        peaks = Peaks(
            xy=circles[:, :2],
            radius=circles[:, 2],
            active=np.full(20, 0.6, np.float32),
            mark=np.where(mark, 0.45, 0.1).astype(np.float32),
            sparse=np.full(20, 0.5, np.float32),
            inflamed=np.where(np.arange(20) % 2, 0.9, 0.1).astype(np.float32),
            around=np.zeros(20, np.float32),
        )
        inflamed = (np.arange(10, 20) % 2).astype(np.float32)
        truth = make_photo("typed", number=number, active=circles[10:], marks=circles[:10], inflamed=inflamed)
        return Reading(truth, WIDTH, make_face(), circles, peaks, np.zeros(20), None)

    fitted = calibrate.fit_thresholds([*clinic(), *(typed(n) for n in range(2))])
    tallies, called_active = calibrate.type_tallies([typed(9)], fitted)
    assert 0.6 / 0.45 < fitted.mark_bias < 0.6 / 0.1
    assert called_active == 0
    assert [t.f1 for t in tallies] == [1, 1, 1]


def test_the_sparse_cut_off_gives_as_many_as_the_sparse_annotators():
    readings = [
        make_reading(20, 0, source="frames512", number=n, conspicuous=7, true_score=lambda _: 0.9) for n in range(5)
    ]
    fitted = calibrate.fit_sparse(readings, Thresholds(active=0.4))
    assert 0.01 < fitted.sparse <= 0.8
    assert calibrate.count_pairs(readings, fitted, sparse=True) == ([7] * 5, [7] * 5)


@pytest.mark.parametrize("found", [0, 5, 40], ids="{} lesions".format)
def test_the_interval_of_a_count_holds_nine_tenths_of_the_errors_it_was_fitted_to(found):
    spread = (found + CountNoise().offset) ** CountNoise().power
    errors = np.random.default_rng(1).normal(0.3, 0.5, 4000) * spread
    noise = calibrate.fit_count_noise([found] * 4000, list(found + errors))
    inside = ((errors >= noise.low * spread) & (errors <= noise.high * spread)).mean()
    assert inside == pytest.approx(0.9, abs=0.01)


def test_bounds_between_grades_are_found_again():
    totals = np.repeat(np.arange(1, 101, dtype=float), 2)
    grades = np.searchsorted([10.5, 40.5, 80.5], totals)
    low, middle, high = calibrate.fit_bounds(totals, grades)
    assert low == pytest.approx(10.5, abs=2)
    assert middle == pytest.approx(40.5, abs=3)
    assert high == pytest.approx(80.5, abs=3)


def test_affected_begins_between_clear_and_clinic_faces():
    clear = [make_reading(0, 2, source="clear", number=n, false_score=lambda _: 0.6) for n in range(20)]
    acne = [make_reading(15, 0, number=n, conspicuous=15) for n in range(20)]
    curve = SeverityCurve(faint=0.1)
    fitted = calibrate.fit_affected([*clear, *acne], Thresholds(active=0.4), curve)
    assert max(calibrate.burdens(clear, Thresholds(active=0.4), curve)) < fitted.middle < 15


def test_everything_at_once_and_it_can_be_written_and_read(tmp_path):
    clear = [make_reading(0, 3, source="clear", number=n) for n in range(10)]
    val = [*clinic(grades=True), *clinic(grades=True, split_seed=20), *clear]
    train = [r for seed in (100, 120, 140) for r in clinic(grades=True, split_seed=seed)]
    fitted = calibrate.fit(train, val, "of a test.")
    assert calibrate.severity_kappa(weighed(val, fitted.weighing), fitted.thresholds, fitted.severity) > 0.97
    assert list(fitted.severity.bounds) == sorted(fitted.severity.bounds)
    assert set(fitted.count_noise) == {"visible", "acne04-v1"}
    assert fitted.severity != Calibration().severity
    assert fitted.provenance.startswith("of a test. Not fitted, the values from before stay: cut-offs of marks")
    write_calibration(fitted, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [CALIBRATION]
    assert Calibration.model_validate_json((tmp_path / CALIBRATION).read_text()) == fitted


def test_chosen_are_graded_whole_faces_of_training_and_all_of_validation():
    sources = ("frames512", "frames640", "crops1024", "graded640", "typed", "clear")
    photos = [make_photo(s, side, n, grade=1) for n, s in enumerate(sources * 4) for side in ("train", "val")]
    photos += [make_photo("crops1024", "train", 99)]  # without a grade there is nothing to fit on it
    train, val = choose_photos(photos, number=5)
    assert {p.source for p in choose_photos(photos, number=99)[0]} == {"frames512", "crops1024", "graded640"}
    assert (len(train), len(val)) == (5, 24)
    assert choose_photos(photos, number=5) == (train, val)
    assert choose_photos(photos, number=5, seed=1)[0] != train


def test_a_person_on_both_sides_is_refused():
    photos = [make_photo("crops1024", side, person="one") for side in ("train", "val")]
    with pytest.raises(LeakyData):
        choose_photos(photos, number=5)


def test_too_few_lesions_are_refused_before_anything_is_read_or_written(tmp_path):
    put_in(tmp_path, "face-map", "lesion-map")
    before = sorted(tmp_path.iterdir())
    photos = [
        make_photo("own", side, n, active=circles_at(np.arange(29 if side == "val" else 90)))
        for n, side in enumerate(("train", "val"))
    ]
    with pytest.raises(UnusableInput, match=r"at least 30 active lesions .* got 29"):
        weights_folder.calibrate(photos, tmp_path, number=5, data="mine")
    assert sorted(tmp_path.iterdir()) == before


BEFORE = Calibration(
    provenance="Fitted long ago. Not fitted, the values from before stay: mask. Before: Fitted first.",
    thresholds=Thresholds(active=0.9, mark=0.11, sparse=0.12, mask=0.13, mark_bias=1.7),
    count_noise={"visible": CountNoise(low=-9, high=9), "acne04-v1": CountNoise(low=-8, high=8)},
    severity=SeverityCurve(bounds=(1, 2, 3, 4)),
    affected=AffectedCurve(middle=7),
)


def own(photos: int, *, first: int = 0, lesions: int = 6, grade: int | None = None) -> list[Reading]:
    return [make_reading(lesions, 4, source="own", number=first + n, grade=grade) for n in range(photos)]


def without_v1(readings: list[Reading]) -> list[Reading]:
    return [replace(r, truth=replace(r.truth, sparse=None)) for r in readings]


def test_a_few_own_photos_fit_the_cut_off_and_keep_the_rest():
    fitted = calibrate.fit([], without_v1(own(6)), "Ours.", BEFORE)
    assert 0.25 < fitted.thresholds.active < 0.45
    kept = BEFORE.model_copy(update={"provenance": fitted.provenance, "thresholds": fitted.thresholds})
    assert fitted == kept
    old, new = BEFORE.thresholds, fitted.thresholds
    assert (new.mark, new.mark_bias, new.mask, new.sparse) == (old.mark, old.mark_bias, old.mask, old.sparse)
    assert "count interval (wants 20 validation photos with marked lesions, has 6)" in fitted.provenance
    assert "severity (wants 5 training photos of each grade, 0 to 3, has 0)" in fitted.provenance
    assert fitted.provenance.endswith("Before: Fitted first.")


def test_more_own_photos_fit_counts_and_affected_too():
    val = without_v1([*own(20), *own(10, first=50, lesions=0)])
    fitted = calibrate.fit([], val, "Ours.", BEFORE)
    assert fitted.count_noise["visible"] != BEFORE.count_noise["visible"]
    assert fitted.count_noise["acne04-v1"] == BEFORE.count_noise["acne04-v1"]
    assert fitted.affected != BEFORE.affected
    assert fitted.severity == BEFORE.severity
    assert "affected or not" not in fitted.provenance


def test_own_photos_of_every_grade_fit_severity():
    def graded(first: int) -> list[Reading]:
        return without_v1([r for g in range(4) for r in own(5, first=first + 5 * g, lesions=3 + 12 * g, grade=g)])

    # What is conspicuous is the network's word; the network of these readings calls nothing so.
    before = BEFORE.model_copy(update={"severity": SeverityCurve(faint=0.1)})
    fitted = calibrate.fit(graded(200), graded(0), "Ours.", before)
    seen = weighed(graded(0), fitted.weighing)
    assert calibrate.severity_kappa(seen, fitted.thresholds, fitted.severity) > 0.9
    assert "severity" not in fitted.provenance


EVERYTHING = set(Number)


@pytest.mark.parametrize(
    ("train", "val", "missing"),
    [
        pytest.param([], [], EVERYTHING, id="no photos"),
        pytest.param([], [make_photo("masks", number=n, mask_path=Path("m")) for n in range(5)],
                     EVERYTHING - {Number.MASK}, id="masks"),
        pytest.param([], [make_photo("typed", marks=circles_at(np.arange(15)), active=circles_at(np.arange(30)),
                                     inflamed=np.arange(30) % 2)], EVERYTHING - {Number.TYPES}, id="types"),
        pytest.param([make_photo("own", "train", n, grade=n % 4) for n in range(20)],
                     [make_photo("own", number=n, grade=0) for n in range(10)],
                     EVERYTHING - {Number.SEVERITY}, id="grades"),
        pytest.param([make_photo("own", "train", n, grade=n % 3) for n in range(40)],
                     [make_photo("own", number=n, grade=0) for n in range(10)], EVERYTHING, id="a grade is absent"),
    ],
)  # fmt: skip
def test_what_the_photos_cannot_tell_is_named(train, val, missing):
    assert set(lacking(train, val)) == missing


def test_provenance_names_networks_photos_and_what_was_left_out():
    text = provenance(["face-map@sha256:aa", "lesion-map@sha256:bb"], "acne", clinic()[:3], clinic()[:2], 4)
    assert "face-map@sha256:aa and lesion-map@sha256:bb" in text
    assert "2 validation photos (crops1024 1, frames512 1)" in text
    assert "3 training photos (crops1024 2, frames512 1) of acne" in text
    assert "4 photos without a found face" in text


def put_in(weights: Path, *names: str) -> None:
    run = weights / "run"
    for name in names:
        run.mkdir(exist_ok=True)
        (run / f"{name}.onnx").write_bytes(name.encode())
        install(Entry(name, f"{name}.onnx", "0" * 64, "2026-01-01", {}, {}, {}, 0.0, "", "", ""), run, weights)
    shutil.rmtree(run)


def test_a_network_is_put_into_the_weights_folder_beside_the_other(tmp_path):
    put_in(tmp_path, "face-map", "lesion-map", "face-map")
    assert sorted(read_manifest(tmp_path)) == ["face-map", "lesion-map"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["face-map.onnx", "lesion-map.onnx", "manifest.json"]


def test_weights_learn_that_small_candidates_are_false():
    def reading(number: int) -> Reading:
        made = make_reading(
            20,
            20,
            number=number,
            true_score=lambda rng: rng.uniform(0.25, 0.65),
            false_score=lambda rng: rng.uniform(0.2, 0.6),
        )
        radius = np.where(np.arange(40) < 20, 12.0, 4.0).astype(np.float32)
        return replace(made, peaks=replace(made.peaks, radius=radius))

    fitted = fit_weighing([reading(n) for n in range(6)])
    assert fitted.radius > 1
    (after,) = weighed([reading(9)], fitted)
    assert after.peaks.active[:20].min() > after.peaks.active[20:].max()


@pytest.mark.parametrize(
    "readings", [[], [make_reading(0, 9)], [make_reading(5, 5, source="typed")]], ids=["none", "one kind", "portraits"]
)
def test_weights_stay_plain_where_nothing_can_be_learnt(readings):
    assert fit_weighing(readings) == Weighing()
