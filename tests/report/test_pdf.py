import ctypes
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image as PilImage

from cases import drawn_case
from change_builders import START, make_visit
from comedo.errors import UnusableInput
from comedo.guidance.advice import Group
from comedo.guidance.advice import Section as Section_
from comedo.guidance.answers import check_answers
from comedo.guidance.engine import make_advice
from comedo.progress.change import measure_change
from comedo.progress.values import Answer
from comedo.report.advice_document import advice_to_json
from comedo.report.change_tables import to_change_document
from comedo.report.extras import Guidance, Line, Measured, Section, Since, read_advice, since_baseline
from comedo.report.eyes import BAR, mask_eyes, mask_map
from comedo.report.look import CLAIM, GROUPS, KIND_NAMES, REGION_NAMES, SCALE_NAMES
from comedo.report.overlay import draw_face
from comedo.report.pdf import PdfOptions, report_pdf
from comedo.report.texts import languages, load_texts
from comedo.review.corrections import SCALES
from comedo.review.run import apply_corrections, reviewed_case
from comedo.types import Part, Verdict
from guidance.cases import TABLES, advice_for, make_findings

WHEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GUIDANCE = Guidance(
    (Section("Treatments", (Line("First information.", ("NG198",)), Line("Second.", ("AAD2024",)))),),
    (("NG198", "NICE NG198, UK"), ("AAD2024", "AAD, US")),
    reviewed_by_clinician=False,
)
KNOWN_ADVICE = "Go closer or send the original photo: the face has too few pixels to show small lesions."
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
        "No clinician has reviewed the tables",
        "First information. [1]",
        "[2] AAD, US",
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


def test_nothing_drawn_shows_the_shape_of_masked_eyes(case):
    face = mask_map(case.face)
    assert not np.isin(face.parts, (Part.EYES, Part.BROWS)).any()
    drawn = draw_face(mask_eyes(case.photo.image, case.face), face, (), max_side=640)
    flat = np.abs(drawn.astype(int) - BAR).max(axis=2) <= 1
    unmasked = draw_face(mask_eyes(case.photo.image, case.face), case.face, (), max_side=640)
    before = np.abs(unmasked.astype(int) - BAR).max(axis=2) <= 1
    assert flat.sum() > 1.2 * before.sum(), "the bar is one plain area, the tint of regions does not shine through"


def test_eyes_that_are_not_in_the_map_cannot_be_masked(case):
    face = replace(case.face, parts=np.where(case.face.parts == Part.EYES, 0, case.face.parts), eyes_xy=(None, None))
    with pytest.raises(UnusableInput, match="no eyes"):
        mask_eyes(case.photo.image, face)


@pytest.mark.parametrize("name", ["面.png", "a\u202eb\x1b[2J.png", "x" * 300, "=cmd()</script>"], ids=ascii)
def test_any_name_can_be_printed(case, name):
    document = case.document.model_copy(update={"photo": case.document.photo.model_copy(update={"name": name})})
    data = report_pdf(replace(case, document=document), PdfOptions(made_at=WHEN, without_photo=True))
    assert "\x1b" not in text_of(data)


def guidance_of(*sections):
    """Guidance of sections given as code and number of lines."""
    made = tuple(
        Section(
            code.capitalize(), tuple(Line(f"{code} {n} of many, and a few words.", (code,)) for n in range(k)), code
        )
        for code, k in sections
    )
    sources = tuple((code, f"source of {code}") for code, _ in sections)
    return Guidance(made, sources, True, name="a.json", sha256="f" * 64)


def test_long_guidance_stays_on_two_pages_and_says_what_only_the_whole_document_has(case):
    long = guidance_of(("urgent", 12), ("treatments", 40), ("differences", 99), ("routine", 99), ("withheld", 40))
    data = report_pdf(case, PdfOptions(made_at=WHEN, guidance=long))
    with opened(data) as document:
        assert len(document) == 2
    text = text_of(data)
    for code, count in (("urgent", 12), ("treatments", 40), ("withheld", 40)):
        assert all(f"{code} {n} of many" in text for n in range(count))
        assert f"source of {code}" in text
    assert "routine 0 of many" not in text
    assert "Routine (99)" in text
    assert "The whole document has them: a.json, SHA-256 ffffffffffffffff" in text
    assert "A clinician has reviewed" in text


