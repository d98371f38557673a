"""Reports of one analysis: PDF, FHIR, DICOM, CSV and JSON, made by the code that the commands use."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comedo.report.case import Case
from comedo.service.accounts.access import see
from comedo.service.accounts.actor import Actor
from comedo.service.actions.corrections import case_after
from comedo.service.actions.guidance import get_advice
from comedo.service.actions.series import get_change
from comedo.service.actions.stored import as_file, case_of
from comedo.service.actions.views import AdviceView, ChangeView
from comedo.service.database.tables import Analysis
from comedo.service.parts import Parts
from comedo.service.problems import Problem


@dataclass(frozen=True)
class Options:
    """What a report shows."""

    correction: str | None = None
    without_photo: bool = False
    mask_eyes: bool = False
    advice: str | None = None  # PDF: printed with its sources
    change: str | None = None  # PDF: since the baseline


@dataclass(frozen=True, repr=False)
class File:
    """A file to be saved."""

    name: str
    media_type: str
    data: bytes


def make(parts: Parts, actor: Actor, analysis: str, kind: str, options: Options = Options()) -> File:
    """Make one report.

    Raises:
        Problem: There is no such analysis, correction, advice or change.
        UnusableInput: The photo is wanted and gone, or its eyes cannot be masked.
        MissingExtra: The server lacks a package.
    """
    row = see(parts, actor, Analysis, analysis, f"report.{kind}")
    with parts.database.read() as session:
        case = case_of(parts, session, row, with_photo=not options.without_photo)
        if options.correction is not None:
            case = case_after(parts, session, case, row.id, options.correction)
    extras = _extras(parts, actor, row, options)
    return _MAKERS[kind](case, options, extras)


def _extras(parts: Parts, actor: Actor, row: Analysis, options: Options) -> Mapping[str, dict[str, Any]]:
    """Documents that are printed along; they must be of the same person."""
    found: dict[str, AdviceView | ChangeView] = {}
    if options.advice is not None:
        found["advice"] = get_advice(parts, actor, options.advice)
    if options.change is not None:
        found["change"] = get_change(parts, actor, options.change)
    for name, one in found.items():
        if one.owner != row.owner:
            raise Problem("invalid", f"{name} is another person's", fields={name: "is another person's"})
    return {name: one.document for name, one in found.items()}


def _pdf(case: Case, options: Options, extras: Mapping[str, dict[str, Any]]) -> File:
    from comedo.report.extras import to_guidance, to_since
    from comedo.report.pdf import PdfOptions, report_pdf

    files = {name: json.dumps(document).encode() for name, document in extras.items()}
    guidance = to_guidance(files["advice"], case.document.photo.sha256) if "advice" in files else None
    language = "en" if guidance is None else guidance.language
    since = to_since(files["change"], language=language) if "change" in files else None
    shown = PdfOptions(without_photo=options.without_photo, mask_eyes=options.mask_eyes, guidance=guidance, since=since)
    return File("comedo-report.pdf", "application/pdf", report_pdf(case, shown))


def _fhir(case: Case, options: Options, extras: Mapping[str, dict[str, Any]]) -> File:
    from comedo.exchange.fhir import FhirOptions, fhir_bundle, fhir_json
    from comedo.exchange.fhir_check import check

    shown = FhirOptions(
        without_photo=options.without_photo,
        mask_eyes=options.mask_eyes,
        pdf=_pdf(case, options, extras).data,
        pdf_language=extras.get("advice", {}).get("language", "en"),
    )
    bundle = fhir_bundle(case, shown)
    check(bundle)
    return File("comedo-fhir.json", "application/fhir+json", fhir_json(bundle))


def _dicom(case: Case, options: Options, _: Mapping[str, dict[str, Any]]) -> File:
    from comedo.exchange.dicom import DicomOptions, write_dicom

    if options.mask_eyes or options.without_photo:
        wish = "mask_eyes" if options.mask_eyes else "without_photo"
        raise Problem(
            "invalid", "DICOM holds the photo as it is; take the PDF or FHIR", fields={wish: "not with dicom"}
        )

    with tempfile.TemporaryDirectory(prefix="comedo-") as folder:
        paths = write_dicom(case, Path(folder), DicomOptions())
        return File("comedo-dicom.zip", "application/zip", zipped({path.name: path.read_bytes() for path in paths}))


def _csv(case: Case, _: Options, __: Mapping[str, dict[str, Any]]) -> File:
    from comedo.exchange.spreadsheet import csv_files

    return File("comedo-csv.zip", "application/zip", zipped(csv_files([case])))


def _json(case: Case, _: Options, __: Mapping[str, dict[str, Any]]) -> File:
    return File("comedo-analysis.json", "application/json", as_file(case.document))


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files in one archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


_MAKERS: Mapping[str, Callable[[Case, Options, Mapping[str, dict[str, Any]]], File]] = {
    "pdf": _pdf,
    "fhir": _fhir,
    "dicom": _dicom,
    "csv": _csv,
    "json": _json,
}
KINDS = tuple(_MAKERS)
