"""What each sealed value is sealed for: the id of its row, and the name of its column where the row has another one."""

from __future__ import annotations

_SECOND = frozenset({("analysis", "mask"), ("analysis", "faint"), ("treatment", "note")})


def about(table: str, column: str, row: str) -> str:
    """What the value in a column of the row with this id is sealed for."""
    return f"{row}/{column}" if (table, column) in _SECOND else row


def mask_about(analysis: str) -> str:
    """What the mask of an analysis is sealed for."""
    return about("analysis", "mask", analysis)


def faint_about(analysis: str) -> str:
    """What the faint lesions of an analysis are sealed for."""
    return about("analysis", "faint", analysis)


def treatment_note_about(treatment: str) -> str:
    """What the note on a treatment is sealed for."""
    return about("treatment", "note", treatment)
