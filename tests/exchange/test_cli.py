import io
import json
import sys
from dataclasses import replace

import pydicom
import pypdfium2
import pytest

from builders import fresh_python
from cases import drawn_case
from change_builders import make_visit
from comedo import cli
from comedo.progress.change import measure_change
from comedo.report.change_tables import change_json, to_change_document

DATE = "2026-11-20T09:30:00+00:00"


@pytest.fixture
def files(tmp_path):
    return drawn_case(tmp_path / "out")


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs comedo as a person does; returns exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["comedo", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return code, shown.out, shown.err

    return call


def correct(files, **given):
    path = files.analysis.with_name("corrections.json")
    path.write_text(json.dumps({"schema": "comedo.corrections/1", "reviewer": "Dr A", "reviewed_at": DATE} | given))
    return path


def test_report(run, files):
    before = files.analysis.read_bytes()
    code, out, _ = run("report", files.analysis, "--photo", files.photo, "--date", DATE)
    pdf = files.analysis.with_suffix(".pdf")
    assert (code, out) == (0, f"written: {pdf}\n")
    with pypdfium2.PdfDocument(pdf) as document:
        assert 1 <= len(document) <= 2
    again = files.analysis.with_name("again.pdf")
    run("report", files.analysis, "--photo", files.photo, "--date", DATE, "--out", again)
    assert again.read_bytes() == pdf.read_bytes()
    assert files.analysis.read_bytes() == before


PIPED = [
    ("advise", "-", "--answers", "{answers}"),
    ("report", "-", "--without-photo", "--out", "{out}"),
    ("review", "-", "--corrections", "{corrections}"),
    ("export", "fhir", "-", "--without-photo", "--no-pdf", "--out", "{out}"),
    ("export", "coco", "-", "--out", "{out}"),
    ("export", "csv", "-", "--out", "{folder}"),
]


@pytest.mark.parametrize("command", PIPED, ids=lambda c: " ".join(c[:2]))
def test_every_command_takes_an_analysis_from_standard_input(run, files, tmp_path, monkeypatch, command):
    (tmp_path / "answers.yaml").write_text("age: 20")
    places = {
        "answers": tmp_path / "answers.yaml",
        "corrections": correct(files, grades=[{"scale": "gea", "action": "reject"}]),
        "out": tmp_path / "result",
        "folder": tmp_path / "tables",
    }
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(files.analysis.read_bytes())))
    code, out, err = run(*(word.format(**places) for word in command))
    assert code == 0, err
    if command[0] == "review":
        assert json.loads(out)["schema"] == "comedo.review/1"
        assert "grades.gea" in err
    elif command[0] == "advise":
        assert "reviewed_by_clinician: false" in out
    else:
        assert out.startswith("written: ")


def test_a_report_with_advice_and_change_speaks_the_language_of_the_advice(run, files, tmp_path):
    (tmp_path / "answers.yaml").write_text("age: 20")
    arguments = ("--answers", tmp_path / "answers.yaml", "--language", "de", "--json")
    advice, change = tmp_path / "advice.json", tmp_path / "change.json"
    advice.write_text(run("advise", files.analysis, *arguments)[1], "utf-8")
    now = replace(make_visit(84, lesions=2), sha256=files.load().document.photo.sha256)
    change.write_text(change_json(to_change_document(measure_change([make_visit(0, lesions=6), now]))), "utf-8")
    extras = ("--advice", advice, "--change", change)
    assert run("report", files.analysis, "--photo", files.photo, *extras)[0] == 0
    with pypdfium2.PdfDocument(files.analysis.with_suffix(".pdf")) as document:
        text = "".join(page.get_textpage().get_text_bounded() for page in document)
        assert len(document) == 2
    assert "Seit dem ersten Foto" in text
    code, _, err = run("report", files.analysis, "--without-photo", *extras, "--language", "en")
    assert code == 2
    assert "use one language" in err
    other = replace(now, sha256="0" * 64)
    change.write_text(change_json(to_change_document(measure_change([other]))), "utf-8")
    code, _, err = run("report", files.analysis, "--without-photo", "--change", change)
    assert code == 2
    assert "does not end with this photo" in err


def test_a_report_of_standard_input_needs_a_name(run):
    code, _, err = run("report", "-", "--without-photo")
    assert code == 2
    assert "--out" in err


