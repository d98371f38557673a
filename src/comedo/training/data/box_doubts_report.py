"""The report of doubtful lesions: a page with a picture of each, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

from comedo.errors import UnusableInput
from comedo.report.markup import page, picture, table
from comedo.training.data.box_doubts import FAULT_RATE, BoxDoubt, BoxDoubts, Fault
from comedo.training.data.dataset import Dataset
from comedo.training.data.thumbnails import as_jpeg, thumbnail
from comedo.types import Box

SCHEMA = "comedo.box-doubts/1"
_MOST_PICTURES = 24  # of each fault
_LEAST_PX = 8.0  # side of a box that is drawn
_HEADS = {
    Fault.MISSED: "Found, and not labelled",
    Fault.OTHER_TYPE: "Found as another type",
    Fault.NOTHING: "Labelled, and nothing found",
}
_WORDS = (
    "A network looked at the photos too. Here is where it contradicts the labels, the most doubtful first. The score "
    f"is a rough probability that the label is wrong, if {FAULT_RATE:.0%} of labels have each fault and the network "
    "errs as often as it seems to by these labels: it ranks, and is no more right than that. Where the network is poor "
    "(small, faint or rare lesions, skin of a tone that it seldom learnt from) it is wrong more often than the labels. "
    "Faults that it shares with whoever labelled are not seen at all, nor are boxes of a wrong size, nor two labels on "
    "one lesion. A network that learnt from these very labels excuses their faults. Look again at each; do not correct "
    "by this list."
)
_NO_TYPES = (
    "Labels and findings have no name of a type in common, so that types were not compared. A finding called mark "
    "(flat, no acne) counts for a label on it, but not as a lesion that lacks one."
)


def write_box_doubts(found: BoxDoubts, dataset: Dataset, folder: Path) -> tuple[Path, Path]:
    """Write doubts.json and doubts.html with pictures of the most doubtful of each fault.

    Raises:
        UnusableInput: No labelled photo was looked through.
    """
    if not found.photos:
        raise UnusableInput(
            f"no labelled photo has findings, {found.left_out} have labels; name the findings of the same photos, with "
            "the same names below their folder, as `comedo data prelabel` or `comedo predict --labels` writes them"
        )
    folder.mkdir(parents=True, exist_ok=True)
    facts, report = folder / "doubts.json", folder / "doubts.html"
    content = {
        "schema": SCHEMA,
        "photos": found.photos,
        "photos_left_out": found.left_out,
        "labels": found.labels,
        "types_compared": found.types_compared,
        "doubts": [vars(d) for d in found.doubts],
    }
    facts.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    body = page("Lesions to look at again", _body(found, dataset), meta={"generator": "comedo"})
    report.write_text("".join(body), encoding="utf-8")
    return facts, report


def _body(found: BoxDoubts, dataset: Dataset) -> Iterator[str]:
    yield (
        f"<header><h1>Lesions to look at again</h1>\n<p>{len(found.doubts)} places on {found.photos} photos with "
        f"{found.labels} labels; {found.left_out} labelled photos without findings were left out</p></header>\n"
    )
    yield f"<main>\n<p>{_WORDS}</p>\n" + ("" if found.types_compared else f"<p>{_NO_TYPES}</p>\n")
    for fault, head in _HEADS.items():
        mine = [d for d in found.doubts if d.fault is fault]
        yield f"<h2>{head}: {len(mine)}</h2>\n" + '<div class="beside">\n'
        for doubt in mine[:_MOST_PICTURES]:
            words = f"{doubt.photo}: {_said(doubt)} ({doubt.score:.2f})"
            small = thumbnail(dataset.folder / doubt.photo, box_xyxy=_drawn(doubt.box_xyxy))
            yield picture(as_jpeg(small), escape(words), words)
        yield "</div>\n"
    rows = (
        (d.photo, _HEADS[d.fault], d.label, d.found, *(round(v) for v in d.box_xyxy), d.sureness, d.score)
        for d in found.doubts
    )
    head_row = ("Photo", "Doubt", "Label", "Found", "x0", "y0", "x1", "y1", "Sureness", "Score")
    yield table("Every doubtful place", head_row, rows, numbers=range(4, 10)) + "</main>\n"


def _said(doubt: BoxDoubt) -> str:
    if doubt.label is None:
        return f"{doubt.found}, not labelled"
    return f"labelled {doubt.label}, " + ("nothing found" if doubt.found is None else f"rather {doubt.found}")


def _drawn(box: Box) -> Box:
    """The box, or one that can be seen around its middle."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    x, y = (max(_LEAST_PX, box[k + 2] - box[k]) / 2 for k in (0, 1))
    return (middle[0] - x, middle[1] - y, middle[0] + x, middle[1] + y)
