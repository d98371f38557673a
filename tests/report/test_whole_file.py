"""Files that are there whole or not at all."""

from __future__ import annotations

import pytest

from comedo.report.whole_file import write_whole


def test_a_file_is_replaced_and_no_draft_stays(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    assert write_whole(path, [b"one ", b"two"]) == path
    assert path.read_bytes() == b"one two"
    assert list(tmp_path.iterdir()) == [path]


def test_what_breaks_off_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def pieces():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, pieces())
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_two_that_write_one_file_at_once_do_not_mix(tmp_path):
    """One process number and one thread stand for two machines that share a folder and happen to number alike."""
    path = tmp_path / "a.txt"

    def pieces():
        yield b"first, "
        write_whole(path, [b"another"])
        assert path.read_bytes() == b"another"
        yield b"whole"

    write_whole(path, pieces())
    assert path.read_bytes() == b"first, whole"
    assert list(tmp_path.iterdir()) == [path]
