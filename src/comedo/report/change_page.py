"""The change as one HTML file: verdict, before and after, time line, regions, ledger; opens anywhere, loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from comedo.progress.values import Answer, Change, Track
from comedo.report.change_chart import Point, timeline_svg
from comedo.report.change_document import ChangeDocument, MeasurePart, OutcomesPart, PointPart, VerdictPart
from comedo.report.change_pictures import chosen_tracks, face_jpeg, strips
from comedo.report.look import CLAIM, REGION_NAMES, in_words
from comedo.report.markup import UNKNOWN, Cells, interval, items, number, page, picture, table

# Moves the border between both faces; the policy of the page allows this text and no other.
SCRIPT = (
    "for (const slider of document.querySelectorAll('.slider')) {"
    " const bar = slider.querySelector('input'), after = slider.querySelector('.after');"
    " const move = () => { after.style.clipPath = 'inset(0 0 0 ' + bar.value + '%)'; };"
    " bar.addEventListener('input', move); move(); }"
)
_ANSWERS = {
    Answer.BETTER: "Better",
    Answer.SAME: "The same",
    Answer.WORSE: "Worse",
    Answer.CANNOT_TELL: "Cannot tell",
}
_MEASURES = {
    "count": "Active lesions",
    "area": "Area of lesions, mm²",
    "severity": "Severity (1 to 5)",
}


def change_html(change: Change, document: ChangeDocument) -> Iterator[str]:
    """The page in pieces."""
    yield from page("Change over time", _body(change, document), meta={"generator": "comedo"}, script=SCRIPT)


def _body(change: Change, document: ChangeDocument) -> Iterator[str]:
    yield "<header><h1>Change over time</h1>\n<p>by comedo, from photos, on this computer</p></header>\n<main>\n"
    yield f'<p class="claim">{escape(CLAIM)} If your skin worries you, see a doctor.</p>\n'
    yield f'<article class="only"><p class="verdict {document.verdict.answer}">{escape(document.sentence)}</p>\n'
    yield _probabilities(document.verdict)
    yield items((*document.questions, *document.notices))
    yield _measures(document.verdict.measures)
    yield "</article>\n"
    yield _before_after(change)
    yield _timeline(document)
    yield _regions(document)
    yield _outcomes(document)
    yield _review(document)
    yield _ledger(change)
    yield _photos(document)
    yield "</main>\n" + _reading(document)


def _probabilities(verdict: VerdictPart) -> str:
    if verdict.probabilities is None:
        return ""
    cells = "".join(
        f"<li><b>{p:.0%}</b><span>{escape(_ANSWERS[answer].lower())}</span></li>"
        for answer, p in verdict.probabilities.items()
    )
    return f'<ul class="numbers">{cells}</ul>\n'


def _measures(measures: Sequence[MeasurePart]) -> str:
    if not measures:
        return ""
    heads = ("Measure", "Before", "After", "Per cent", "Noise", "Smallest detectable", "of before, per cent", "Answer")
    rows = (
        (
            _MEASURES[m.name],
            number(m.before, 1),
            number(m.after, 1),
            number(m.percent, 0),
            number(m.noise_limit, 1),
            number(m.smallest_detectable, 1),
            number(m.smallest_detectable_percent, 0),
            _ANSWERS[m.answer],
        )
        for m in measures
    )
    return table("On the skin that the first and the last photo show", heads, rows, numbers=(1, 2, 3, 4, 5, 6))


def _before_after(change: Change) -> str:
    last = change.last_compared
    if last is None:
        return ""
    before, after = (base64.b64encode(face_jpeg(change, i)).decode() for i in (0, last))
    names = _label(change.visits[0].when, 0), _label(change.visits[last].when, last)
    return (
        "<article><h2>Before and after</h2>\n"
        f'<p class="soft">Left {escape(names[0])}, right {escape(names[1])}, laid on the first; move the border. '
        "Colour of an outline: red new, blue persisting, grey first seen, yellow turned into a mark.</p>\n"
        f'<div class="slider"><img src="data:image/jpeg;base64,{before}" alt="The face at the first visit">'
        f'<img class="after" src="data:image/jpeg;base64,{after}" alt="The face at the last visit, aligned">'
        '<input type="range" min="0" max="100" value="50" aria-label="Border between before and after">'
        "</div></article>\n"
    )


def _label(when: datetime | None, visit: int) -> str:
    return f"photo {visit + 1}" if when is None else f"{when:%Y-%m-%d}"


def _timeline(document: ChangeDocument) -> str:
    points = document.timeline
    if len(points) < 2:
        return ""
    dated = all(p.when is not None for p in points)
    start = _seconds(document.review.start) / 86400 if document.review and dated else None
    counts = [Point(_place(p, i, dated), _label(p.when, i), p.count, p.noise_sd) for i, p in enumerate(points)]
    grades = [
        Point(_place(p, i, dated), _label(p.when, i), p.severity, p.severity_sd or 0.0)
        for i, p in enumerate(points)
        if p.severity is not None
    ]
    return (
        "<article><h2>Time line</h2>\n<h3>Active lesions</h3>\n"
        + timeline_svg("Active lesions at each visit with the band of noise", counts, start=start)
        + "<h3>Severity</h3>\n"
        + timeline_svg("Severity, 1 to 5, at each visit with the band of noise", grades, start=start)
        + '<p class="soft">The band holds nine of ten repeat photos of unchanged skin. Counts are the first '
        "photo's plus the change seen on skin that both show. Photos minutes apart are one point, their mean.</p>"
        "</article>\n"
    )


def _place(point: PointPart, index: int, dated: bool) -> float:
    return _seconds(point.when) / 86400 if dated and point.when is not None else float(index)


def _seconds(when: datetime) -> float:
    return (when - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - photos know no zone


def _regions(document: ChangeDocument) -> str:
    def row(name: str, verdict: VerdictPart) -> tuple[str | float | None, ...]:
        count = verdict.measures[0] if verdict.measures else None
        before, after = (None, None) if count is None else (count.before, count.after)
        return name, _ANSWERS[verdict.answer], number(before, 0), number(after, 0), verdict.reason

    rows = (row(REGION_NAMES[region], verdict) for region, verdict in document.regions.items())
    heads = ("Region", "Answer", "Before", "After", "Why")
    return f"<article><h2>Regions</h2>\n{table('Active lesions by region', heads, rows, numbers=(2, 3))}</article>\n"


def _outcomes(document: ChangeDocument) -> str:
    found = document.outcomes
    flares = ", ".join(REGION_NAMES[r] for r in found.flare_regions) or UNKNOWN
    rows: list[tuple[str, str]] = [
        ("Change of the count, per cent", number(found.percent_change, 0)),
        ("IGA estimate, before and after", f"{number(found.iga_before)}, {number(found.iga_after)}"),
        ("IGA success (0 or 1, at least two grades better)", number(found.iga_success)),
        ("Days to the first real change", number(found.days_to_first_real_change, 0)),
        ("Lesions a week (Theil-Sen), 90 %", _slope(found)),
        ("Half-life of a lesion in days, 90 %", _half_life(found)),
        ("Flare", flares),
    ]
    return (
        f"<article><h2>Outcome measures</h2>\n{table('As trials report them', ('Measure', 'Value'), rows)}</article>\n"
    )


def _slope(found: OutcomesPart) -> str:
    text = number(found.slope_per_week)
    return text if found.slope_interval_90 is None else f"{text} ({interval(found.slope_interval_90)})"


def _half_life(found: OutcomesPart) -> str:
    """The half-life with its interval, or the bound where there is only that."""
    low, high = found.half_life_interval_90 or (None, None)
    if low is None and high is None:
        return UNKNOWN
    if low is None:
        return f"less than {number(high, 1)}"
    if high is None:
        return f"more than {number(low, 1)}"
    return f"{number(found.half_life_days, 1)} ({number(low, 1)} to {number(high, 1)})"


def _review(document: ChangeDocument) -> str:
    review = document.review
    if review is None:
        return ""
    what = f"Treatment began on {review.start:%Y-%m-%d}; the 12-week review is due on {review.due:%Y-%m-%d}."
    answer = review.note if review.verdict is None else f"{_ANSWERS[review.verdict.answer]}: {review.verdict.reason}"
    measures = "" if review.verdict is None else _measures(review.verdict.measures)
    return f"<article><h2>12-week review</h2>\n<p>{escape(what)}</p><p>{escape(answer)}</p>{measures}</article>\n"


def _ledger(change: Change) -> str:
    tracks = chosen_tracks(change.ledger)
    active = sum(t.was_active for t in change.ledger)
    pictures = "".join(_strip(t, jpeg) for t, jpeg in zip(tracks, strips(change, tracks), strict=True))
    shown = f"{len(tracks)} of {active} lesions, those that changed first; all are in ledger.csv."
    return f'<article><h2>Lesion by lesion</h2>\n<p class="soft">{shown}</p>\n{pictures}</article>\n'


def _strip(track: Track, jpeg: bytes) -> str:
    states = ", ".join(in_words(str(s.state)).lower() for s in track.sightings)
    region = REGION_NAMES[track.region] if track.region else UNKNOWN
    return picture(jpeg, f"Lesion {track.id} at every visit", f"{track.id}, {region}: {states}")


def _photos(document: ChangeDocument) -> str:
    heads = ("Photo", "Date", "Lesions", "90 % interval", "Compared", "Residual, % of eye distance", "Why, and advice")
    rows: list[Cells] = [
        (
            p.name,
            _moment(p.when),
            p.total,
            interval(p.interval_90),
            in_words(str(p.view)),
            number(None if p.residual_share is None else 100 * p.residual_share),
            " ".join([p.reason, *(c.advice for c in p.checks if not c.ok)]).strip(),
        )
        for p in document.photos
    ]
    rows += [
        (item.name, _moment(item.when), None, UNKNOWN, "Not analysed", UNKNOWN, item.reason)
        for item in document.left_out
    ]
    return f"<article><h2>Photos</h2>\n{table('Each against the first', heads, rows, numbers=(2, 5))}</article>\n"


def _moment(when: datetime | None) -> str:
    return UNKNOWN if when is None else f"{when:%Y-%m-%d %H:%M}"


def _reading(document: ChangeDocument) -> str:
    lines = (
        "Better or worse is said only when the difference exceeds what repeat photos of unchanged skin differ by.",
        "Noise alone exceeds its limit in at most 5 of 100 comparisons; the smallest detectable change in 9 of 10.",
        "Not visible means that nothing is known of the lesion at that visit; it does not mean that it went.",
        f"Noise: {document.noise.provenance}",
    )
    return f"<footer><h2>How to read this</h2>\n{items(lines)}</footer>\n"
