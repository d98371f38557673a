"""The diary: the verdict, the photos, the time line, treatments with their 12-week review, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from comedo.progress.outcomes import REVIEW_AFTER
from comedo.report.change_document import ChangeDocument, PointPart
from comedo.service.actions.stored import name_of
from comedo.service.actions.views import NoteView, PhotoView, TreatmentView
from comedo.service.pages.views.calendar import Month, view_month
from comedo.service.pages.views.charts import Chart, Point, Span, draw_chart
from comedo.service.pages.views.standing import Flip, Standing, flips, standings
from comedo.service.pages.views.verdict import VerdictView, view_verdict
from comedo.service.pages.words import Words

_THUMB_PX = 400
_COUNT_TOP, _SEVERITY_TOP = 4.0, 4.0


@dataclass(frozen=True)
class Material:
    """What a diary is made of; photos newest first."""

    photos: Sequence[PhotoView]
    change: ChangeDocument | None
    treatments: Sequence[TreatmentView]
    notes: Sequence[NoteView]
    reader: str  # account of who looks
    own: bool = True  # whether the one who looks may choose what is compared


@dataclass(frozen=True)
class VisitRow:
    """One photo in the strip; oldest first."""

    href: str
    picture: str | None
    day: str
    text: str
    standing: Standing | None


@dataclass(frozen=True)
class Moment:
    """One visit of the time line, to be stepped through."""

    when: str
    href: str
    picture: str | None
    day: str
    text: str


@dataclass(frozen=True)
class Start:
    """A photo that everything later can be compared with."""

    id: str
    text: str
    chosen: bool


@dataclass(frozen=True)
class TreatmentRow:
    """One treatment."""

    id: str
    name: str
    span: str
    note: str
    running: bool


@dataclass(frozen=True)
class NoteRow:
    """One note."""

    id: str
    when: str
    author: str
    text: str
    own: bool


@dataclass(frozen=True)
class ReviewNote:
    """What is said of the 12-week review."""

    tone: str
    text: str


@dataclass(frozen=True)
class DiaryView:
    """Everything on the page."""

    visits: tuple[VisitRow, ...]
    verdict: VerdictView | None
    notices: tuple[str, ...]
    flips: tuple[Flip, ...]
    starts: tuple[Start, ...]
    charts: tuple[Chart, ...]
    rows: tuple[tuple[str, ...], ...]
    moments: tuple[Moment, ...]
    treatments: tuple[TreatmentRow, ...]
    review: ReviewNote | None
    calendar: Month
    notes: tuple[NoteRow, ...]
    today: str


def view_diary(material: Material, month: date, today: date, words: Words) -> DiaryView:
    """The page for a month of the calendar."""
    change = material.change
    shown = None if change is None or len(change.photos) < 2 else change
    standing = standings(material.photos, shown, words)
    by_day = {day_of(photo): href_of(photo) for photo in material.photos}
    return DiaryView(
        visits=tuple(_visit(photo, standing[photo.id], words) for photo in reversed(material.photos)),
        verdict=None if shown is None else _verdict(shown, material.photos, words),
        notices=() if shown is None else tuple(_told(line, material.photos, words) for line in shown.notices),
        flips=flips(material.photos, shown, words) if material.own else (),
        starts=_starts(material, shown, words) if material.own else (),
        charts=() if shown is None else _charts(shown, material.treatments, words),
        rows=() if shown is None else tuple(_row(point, words) for point in shown.timeline),
        moments=() if shown is None else _moments(shown, material.photos, words),
        treatments=tuple(_treatment(t, words) for t in material.treatments),
        review=_review(material, today, words),
        calendar=view_month(month, today, by_day, {n.created.date() for n in material.notes}, words),
        notes=tuple(_note(n, material.reader, words) for n in material.notes),
        today=today.isoformat(),
    )


def day_of(photo: PhotoView) -> date:
    """The day it was taken, or came."""
    return (photo.taken_at or photo.created).date()


def href_of(photo: PhotoView) -> str:
    """Where its result is shown."""
    return f"/photos/{photo.id}"


def thumb_of(photo: PhotoView) -> str | None:
    """A small picture; None where only the results were kept."""
    return f"/api/v1/photos/{photo.id}/image?max_side={_THUMB_PX}" if photo.has_picture else None


def _visit(photo: PhotoView, standing: Standing | None, words: Words) -> VisitRow:
    found = photo.analysis
    text = words.say("diary.not_analysed") if found is None else words.count("lesions", found.total)
    return VisitRow(href_of(photo), thumb_of(photo), words.short_day(day_of(photo)), text, standing)


def _starts(material: Material, change: ChangeDocument | None, words: Words) -> tuple[Start, ...]:
    """What the comparison may begin with: every measured photo from the front but the last, oldest first."""
    measured = [p for p in material.photos if p.analysis is not None and p.has_picture and p.view == "front"]
    usable = sorted(measured, key=day_of)[:-1]
    chosen = next((p.id for p in usable if p.baseline), "")
    if change is not None and not chosen:
        chosen = next((p.id for p in usable if name_of(p) == change.photos[0].name), "")
    return tuple(Start(p.id, words.day(day_of(p)), p.id == chosen) for p in usable) if len(usable) > 1 else ()


def _verdict(change: ChangeDocument, photos: Sequence[PhotoView], words: Words) -> VerdictView:
    dates = [photo.when for photo in change.photos]
    found = view_verdict(change.verdict, dates[0], dates[-1], words)
    return replace(found, sentence=_by_day(found.sentence, photos, words))


def _told(notice: str, photos: Sequence[PhotoView], words: Words) -> str:
    """A notice of the comparison as a sentence of the page."""
    said = _by_day(words.tell(notice), photos, words)
    return said[:1].upper() + said[1:]


def _by_day(text: str, photos: Sequence[PhotoView], words: Words) -> str:
    """A text in which photos are called by their day: nobody knows them by their name."""
    for photo in photos:
        text = text.replace(name_of(photo), words.say("diary.photo_of", day=words.day(day_of(photo))))
    return text


def _charts(change: ChangeDocument, treatments: Sequence[TreatmentView], words: Words) -> tuple[Chart, ...]:
    points = [(p.when, p) for p in change.timeline if p.when is not None]
    counts = [Point(when, p.count, p.noise_sd) for when, p in points]
    grades = [Point(when, p.severity, p.severity_sd or 0.0) for when, p in points if p.severity is not None]
    spans = [Span(_midnight(t.started), None if t.ended is None else _midnight(t.ended), t.name) for t in treatments]
    wanted: tuple[tuple[str, list[Point], list[Span], float], ...] = (
        (words.say("result.active"), counts, spans, _COUNT_TOP),
        (words.say("scale.severity"), grades, [], _SEVERITY_TOP),
    )
    return tuple(draw_chart(title, p, s, words, top=top) for title, p, s, top in wanted if len(p) > 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _row(point: PointPart, words: Words) -> tuple[str, ...]:
    return (
        "–" if point.when is None else words.day(point.when),
        words.number(point.count, 0),
        f"± {words.number(1.645 * point.noise_sd, 0)}",
        words.number(point.severity),
        words.say(f"answer.{point.answer}"),
    )


def _moments(change: ChangeDocument, photos: Sequence[PhotoView], words: Words) -> tuple[Moment, ...]:
    by_name = {name_of(photo): photo for photo in photos}
    dated = [(p, p.when, by_name.get(p.photo)) for p in change.timeline]
    return tuple(
        Moment(when.isoformat(), href_of(photo), thumb_of(photo), words.day(when), _in_a_line(point, words))
        for point, when, photo in dated
        if when is not None and photo is not None
    )


def _in_a_line(point: PointPart, words: Words) -> str:
    _, count, noise, severity, answer = _row(point, words)
    return words.say("timeline.values", count=count, noise=noise, severity=severity, answer=answer)


def _treatment(item: TreatmentView, words: Words) -> TreatmentRow:
    key = "treat.since" if item.ended is None else "treat.from_to"
    ended = "" if item.ended is None else words.day(item.ended)
    span = words.say(key, start=words.day(item.started), end=ended)
    return TreatmentRow(item.id, item.name, span, item.note or "", item.ended is None)


def _review(material: Material, today: date, words: Words) -> ReviewNote | None:
    """The review that a comparison made, else when that of the treatment in use is due."""
    review = None if material.change is None else material.change.review
    if review is not None and review.verdict is not None:
        answer = review.verdict.answer
        tone = {"better": "good", "worse": "warn"}.get(str(answer), "info")
        return ReviewNote(tone, words.say(f"treat.review.{answer}", start=words.day(review.start)))
    running = [t for t in material.treatments if t.ended is None]
    if not running:
        return None
    first = min(running, key=lambda t: t.started)
    due = first.started + REVIEW_AFTER
    key = "treat.review.due" if due <= today else "treat.review.coming"
    return ReviewNote("info", words.say(key, name=first.name, due=words.day(due)))


def _note(note: NoteView, reader: str, words: Words) -> NoteRow:
    other = "" if note.author == note.owner else words.say("note.by_clinician")
    return NoteRow(note.id, words.day(note.created), other, note.text, note.author == reader)
