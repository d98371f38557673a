"""The report as one HTML file for one or many photos: opens anywhere, loads nothing, prints well.

The page is made of strings, photo by photo, so that a caller with many photos never holds them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from comedo.report.document import AcnePart, Document, ErrorDocument, GradePart, QualityPart
from comedo.report.look import CLAIM, GROUPS, KIND_NAMES, REGION_NAMES, SCALE_NAMES, in_words
from comedo.report.markup import UNKNOWN, interval, items, number, page, picture, table
from comedo.types import Group, Region

PHOTOS_META = "comedo-photos"

Entry = Document | ErrorDocument


def report_html(entries: Sequence[tuple[Entry, bytes | None]]) -> str:
    """The whole report; each entry is a document and its overlay as JPEG (None: no picture)."""
    documents = [document for document, _ in entries]
    only = len(entries) == 1
    sections = (photo_section(d, n, overlay_jpeg=jpeg, only=only) for n, (d, jpeg) in enumerate(entries, 1))
    return "".join(report_pieces(documents, sections))


def report_pieces(documents: Sequence[Entry], sections: Iterable[str]) -> Iterator[str]:
    """The report in pieces: head and overview first, then the sections as they come."""

    def body() -> Iterator[str]:
        yield "<header><h1>Acne measurements</h1>\n<p>by comedo, from photos, on this computer</p></header>\n<main>\n"
        yield f'<p class="claim">{escape(CLAIM)} If your skin worries you, see a doctor.</p>\n'
        if len(documents) > 1:
            yield _overview(documents)
        yield from sections
        yield "</main>\n" + _reading()

    yield from page("Acne measurements", body(), meta={"generator": "comedo", PHOTOS_META: photos_digest(documents)})


def photos_digest(documents: Iterable[Entry]) -> str:
    """One hash for the photos of a report, in any order: a later report of the same photos may replace it."""
    keys = sorted(d.photo.sha256 if isinstance(d, Document) else f"{d.code} {d.photo}" for d in documents)
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def photo_section(document: Entry, n: int, *, overlay_jpeg: bytes | None, only: bool = False) -> str:
    """Everything about one photo, or why it could not be analysed."""
    opening = f'<article id="photo-{n}"{" class=only" if only else ""}>\n<h2>{escape(_name(document))}</h2>\n'
    if isinstance(document, ErrorDocument):
        what = f"Not analysed: {document.message}"
        return f'{opening}<p class="verdict poor">{escape(what)}</p>\n</article>\n'
    parts = (
        opening,
        _quality(document.quality),
        _key_numbers(document),
        _overlay(document, overlay_jpeg),
        items(document.notices),
        "<h3>Counts</h3>\n",
        _counts(document),
        "<h3>Scales</h3>\n",
        _scales(document),
        "<h3>Lesions</h3>\n",
        _lesions(document, folded=not only),
        _origin(document),
        "</article>\n",
    )
    return "".join(parts)


def _overview(documents: Sequence[Entry]) -> str:
    def row(document: Entry) -> tuple[str | float | int | None, ...]:
        if isinstance(document, ErrorDocument):
            return (
                document.photo.name if document.photo else "Photo",
                f"not analysed: {document.code}",
                None,
                None,
                None,
            )
        severity, counts = document.grades.severity, document.counts
        level = severity.level if severity else None
        quality = str(document.quality.verdict)
        return document.photo.name, quality, counts.total, interval(counts.interval_90), level

    heads = ("Photo", "Quality", "Active lesions", "90 % interval", "Severity")
    links = "".join(f'<li><a href="#photo-{n}">{escape(_name(d))}</a></li>' for n, d in enumerate(documents, 1))
    overview = table("All photos", heads, map(row, documents), numbers=(2, 3))
    jump = f'<nav aria-label="Photos"><details><summary>Go to a photo</summary><ol>{links}</ol></details></nav>\n'
    return f"<h2>Overview</h2>\n{overview}{jump}"


def _name(document: Entry) -> str:
    return document.photo.name if document.photo else "Photo"


def _quality(quality: QualityPart) -> str:
    words = {
        "good": "good",
        "fair": "fair: the numbers are less certain",
        "poor": "poor: the numbers are not reliable",
    }[quality.verdict]
    advice = items(c.advice for c in quality.checks if not c.ok and c.advice)
    rows = ((in_words(c.name), c.value, c.limit, "passed" if c.ok else "not passed") for c in quality.checks)
    checks = table("Each check with its limit", ("Check", "Measured", "Limit", "Result"), rows, numbers=(1, 2))
    verdict = f'<p class="verdict {quality.verdict}">Photo quality: {words}</p>\n'
    return f"{verdict}{advice}<details><summary>Quality checks</summary>{checks}</details>\n"


def _key_numbers(document: Document) -> str:
    counts, severity, acne = document.counts, document.grades.severity, document.grades.acne
    shown = [(str(counts.total), f"active lesions, likely {interval(counts.interval_90)}")]
    if severity is not None and severity.value is not None:
        likely = f", likely {interval(severity.interval_90)}" if severity.interval_90 else ""
        shown.append((severity.level or number(severity.value), f"severity {number(severity.value)} of 5{likely}"))
    if acne is not None and acne.affected is not None:
        shown.append((number(acne.affected).capitalize(), f"affected by acne, probability {number(acne.probability)}"))
    if document.coverage.fraction is not None:
        shown.append((f"{document.coverage.fraction:.2%}", "of the visible skin under active lesions"))
    cells = "".join(f"<li><b>{escape(big)}</b><span>{escape(small)}</span></li>" for big, small in shown)
    return f'<ul class="numbers">{cells}</ul>\n'


def _overlay(document: Document, jpeg: bytes | None) -> str:
    if jpeg is None:
        return ""
    groups = ", ".join(f"{n} {GROUPS[group].name.lower()}" for group, n in _group_counts(document).items())
    alt = f"The face with every lesion outlined: {groups}. The tables below give the same in words."
    legend = ", ".join(f"{look.letter} and a {look.shape.value}: {look.name.lower()}" for look in GROUPS.values())
    return picture(jpeg, alt, f"{legend[0].upper()}{legend[1:]}.")


def _counts(document: Document) -> str:
    counts = document.counts
    by_region = [(REGION_NAMES[r], _or_hidden(counts.by_region.get(r))) for r in Region]
    by_group = [(GROUPS[g].name, n) for g, n in _group_counts(document).items()]
    by_kind = [(KIND_NAMES[k], n) for k, n in counts.by_kind.items() if n]
    convention = f'"{counts.convention}"'
    head = f"{counts.total} active lesions, 90 % interval {interval(counts.interval_90)}, counted as {convention}."
    tables = (
        table("By region", ("Region", "Active lesions"), by_region, numbers=(1,)),
        table("By group", ("Group", "Lesions"), by_group, numbers=(1,)),
        table("By kind (experimental)", ("Kind", "Lesions"), by_kind, numbers=(1,)) if by_kind else "",
    )
    return f'<p>{escape(head)} Marks are shown but not counted.</p>\n<div class="beside">{"".join(tables)}</div>\n'


def _group_counts(document: Document) -> dict[Group, int]:
    """Lesions by group; marks, which have no count of their own, as they are drawn."""
    by_group = document.counts.by_group
    return {g: by_group.get(g, sum(it.group is g for it in document.lesions)) for g in Group}


def _or_hidden(count: int | None) -> str | int:
    return "not visible" if count is None else count


def _scales(document: Document) -> str:
    rows: list[tuple[str, ...]] = []
    for name, grade in document.grades:
        if isinstance(grade, AcnePart):
            result = f"{number(grade.affected)} (probability {number(grade.probability)})"
            rows.append((_scale_name(name), result, UNKNOWN, grade.why, _listed(grade.missing), grade.source))
        elif isinstance(grade, GradePart):
            likely = interval(grade.interval_90)
            rows.append((_scale_name(name), _result(grade), likely, grade.why, _listed(grade.missing), grade.source))
        else:
            rows.append((_scale_name(name), "not assessed", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN))
    head = ("Scale", "Result", "90 % interval", "Why", "Not on the photo", "Source")
    return table("Every scale with its reason", head, rows)


def _result(grade: GradePart) -> str:
    if grade.value is None:
        return "not assessed"
    value = number(grade.value)
    if grade.maximum is not None:
        value += f" of {number(grade.maximum)}"
    return f"{value}: {grade.level}" if grade.level and grade.level != grade.value else value


def _scale_name(name: str) -> str:
    return SCALE_NAMES.get(name, in_words(name))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or UNKNOWN


def _lesions(document: Document, *, folded: bool) -> str:
    if not document.lesions:
        return "<p>None found.</p>\n"
    rows = (
        (
            it.id,
            GROUPS[it.group].name,
            KIND_NAMES[it.kind],
            REGION_NAMES[it.region] if it.region else UNKNOWN,
            f"{it.center_xy[0]:.0f}, {it.center_xy[1]:.0f}",
            number(it.diameter_px, 1),
            number(it.diameter_mm, 1),
            number(it.redness, 1),
            it.score,
        )
        for it in document.lesions
    )
    head = ("No.", "Group", "Kind (experimental)", "Region", "Place x, y", "Size, px", "Size, mm", "Redness", "Score")
    lesions = table("Every lesion, in pixels of the photo", head, rows, numbers=(4, 5, 6, 7, 8))
    return f"<details><summary>{len(document.lesions)} lesions</summary>{lesions}</details>\n" if folded else lesions


def _origin(document: Document) -> str:
    photo = document.photo
    models = ", ".join(f"<code>{escape(model)}</code>" for model in document.models)
    return (
        f'<p class="soft">Photo {photo.width} × {photo.height} pixels, SHA-256 <code>{escape(photo.sha256)}</code>. '
        f"Networks: {models}.</p>\n"
    )


def _reading() -> str:
    return (
        "<footer><h2>How to read this</h2>\n<ul>"
        "<li>An interval of 90 % is the range in which comedo expects the true value nine times out of ten.</li>"
        "<li>Compare photos only when light, distance and angle are alike.</li>"
        "<li>A dash means not known; it does not mean zero.</li>"
        "<li>Left and right are those of the person, not of the picture.</li>"
        "<li>The finer kind of a lesion is experimental.</li></ul></footer>\n"
    )
