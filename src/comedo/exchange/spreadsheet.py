"""Analyses as two CSV tables: one row a photo, one row a lesion."""

from __future__ import annotations

from collections.abc import Sequence

from comedo.report.case import Case
from comedo.report.sheets import RESULT_COLUMNS, Cell, lesions_csv, result_row, to_csv


def csv_files(cases: Sequence[Case]) -> dict[str, bytes]:
    """Name and content of each table."""
    lesions = lesions_csv(case.document for case in cases)
    results = to_csv(RESULT_COLUMNS, (_row(case) for case in cases))
    return {"results.csv": results.encode("utf-8", "replace"), "lesions.csv": lesions.encode("utf-8", "replace")}


def _row(case: Case) -> dict[str, Cell]:
    row = result_row(case.document)
    return row if case.count_interval is not None else row | {"total_low_90": None, "total_high_90": None}
