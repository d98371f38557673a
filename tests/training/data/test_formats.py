"""What is written is what is read again: every format, with its sidecar, on whatever a data set may hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comedo.training.data.bitmap import bitmap_of, from_runs, to_runs
from comedo.training.data.convert import FORMATS, ShapeKind, draw_as, guess_format, read_dataset, write_dataset
from comedo.training.data.dataset import Circle, Dataset, Label, Polygon, Rectangle, Sample, Vote
from comedo.training.data.files import CannotCarry
from comedo.training.data.formats.brush import decode, encode

FILE = {"coco": "a.json", "acne04": "a.json", "label-studio": "a.json", "cvat": "a.xml"}

words = st.text(st.characters(categories=["L", "N"], include_characters="-_ &<\"'é"), min_size=1, max_size=8).filter(
    lambda w: w == w.strip() and w != "comedo"
)
splits = st.sampled_from([None, "train", "val", "test"])
grades = st.none() | st.integers(0, 4)


@st.composite
def shapes(draw, width, height, kinds):
    kind = draw(st.sampled_from(kinds))
    x0, y0 = draw(st.floats(0, width - 1)), draw(st.floats(0, height - 1))
    w, h = draw(st.floats(0.01, 40)), draw(st.floats(0.01, 40))
    if kind is Rectangle:
        return Rectangle((x0, y0, x0 + w, y0 + h))
    if kind is Circle:
        return Circle((x0, y0), w)
    if kind is Polygon:
        return Polygon(((x0, y0), (x0 + w, y0), (x0 + w / 3, y0 + h), *draw(st.sampled_from([(), ((x0, y0 + h),)]))))
    left, top = int(x0), int(y0)
    inside = np.zeros((height, width), bool)
    inside[top : top + 3, left : left + 2] = True
    inside[top : top + 3, left + 3 : left + 4] = draw(st.booleans())
    return bitmap_of(inside)


@st.composite
def samples(draw, name, categories, kinds):
    width, height = draw(st.integers(2, 60)), draw(st.integers(2, 60))
    maybe = st.none() | words
    labels = [
        Label(draw(st.sampled_from(categories)), shape, draw(st.none() | st.floats(0, 1)), draw(maybe))
        for shape in draw(st.lists(shapes(width, height, kinds), max_size=3))
    ]
    votes = [Vote(rater, draw(grades)) for rater in draw(st.lists(words, max_size=2, unique=True))]
    return Sample(
        name, draw(st.sampled_from([None, tuple(labels)])), width, height,
        draw(maybe), draw(splits), draw(grades), tuple(votes), draw(maybe),
    )  # fmt: skip


@st.composite
def datasets(draw, kind):
    one = kind.name == "acne04"
    categories = ["acne"] if one else draw(st.lists(words, min_size=1, max_size=3, unique=True))
    names = draw(st.lists(st.sampled_from(["a.jpg", "b/c.png", "b/d e.jpg"]), unique=True, max_size=3))
    found = [draw(samples(name, categories, list(kind.shapes))) for name in names]
    return Dataset(tuple(found), tuple(categories), Path("photos"))


def in_order(dataset):
    return sorted(dataset.samples, key=lambda s: s.photo)


@pytest.mark.parametrize("name", [n for n in FORMATS if n != "masks"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_round_trip_loses_nothing(name, data, tmp_path_factory):
    kind = FORMATS[name]
    wanted = data.draw(datasets(kind))
    path = tmp_path_factory.mktemp("round") / FILE.get(name, "folder")
    if kind.folder and not wanted.samples:
        return  # an empty folder is refused by some, which the table of refusals covers
    write_dataset(wanted, path, kind)
    found = read_dataset(path, kind, photos=Path("photos"))
    assert in_order(found) == in_order(wanted)
    assert found.categories == wanted.categories


def test_categories_keep_their_order_whatever_that_of_the_files(tmp_path):
    photos = [
        Sample(f"{name}.png", (Label(category, Rectangle((0, 0, 1, 1))),), 2, 2) for name, category in ("ba", "ab")
    ]
    wanted = Dataset(tuple(photos), ("a", "b"), Path("photos"))
    for kind in (FORMATS[name] for name in ("voc", "yolo", "coco")):
        path = tmp_path / kind.name / FILE.get(kind.name, "")
        path.parent.mkdir(exist_ok=True)
        write_dataset(wanted, path, kind)
        assert read_dataset(path, kind, photos=Path("photos")).categories == ("a", "b")


def marked(*labels, **facts):
    return Sample("a.png", tuple(labels), 20, 10, **facts)


def patch(x, y, category="acne", size=3):
    inside = np.zeros((10, 20), bool)
    inside[y : y + size, x : x + size] = True
    return Label(category, bitmap_of(inside))


def test_mask_folders_keep_masks_apart(tmp_path):
    seen = marked(patch(1, 1, "spot"), patch(9, 2), grade=2, person="p", split="val")
    wanted = Dataset((seen, Sample("b.png", None)), ("spot", "acne"), tmp_path / "images")
    (tmp_path / "images").mkdir()
    for photo in ("a.png", "b.png"):
        (tmp_path / "images" / photo).touch()
    assert write_dataset(wanted, tmp_path, FORMATS["masks"])
    assert read_dataset(tmp_path) == wanted


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        pytest.param((patch(1, 1), patch(2, 2)), "overlap", id="overlapping"),
        pytest.param((patch(1, 1), patch(4, 1)), "touch", id="touching"),
        pytest.param((Label("acne", Circle((5, 5), 2)),), "--shapes mask", id="a circle"),
    ],
)
def test_mask_folders_refuse_what_they_would_merge(tmp_path, labels, match):
    with pytest.raises(CannotCarry, match=match):
        write_dataset(Dataset((marked(*labels),), ("acne",), tmp_path), tmp_path / "m", FORMATS["masks"])


@pytest.mark.parametrize("name", ["voc", "yolo", "cvat", "acne04"])
def test_a_photo_of_unknown_size_is_refused_where_the_size_is_needed(tmp_path, name):
    kind = FORMATS[name]
    shape = Circle((5, 5), 2) if Circle in kind.shapes else Rectangle((1, 1, 3, 3))
    dataset = Dataset((Sample("a.jpg", (Label("acne", shape),)),), ("acne",), tmp_path)
    with pytest.raises(CannotCarry, match="unknown"):
        write_dataset(dataset, tmp_path / FILE.get(name, "folder"), kind)


def test_persons_go_to_the_sidecar_and_an_edit_that_breaks_it_is_named(tmp_path):
    scored = marked(Label("acne", Rectangle((1, 1, 5, 5)), score=0.5), person="anna")
    dataset = Dataset((scored,), ("acne",), tmp_path)
    assert write_dataset(dataset, tmp_path / "v", FORMATS["voc"])
    facts = json.loads((tmp_path / "v" / "comedo.json").read_text())["photos"]["a.png"]
    assert facts == {"person": "anna", "labels": [{"score": 0.5}]}
    two = replace(scored, labels=(Label("acne", Rectangle((1, 1, 5, 5))),) * 2)
    sidecar = (tmp_path / "v" / "comedo.json").read_text()
    write_dataset(replace(dataset, samples=(two,)), tmp_path / "v", FORMATS["voc"])
    (tmp_path / "v" / "comedo.json").write_text(sidecar)
    with pytest.raises(CannotCarry.__base__, match="had 1 labels and now has 2"):
        read_dataset(tmp_path / "v")


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_told_by_their_look(tmp_path, name):
    kind = FORMATS[name]
    shape = {True: Circle((5, 5), 2), False: Rectangle((1, 1, 3, 3))}[Circle in kind.shapes]
    label = patch(1, 1) if name == "masks" else Label("acne", shape)
    path = tmp_path / FILE.get(name, "folder")
    write_dataset(Dataset((marked(label),), ("acne",), tmp_path), path, kind)
    assert guess_format(path) is kind


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 5))
def test_runs_and_brush_strokes_give_the_mask_back(flat, width):
    flat = np.resize(np.array(flat), max(1, len(flat) // width) * width)
    assert np.array_equal(from_runs(to_runs(flat), len(flat)), flat)
    mask = flat.reshape(-1, width)
    assert np.array_equal(decode(encode(mask), *mask.shape), mask)


def test_brush_strokes_of_a_known_stream():
    # 8 bytes of 2 pixels: word size 8, sizes 3, 4, 8, 16; one run of 4 zeros, one of 4 times 255.
    bits = f"{8:032b}" + f"{7:05b}" + "0010" + "0011" + "0111" + "1111" + "1" + "00" + "011" + "0" * 8
    bits += "1" + "00" + "011" + "1" * 8
    bits += "0" * (-len(bits) % 8)
    stream = [int(bits[k : k + 8], 2) for k in range(0, len(bits), 8)]
    assert decode(stream, 1, 2).tolist() == [[False, True]]
    assert encode(np.array([[False, True]])) == stream


@pytest.mark.parametrize(
    ("kind", "area"),
    [(ShapeKind.BOX, 100), (ShapeKind.CIRCLE, 78.5), (ShapeKind.POLYGON, 78), (ShapeKind.MASK, 78.5)],
    ids=str,
)
def test_drawing_as_another_shape_keeps_the_place(kind, area):
    from comedo.training.data.formats.coco import _area

    dataset = Dataset((Sample("a.jpg", (Label("x", Circle((20, 30), 5)),), 60, 60),), ("x",), Path())
    (label,) = draw_as(dataset, kind).samples[0].marks
    x0, y0, x1, y1 = label.bounds_xyxy
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((20, 30), abs=0.5)
    assert _area(label.shape) == pytest.approx(area, rel=0.05)


def test_a_mask_becomes_the_polygon_around_it():
    dataset = Dataset((marked(patch(4, 2)),), ("acne",), Path())
    (label,) = draw_as(dataset, ShapeKind.POLYGON).samples[0].marks
    assert label.bounds_xyxy == pytest.approx((4, 2, 7, 5), abs=0.13)
