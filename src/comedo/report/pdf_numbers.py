"""The measured side of the printed report: photo and counts, scales with their arithmetic, change since a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comedo.report.case import Case
from comedo.report.extras import Since
from comedo.report.look import GROUPS, in_words
from comedo.report.texts import Texts
from comedo.types import Group, Region

if TYPE_CHECKING:
    from comedo.report.sheet import Sheet


def write_findings(sheet: Sheet, case: Case, texts: Texts, picture: bytes | None, *, masked: bool) -> None:
    """Photo on the left, numbers beside it; without a photo the numbers alone."""
    top, bottom = sheet.y, sheet.y
    left, width = sheet.left, sheet.width
    if picture is not None:
        sheet.picture(picture, width=84, height=96, alt=_alt(case, texts, masked=masked))
        with sheet.column(left, 84):
            sheet.y = top + sheet.picture_height + 1
            sheet.paragraph(_legend(texts), 7, soft=True)
        bottom, left, width = sheet.y, left + 89, width - 89
    sheet.y = top
    with sheet.column(left, width):
        _key_numbers(sheet, case, texts)
        _counts(sheet, case, texts, width)
    sheet.y = max(sheet.y, bottom)


def _alt(case: Case, texts: Texts, *, masked: bool) -> str:
    groups = ", ".join(f"{n} {_in_sentence(name, texts)}" for name, n in _group_rows(case, texts))
    alt = texts.say("alt", groups=groups)
    return f"{alt} {texts.say('alt_eyes')}" if masked else alt


def _legend(texts: Texts) -> str:
    named = ((look, texts.groups[group]) for group, look in GROUPS.items())
    return (
        "; ".join(
            f"{look.letter}, {_in_sentence(texts.shapes[look.shape.value], texts)}: {_in_sentence(name, texts)}"
            for look, name in named
        )
        + "."
    )


def _in_sentence(name: str, texts: Texts) -> str:
    """A name without its capital, where the language writes none for nouns."""
    return name.lower() if texts.language == "en" else name


def _group_rows(case: Case, texts: Texts) -> list[tuple[str, int]]:
    counts = case.document.counts.by_group
    return [(texts.groups[g], counts.get(g, sum(x.group is g for x in case.lesions))) for g in Group]


def _key_numbers(sheet: Sheet, case: Case, texts: Texts) -> None:
    document, severity, acne = case.document, case.document.grades.severity, case.document.grades.acne
    if severity is None or severity.value is None:
        sheet.paragraph(texts.say("severity_unknown"), 13, bold=True)
    else:
        level = texts.number(severity.value) if severity.level is None else texts.level(severity.level)
        sheet.paragraph(texts.say("severity", level=level), 13, bold=True)
        value, likely = texts.number(severity.value), _likely(severity.interval_90, texts)
        sheet.paragraph(texts.say("severity_value", value=value, maximum=5, likely=likely))
    counts = document.counts
    likely = _likely(case.count_interval, texts)
    sheet.paragraph(texts.say("count", count=counts.total, likely=likely, convention=counts.convention))
    if acne is not None and acne.affected is not None:
        known = acne.probability is not None
        sure = texts.say("sure", probability=texts.number(acne.probability)) if known else ""
        sheet.paragraph(texts.say("affected", answer=texts.number(acne.affected), sure=sure))
    if document.coverage.fraction is not None:
        sheet.paragraph(texts.say("coverage", percent=texts.number(100 * document.coverage.fraction)))
    sheet.paragraph(texts.say("quality", verdict=texts.verdicts[document.quality.verdict]))
    for notice in document.notices:
        sheet.paragraph(texts.say("notice", text=texts.sentence(notice)), 7.5, soft=True)


def _likely(pair: tuple[float, float] | None, texts: Texts) -> str:
    return "" if pair is None else texts.say("likely", interval=texts.interval(pair))


def _counts(sheet: Sheet, case: Case, texts: Texts, width: float) -> None:
    counts = case.document.counts
    sheet.heading(texts.say("counts"), 10.5, level=2)
    regions = [(texts.regions[r], _or_hidden(counts.by_region.get(r), texts)) for r in Region]
    groups = [(name, str(n)) for name, n in _group_rows(case, texts)]
    kinds = [(texts.kinds[k], str(n)) for k, n in counts.by_kind.items() if n]
    widths = (width - 38, 38)
    sheet.rows((texts.say("region"), texts.say("active_lesions")), regions, widths, size=7.2)
    sheet.rows((texts.say("group"), texts.say("lesions")), groups, widths, size=7.2)
    if kinds:
        sheet.rows((texts.say("kind"), texts.say("lesions")), kinds, widths, size=7.2)


def _or_hidden(count: int | None, texts: Texts) -> str:
    return texts.say("not_visible") if count is None else str(count)


def write_scales(sheet: Sheet, case: Case, texts: Texts) -> None:
    """Every scale with its value, how it came about, what the photo does not show, and its source."""
    rows, sources, told = [], [], texts.tell(_sentences(case))
    for name, grade in case.document.grades.scales().items():
        result = texts.say("not_assessed") if grade.value is None else texts.number(grade.value)
        named = grade.level is not None and isinstance(grade.value, str)
        if grade.maximum is not None and grade.value is not None:
            result += texts.say("of", maximum=texts.number(grade.maximum))
        if grade.level and grade.level != grade.value:
            result = texts.level(grade.level) if named else f"{result}: {texts.level(grade.level)}"
        title = texts.scales.get(name, in_words(name))
        missing = "; ".join(told[part] or part for part in grade.missing)
        rows.append((title, result, texts.interval(grade.interval_90), told[grade.why] or grade.why, missing))
        sources.append(f"{title}: {grade.source}")
    sheet.heading(texts.say("scales"), 10.5, level=2)
    heads = [texts.say(key) for key in ("scale", "result", "ninety", "how", "missing")]
    sheet.rows(heads, rows, (26, 30, 17, 53, 58), size=6.5)
    said = texts.say("sources", sources=". ".join(sources))
    rest = texts.say("in_english") if None in told.values() else ""
    sheet.paragraph(" ".join(filter(None, (said, rest))), 5.8, soft=True)


def _sentences(case: Case) -> list[str]:
    """What the analysis says in sentences of the library, anywhere on the paper."""
    document = case.document
    scales = [part for grade in document.grades.scales().values() for part in (grade.why, *grade.missing)]
    return [*scales, *document.notices, *(check.advice for check in document.quality.checks if check.advice)]


def write_since(sheet: Sheet, since: Since, texts: Texts) -> None:
    """Baseline against now, with the band in which noise between photos alone may explain a difference."""
    sheet.heading(texts.say("since"), 10.5, level=2, keep=30)
    dates = ""
    if since.first_on is not None and since.last_on is not None:
        dates = texts.say("since_dates", first=since.first_on, last=since.last_on)
    sheet.paragraph(" ".join(filter(None, (since.sentence, dates))))
    if not since.measures:
        return
    rows = [
        (
            m.name,
            "",
            texts.number(float(m.before)),
            texts.number(float(m.after)),
            f"{m.after - m.before:+.4g}".replace(".", texts.decimal),
            f"± {texts.number(float(m.noise))}",
            m.answer,
        )
        for m in since.measures
    ]
    heads = [texts.say(k) for k in ("measure", "baseline", "now", "difference", "band", "reading")]
    heads.insert(1, "")

    def draw(row: int, middle: float) -> None:
        m = since.measures[row]
        sheet.band(m.before, m.after, m.noise, x=sheet.left + 40, y=middle, width=40)

    sheet.rows(heads, rows, (38, 45, 17, 17, 20, 20, 27), size=7.2, draw=draw)
    sheet.paragraph(f"{texts.say('band_picture')}. {texts.say('band_note')}", 6.8, soft=True)
