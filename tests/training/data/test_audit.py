"""What the audit must find, planted on drawn photos; and what it must not."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from comedo.training.data.audit import audit, balance_of, divided_people
from comedo.training.data.audit_page import write_audit
from comedo.training.data.cli import app
from comedo.training.data.conflicts import find_conflicts
from comedo.training.data.convert import FORMATS, read_dataset, write_dataset
from comedo.training.data.dataset import Dataset, Label, Rectangle, Vote
from comedo.training.data.duplicates import Likeness, find_duplicates, find_same_rooms, groups_of
from comedo.training.data.fingerprints import fingerprint
from comedo.training.data.raters import compare_raters
from comedo.training.data.shortcuts import measure_shortcut
from comedo.training.data.split import copies, parse_shares, split_people
from comedo.training.metrics.agreement import cohen_kappa, fleiss_kappa
from drawn import drawn_face, sample, save


def jpeg(image, quality):
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def letterboxed(image):
    return cv2.copyMakeBorder(image, 20, 20, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0))


COPIES = {
    "smaller": lambda i: cv2.resize(i, None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA),
    "recompressed": lambda i: jpeg(i, 35),
    "brighter": lambda i: np.clip(i * 1.2, 0, 255).astype(np.uint8),
    "letterboxed": letterboxed,
    "stretched": lambda i: cv2.resize(i, (200, 140)),
    "mirrored": lambda i: np.ascontiguousarray(i[:, ::-1]),
    "mirrored, smaller, recompressed": lambda i: jpeg(cv2.resize(i[:, ::-1], (80, 80)), 50),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_found_among_other_photos(copy):
    faces = [drawn_face(seed) for seed in range(6)]
    (pair,) = find_duplicates([fingerprint(i) for i in (*faces, COPIES[copy](faces[2]))])
    assert (pair.first, pair.second) == (2, 6)
    assert pair.likeness is (Likeness.MIRRORED if "mirrored" in copy else Likeness.NEAR)


def test_different_photos_are_not_copies():
    assert find_duplicates([fingerprint(drawn_face(seed)) for seed in range(40)]) == []
    assert find_duplicates([]) == []
    even = [fingerprint(np.full((90, 90, 3), 120, np.uint8)) for _ in range(2)]
    assert find_duplicates(even) == []  # nothing to see: nothing is said


def test_a_room_shared_by_two_is_a_suspicion_and_by_many_a_backdrop():
    two = [fingerprint(drawn_face(seed, room=1)) for seed in (1, 2)] + [fingerprint(drawn_face(3))]
    pairs, shared = find_same_rooms(two, ["a", "b", "c"])
    assert [(p.first, p.second) for p in pairs] == [(0, 1)]
    assert shared == 0
    clinic = [fingerprint(drawn_face(seed, room=2)) for seed in range(5)]
    assert find_same_rooms(clinic, list("abcde")) == ([], 5)


def test_groups_join_over_several_steps():
    assert groups_of([(3, 1), (1, 2)], 5) == [0, 1, 1, 1, 4]


def plant(people):
    """A mirrored copy of a training photo among the held-back ones, under another name."""
    twin = drawn_face(1)[:, ::-1]
    save(people.folder / "twin.jpg", twin, quality=70)
    return replace(people, samples=(*people.samples, sample("twin.jpg", person="somebody else", split="val", grade=0)))


def test_a_clean_set_has_no_leaks(people):
    found = audit(people)
    assert found.leaks == ()
    assert (found.alike, found.suspected, found.unread) == ((), (), ())


def test_a_planted_mirrored_copy_is_a_leak(people, tmp_path):
    leaky = plant(people)
    found = audit(leaky)
    assert found.leaks == ("1.jpg (train) and twin.jpg (val): the same picture, mirrored",)
    assert {c.what for c in found.conflicts} == {
        "grade 1, and 0 on the same picture",
        "two names of a person for the same picture",
    }
    facts, page = write_audit(found, leaky, tmp_path / "audit")
    assert json.loads(facts.read_text())["leaks"] == list(found.leaks)
    html = page.read_text()
    assert "1 leaks" in html
    assert html.count("data:image/jpeg;base64,") >= 2
    assert "http" not in html.replace('http-equiv="', "")  # nothing is loaded


def test_a_person_on_both_sides_is_a_leak(people):
    (divided,) = divided_people(same_person(people))
    assert (divided.person, divided.splits, divided.photos) == ("p0", ("train", "val"), ("0.jpg", "5.jpg"))


def same_person(people):
    """Somebody of the training photos among the held-back ones, on another photo."""
    moved = (replace(s, person="p0") if s.photo in ("0.jpg", "5.jpg") else s for s in people.samples)
    return replace(people, samples=tuple(moved))


@pytest.mark.parametrize(
    ("change", "leaks"),
    [
        pytest.param(lambda people: people, [], id="clean"),
        pytest.param(plant, ["1.jpg (train) and twin.jpg (val): the same picture, mirrored"], id="a mirrored copy"),
        pytest.param(same_person, ["p0 is in train and val"], id="one person on both sides"),
    ],
)
def test_the_command_ends_with_1_on_a_leak(people, tmp_path, change, leaks):
    write_dataset(change(people), people.folder / "all.json", FORMATS["coco"])
    done = CliRunner().invoke(app, ["audit", str(people.folder / "all.json"), "--out", str(tmp_path / "audit")])
    assert done.exit_code == bool(leaks), done.output
    assert [line for line in done.stderr.splitlines() if "leak: " in line] == [f"leak: {leak}" for leak in leaks]
    assert json.loads((tmp_path / "audit" / "audit.json").read_text())["leaks"] == leaks
    html = (tmp_path / "audit" / "audit.html").read_text()
    assert all(leak in html for leak in leaks)


def test_photos_that_cannot_be_read_are_named(people, tmp_path):
    (people.folder / "2.jpg").write_bytes(b"torn")
    write_dataset(people, people.folder / "all.json", FORMATS["coco"])
    done = CliRunner().invoke(app, ["audit", str(people.folder / "all.json"), "--out", str(tmp_path / "audit")])
    assert done.exit_code == 0, done.output
    assert "cannot be read: 2.jpg: a photo must be" in done.stderr
    said = " ".join(done.stderr.split())
    assert "shortcuts: too few photos to tell, 1 of 6 photos cannot be read" in said
    assert "1 of 6 photos cannot be read" in (tmp_path / "audit" / "audit.html").read_text("utf-8")


def test_an_audit_that_can_read_no_photo_is_none(people, tmp_path):
    write_dataset(people, people.folder / "all.json", FORMATS["coco"])
    arguments = ["audit", str(people.folder / "all.json"), "--photos", str(tmp_path / "elsewhere")]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "audit")])
    assert done.exit_code == 2
    assert "not one of the 6 photos can be read, name their folder with --photos" in done.stderr
    assert not (tmp_path / "audit").exists()


def test_splitting_again_heals_the_leak(people, tmp_path):
    leaky = plant(people)
    healed = split_people(leaky, parse_shares("train=2,val=1"), seed=3, together=copies(leaky))
    assert audit(healed).leaks == ()
    again = split_people(leaky, parse_shares("train=2,val=1"), seed=3, together=copies(leaky))
    assert healed == again


def many(number=90):
    return Dataset(
        tuple(sample(f"{n}.jpg", person=f"p{n // 3}", grade=(n // 3) % 3) for n in range(number)), ("acne",), None
    )


def test_splits_keep_people_whole_and_grades_even():
    done = split_people(many(), parse_shares("train=0.6,val=0.2,test=0.2"), seed=1)
    assert divided_people(done) == ()
    balance = balance_of(done)
    assert balance.photos == {"test": 18, "train": 54, "val": 18}
    assert balance.grades["val"] == {"0": 6, "1": 6, "2": 6}
    assert split_people(many(), parse_shares("train=0.6,val=0.2,test=0.2"), seed=2) != done


@pytest.mark.parametrize("text", ["", "train", "train=x", "train=0.5,val=-1", "=1"])
def test_shares_that_are_none_are_refused(text):
    from comedo.errors import UnusableInput

    with pytest.raises(UnusableInput):
        parse_shares(text)


def test_a_shortcut_is_found_where_there_is_one_and_only_there():
    rng = np.random.default_rng(0)
    labels = [n % 2 for n in range(80)]
    people = [str(n) for n in range(80)]
    camera = np.array([[1000.0 + 500 * g, 1.0] for g in labels]) + rng.normal(0, 1, (80, 2))
    found = measure_shortcut("file", camera, labels, people, label="grade")
    assert found.found
    assert found.balanced == pytest.approx(1, abs=0.05)
    assert found.chance == 0.5
    assert not measure_shortcut("noise", rng.normal(0, 1, (80, 4)), labels, people, label="grade").found
    assert measure_shortcut("few", camera[:6], labels[:6], people[:6], label="grade").balanced is None


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        pytest.param((Rectangle((10, 10, 20, 20)),), [], id="one"),
        pytest.param((Rectangle((10, 10, 20, 20)), Rectangle((11, 10, 21, 20))), ["acne and spot"], id="two names"),
        pytest.param((Rectangle((200, 10, 220, 20)),), ["outside"], id="outside"),
    ],
)
def test_contradictions_on_one_photo(labels, what):
    marks = tuple(Label(c, shape) for c, shape in zip(("acne", "spot"), labels, strict=False))
    found = find_conflicts(Dataset((sample("a.jpg", labels=marks),), ("acne", "spot"), None), ())
    assert len(found) == len(what)
    assert all(w in c.what for w, c in zip(what, found, strict=True))


def test_a_lesion_marked_twice_by_one_rater_is_a_contradiction_by_two_it_is_not():
    box = Rectangle((10, 10, 20, 20))
    for raters, number in ((("r", "r"), 1), (("r", "s"), 0)):
        marks = tuple(Label("acne", box, rater=r) for r in raters)
        assert len(find_conflicts(Dataset((sample("a.jpg", labels=marks),), ("acne",), None), ())) == number


@pytest.mark.parametrize(
    ("a", "b", "kappa"),
    [
        pytest.param([], [], None, id="no photos"),
        pytest.param([1, 1], [1, 1], None, id="one grade"),
        pytest.param([0, 1, 0, 1], [0, 1, 0, 1], 1.0, id="agreed"),
        pytest.param([0, 0, 1, 1], [0, 1, 0, 1], 0.0, id="by chance"),
    ],
)
def test_cohen(a, b, kappa):
    assert cohen_kappa(a, b) == kappa


def test_kappas_agree_with_other_implementations():
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    assert cohen_kappa(list(a), list(b)) == pytest.approx(cohen_kappa_score(a, b))
    # Fleiss 1971 counts: two photos of three raters, by hand: P = (1 + 1/3) / 2, chance = (5/6)^2 + (1/6)^2.
    chance = 26 / 36
    assert fleiss_kappa([[0, 0, 0], [0, 0, 1]]) == pytest.approx((2 / 3 - chance) / (1 - chance))
    assert fleiss_kappa([[1], []]) is None


def test_raters_are_compared_on_the_photos_that_both_graded():
    votes = [(0, 0), (1, 1), (2, 1), (None, 2)]
    samples = tuple(sample(f"{n}.jpg", votes=(Vote("a", x), Vote("b", y))) for n, (x, y) in enumerate(votes))
    (pair,) = compare_raters(Dataset(samples, ("acne",), None)).pairs
    assert (pair.first, pair.second, pair.photos) == ("a", "b", 3)
    assert pair.same == pytest.approx(2 / 3)
    assert pair.qwk == pytest.approx(2 / 3)  # one step wrong where chance has three


def test_the_split_command_writes_what_can_be_read(people):
    path = people.folder / "all.json"
    write_dataset(people, path, FORMATS["coco"])
    done = CliRunner().invoke(app, ["split", str(path), str(people.folder / "s.json"), "--shares", "train=1,val=1"])
    assert done.exit_code == 0, done.output
    assert "train: 3 photos of 3 people" in done.stderr
    assert divided_people(read_dataset(people.folder / "s.json")) == ()