def test_what_safety_needs_takes_further_pages_before_it_is_cut(case):
    data = report_pdf(case, PdfOptions(made_at=WHEN, guidance=guidance_of(("urgent", 240), ("routine", 5))))
    with opened(data) as document:
        assert len(document) > 2
    text = text_of(data)
    assert all(f"urgent {n} of many" in text for n in range(240))


def test_the_report_speaks_german(case):
    german = replace(GUIDANCE, language="de")
    data = report_pdf(case, PdfOptions(made_at=WHEN, guidance=german, mask_eyes=True))
    text = text_of(data)
    for words in ("Schweregrad: leicht", "Kinn nicht sichtbar", "Seite 1", "kein Medizinprodukt", "0,", "auf Englisch"):
        assert words in text
    assert b"/Lang (de)" in data
    assert "Die Augen sind abgedeckt." in dict(tags_of(data))["Figure"]
    with pytest.raises(UnusableInput, match="use one language"):
        report_pdf(case, PdfOptions(guidance=german, language="en"))
    with pytest.raises(UnusableInput, match="expected one of en, de"):
        report_pdf(case, PdfOptions(language="fr"))


@pytest.mark.parametrize(
    ("advice", "notices", "said"),
    [
        pytest.param(KNOWN_ADVICE, (), False, id="everything in German"),
        pytest.param("Ask the moon.", (), True, id="advice in English"),
        pytest.param(KNOWN_ADVICE, ("the moon was asked",), True, id="a notice in English"),
    ],
)
def test_a_german_report_says_what_stayed_english(case, advice, notices, said):
    document = case.document
    scales = {
        name: part.model_copy(update={"why": "", "missing": ()}) for name, part in document.grades.scales().items()
    }
    check = document.quality.checks[0].model_copy(update={"ok": False, "advice": advice})
    changed = {
        "grades": document.grades.model_copy(update=scales),
        "quality": document.quality.model_copy(update={"checks": (check,)}),
        "notices": notices,
    }
    case = replace(case, document=document.model_copy(update=changed))
    assert ("auf Englisch" in text_of(report_pdf(case, PdfOptions(made_at=WHEN, language="de")))) is said


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_word_with_the_same_names_in_it(language):
    texts, english = load_texts(language), load_texts("en")
    for group in type(texts).model_fields:
        mine, its = getattr(texts, group), getattr(english, group)
        if isinstance(mine, dict) and group != "levels":
            assert mine.keys() == its.keys(), group
    for key, text in texts.frame.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english.frame[key])), key
    assert set(texts.answers) == set(Answer)
    assert set(texts.verdicts) == set(Verdict)


def test_paper_and_page_use_the_same_names():
    english = load_texts("en")
    assert english.say("claim") == CLAIM
    assert english.regions == REGION_NAMES
    assert english.kinds == KIND_NAMES
    assert english.scales == SCALE_NAMES
    assert english.groups == {group: look.name for group, look in GROUPS.items()}


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
            "What guidelines list for this group",
            (
                Line("Some information.", ("NG198",)),
                Line("(to discuss with a clinician) By prescription.", ("NG198",)),
            ),
            "treatments",
        ),
    )
    assert guidance.sources == (("NG198", "NG198, UK, 2021"),)


def test_what_was_withheld_is_printed_with_its_reason(tmp_path):
    why = "Not with an allergy. (unverified: no document was opened, a clinician has to check it) "
    why += "Not answered (Allergies), which counts as the cautious answer."
    line = {"section": "withheld", "text": "Not listed: x.", "why": why, "sources": ["NG198"], "access": "hidden"}
    guidance = read_advice(advice_file(tmp_path, lines=[line | {"provenance": "unverified"}]), "ab")
    [section] = guidance.sections
    assert section.lines == (Line("x. (unverified)", ("NG198",), "Not with an allergy. (not answered)"),)


