"""The audit as one HTML file with small pictures; it loads nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from comedo.report.markup import Cells, interval, items, page, picture, table
from comedo.training.data.audit import Alike, Audit
from comedo.training.data.conflicts import Conflict
from comedo.training.data.dataset import Dataset
from comedo.training.data.thumbnails import as_jpeg, side_by_side, thumbnail

MOST_PICTURES = 40  # of one kind


def write_audit(found: Audit, dataset: Dataset, folder: Path) -> tuple[Path, Path]:
    """Write audit.json and audit.html, with small pictures of what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    facts, report = folder / "audit.json", folder / "audit.html"
    facts.write_text(json.dumps(found.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    report.write_text(audit_html(found, dataset), encoding="utf-8")
    return facts, report


def audit_html(found: Audit, dataset: Dataset) -> str:
    """The whole page."""
    return "".join(page("Audit of labelled photos", _body(found, dataset), meta={"generator": "comedo"}))


def _body(found: Audit, dataset: Dataset) -> Iterator[str]:
    yield "<header><h1>Audit of labelled photos</h1>\n"
    yield f"<p>{found.photos} photos, {found.people_named} of them with a named person</p></header>\n<main>\n"
    if found.unread:
        yield _unread(found)
    yield _leaks(found)
    yield _article("Photos alike", _pairs(found.alike, dataset, "No two photos are the same picture."))
    yield _article("Perhaps one person under two names", _rooms(found, dataset))
    yield _article("Shortcuts", _shortcuts(found))
    yield _article("Contradictions", _conflicts(found.conflicts, dataset))
    yield _article("Balance", _balance(found))
    yield _article("Raters", _raters(found))
    yield "</main>\n"


def _article(title: str, *parts: str) -> str:
    return f"<article>\n<h2>{escape(title)}</h2>\n{''.join(parts)}</article>\n"


def _unread(found: Audit) -> str:
    text = f"{len(found.unread)} of {found.photos} photos cannot be read: what follows says nothing of them."
    return _article("Not read", f'<p class="verdict poor">{text}</p>', items(found.unread[: 5 * MOST_PICTURES]))


def _leaks(found: Audit) -> str:
    if not found.leaks:
        text = "No leak was found: nobody named, and no picture, is in more than one split."
        return _article("Leaks", f'<p class="verdict good">{text}</p>')
    text = f"{len(found.leaks)} leaks: figures on held-back photos would be too good."
    return _article("Leaks", f'<p class="verdict poor">{text}</p>', items(found.leaks[: 5 * MOST_PICTURES]))


def _pairs(pairs: Sequence[Alike], dataset: Dataset, none: str) -> str:
    if not pairs:
        return f"<p>{escape(none)}</p>\n"
    shown = sorted(pairs, key=lambda p: (not p.across, -p.correlation))[:MOST_PICTURES]
    more = f"<p>{len(pairs)} pairs, {sum(p.across for p in pairs)} of them across splits.</p>\n"
    return f'{more}<div class="beside">{"".join(_pair(p, dataset) for p in shown)}</div>\n'


def _pair(pair: Alike, dataset: Dataset) -> str:
    both = side_by_side(*(thumbnail(dataset.folder / name) for name in (pair.first, pair.second)))
    where = "across splits" if pair.across else "in one split or none"
    caption = f"{pair.first} | {pair.second}: {pair.likeness}, correlation {pair.correlation:.2f}, {where}"
    return picture(as_jpeg(both), f"Two photos, {pair.likeness}", caption)


def _rooms(found: Audit, dataset: Dataset) -> str:
    shared = ""
    if found.shared_backdrop:
        shared = (
            f"<p>{found.shared_backdrop} photos stand before a backdrop that several people share: that says nothing "
            "of who they are, but a network can tell by it where a photo was taken.</p>\n"
        )
    return shared + _pairs(found.suspected, dataset, "No two people stand before the same background.")


def _shortcuts(found: Audit) -> str:
    lead = (
        "<p>A small model that sees no skin predicts the label of people it has not seen. When it beats the majority, "
        "a network can learn the camera or the room instead of the skin.</p>\n"
    )
    head = ("Figures", "Predicts", "Photos", "Balanced accuracy", "90 % interval", "Chance", "Accuracy", "Majority", "")
    rows = (
        (
            s.figures,
            s.label,
            s.photos,
            s.balanced,
            interval(s.balanced_interval),
            s.chance,
            s.accuracy,
            s.majority,
            "shortcut" if s.found else "too few photos" if s.balanced is None else "none seen",
        )
        for s in found.shortcuts
    )
    return lead + table("What file and background tell", head, rows, numbers=range(2, 8))


def _conflicts(found: Sequence[Conflict], dataset: Dataset) -> str:
    if not found:
        return "<p>None.</p>\n"
    rows = ((c.photo, c.what, c.other or "") for c in found[: 5 * MOST_PICTURES])
    pictures = "".join(_conflict(c, dataset) for c in found[:MOST_PICTURES])
    listed = table(f"{len(found)} in all", ("Photo", "What", "Other photo"), rows)
    return f'<div class="beside">{pictures}</div>\n{listed}'


def _conflict(conflict: Conflict, dataset: Dataset) -> str:
    shown = thumbnail(dataset.folder / conflict.photo, box_xyxy=conflict.box_xyxy)
    if conflict.other is not None:
        shown = side_by_side(shown, thumbnail(dataset.folder / conflict.other))
    return picture(as_jpeg(shown), conflict.what, f"{conflict.photo}: {conflict.what}")


def _balance(found: Audit) -> str:
    it = found.balance
    grades = sorted({g for by in it.grades.values() for g in by})
    categories = list(next(iter(it.labels.values()), {}))
    head = ("Split", "Photos", "People", *(f"Grade {g}" for g in grades), *categories)
    rows: Iterator[Cells] = (
        (s, n, it.people[s], *(it.grades[s].get(g, 0) for g in grades), *(it.labels[s][c] for c in categories))
        for s, n in it.photos.items()
    )
    unseen = f"<p>{it.unseen} photos on which nobody marked lesions.</p>\n" if it.unseen else ""
    return table("Photos, people, grades and labels", head, rows, numbers=range(1, len(head))) + unseen


def _raters(found: Audit) -> str:
    if not found.raters.pairs:
        return "<p>No photo has the grades of two raters.</p>\n"
    rows = ((f"{p.first}, {p.second}", p.photos, p.same, p.kappa, p.qwk) for p in found.raters.pairs)
    head = ("Raters", "Photos", "Same grade", "Cohen's kappa", "Quadratic kappa")
    overall = table("All raters", ("", "Photos", "Fleiss' kappa"), [("All", found.raters.photos, found.raters.fleiss)])
    return table("Each pair of raters", head, rows, numbers=range(1, 5)) + overall
