"""Against moto's server: its DetectSentiment checks what it is sent and always answers NEUTRAL."""

import pytest

pytest.importorskip("moto.server", reason="needs moto[server]")

from typer.testing import CliRunner

from comedo.training.cli import app
from comedo.training.notes.comprehend import CloudRefused, open_comprehend, to_reading
from comedo.training.notes.score import Course
from comedo.training.notes.table import Note


@pytest.fixture(scope="module")
def endpoint():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")


def test_the_service_is_asked_and_answers(endpoint):
    found = open_comprehend("eu-central-1", endpoint)(Note("anna", "Much better.", None, 2))
    assert found.course is Course.UNCLEAR  # a neutral tone
    assert found.score == pytest.approx(0.0081 - 0.0003, abs=1e-4)
    assert found.words == ()


def test_what_the_service_refuses_is_said(endpoint):
    with pytest.raises(CloudRefused, match="no answer"):
        open_comprehend("eu-central-1", "http://127.0.0.1:9")(Note("anna", "Better.", None, 2))
    with pytest.raises(CloudRefused, match="region"):
        open_comprehend("not a region")


def test_long_and_empty_notes_are_not_sent():
    ask = open_comprehend("eu-central-1", "http://127.0.0.1:9")
    assert ask(Note("anna", "", None, 2)).course is Course.UNCLEAR
    with pytest.raises(Exception, match="line 7: the note has 5,002 bytes"):
        ask(Note("anna", "ä" * 2501, None, 7))


@pytest.mark.parametrize(
    ("sentiment", "course"),
    [("POSITIVE", "improved"), ("NEGATIVE", "worse"), ("NEUTRAL", "unclear"), ("MIXED", "unclear")],
)
def test_tones_become_courses(sentiment, course):
    scores = {"Positive": 0.75, "Negative": 0.25, "Neutral": 0.0, "Mixed": 0.0}
    found = to_reading({"Sentiment": sentiment, "SentimentScore": scores})
    assert (found.course, found.score) == (course, 0.5)


def test_the_command_says_what_it_sends(endpoint, tmp_path):
    notes = tmp_path / "notes.csv"
    notes.write_text("person,note\nanna,Much better.\n")
    labels = tmp_path / "labels.csv"
    call = ["data", "label-notes", str(notes), "--by", "comprehend", "--out", str(labels)]
    assert "needs --region" in CliRunner().invoke(app, call).stderr
    done = CliRunner().invoke(app, [*call, "--region", "eu-central-1", "--endpoint", endpoint])
    assert done.exit_code == 0, done.output
    assert f"sending 1 notes to {endpoint}" in done.stderr
    assert labels.read_text().splitlines()[1] == "anna,,2,unclear,0.0078,,comprehend@eu-central-1"
