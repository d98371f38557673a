import io
import json
import sys

import numpy as np
import pytest

from builders import make_analysis, make_face
from cases import drawn_case
from comedo.errors import UnusableInput
from comedo.report.case import load_case
from comedo.report.face_map import pack_map, unpack_map
from comedo.report.pictures import to_png
from comedo.report.tables import to_document
from comedo.report.written import MAX_BYTES


def test_the_face_map_comes_back(tmp_path):
    face, back = make_face(), drawn_case(tmp_path).load().face
    assert np.array_equal(back.parts, face.parts)
    assert np.allclose(back.to_photo, face.to_photo)
    assert (back.eyes_xy, back.face_px, back.skin_area_px) == (face.eyes_xy, face.face_px, face.skin_area_px)


def test_a_face_map_is_small():
    assert len(pack_map(make_face()).parts) < 1500


def test_lesions_and_mask_come_back(tmp_path):
    analysis, case = make_analysis(), drawn_case(tmp_path).load()
    assert [x.center_xy for x in case.lesions] == [x.center_xy for x in analysis.lesions]
    assert [x.kind_probs for x in case.lesions] == [dict(x.kind_probs) for x in analysis.lesions]
    assert np.array_equal(case.mask, analysis.lesion_mask)
    assert case.count_interval == (2, 7)


def test_without_photo_and_mask(tmp_path):
    files = drawn_case(tmp_path)
    files.mask.unlink()
    case = load_case(files.analysis)
    assert (case.photo, case.mask) == (None, None)
    with pytest.raises(UnusableInput, match="--photo"):
        case.need_photo("a test")


def broken(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda d: d.pop("lesions"), "lesions"),
        (lambda d: d["counts"].update(total=-1), r"counts\.total"),
        (lambda d: d["face"].update(map=None), r"face\.map"),
        (lambda d: d["face"]["map"].update(parts="!!"), r"face\.map\.parts"),
        (lambda d: d["face"]["map"].update(parts="eJw="), r"face\.map\.parts"),
        (lambda d: d["face"]["map"].update(width=4096), "cells"),
        (lambda d: d["face"]["map"].update(to_photo=[[0, 0, 0], [0, 0, 0]]), r"face\.map\.to_photo"),
        (lambda d: d["lesions"][0].update(group="wart"), r"lesions\.0\.group"),
        (lambda d: d.update(schema="comedo.analysis/9"), "schema"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d["coverage"].update(lesion_px=1), "mask"),
        (lambda d: d["photo"].update(sha256="0" * 64), "not the photo"),
        (lambda d: d["photo"].update(width=10), "pixels"),
    ],
)
def test_wrong_analyses_name_the_field(tmp_path, change, field):
    files = drawn_case(tmp_path)
    broken(files.analysis, change)
    with pytest.raises(UnusableInput, match=field):
        files.load()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"schema": "comedo.error/1", "code": "no_face", "message": "", "photo": null}',
    ],
    ids=["empty", "null", "not utf-8", "deep", "a failure"],
)
def test_what_is_no_analysis_is_refused(tmp_path, data):
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(UnusableInput):
        load_case(path)


@pytest.mark.parametrize("name", ["missing.json", "."], ids=["absent", "folder"])
def test_files_that_cannot_be_read(tmp_path, name):
    with pytest.raises(UnusableInput, match="cannot be read"):
        load_case(tmp_path / name)


def test_another_photo_is_refused(tmp_path):
    files = drawn_case(tmp_path)
    files.photo.write_bytes(to_png(np.full((320, 240, 3), 128, np.uint8)))
    with pytest.raises(UnusableInput, match="not the photo that was analysed"):
        files.load()


def test_a_packed_map_cannot_blow_up():
    import base64
    import zlib

    face = to_document(make_analysis()).face
    bomb = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    assert face.map is not None
    with pytest.raises(ValueError, match="4800 cells"):
        unpack_map(face.model_copy(update={"map": face.map.model_copy(update={"parts": bomb})}))


@pytest.fixture
def stdin(monkeypatch):
    """Bytes that wait on standard input."""

    def wait(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return wait


def test_an_analysis_comes_from_standard_input_too(tmp_path, stdin):
    files = drawn_case(tmp_path)
    stdin(files.analysis.read_bytes())
    piped = load_case("-", photo=files.photo, mask=files.mask)
    read = files.load()
    assert (piped.document, piped.sha256) == (read.document, read.sha256)
    stdin(files.analysis.read_bytes())
    assert load_case("-").mask is None, "nothing lies beside standard input"


def test_standard_input_is_named_in_messages(stdin):
    stdin(b"{}")
    with pytest.raises(UnusableInput, match=r"^standard input is no analysis of comedo"):
        load_case("-")


def test_no_more_is_read_than_an_analysis_can_have(stdin):
    stdin(b" " * (MAX_BYTES + 2))
    with pytest.raises(UnusableInput, match="the analysis standard input is larger than 32 MiB"):
        load_case("-")
