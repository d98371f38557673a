import ctypes
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image as PilImage

from cases import drawn_case
from comedo.errors import UnusableInput
from comedo.report.extras import Guidance, Line, Measured, Section, Since, read_advice, read_change
from comedo.report.eyes import BAR, mask_eyes
from comedo.report.look import CLAIM
from comedo.report.pdf import PdfOptions, report_pdf
from comedo.types import Part

WHEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GUIDANCE = Guidance(
    (Section("Treatments", (Line("First information.", ("NG198",)), Line("Second.", ("AAD2024",)))),),
    (("NG198", "NICE NG198, UK"), ("AAD2024", "AAD, US")),
    reviewed_by_clinician=False,
)
SINCE = Since("Fewer lesions than at the baseline.", (Measured("Active lesions", 20, 12, 5.5, "better"),))


@pytest.fixture
def case(tmp_path):
    return drawn_case(tmp_path).load()


def opened(data):
    return pypdfium2.PdfDocument(data, autoclose=True)


def text_of(data):
    with opened(data) as document:
        return " ".join(" ".join(page.get_textpage().get_text_bounded().split()) for page in document)


def images_of(data):
    with opened(data) as document:
        kinds = (pdfium.FPDF_PAGEOBJ_IMAGE,)
        return [it.get_bitmap().to_pil() for page in document for it in page.get_objects(filter=kinds)]


def tags_of(data):
    """Type and alternative text of every tagged element of the first page."""

    def read(call, element):
        size = call(element, None, 0)
        buffer = ctypes.create_string_buffer(size)
        call(element, buffer, size)
        return buffer.raw[:size].decode("utf-16-le").rstrip("\0")

    with opened(data) as document:
        page = document[0]  # held: the tree dies with it
        tree = pdfium.FPDF_StructTree_GetForPage(page.raw)
        root = pdfium.FPDF_StructTree_GetChildAtIndex(tree, 0)
        children = [
            pdfium.FPDF_StructElement_GetChildAtIndex(root, i)
            for i in range(pdfium.FPDF_StructElement_CountChildren(root))
        ]
        found = [
            (read(pdfium.FPDF_StructElement_GetType, c), read(pdfium.FPDF_StructElement_GetAltText, c))
            for c in children
            if c
        ]
        pdfium.FPDF_StructTree_Close(tree)
        return found


@pytest.mark.weights
def test_a_real_face_on_two_pages(sample_files):
    case = sample_files.load()
    data = report_pdf(case, PdfOptions(made_at=WHEN, guidance=GUIDANCE, since=SINCE))
    with opened(data) as document:
        assert len(document) <= 2
        assert [round(v) for v in document[0].get_size()] == [595, 842]  # A4 in points
        pixels = np.asarray(document[0].render(scale=1).to_pil().convert("L"))
        assert (pixels < 128).mean() > 0.02, "the page is not blank"
    text = text_of(data)
    low, high = case.document.counts.interval_90
    assert f"{case.document.counts.total} active lesions, 90 % interval {low} to {high}" in text
    for grade in case.document.grades.scales().values():
        assert " ".join(grade.why.split()[:3]) in text
    for model in case.document.models:
        assert model[:30] in text
    assert CLAIM in text
    assert len(images_of(data)) == 1


def test_everything_is_said_in_words(case):
    text = text_of(report_pdf(case, PdfOptions(made_at=WHEN, guidance=GUIDANCE, since=SINCE)))
    for words in (
        "Report of 2026-11-20 09:30 UTC",
        "Severity: Mild",
        "Chin not visible",
        "why of gea",
        "source of gags_face",
        "Fewer lesions than at the baseline",
        "Active lesions 20 12 -8 ± 5.5 better",
        "have not been reviewed by a clinician",
        "First information. [NG198]",
        "AAD2024: AAD, US",
        "Come closer to the camera.",
        case.sha256,
        case.document.photo.sha256,
    ):
        assert words in text


def test_same_date_same_bytes_and_no_metadata_of_the_photo(case):
    data = report_pdf(case, PdfOptions(made_at=WHEN))
    assert data == report_pdf(case, PdfOptions(made_at=WHEN))
    assert data != report_pdf(case, PdfOptions(made_at=WHEN.replace(day=21)))
    assert b"Exif" not in data
    with opened(data) as document:
        assert document.get_metadata_dict(skip_empty=True) == {
            "Title": "Acne measurements from a photo",
            "Creator": "comedo",
            "Producer": "comedo with fpdf2",
            "CreationDate": "D:20261120093000Z",
        }


def test_text_is_tagged_in_reading_order_and_the_picture_has_words(case):
    data = report_pdf(case, PdfOptions(made_at=WHEN))
    tags = tags_of(data)
    kinds = [kind for kind, _ in tags]
    assert kinds[:3] == ["H1", "P", "P"]
    assert "H2" in kinds
    alt = [words for kind, words in tags if kind == "Figure"]
    groups = "3 inflamed, 1 not inflamed, 1 marks (not counted)"
    assert alt == [f"The face with every lesion outlined: {groups}. The tables give the same in words."]
    assert b"/Lang (en)" in data


