"""`comedo report`, `comedo review` and `comedo export`: thin, and light to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comedo.errors import UnusableInput
from comedo.report.whole_file import unwritable, write_whole

if TYPE_CHECKING:
    from comedo.report.case import Case

Analysis = Annotated[Path, typer.Argument(metavar="ANALYSIS.json", help="What analyze wrote; - is standard input.")]
Analyses = Annotated[list[Path], typer.Argument(metavar="ANALYSIS.json...", help="JSON files of comedo analyze.")]
PhotoFile = Annotated[Path | None, typer.Option("--photo", help="The photo that was analysed; its hash is compared.")]
Reviewed = Annotated[bool, typer.Option("--reviewed", help="Show the last review beside the analysis, not comedo's.")]
WithoutPhoto = Annotated[bool, typer.Option("--without-photo", help="Leave the photo out.")]
MaskEyes = Annotated[bool, typer.Option("--mask-eyes", help="Lay a bar over the eyes.")]
MadeAt = Annotated[str | None, typer.Option("--date", metavar="ISO", help="Date of the document; by default now.")]
TakenAt = Annotated[str | None, typer.Option("--taken", metavar="ISO", help="When the photo was taken.")]


class Split(StrEnum):
    """Side of the training split."""

    TRAIN = "train"
    VAL = "val"


class PhotoAs(StrEnum):
    """FHIR resource of the photo."""

    MEDIA = "media"
    DOCUMENT_REFERENCE = "document-reference"


export = typer.Typer(name="export", no_args_is_help=True, help="Write FHIR, DICOM, COCO or CSV (extra: clinical).")


def register(app: typer.Typer) -> None:
    """Add the commands to comedo's."""
    app.command()(report)
    app.command()(review)
    app.add_typer(export)


def report(
    analysis: Analysis,
    photo: PhotoFile = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The PDF; by default NAME.pdf beside it.")] = None,
    without_photo: WithoutPhoto = False,
    mask_eyes: MaskEyes = False,
    advice: Annotated[Path | None, typer.Option(help="Guidance of this analysis (comedo.advice/1).")] = None,
    change: Annotated[Path | None, typer.Option(help="Change since the baseline (comedo.change/1).")] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="en or de; by default the advice's.")] = None,
    reviewed: Reviewed = False,
    date: MadeAt = None,
) -> None:
    """Write one or two A4 pages with every number and where it comes from (extra: clinical).

    With --date the same input gives the same bytes.
    """
    from comedo.report.change_file import read_change
    from comedo.report.extras import read_advice, since_baseline
    from comedo.report.pdf import PdfOptions, report_pdf
    from comedo.report.written import is_stdin

    if out is None and is_stdin(analysis):
        raise UnusableInput("an analysis from standard input has no name for its PDF; give one with --out")
    case = _case(analysis, photo, reviewed=reviewed)
    photo_sha256 = case.document.photo.sha256
    options = PdfOptions(
        without_photo=without_photo,
        mask_eyes=mask_eyes,
        made_at=_moment(date, "--date"),
        guidance=None if advice is None else read_advice(advice, photo_sha256),
        language=language,
    )
    if change is not None:
        since = since_baseline(read_change(change, photo_sha256), options.texts.language)
        options = replace(options, since=since)
    _write({out or analysis.with_suffix(".pdf"): report_pdf(case, options)}, (analysis, photo, advice, change))


def review(
    analysis: Analysis,
    corrections: Annotated[Path, typer.Option(help="What the reader says (comedo.corrections/1).")],
    mask: Annotated[Path | None, typer.Option(help="The lesion mask; by default NAME.mask.png beside it.")] = None,
) -> None:
    """Apply a reader's corrections: NAME.review.json beside the analysis, which stays as it is.

    The review of an analysis from standard input goes to standard output.
    """
    from comedo.report.case import load_case
    from comedo.report.written import is_stdin
    from comedo.review.corrections import read_corrections
    from comedo.review.document import review_json
    from comedo.review.run import review as run
    from comedo.review.store import save_review

    done = run(load_case(analysis, mask=mask), read_corrections(corrections))
    piped = is_stdin(analysis)
    typer.echo(review_json(done).encode() if piped else f"written: {save_review(done, analysis)}")
    for change in done.changes:
        typer.echo(f"{change.what}: {_shown(change.before)} -> {_shown(change.after)}", err=piped)
    for notice in done.notices:
        typer.echo(f"note: {notice}", err=True)


