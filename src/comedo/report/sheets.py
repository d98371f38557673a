"""Analyses as CSV for a spreadsheet: one row a photo, or one row a lesion. An empty cell is unknown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from comedo.report.document import Document, ErrorDocument, GradesPart, LesionPart, PhotoPart
from comedo.types import Group, Kind, Region

SCALES = tuple(GradesPart.model_fields)
Cell = str | float | int | bool | None
_FORMULA_STARTS = tuple("=+-@|%＝＋－＠")

RESULT_COLUMNS = (
    "photo",
    "sha256",
    "width",
    "height",
    "quality",
    "convention",
    "total",
    "total_low_90",
    "total_high_90",
    *(f"{group}" for group in Group),
    *(f"{kind}" for kind in Kind if kind is not Kind.MARK),
    *(f"region_{region}" for region in Region),
    "lesion_px",
    "skin_px",
    "coverage",
    "mm_per_px",
    "yaw_deg",
    "roll_deg",
    "severity",
    "severity_level",
    "severity_low_90",
    "severity_high_90",
    "acne_probability",
    "acne_affected",
    *(scale for scale in SCALES if scale not in ("severity", "acne")),
    "models",
    "notices",
    "error_code",
    "error_message",
)

LESION_COLUMNS = (
    "photo",
    "sha256",
    "id",
    "x",
    "y",
    "box_x0",
    "box_y0",
    "box_x1",
    "box_y1",
    "diameter_px",
    "diameter_mm",
    "area_px",
    "score",
    "group",
    "kind",
    "region",
    "redness",
)


def results_csv(documents: Iterable[Document | ErrorDocument]) -> str:
    """One row a photo, failed ones too; an empty cell is unknown."""
    return to_csv(RESULT_COLUMNS, (result_row(d) for d in documents))


def lesions_csv(documents: Iterable[Document]) -> str:
    """One row a lesion."""
    return to_csv(LESION_COLUMNS, (_lesion_row(d.photo, lesion) for d in documents for lesion in d.lesions))


def result_row(document: Document | ErrorDocument) -> dict[str, Cell]:
    """The cells of one photo's row that are known."""
    if isinstance(document, ErrorDocument):
        name = document.photo.name if document.photo else None
        return {"photo": name, "error_code": document.code, "error_message": document.message}
    photo, face, counts, coverage = document.photo, document.face, document.counts, document.coverage
    row: dict[str, Cell] = {
        "photo": photo.name,
        "sha256": photo.sha256,
        "width": photo.width,
        "height": photo.height,
        "quality": document.quality.verdict,
        "convention": counts.convention,
        "total": counts.total,
        "total_low_90": counts.interval_90[0],
        "total_high_90": counts.interval_90[1],
        "lesion_px": coverage.lesion_px,
        "skin_px": coverage.skin_px,
        "coverage": coverage.fraction,
        "mm_per_px": face.mm_per_px,
        "yaw_deg": face.yaw_deg,
        "roll_deg": face.roll_deg,
        "models": " ".join(document.models),
        "notices": "; ".join(document.notices),
    }
    row |= {str(kind): n for kind, n in counts.by_kind.items() if kind is not Kind.MARK}
    row |= {str(group): n for group, n in counts.by_group.items()}
    row |= {f"region_{region}": n for region, n in counts.by_region.items()}
    return row | _grade_cells(document.grades)


def _grade_cells(grades: GradesPart) -> dict[str, Cell]:
    cells: dict[str, Cell] = {name: grade.value for name, grade in grades.scales().items() if name in SCALES}
    if grades.severity is not None:
        low, high = grades.severity.interval_90 or (None, None)
        cells |= {"severity_level": grades.severity.level, "severity_low_90": low, "severity_high_90": high}
    if grades.acne is not None:
        cells |= {"acne_probability": grades.acne.probability, "acne_affected": grades.acne.affected}
    return cells


def _lesion_row(photo: PhotoPart, lesion: LesionPart) -> dict[str, Cell]:
    x0, y0, x1, y1 = lesion.box_xyxy
    row: dict[str, Cell] = {name: getattr(lesion, name) for name in LESION_COLUMNS if name in LesionPart.model_fields}
    row |= {"photo": photo.name, "sha256": photo.sha256, "x": lesion.center_xy[0], "y": lesion.center_xy[1]}
    return row | {"box_x0": x0, "box_y0": y0, "box_x1": x1, "box_y1": y1}


def to_csv(columns: tuple[str, ...], rows: Iterable[Mapping[str, Cell]]) -> str:
    """A table as text; no cell of it is run as a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def safe_cell(value: Cell) -> Cell:
    """Keep a spreadsheet from running a text as a formula (OWASP, CSV injection); numbers stay as they are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    text = value.replace("\r", " ").replace("\0", " ")  # which readers take for the end of a row or of the file
    return "'" + text if text.lstrip()[:1] in _FORMULA_STARTS else text
