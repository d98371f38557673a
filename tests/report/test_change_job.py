import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from change_builders import skin_photo
from comedo import cli
from comedo.errors import NoFaceFound, UnusableInput
from comedo.report.change_job import ChangeJob
from drawn_analyzer import DrawnAnalyzer


@pytest.fixture
def photos(tmp_path):
    """Twenty lesions in January, none in March."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for n, name in enumerate(("20-2026-01-05.png", "0-2026-03-30.png")):
        picture = skin_photo(1)
        picture[0, 0] = n  # not the same file twice
        cv2.imwrite(str(folder / name), picture[..., ::-1])
    return folder


def run(photos, out, **more):
    return ChangeJob([photos], None, out, as_json=out is None, workers=1, **more).run(DrawnAnalyzer())


def test_files_and_answer(photos, tmp_path, capsys):
    assert run(photos, tmp_path / "out") == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["change.html", "change.json", "ledger.csv"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Better after 84 days: 20 active lesions then, 0 now")
    assert len(lines) == 4
    data = json.loads((tmp_path / "out" / "change.json").read_text("utf-8"))
    assert [p["name"] for p in data["photos"]] == ["20-2026-01-05.png", "0-2026-03-30.png"]
    assert {t["history"][-1]["state"] for t in data["ledger"]} == {"resolved"}


def test_json_alone_goes_to_stdout_and_a_photo_without_a_face_to_stderr(photos, capsys):
    cv2.imwrite(str(photos / "0-2026-02-01.png"), np.zeros((640, 480, 3), np.uint8))
    assert run(photos, None) == 3
    shown = capsys.readouterr()
    assert json.loads(shown.out)["left_out"][0]["name"] == "0-2026-02-01.png"
    assert "no face" in shown.err


def test_the_exit_code_is_the_worst(photos, capsys):
    (photos / "5-2026-02-02.png").write_bytes(b"no picture")
    assert run(photos, None) == 2
    cv2.imwrite(str(photos / "0-2026-02-01.png"), np.zeros((640, 480, 3), np.uint8))
    assert run(photos, None) == 3
    codes = [item["code"] for item in json.loads(capsys.readouterr().out.splitlines()[-1])["left_out"]]
    assert codes == ["no_face", "unsupported_format"]


def test_nothing_usable_is_an_error_document(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "0-2026-02-01.png"), np.zeros((640, 480, 3), np.uint8))
    with pytest.raises(NoFaceFound):
        run(tmp_path, None)
    assert json.loads(capsys.readouterr().out)["schema"] == "comedo.error/1"


def test_wrong_dates_end_before_anything_is_analysed(photos):
    with pytest.raises(UnusableInput, match="no date in the exif"):
        ChangeJob([photos], "exif", None, as_json=True).run(DrawnAnalyzer())


def test_the_command_explains_itself():
    shown = CliRunner().invoke(cli.app, ["track", "--help"])
    assert shown.exit_code == 0
    assert "--treatment-start" in shown.output