@export.command()
def fhir(
    analysis: Analysis,
    out: Annotated[Path, typer.Option("--out", "-o", help="The Bundle, a JSON file.")],
    photo: PhotoFile = None,
    patient: Annotated[str | None, typer.Option(help="Patient/ID, or SYSTEM|VALUE for the server to look up.")] = None,
    photo_as: Annotated[PhotoAs, typer.Option(help="Resource of the photo; R5 servers want a DocumentReference.")] = (
        PhotoAs.MEDIA
    ),
    without_photo: WithoutPhoto = False,
    mask_eyes: MaskEyes = False,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Put the PDF report inside.")] = True,
    code_system: Annotated[Path | None, typer.Option(help="Write comedo's CodeSystem here, for the server.")] = None,
    reviewed: Reviewed = False,
    date: MadeAt = None,
    taken: TakenAt = None,
) -> None:
    """Write a FHIR R4 transaction Bundle: preliminary Observations, never a Condition."""
    import comedo.exchange.fhir as writer
    from comedo.exchange.codes import code_system as codes
    from comedo.exchange.fhir_check import check
    from comedo.report.pdf import PdfOptions, report_pdf

    case, made_at = _case(analysis, photo, reviewed=reviewed), _moment(date, "--date")
    shown = PdfOptions(without_photo=without_photo, mask_eyes=mask_eyes, made_at=made_at)
    options = writer.FhirOptions(
        patient=patient,
        photo_as=writer.PhotoAs(photo_as),
        without_photo=without_photo,
        mask_eyes=mask_eyes,
        pdf=report_pdf(case, shown) if pdf else None,
        made_at=made_at,
        taken_at=_moment(taken, "--taken"),
    )
    bundle = writer.fhir_bundle(case, options)
    check(bundle)
    files = {out: writer.fhir_json(bundle)}
    if code_system is not None:
        files[code_system] = writer.fhir_json(codes())
    _write(files, (analysis, photo))


@export.command()
def dicom(
    analysis: Analysis,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the files.")],
    photo: Annotated[Path, typer.Option(help="The photo that was analysed; its hash is compared.")],
    patient_id: Annotated[str, typer.Option(help="Patient ID; by default empty.")] = "",
    patient_name: Annotated[str, typer.Option(help="Patient's name as DICOM writes it: Family^Given.")] = "",
    study_uid: Annotated[str | None, typer.Option(help="Study to add to; by default a new one.")] = None,
    jpeg: Annotated[bool, typer.Option("--jpeg", help="The photo as JPEG: smaller, read by fewer.")] = False,
    labelmap: Annotated[bool, typer.Option("--labelmap", help="The masks as a label map, read by few.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also the drawn overlay, as Secondary Capture.")] = False,
    reviewed: Reviewed = False,
    date: MadeAt = None,
    taken: TakenAt = None,
) -> None:
    """Write the photo (VL Photographic), its masks (SEG) and its lesions and counts (SR, TID 1500)."""
    from comedo.exchange.dicom import DicomOptions, write_dicom

    options = DicomOptions(
        patient_id=patient_id,
        patient_name=patient_name,
        study_uid=study_uid,
        made_at=_moment(date, "--date"),
        taken_at=_moment(taken, "--taken"),
        jpeg=jpeg,
        labelmap=labelmap,
        overlay=overlay,
    )
    for path in write_dicom(_case(analysis, photo, reviewed=reviewed), out, options):
        typer.echo(f"written: {path}")


@export.command()
def coco(
    analyses: Analyses,
    out: Annotated[Path, typer.Option("--out", "-o", help="The COCO file.")],
    split: Annotated[Split, typer.Option(help="Side of the training split that the photos are on.")] = Split.TRAIN,
    person: Annotated[str | None, typer.Option(help="Whose photos they are; by default each its own person.")] = None,
    reviewed: Reviewed = False,
) -> None:
    """Write lesions as COCO: for annotation programs, and after a complete review for training."""
    from comedo.exchange.coco import CocoPhoto, coco_json

    photos = [CocoPhoto(_case(path, None, reviewed=reviewed), split, person) for path in analyses]
    _write({out: coco_json(photos)}, tuple(analyses))


@export.command()
def csv(
    analyses: Analyses,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of results.csv and lesions.csv.")],
    reviewed: Reviewed = False,
) -> None:
    """Write one row a photo and one row a lesion."""
    from comedo.exchange.spreadsheet import csv_files

    files = csv_files([_case(path, None, reviewed=reviewed) for path in analyses])
    _write({out / name: data for name, data in files.items()}, tuple(analyses))


def _case(analysis: Path, photo: Path | None, *, reviewed: bool) -> Case:
    from comedo.report.case import load_case
    from comedo.review.store import load_reviewed

    return load_reviewed(analysis, photo=photo) if reviewed else load_case(analysis, photo=photo)


def _moment(text: str | None, option: str) -> datetime | None:
    """A date or moment; without a zone it is local time."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise UnusableInput(f"{option} must be a date like 2026-11-20 or 2026-11-20T09:30Z, got {text!r}") from error


def _write(files: Mapping[Path, bytes], inputs: tuple[Path | None, ...]) -> None:
    """Write files whole; none of them may be an input."""
    for path, data in files.items():
        if any(given is not None and path.exists() and given.exists() and path.samefile(given) for given in inputs):
            raise UnusableInput(f"--out names {path}, which is read here; choose another name")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, [data])
        except OSError as error:
            raise unwritable(path, error) from error
        typer.echo(f"written: {path}")


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)
