"""The demo's store is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from comedo.errors import UnusableInput
from comedo.service.demo.__main__ import whole_or_not_at_all


@pytest.mark.parametrize("there", [False, True], ids=["absent", "empty"])
def test_a_filled_folder_takes_its_place(tmp_path: Path, there: bool) -> None:
    place = tmp_path / "demo"
    if there:
        place.mkdir()
    with whole_or_not_at_all(place) as beside:
        (beside / "comedo.sqlite").write_text("rows")
        assert not (place / "comedo.sqlite").exists()
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "demo",
        "demo/comedo.sqlite",
    ]


def test_an_interrupted_run_leaves_no_store_and_the_next_begins_anew(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    with pytest.raises(KeyboardInterrupt):
        fill_half(place)
    assert not place.exists()
    with whole_or_not_at_all(place) as beside:
        assert list(beside.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def fill_half(place: Path) -> None:
    with whole_or_not_at_all(place) as beside:
        (beside / "half").write_text("rows")
        raise KeyboardInterrupt


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(UnusableInput, match="holds something already"), whole_or_not_at_all(tmp_path):
        pass
    assert (tmp_path / "mine").read_text() == "kept"
