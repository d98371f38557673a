import csv
import socket

import pytest
from typer.testing import CliRunner

from comedo.training.cli import app

NOTES = """person,date,note
anna,2026-01-05,"Worse, new nodules."
anna,2026-03-30,"Fewer papules, much better."
ben,2026-02-01,"=cmd()|Seen today"
"""


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text(NOTES, "utf-8")
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["data", "label-notes", *map(str, arguments)])


def rows(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_labels_say_who_decided_and_hold_no_note(notes, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("notes stay on this computer")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    done = run(notes, "--out", tmp_path / "labels.csv")
    assert done.exit_code == 0, done.output
    assert "3 notes, 1 improved, 1 unclear, 1 worse" in done.stderr
    first, second, third = rows(tmp_path / "labels.csv")
    assert (first["person"], first["date"], first["row"], first["label"]) == ("anna", "2026-01-05", "2", "worse")
    assert second["words"] == "Fewer: improved 1; better: improved 1.5".lower()
    assert second["by"].startswith("lexicon@")
    assert (third["label"], third["score"], third["words"]) == ("unclear", "", "")
    assert "Seen today" not in (tmp_path / "labels.csv").read_text("utf-8")


def test_the_last_note_of_each_person(notes, tmp_path):
    assert run(notes, "--last", "--out", tmp_path / "labels.csv").exit_code == 0
    assert [(r["person"], r["label"]) for r in rows(tmp_path / "labels.csv")] == [
        ("anna", "improved"),
        ("ben", "unclear"),
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"", "lacks person, note", id="empty"),
        pytest.param(b"person;note\na;b\n", "separated by commas; it lacks person, note", id="semicolons"),
        pytest.param(b"person,text\na,b\n", "lacks note", id="no-note-column"),
        pytest.param(b"person,note\n", "holds no notes", id="header-only"),
        pytest.param(b"person,note\na,b,c\n", "line 2: the row has more or fewer cells", id="more-cells"),
        pytest.param(b"person,date,note\na,2026-01-01\n", "line 2: the row has more or fewer cells", id="fewer-cells"),
        pytest.param(b"person,note\n ,better\n", "line 2: person is empty", id="nobody"),
        pytest.param(b"person,note,date\na,better,5.1.2026\n", "line 2: date must read YYYY-MM-DD", id="date"),
        pytest.param(b'person,note\na,"better\n', "after line 1: unexpected end", id="open-quote"),
        pytest.param(b"person,note\na,b\xe4\n", "must be UTF-8", id="latin-1"),
    ],
)
def test_bad_tables_are_refused_with_their_line(tmp_path, content, error):
    (tmp_path / "notes.csv").write_bytes(content)
    done = run(tmp_path / "notes.csv", "--out", tmp_path / "labels.csv")
    assert done.exit_code == 2
    assert error in " ".join(done.stderr.split())
    assert not (tmp_path / "labels.csv").exists()


def test_the_last_note_needs_dates(tmp_path):
    (tmp_path / "notes.csv").write_text("person,note\na,better\n")
    assert "needs a date" in run(tmp_path / "notes.csv", "--last").stderr
    assert "cannot be read" in run(tmp_path / "none.csv").stderr
