import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
from typer.testing import CliRunner

import comedo
from builders import make_analysis, make_image
from comedo import batch, cli
from comedo.errors import MissingExtra, ModelError, NoFaceFound, PoorPhoto, UnusableInput
from comedo.guidance.answers import SCHEMA as ANSWERS_SCHEMA
from comedo.lesions.counting import CONVENTIONS
from comedo.report.advice_document import AdviceDocument
from comedo.report.change_document import ChangeDocument
from comedo.report.document import Document, ErrorDocument
from comedo.report.job import Job
from comedo.report.pictures import to_png
from comedo.report.tables import from_json
from comedo.review.corrections import Corrections
from comedo.review.document import Review


class FakeAnalyzer:
    """Finds the drawn face in every photo, unless its name says otherwise."""

    def analyze(self, photo, *, name=None, allow_poor=False, convention="visible"):
        if "faceless" in photo.name:
            raise NoFaceFound("there is no face in the photo")
        if "poor" in photo.name and not allow_poor:
            raise PoorPhoto("too dark")
        if "broken" in photo.name:
            raise ZeroDivisionError("division by zero")
        analysis = replace(make_analysis(), photo_name=photo.name, photo_sha256=photo.sha256)
        return replace(analysis, counts=replace(analysis.counts, convention=convention))


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs a command line in an empty folder; returns code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "default_analyzer", FakeAnalyzer)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments])


@pytest.fixture
def photo(tmp_path):
    """Makes photos; each name has its own pixels."""
    folder = tmp_path / "photos"

    def make(name, tint=0):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no photo" if "torn" in name else to_png(np.roll(make_image(), tint, axis=2)))
        return path

    return make


def files(folder):
    return sorted(p.name for p in Path(folder).iterdir())


def test_a_photo_gets_its_files_and_a_line(run, photo):
    done = run("analyze", photo("a.png"))
    assert done.exit_code == 0
    assert files("out") == ["a.json", "a.mask.png", "a.overlay.png", "report.html"]
    assert "a.png: 4 active lesions (2 to 7); severity 2.6 of 5, Mild; photo quality fair" in done.stdout
    assert isinstance(from_json(Path("out/a.json").read_bytes()), Document)


def test_several_photos_get_a_sheet_too(run, photo):
    done = run("analyze", photo("a.png"), photo("b.png", 1), "--out", "here")
    assert done.exit_code == 0
    assert "results.csv" in files("here")
    assert Path("here/results.csv").read_text().count("\n") == 3


def test_json_is_one_document_a_line_and_nothing_else(run, photo):
    done = run("analyze", photo("a.png"), photo("faceless.png"), photo("torn.jpg"), "--json")
    documents = [from_json(line) for line in done.stdout.splitlines()]
    assert [type(d) for d in documents] == [Document, ErrorDocument, ErrorDocument]
    assert [getattr(d, "code", None) for d in documents] == [None, "no_face", "unsupported_format"]
    assert "there is no face" in done.stderr
    assert not Path("out").exists(), "files only where a folder is named"


class Terminal(io.StringIO):
    """Stands for the stream on which a person watches."""

    def isatty(self):
        return True


def test_several_photos_on_a_terminal_have_a_progress_bar(photo, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stderr", Terminal())
    job = Job([photo("a.png"), photo("faceless.png")], sample=False, folder=None, as_json=True)
    assert job.run(FakeAnalyzer()) == 3
    shown = sys.stderr.getvalue()
    assert "Analysing" in shown
    assert "there is no face" in shown
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_json_with_a_folder_writes_files_as_well(run, photo):
    done = run("analyze", photo("a.png"), "--json", "--out", "here")
    assert Path("here/a.json").read_text() == done.stdout


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["a.png"], 0),
        (["torn.png"], 2),
        (["poor.png"], 2),
        (["missing"], 2),
        (["faceless.png"], 3),
        (["a.png", "torn.png"], 2),
        (["faceless.png", "torn.png", "a.png"], 3),
        (["broken.png", "a.png", "faceless.png"], 1),
    ],
    ids=lambda v: "+".join(v) if isinstance(v, list) else str(v),
)
def test_exit_code_is_the_worst_and_every_good_photo_is_done(run, photo, names, code):
    done = run("analyze", *(photo(n, i) if n != "missing" else n for i, n in enumerate(names)))
    assert done.exit_code == code
    assert "Traceback" not in done.output
    assert Path("out/a.json").exists() == ("a.png" in names)