def test_without_photo(case):
    data = report_pdf(replace(case, photo=None), PdfOptions(without_photo=True, made_at=WHEN))
    assert images_of(data) == []
    assert "4 active lesions" in text_of(data)
    with pytest.raises(UnusableInput, match="--without-photo"):
        report_pdf(replace(case, photo=None))


def test_masked_eyes_are_gone_from_the_only_picture(case):
    image, face = case.photo.image, case.face
    masked = mask_eyes(image, face)
    rows, columns = np.nonzero(face.parts == Part.EYES)
    for row, column in zip(rows * 4 + 1, columns * 4 + 1, strict=True):
        assert tuple(masked[row, column]) == BAR
    assert np.array_equal(masked[200:], image[200:])
    pictures = images_of(report_pdf(case, PdfOptions(mask_eyes=True, made_at=WHEN)))
    assert len(pictures) == 1
    plain = images_of(report_pdf(case, PdfOptions(made_at=WHEN)))[0]
    assert np.asarray(pictures[0]).mean() < np.asarray(plain).mean()


def test_eyes_that_are_not_in_the_map_cannot_be_masked(case):
    face = replace(case.face, parts=np.where(case.face.parts == Part.EYES, 0, case.face.parts), eyes_xy=(None, None))
    with pytest.raises(UnusableInput, match="no eyes"):
        mask_eyes(case.photo.image, face)


@pytest.mark.parametrize("name", ["面.png", "a\u202eb\x1b[2J.png", "x" * 300, "=cmd()</script>"], ids=ascii)
def test_any_name_can_be_printed(case, name):
    document = case.document.model_copy(update={"photo": case.document.photo.model_copy(update={"name": name})})
    data = report_pdf(replace(case, document=document), PdfOptions(made_at=WHEN, without_photo=True))
    assert "\x1b" not in text_of(data)


def test_long_guidance_takes_further_pages_and_loses_nothing(case):
    lines = tuple(Line(f"Line {n} of many, which says a little more than fits.", ("S",)) for n in range(150))
    data = report_pdf(
        case, PdfOptions(made_at=WHEN, guidance=Guidance((Section("All", lines),), (("S", "a source"),), True))
    )
    text = text_of(data)
    assert all(f"Line {n} of many" in text for n in range(150))
    assert "have been reviewed" in text


def test_a_picture_in_the_pdf_is_a_plain_jpeg(case):
    data = report_pdf(case, PdfOptions(made_at=WHEN))
    start = data.index(b"\xff\xd8\xff")
    with PilImage.open(io.BytesIO(data[start : data.index(b"\xff\xd9", start) + 2])) as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def advice_file(tmp_path, **changes):
    line = {"section": "treatments", "text": "Some information.", "sources": ["NG198"], "access": "open"}
    advice = {
        "schema": "comedo.advice/1",
        "language": "en",
        "reviewed_by_clinician": False,
        "photo": {"name": "a", "sha256": "ab"},
        "lines": [line, line | {"text": "By prescription.", "access": "clinician"}, line | {"access": "hidden"}],
        "sources": {"NG198": {"title": "NG198", "jurisdiction": "UK", "url": None, "published": "2021", "more": 1}},
    }
    path = tmp_path / "advice.json"
    path.write_text(json.dumps(advice | changes))
    return path


def test_advice_is_read_with_its_sources_and_withheld_lines_stay_out(tmp_path):
    guidance = read_advice(advice_file(tmp_path), "ab")
    assert guidance.sections == (
        Section(
            "Treatments",
            (
                Line("Some information.", ("NG198",)),
                Line("(to discuss with a clinician) By prescription.", ("NG198",)),
            ),
        ),
    )
    assert guidance.sources == (("NG198", "NG198, UK, 2021"),)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"photo": {"name": "b", "sha256": "cd"}}, "another photo"),
        ({"sources": {}}, r"lines\.0\.sources"),
        ({"lines": [{"section": "a", "text": "b", "sources": []}]}, r"lines\.0\.sources"),
        ({"schema": "comedo.advice/2"}, "schema"),
    ],
    ids=["photo", "unknown source", "no source", "schema"],
)
def test_wrong_advice_is_refused(tmp_path, changes, match):
    with pytest.raises(UnusableInput, match=match):
        read_advice(advice_file(tmp_path, **changes), "ab")


def test_change_is_read(tmp_path):
    row = {"name": "active_lesions", "before": 20, "after": 12, "smallest_detectable": 5.5, "answer": "better"}
    (tmp_path / "change.json").write_text(
        json.dumps({"schema": "comedo.change/1", "sentence": "Better.", "verdict": {"measures": [row], "more": 1}})
    )
    assert read_change(tmp_path / "change.json") == Since("Better.", SINCE.measures)
    (tmp_path / "change.json").write_text("{}")
    with pytest.raises(UnusableInput, match="schema"):
        read_change(tmp_path / "change.json")
