"""Lesions that a network contradicts: each fault by hand, planted ones beside chance, and the report."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from comedo.errors import UnusableInput
from comedo.training.data.box_doubts import BoxDoubt, Fault, doubt_boxes
from comedo.training.data.box_doubts_report import write_box_doubts
from comedo.training.data.cli import app
from comedo.training.data.convert import FORMATS, write_dataset
from comedo.training.data.dataset import Circle, Dataset, Label, Rectangle, Sample
from comedo.types import Group
from drawn import drawn_face, save

TYPES = ("papule", "pustule", "comedone")


def box(x, y, kind="papule", score=None, side=10.0):
    """A box around x, y."""
    half = side / 2
    return Label(kind, Rectangle((x - half, y - half, x + half, y + half)), score)


def dataset(*labels, photo="a.jpg", categories=TYPES, folder=None):
    return Dataset((Sample(photo, labels, 200, 200),), categories, folder or "")


AGREED = [(box(20 * n, 20), box(20 * n + 1, 21, score=0.9)) for n in range(1, 5)]  # four papules that both see


def against(labels, found, **kinds):
    """Doubts of one photo on which both sides agree about four papules elsewhere."""
    labelled = dataset(*(a for a, _ in AGREED), *labels)
    return doubt_boxes(labelled, dataset(*(b for _, b in AGREED), *found, **kinds))


@pytest.mark.parametrize(
    ("labels", "found", "doubts"),
    [
        pytest.param([], [], [], id="both agree"),
        pytest.param(
            [box(100, 100)], [box(104, 103, score=0.2, side=14)], [], id="elsewhere in the box: the same lesion"
        ),
        # none of the findings that are so unsure lies on a label: at least 1 of 7, 0.05 / 7 against 6 / 7
        pytest.param([], [box(100, 100, score=0.7)], [(Fault.MISSED, None, "papule", 0.0083)], id="no label"),
        # nobody knows how well pustules are told: 0.05 / 2 x 1 / 2; of 5 papules 1 is called so: 0.95 x 2 / 7
        pytest.param(
            [box(100, 100)],
            [box(100, 100, "pustule", 0.9)],
            [(Fault.OTHER_TYPE, "papule", "pustule", 0.044)],
            id="another type",
        ),
        # 4 of 5 labelled papules are found: 0.05 against 0.95 x 2 / 7
        pytest.param([box(100, 100)], [], [(Fault.NOTHING, "papule", None, 0.1556)], id="nothing found"),
        pytest.param(
            [box(100, 100)],
            [box(100, 100, score=0.4), box(101, 101, "pustule", 0.6)],
            [],
            id="one finding of the type is enough",
        ),
        pytest.param(
            [box(100, 100), box(101, 101)], [box(100, 100, score=0.4)], [], id="two labels on one lesion: not judged"
        ),
    ],
)
def test_what_is_doubted(labels, found, doubts):
    seen = against(labels, found)
    assert [(d.fault, d.label, d.found, d.score) for d in seen.doubts] == doubts
    assert (seen.photos, seen.left_out, seen.labels) == (1, 0, len(AGREED) + len(labels))


def test_no_labels_no_doubts():
    empty = doubt_boxes(Dataset((), TYPES, ""), Dataset((), TYPES, ""))
    assert (empty.doubts, empty.photos, empty.labels) == ((), 0, 0)


def test_photos_that_one_side_did_not_look_at_are_left_out():
    labelled = Dataset(tuple(Sample(f"{n}.jpg", labels) for n, labels in enumerate([(), (), (), None])), TYPES, "")
    found = Dataset((Sample("0.jpg", (box(9, 9, score=0.9),)), Sample("1.jpg", None)), TYPES, "")
    seen = doubt_boxes(labelled, found)
    assert (seen.photos, seen.left_out) == (1, 2)
    assert [d.photo for d in seen.doubts] == ["0.jpg"]


def test_a_type_that_nobody_labelled_is_not_missed():
    found = [box(100, 100, "mark", 0.9), box(150, 150, "mark", 0.8)]
    seen = against([box(150, 150)], found, categories=(*TYPES, "mark"))
    assert [(d.fault, d.label, d.found) for d in seen.doubts] == [(Fault.OTHER_TYPE, "papule", "mark")]


def test_without_a_name_in_common_types_are_not_compared():
    labelled, found = dataset(box(50, 50)), dataset(box(50, 50, "a", 0.9), box(9, 9, "b", 0.8), categories=("a", "b"))
    seen = doubt_boxes(labelled, found)
    assert not seen.types_compared
    assert [d.fault for d in seen.doubts] == [Fault.MISSED]


def test_flat_marks_of_prelabel_are_no_missed_acne():
    """`comedo data prelabel` names groups; these labels know acne alone, so that no name is common."""
    groups = tuple(str(group) for group in Group)
    found = [
        box(50, 50, Group.INFLAMMATORY, 0.9),  # on the first label
        box(80, 80, Group.MARK, 0.9),  # on the second
        box(120, 120, Group.MARK, 0.95),
        box(150, 150, Group.INFLAMMATORY, 0.8),
    ]
    labelled = dataset(box(50, 50, "acne"), box(80, 80, "acne"), categories=("acne",))
    seen = doubt_boxes(labelled, dataset(*found, categories=groups))
    assert not seen.types_compared
    assert [(d.fault, d.found, d.sureness) for d in seen.doubts] == [(Fault.MISSED, Group.INFLAMMATORY, 0.8)]
    # how sure a finding must be to be real is not told by marks: without them it is all the same
    without = doubt_boxes(labelled, dataset(*(f for f in found if f.category != Group.MARK), categories=groups))
    assert [d.score for d in without.doubts if d.fault is Fault.MISSED] == [seen.doubts[0].score]


def test_a_lesion_of_which_only_the_middle_was_marked_is_found():
    labelled = dataset(Label("papule", Circle((50, 50), 0)))
    assert doubt_boxes(labelled, dataset(box(52, 49, score=0.5))).doubts == ()


FAULTY = 0.05  # share of lesions for each fault
LESIONS = 25  # of a photo


def planted(seed, folder=""):
    """Labels with faults, what a fair network finds, and the places of the faults by (photo, middle)."""
    rng = np.random.default_rng(seed)
    labelled, found, faults = [], [], set()
    for photo in (f"{n}.jpg" for n in range(40)):
        labels, findings = [], []
        places = [(x, y) for x in range(20, 200, 30) for y in range(20, 200, 30)]
        mixed = [places[k] for k in rng.permutation(len(places))]
        for x, y in mixed[:LESIONS]:
            kind = str(rng.choice(TYPES, p=(0.5, 0.2, 0.3)))
            fate = rng.choice(["kept", "missing", "renamed"], p=[1 - 2 * FAULTY, FAULTY, FAULTY])
            said = kind if fate != "renamed" else str(rng.choice([t for t in TYPES if t != kind]))
            if fate != "missing":
                labels.append(box(x, y, said, side=float(rng.uniform(8, 14))))
            if rng.random() < 0.8:
                heard = kind if rng.random() < 0.95 else str(rng.choice(TYPES))
                shift = rng.normal(0, 1.5, 2)
                findings.append(box(x + shift[0], y + shift[1], heard, round(float(rng.beta(5, 2)), 3)))
            if fate != "kept":
                faults.add((photo, x, y))
        for x, y in mixed[LESIONS : LESIONS + rng.binomial(LESIONS, FAULTY)]:
            labels.append(box(x, y, str(rng.choice(TYPES))))
            faults.add((photo, x, y))
        false = rng.uniform(10, 190, (2, 2))
        findings += [box(x, y, str(rng.choice(TYPES)), round(float(rng.beta(2, 5)), 3)) for x, y in false]
        labelled.append(Sample(photo, tuple(labels), 200, 200))
        found.append(Sample(photo, tuple(findings), 200, 200))
    return Dataset(tuple(labelled), TYPES, folder), Dataset(tuple(found), TYPES, folder), faults


def is_fault(doubt: BoxDoubt, faults) -> bool:
    x, y = ((doubt.box_xyxy[k] + doubt.box_xyxy[k + 2]) / 2 for k in (0, 1))
    return any(photo == doubt.photo and abs(x - fx) < 8 and abs(y - fy) < 8 for photo, fx, fy in faults)


@pytest.mark.parametrize("seed", range(3))
def test_planted_faults_lead_the_list_far_beyond_chance(seed):
    labelled, found, faults = planted(seed)
    seen = doubt_boxes(labelled, found)
    right = np.array([is_fault(d, faults) for d in seen.doubts])
    chance = len(faults) / (seen.labels + len(faults))  # of a place drawn from labels and what they miss
    assert right[:30].mean() > 0.6
    assert right[:100].mean() > 3 * chance
    nothing = np.array([d.fault is Fault.NOTHING for d in seen.doubts])
    assert right[nothing].mean() > 1.5 * chance
    assert right[: len(right) // 2].mean() > right[len(right) // 2 :].mean()


def test_the_command_writes_a_page_with_pictures(tmp_path):
    save(tmp_path / "a.jpg", drawn_face(1, size=200))
    kept = [a for a, _ in AGREED]
    write_dataset(dataset(*kept, box(100, 100), folder=tmp_path), tmp_path / "labels.json", FORMATS["coco"])
    seen = [b for _, b in AGREED]
    found = dataset(*seen, box(150, 150, "pustule", 0.9), folder=tmp_path)
    write_dataset(found, tmp_path / "found.json", FORMATS["coco"])
    labels, findings, out = (str(tmp_path / name) for name in ("labels.json", "found.json", "doubts"))
    done = CliRunner().invoke(app, ["doubts", labels, "--found", findings, "--out", out])
    assert done.exit_code == 0, done.output
    assert "2 doubtful places, 5 labels" in done.stderr
    facts = json.loads((tmp_path / "doubts/doubts.json").read_text())
    assert facts["schema"] == "comedo.box-doubts/1"
    assert {(d["fault"], d["label"], d["found"]) for d in facts["doubts"]} == {
        ("nothing_there", "papule", None),
        ("missed", None, "pustule"),
    }
    html = (tmp_path / "doubts/doubts.html").read_text()
    assert html.count("data:image/jpeg") == 2
    assert "do not correct by this list" in html


def test_findings_of_other_photos_are_refused(tmp_path):
    labelled, found = dataset(box(9, 9), photo="a.jpg"), dataset(box(9, 9), photo="photos/a.jpg")
    with pytest.raises(UnusableInput, match="no labelled photo has findings, 1 have labels"):
        write_box_doubts(doubt_boxes(labelled, found), labelled, tmp_path / "doubts")
    assert not (tmp_path / "doubts").exists()