def test_review_then_every_export_of_it(run, files, tmp_path):
    corrections = correct(files, complete=True, lesions=[{"id": 3, "action": "reject", "why": "a hair"}])
    code, out, err = run("review", files.analysis, "--corrections", corrections)
    assert code == 0
    assert "counts.total: 4 -> 3" in out
    assert "counts.high_90: 7 -> unknown" in out
    assert "a complete reading" in err
    assert run("report", files.analysis, "--without-photo", "--reviewed")[0] == 0
    (tmp_path / "answers.yaml").write_text("age: 20")
    code, out, _ = run("advise", files.analysis, "--answers", tmp_path / "answers.yaml", "--reviewed")
    assert code == 0
    assert "The numbers are those of a review by Dr A." in " ".join(out.split())
    (tmp_path / "advice.json").write_text(
        run("advise", files.analysis, "--answers", tmp_path / "answers.yaml", "--reviewed", "--json")[1], "utf-8"
    )
    for shown, differs in (((), True), (("--reviewed",), False)):
        assert run("report", files.analysis, "--without-photo", "--advice", tmp_path / "advice.json", *shown)[0] == 0
        with pypdfium2.PdfDocument(files.analysis.with_suffix(".pdf")) as document:
            text = " ".join(" ".join(page.get_textpage().get_text_bounded().split()) for page in document)
        assert ("It goes by the numbers of Dr A, not by those of this report." in text) is differs
    folder = tmp_path / "x"
    assert run("export", "dicom", files.analysis, "--photo", files.photo, "--out", folder, "--reviewed")[0] == 0
    assert sorted(p.name for p in folder.iterdir()) == ["lesions.sr.dcm", "masks.seg.dcm", "photo.dcm"]
    assert pydicom.dcmread(folder / "photo.dcm").Rows == 320
    bundle, system = folder / "bundle.json", folder / "codes.json"
    arguments = ("--photo", files.photo, "--out", bundle, "--reviewed", "--code-system", system, "--mask-eyes")
    assert run("export", "fhir", files.analysis, *arguments)[0] == 0
    assert json.loads(bundle.read_text())["resourceType"] == "Bundle"
    assert json.loads(system.read_text())["resourceType"] == "CodeSystem"
    assert run("export", "coco", files.analysis, "--out", folder / "coco.json", "--reviewed", "--split", "val")[0] == 0
    image = json.loads((folder / "coco.json").read_text())["images"][0]
    assert (image["lesions_labelled"], image["split"], image["labelled_by"]) == (True, "val", "Dr A")
    assert run("export", "csv", files.analysis, "--out", folder, "--reviewed")[0] == 0
    assert (folder / "results.csv").read_text().count("\n") == 2


@pytest.mark.parametrize(
    "command",
    [
        ("report", "--without-photo"),
        ("review", "--corrections", "{corrections}"),
        ("export", "fhir", "--without-photo", "--out", "{out}"),
        ("export", "dicom", "--photo", "{photo}", "--out", "{out}"),
        ("export", "coco", "--out", "{out}"),
        ("export", "csv", "--out", "{out}"),
    ],
    ids=lambda c: " ".join(c[:2]),
)
@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b"[" * 100_000, None], ids=["empty", "{}", "ff", "deep", "absent"]
)
def test_a_wrong_analysis_is_one_sentence_and_code_2(run, files, tmp_path, command, content):
    places = {"corrections": correct(files), "photo": files.photo, "out": tmp_path / "result"}
    files.analysis.unlink()
    if content is not None:
        files.analysis.write_bytes(content)
    words = [w.format(**places) for w in command]
    count = 2 if words[0] == "export" else 1
    code, out, err = run(*words[:count], files.analysis, *words[count:])
    assert code == 2
    assert out == ""
    assert err.startswith("comedo: ")
    assert "unexpected" not in err
    assert not (tmp_path / "result").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--reviewed", "--without-photo"), "no review beside"),
        ((), "--photo"),
        (("--without-photo", "--date", "yesterday"), "--date must be"),
        (("--without-photo", "--out", "{analysis}"), "is read here"),
        (("--photo", "{mask}"), "not the photo"),
        (("--photo", "{analysis}"), "must be JPEG"),
        (("--without-photo", "--advice", "{analysis}"), "comedo.advice/1"),
        (("--without-photo", "--change", "{mask}"), "comedo.change/1"),
    ],
    ids=["no review", "no photo", "date", "out is in", "other photo", "no photo file", "no advice", "no change"],
)
def test_wrong_use_of_report(run, files, arguments, words):
    places = {"analysis": files.analysis, "mask": files.mask}
    code, _, err = run("report", files.analysis, *(a.format(**places) for a in arguments))
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("command", "out", "words"),
    [
        (("report", "--without-photo"), "{folder}", "is a folder where a file is wanted; name a file with --out"),
        (("export", "coco"), "{folder}", "is a folder where a file is wanted"),
        (("export", "csv"), "{file}", "is a file where a folder is wanted; name a folder with --out"),
        (("export", "csv"), "{file}/inside", "is a file where a folder is wanted"),
        (("export", "dicom", "--photo", "{photo}"), "{file}", "is a file where a folder is wanted"),
    ],
    ids=lambda v: " ".join(v[:2]) if isinstance(v, tuple) else "",
)
def test_a_wrong_kind_of_place_is_named(run, files, tmp_path, command, out, words):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "some").mkdir()
    places = {"folder": tmp_path / "some", "file": tmp_path / "notes.txt", "photo": files.photo}
    count = 2 if command[0] == "export" else 1
    rest = [word.format(**places) for word in (*command[count:], "--out", out)]
    code, _, err = run(*command[:count], files.analysis, *rest)
    assert code == 2
    assert words in err
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_missing_package_names_the_extra():
    code = (
        "import sys; sys.modules['fpdf'] = sys.modules['highdicom'] = sys.modules['fhir'] = None\n"
        "from comedo.errors import MissingExtra\n"
        "from comedo.report.pdf import report_pdf, PdfOptions\n"
        "from comedo.exchange.dicom import write_dicom\n"
        "from comedo.exchange.fhir_check import faults\n"
        "for call in (lambda: report_pdf(None, PdfOptions(without_photo=True)), lambda: write_dicom(None, None), "
        "lambda: faults({})):\n"
        "    try: call()\n"
        "    except MissingExtra as error: print(error)\n"
    )
    assert fresh_python(code).count('pip install ".[clinical]"') == 3