def test_allow_poor_and_convention_reach_the_analysis(run, photo):
    done = run("analyze", photo("poor.png"), "--allow-poor", "--count-convention", "acne04-v1", "--json")
    assert json.loads(done.stdout)["counts"]["convention"] == "acne04-v1"


def test_conventions_are_those_of_the_counting():
    assert [str(c) for c in cli.Convention] == list(CONVENTIONS)


def test_a_folder_stands_for_its_photos(run, photo):
    for n, name in enumerate(["b.PNG", "sub/a.png", ".hidden/c.png", "a.overlay.png", "a.mask.png", "notes.txt"]):
        photo(name, n)
    done = run("analyze", "photos", "--json")
    assert [json.loads(line)["photo"]["name"] for line in done.stdout.splitlines()] == ["b.PNG", "a.png"]


def test_a_folder_without_photos_is_unusable(run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.overlay.png").write_bytes(to_png(make_image()))
    for folder in ("empty", "own"):
        refusal = run("analyze", folder).exception
        assert isinstance(refusal, UnusableInput)
        assert str(refusal).startswith(f"the folder {folder} holds no photo that comedo reads (JPEG")
    assert not Path("out").exists()
    assert json.loads(run("analyze", "empty", "--json").stdout)["code"] == "unusable_input"


def test_an_empty_folder_among_others_stops_nothing(run, photo, tmp_path):
    photo("a.png")
    (tmp_path / "empty").mkdir()
    done = run("analyze", "photos", "empty", "--json")
    assert [json.loads(line)["schema"] for line in done.stdout.splitlines()] == ["comedo.analysis/1", "comedo.error/1"]
    assert "a photo must be a file, 'empty' is a folder; name a photo in it" in done.stderr


@pytest.mark.parametrize("command", ["analyze", "track"])
def test_a_file_where_the_folder_of_results_is_wanted_is_named(run, photo, tmp_path, command):
    (tmp_path / "notes.txt").write_text("mine")
    refusal = run(command, photo("a.png"), "--out", "notes.txt").exception
    assert isinstance(refusal, UnusableInput)
    assert str(refusal) == "notes.txt is a file where a folder is wanted; name a folder with --out"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_that_may_not_be_listed_is_named_and_stops_nothing(run, photo, monkeypatch):
    photo("a.png"), photo("closed/b.png", 1)
    scan = os.scandir

    def guarded(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    done = run("analyze", "photos", "--json")
    assert done.exit_code == 2
    assert [json.loads(line)["photo"]["name"] for line in done.stdout.splitlines()] == ["a.png", "closed"]


def test_a_dash_is_the_photo_on_standard_input(monkeypatch, photo, tmp_path):
    data = photo("a.png").read_bytes()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "default_analyzer", FakeAnalyzer)
    done = CliRunner().invoke(cli.app, ["analyze", "-", "--json"], input=data)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["photo"]["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_photo_named_twice_is_done_once(run, photo):
    path = photo("a.png")
    assert len(run("analyze", path, path.parent, "--json").stdout.splitlines()) == 1


def test_photos_of_one_name_both_keep_their_files(run, photo):
    run("analyze", photo("x/a.png"), photo("y/a.png", 1))
    assert {"a.json", "a-2.json", "a.mask.png", "a-2.mask.png"} <= set(files("out"))


def test_the_same_run_twice_changes_nothing(run, photo):
    paths = [photo("x/a.png"), photo("y/a.png", 1)]
    run("analyze", *paths, "--workers", 1)
    before = {p.name: p.read_bytes() for p in Path("out").iterdir()}
    run("analyze", *paths, "--workers", 1)
    assert {p.name: p.read_bytes() for p in Path("out").iterdir()} == before


def test_results_beside_the_photos_replace_none_of_them(run, photo):
    photo("a.png")
    mine = photo("a.mask.png", 1).read_bytes()
    run("analyze", "photos/a.png", "--out", "photos")
    assert Path("photos/a.mask.png").read_bytes() == mine
    assert Path("photos/a-2.json").exists()


@pytest.mark.parametrize("name", ["[red]x[/red].png", "-a.png", "a\x1b[31m.png", "面 子.png", "a\nb.png"], ids=ascii)
def test_odd_names_are_names(run, photo, name):
    done = run("analyze", "--", photo(name), photo("torn" + name))
    assert done.exit_code == 2
    assert "\x1b" not in done.output
    assert len(files("out")) == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze",),
        ("analyze", "a.png", "--count-convention", "mine"),
        ("analyse", "a.png"),
        ("analyze", "--workers", 0),
    ],
    ids=["no photo", "unknown convention", "unknown command", "no workers"],
)
def test_misuse_is_code_2_with_a_hint(run, arguments):
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Usage" in done.stderr