def test_a_real_advice_is_printed_with_its_lists_and_every_source(case, tmp_path):
    advice = advice_for(Group.MODERATE, language="de", sex="male", distress="marked")
    path = tmp_path / "advice.json"
    path.write_text(advice_to_json(advice), "utf-8")
    guidance = read_advice(path, advice.photo_sha256)
    data = report_pdf(case, PdfOptions(made_at=WHEN, guidance=guidance))
    with opened(data) as document:
        assert len(document) == 2
    text = text_of(data)
    assert "NICE NG198 (2021): erste Wahl" in text
    assert "Bald, mit Termin • Mittelschwere bis schwere Akne" in text
    assert "Hormonelle Mittel gegen Akne sind nur für Frauen aufgeführt." in text
    for line in advice.section(Section_.WITHHELD) + advice.section(Section_.URGENT):
        assert " ".join(line.text.removeprefix("Nicht aufgeführt: ").split()[:6]) in text


@pytest.mark.parametrize("language", languages())
def test_even_without_any_answer_the_report_has_two_pages_and_every_reason_to_see_a_clinician(case, tmp_path, language):
    advice = make_advice(make_findings(Group.MODERATE), check_answers({}, TABLES.questions), language=language)
    path = tmp_path / "advice.json"
    path.write_text(advice_to_json(advice), "utf-8")
    guidance = read_advice(path, advice.photo_sha256)
    data = report_pdf(case, PdfOptions(made_at=WHEN, guidance=guidance, since=SINCE))
    with opened(data) as document:
        assert len(document) == 2
    text = text_of(data)
    for line in advice.section(Section_.URGENT) + advice.section(Section_.IF_ANY) + advice.section(Section_.CAUTIONS):
        assert line.text in text
    assert text.count(load_texts(language).say("unanswered")) == len(advice.section(Section_.WITHHELD))


@pytest.mark.parametrize("language", languages())
def test_every_printed_line_leads_to_a_printed_source(case, tmp_path, language):
    """The numbers in brackets behind each line are those of the list below; nothing is printed without one."""
    advice = advice_for(Group.SEVERE, language=language, distress="marked", pregnancy="possible")
    path = tmp_path / "advice.json"
    path.write_text(advice_to_json(advice), "utf-8")
    text = text_of(report_pdf(case, PdfOptions(made_at=WHEN, guidance=read_advice(path, advice.photo_sha256))))
    guidance, _, rest = text.partition(f" {load_texts(language).say('source_list')} ")
    listed = dict(re.findall(r"\[(\d+)\] ([^;\[]+)", rest))
    printed = guidance.split(" • ")[1:]
    assert len(printed) > 20
    for line in printed:
        numbers = re.search(r"\[([\d, ]+)\]", line)
        assert numbers, line
        assert set(numbers[1].split(", ")) <= listed.keys(), line
    titles = {" ".join(source.title.split()[:3]) for source in advice.sources.values()}
    assert all(any(title.startswith(known) for known in titles) for title in listed.values())


def test_a_review_with_long_reasons_stays_on_two_pages(case):
    said = [{"scale": name, "action": "reject", "why": "word " * 399} for name in SCALES]
    given = {"schema": "comedo.corrections/1", "reviewer": "A" * 200, "grades": said}
    after = reviewed_case(case, apply_corrections(case, given))
    with opened(report_pdf(after, PdfOptions(made_at=WHEN, since=SINCE))) as document:
        assert len(document) <= 2


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


@pytest.mark.parametrize(("language", "answer"), [("en", "better"), ("de", "besser")])
def test_a_change_is_printed_with_its_noise_band(case, language, answer):
    change = to_change_document(measure_change([make_visit(0, lesions=24), make_visit(84)], treatment_start=START))
    since = since_baseline(change, language)
    count = since.measures[0]
    assert (count.before, count.after, count.noise) == (24, 0, change.verdict.measures[0].smallest_detectable)
    assert (since.first_on.isoformat(), since.last_on.isoformat()) == ("2026-01-01", "2026-03-26")
    assert since.answer == load_texts(language).answers[change.verdict.answer]
    text = text_of(report_pdf(case, PdfOptions(made_at=WHEN, since=since, language=language)))
    assert "2026-03-26" in text
    assert f"± {load_texts(language).number(count.noise)}" in text
    assert load_texts(language).measures["count"] in text
    assert count.answer == answer
