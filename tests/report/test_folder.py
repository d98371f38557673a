import pytest

from builders import make_analysis
from comedo.errors import ComedoError, UnusableInput
from comedo.report.folder import ResultFolder
from comedo.report.tables import to_document

FIRST, SECOND = "1" * 64, "2" * 64


def save(folder, stem="a", sha256=FIRST, mask=b"mask"):
    document = to_document(make_analysis(photo_sha256=sha256))
    return folder.save_photo(stem, document, overlay_png=b"overlay", mask_png=mask).name


def names(path):
    return sorted(p.name for p in path.iterdir())


def test_a_photo_gets_its_three_files(tmp_path):
    assert save(ResultFolder(tmp_path / "new" / "out")) == "a.json"
    assert names(tmp_path / "new" / "out") == ["a.json", "a.mask.png", "a.overlay.png"]


def test_the_same_photo_again_replaces_its_own_files(tmp_path):
    save(ResultFolder(tmp_path))
    assert save(ResultFolder(tmp_path), mask=b"newer") == "a.json"
    assert (tmp_path / "a.mask.png").read_bytes() == b"newer"
    assert len(names(tmp_path)) == 3


@pytest.mark.parametrize("same_run", [True, False])
def test_another_photo_of_that_name_gets_a_number(tmp_path, same_run):
    folder = ResultFolder(tmp_path)
    save(folder)
    assert save(folder if same_run else ResultFolder(tmp_path), sha256=SECOND) == "a-2.json"
    assert save(ResultFolder(tmp_path), sha256=SECOND) == "a-2.json", "and finds it again"
    assert len(names(tmp_path)) == 6


def test_names_that_differ_only_in_case_are_the_same_on_some_disks(tmp_path):
    folder = ResultFolder(tmp_path)
    save(folder, "A")
    assert save(folder, "a", SECOND) == "a-2.json"


@pytest.mark.parametrize("name", ["a.json", "a.overlay.png", "a.mask.png"])
@pytest.mark.parametrize("content", [b"mine", b"{}", b'{"schema": "comedo.analysis/1"}', b"\xff\x00"])
def test_a_file_that_is_not_ours_is_left_alone(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert save(ResultFolder(tmp_path)) == "a-2.json"
    assert (tmp_path / name).read_bytes() == content


def test_reports_of_other_photos_are_kept(tmp_path):
    first, second = (to_document(make_analysis(photo_sha256=sha)) for sha in (FIRST, SECOND))
    for documents in ([first], [second], [first]):
        ResultFolder(tmp_path).save_report(documents, ["<p>"])
    assert names(tmp_path) == ["report-2.html", "report.html"]
    written = ResultFolder(tmp_path).save_report([second, first], [])
    assert [p.name for p in written] == ["report-3.html", "results-3.csv"]


def test_a_sheet_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "results.csv").write_text("mine")
    document = to_document(make_analysis())
    ResultFolder(tmp_path).save_report([document, document], [])
    assert names(tmp_path) == ["report-2.html", "results-2.csv", "results.csv"]


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    document = to_document(make_analysis())
    ResultFolder(tmp_path).save_report([document], ["first"])
    before = (tmp_path / "report.html").read_bytes()

    def sections():
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(ComedoError, match="No space left"):
        ResultFolder(tmp_path).save_report([document], sections())
    assert (tmp_path / "report.html").read_bytes() == before
    assert names(tmp_path) == ["report.html"]


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "out").write_text("")
    for place in ("out", "out/inside"):
        with pytest.raises(UnusableInput, match="out is a file where a folder is wanted"):
            ResultFolder(tmp_path / place)