def test_help_has_examples(run):
    done = run("analyze", "--help")
    assert done.exit_code == 0
    assert "comedo analyze --sample" in done.stdout
    assert "by default out" in " ".join(done.stdout.replace("│", " ").split()), "no text is lost to markup"


def test_info_is_one_document(run):
    facts = json.loads(run("info", "--json").stdout)
    assert facts["version"] == comedo.__version__
    assert facts["conventions"] == list(CONVENTIONS)
    assert "numpy" in run("info").stdout
    models = (Document, ErrorDocument, ChangeDocument, AdviceDocument, Corrections, Review)
    written = {get_args(model.model_fields["schema_"].annotation)[0] for model in models}
    assert set(facts["schemas"]) == {*written, ANSWERS_SCHEMA}


@pytest.fixture
def last_resort(monkeypatch, capsys):
    """Runs `main` with a command that fails in a given way; returns code and stderr."""

    def fail_with(error, *arguments):
        def fail():
            raise error

        monkeypatch.setattr(cli, "app", fail)
        monkeypatch.setattr(sys, "argv", ["comedo", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code, capsys.readouterr().err

    return fail_with


@pytest.mark.parametrize(
    ("error", "code"), [(ModelError("weights altered"), 1), (NoFaceFound("none"), 3), (KeyError("a"), 1)], ids=repr
)
def test_a_person_meets_a_message_not_a_stack_trace(last_resort, error, code):
    got, text = last_resort(error)
    assert got == code
    assert text.startswith("comedo: ")
    assert len(text.splitlines()) == 1


def test_debug_shows_where(monkeypatch):
    def fail():
        raise KeyError("a")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["comedo", "--debug"])
    with pytest.raises(KeyError):
        cli.main()


def test_absent_weights_are_a_json_line_too(run, photo, monkeypatch):
    def absent():
        raise ModelError("the weights are absent")

    monkeypatch.setattr(batch, "default_analyzer", absent)
    done = run("analyze", photo("a.png"), "--json")
    assert json.loads(done.stdout) == {
        "schema": "comedo.error/1",
        "code": "model_error",
        "message": "the weights are absent",
        "photo": None,
    }


@pytest.fixture
def training(monkeypatch):
    """Puts a stand-in where the training commands are; returns what it was called with."""

    def put(error=None):
        calls = []

        def stand_in(arguments, **_):
            calls.append(arguments)
            if error is not None:
                raise error

        monkeypatch.setitem(sys.modules, "comedo.training.cli", SimpleNamespace(app=stand_in))
        return calls

    return put


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_training_commands_get_every_argument(run, training, command):
    calls = training()
    assert run(command, "lesion-map", "--set", "steps=3", "--help").exit_code == 0
    assert calls == [[command, "lesion-map", "--set", "steps=3", "--help"]]


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_training_without_its_extra_names_it(run, training, command):
    training(ModuleNotFoundError("No module named 'torch'", name="torch"))
    error = run(command, "lesion-map").exception
    assert isinstance(error, MissingExtra)
    assert "needs the package torch" in str(error)
    assert 'pip install ".[train]"' in str(error)


def test_a_module_of_ours_that_is_absent_is_no_missing_extra(run, training):
    training(ModuleNotFoundError("No module named 'comedo.training.cli'", name="comedo.training.cli"))
    assert isinstance(run("train", "x").exception, ModuleNotFoundError)


def test_the_command_runs_as_a_module(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(Path(comedo.__file__).parents[1])}
    command = [sys.executable, "-m", "comedo", "analyze", "missing.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, check=False)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.weights
def test_sample_is_analysed_with_the_shipped_networks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.app, ["analyze", "--sample", "--json", "--out", "out"])
    assert done.exit_code == 0, done.output
    document = from_json(done.stdout)
    assert isinstance(document, Document)
    assert document.face.skin_area_px > 0
    assert files("out") == ["report.html", "sample.json", "sample.mask.png", "sample.overlay.png"]
