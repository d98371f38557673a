"""Files that others wrote: whatever is in them ends in one sentence that names file and row."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from comedo.training.data.convert import FORMATS, read_dataset
from comedo.training.data.files import BadAnnotations, safe_name
from comedo.training.data.formats.coco import decode_counts

IMAGE = {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10}
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><annotations><image name="&c;"/></annotations>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotations>&b;</annotations>'


def coco(**rows):
    return json.dumps({"images": [IMAGE], "annotations": [], "categories": [{"id": 1, "name": "acne"}]} | rows)


def note(**more):
    return coco(annotations=[{"id": 1, "image_id": 1, "category_id": 1} | more])


def cvat(inside):
    return f'<annotations><image id="0" name="a.jpg" width="20" height="10">{inside}</image></annotations>'


def task(region):
    size = {"original_width": 20, "original_height": 10}
    return json.dumps([{"data": {"image": "/data/upload/1/a.jpg"}, "annotations": [{"result": [size | region]}]}])


MASK = '<mask label="acne" rle="{rle}" left="0" top="0" width="{w}" height="3"/>'


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        pytest.param("coco", "{", "the document", id="broken JSON"),
        pytest.param("coco", coco(images=[IMAGE | {"file_name": "../a.jpg"}]), r"images\[0\].*inside", id="leaves"),
        pytest.param("coco", coco(images=[IMAGE | {"file_name": "/a.jpg"}]), r"images\[0\].*inside", id="absolute"),
        pytest.param("coco", coco(images=[IMAGE | {"file_name": "C:\\a.jpg"}]), "plain relative", id="a drive"),
        pytest.param("coco", coco(images=[IMAGE | {"width": 10**6, "height": 10**6}]), "at most", id="a huge photo"),
        pytest.param("coco", coco(images=[IMAGE, IMAGE | {"id": 2}]), "named more often", id="a photo twice"),
        pytest.param("coco", note(category_id=9, bbox=[1, 1, 2, 2]), r"annotations\[0\]", id="no such category"),
        pytest.param("coco", note(bbox=[1, 1, 0, 2]), r"annotations\[0\].*x0 < x1", id="an empty box"),
        pytest.param("coco", note(bbox=[1, 1, float("nan"), 2]), r"annotations\[0\]", id="not a number"),
        pytest.param("coco", note(segmentation={"size": [10, 20], "counts": [5]}), "fill 200 pixels", id="short runs"),
        pytest.param("coco", note(segmentation={"size": [10**5, 10**5], "counts": []}), "at most", id="a huge mask"),
        pytest.param("coco", note(segmentation=[[1, 1, 2, 2, 3]]), r"annotations\[0\]", id="half a point"),
        pytest.param("cvat", BOMB, "safely", id="entities"),
        pytest.param("cvat", OUTSIDE, "safely", id="an external entity"),
        pytest.param("cvat", "<annotations><track/></annotations>", "CVAT for images", id="a video"),
        pytest.param("cvat", cvat('<points label="a" points="1,1"/>'), "image 1 .*shape 1.*points", id="points"),
        pytest.param("cvat", cvat('<box label="a" xtl="1"/>'), "shape 1: lacks 'ytl'", id="an absent corner"),
        pytest.param("cvat", cvat(MASK.format(rle="2,9", w=3)), "shape 1.*fill 9 pixels", id="long runs"),
        pytest.param("cvat", cvat(MASK.format(rle="0,90", w=30)), "beyond the photo", id="a mask beyond its photo"),
        pytest.param("label-studio", "[1]", "not a Label Studio export", id="no task"),
        pytest.param("label-studio", task({"type": "keypointlabels", "value": {}}), "result 1.*keypoint", id="a point"),
        pytest.param(
            "label-studio",
            task({"type": "brushlabels", "value": {"brushlabels": ["acne"], "rle": [0, 0, 0, 1, 255]}}),
            "must hold 800 bytes",
            id="a brush of another size",
        ),
        pytest.param("acne04", coco(annotations=[{"image_id": 7, "coordinates": [1, 1], "radius": 2}]),
                     "there is no image 7", id="an absent image"),
        pytest.param("acne04", coco(annotations=[{"image_id": 1, "coordinates": [1, 1], "radius": -1}]),
                     r"annotations\[0\].*radius of at least 0", id="a negative radius"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_its_row(tmp_path, name, text, match):
    path = tmp_path / ("a.xml" if name == "cvat" else "a.json")
    path.write_text(text)
    with pytest.raises(BadAnnotations, match=match) as caught:
        read_dataset(path, FORMATS[name])
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


VOC = "<annotation><filename>{name}</filename><size><width>20</width><height>10</height></size>{rest}</annotation>"


@pytest.mark.parametrize(
    ("files", "match"),
    [
        pytest.param({"Annotations/a.xml": VOC.format(name="../../a.jpg", rest="")}, "inside", id="VOC leaves"),
        pytest.param({"Annotations/a.xml": VOC.format(name="a.jpg", rest="<object/>")}, "object 1.*<", id="VOC empty"),
        pytest.param({"data.yaml": "names: 3"}, "names must list", id="YOLO without names"),
        pytest.param({"data.yaml": "names: [a]\ntrain: ../x.txt"}, "inside", id="YOLO leaves"),
        pytest.param({"data.yaml": "names: [a]\ntrain: t.txt", "t.txt": "/etc/passwd"}, "t.txt: line 1", id="a list"),
        pytest.param({"data.yaml": "names: [a]", "labels/a.txt": "0 .5 .5"}, "a.txt: line 1", id="a short line"),
        pytest.param({"data.yaml": "names: [a]", "labels/a.txt": "4 .5 .5 .1 .1"}, "class 4 has no name", id="a class"),
        pytest.param({"data.yaml": "names: [a]\ntrain: train/images"}, "there is no folder", id="another layout"),
        pytest.param({"data.yaml": "!!python/object:os.system x"}, "no YAML", id="YAML that runs code"),
        pytest.param({"masks/a.png": "no picture", "images/x": ""}, "cannot be read", id="a broken mask"),
    ],
)
def test_a_bad_folder_is_named_with_its_row(tmp_path, files, match):
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((10, 20, 3), np.uint8))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(BadAnnotations, match=match):
        read_dataset(tmp_path)


@pytest.mark.parametrize("name", ["a/../../b", "..", "/etc/passwd", "a\\b", "c:d", "a\0b", "", "x" * 1001])
def test_names_that_leave_the_folder_are_refused(name):
    with pytest.raises(BadAnnotations, match="row 7"):
        safe_name(name, "row 7")


def test_compressed_runs_are_those_of_coco():
    mask = pytest.importorskip("faster_coco_eval.core.mask")
    rng = np.random.default_rng(0)
    drawn = cv2.resize(rng.random((6, 8)), (80, 60)) > 0.55
    counts = decode_counts(mask.encode(np.asfortranarray(drawn.astype(np.uint8)))["counts"].decode())
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    assert np.array_equal(flat.reshape(80, 60).T, drawn)
    with pytest.raises(ValueError, match="middle of a number"):
        decode_counts("P")


def test_turned_boxes_and_ellipses_become_polygons(tmp_path):
    box = '<box label="acne" xtl="6" ytl="3" xbr="10" ybr="5" rotation="90"/>'
    oval = '<ellipse label="acne" cx="10" cy="5" rx="4" ry="2" rotation="0"/>'
    (tmp_path / "a.xml").write_text(cvat(box + oval))
    turned, ellipse = read_dataset(tmp_path / "a.xml").samples[0].marks
    assert turned.bounds_xyxy == (7, 2, 9, 6)
    assert ellipse.bounds_xyxy == (6, 3, 14, 7)


def test_an_export_of_label_studio_is_read(tmp_path):
    """The shape of a real export: uploaded file, users by number, a cancelled answer, a choice."""
    size = {"original_width": 200, "original_height": 100, "image_rotation": 0, "to_name": "image", "id": "x"}
    place = {"x": 10, "y": 20, "width": 5, "height": 10, "rotation": 0, "rectanglelabels": ["pimple"]}
    box = size | {"type": "rectanglelabels", "from_name": "box", "value": place}
    grade = {"type": "choices", "from_name": "grade", "to_name": "image", "value": {"choices": ["2"]}}
    answers = [
        {"id": 1, "completed_by": 4, "result": [box, grade], "was_cancelled": False},
        {"id": 2, "completed_by": {"id": 5, "email": "r@x"}, "result": []},
        {"id": 3, "completed_by": 6, "result": [box], "was_cancelled": True},
    ]
    guesses = [{"model_version": "m", "result": [box | {"score": 0.5}]}]
    content = {"id": 9, "data": {"image": "/data/upload/1/0a1b2c3d-face%201.jpg"}, "annotations": answers}
    (tmp_path / "a.json").write_text(json.dumps([content | {"predictions": guesses}]))
    (sample,) = read_dataset(tmp_path / "a.json").samples
    assert (sample.photo, sample.width, sample.height) == ("face 1.jpg", 200, 100)
    assert [(label.bounds_xyxy, label.rater) for label in sample.marks] == [((20, 20, 30, 30), "4")]
    assert [(v.rater, v.grade) for v in sample.votes] == [("4", 2), ("r@x", None)]
