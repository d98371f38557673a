"""The page of one photo's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comedo.report.document import AcnePart, CheckPart, Document, GradePart, LesionPart
from comedo.report.look import SCALE_NAMES, in_words
from comedo.service.pages.views.overlay import Overlay, draw_layers, lesion_size, region_name
from comedo.service.pages.words import Words
from comedo.types import Group, Kind, Region, Verdict


@dataclass(frozen=True)
class Side:
    """A photo of the same sitting."""

    view: str
    href: str
    here: bool


@dataclass(frozen=True)
class Place:
    """Where the photo of a result is found, and whose it is; `pictures` are layers that the server paints."""

    photo: str
    image: str
    when: str
    own: bool = True
    siblings: tuple[Side, ...] = ()
    pictures: tuple[tuple[str, str], ...] = ()  # name, address


@dataclass(frozen=True)
class Again:
    """What is said of measuring a photo again; `job` does so now, empty: it is offered."""

    tone: str
    text: str
    job: str = ""


@dataclass(frozen=True)
class Layer:
    """A picture laid over the photo."""

    name: str
    href: str


@dataclass(frozen=True)
class RegionRow:
    """Lesions of one region; `share` of those of the fullest one, None where nothing was seen of it."""

    name: str
    text: str
    share: float | None


@dataclass(frozen=True)
class GroupRow:
    """Lesions of one group."""

    group: str
    n: int
    name: str


@dataclass(frozen=True)
class ScaleRow:
    """One scale with its arithmetic."""

    name: str
    result: str
    why: str
    details: tuple[tuple[str, str], ...]
    missing: str
    source: str


@dataclass(frozen=True)
class LesionRow:
    """One line of the table of lesions."""

    id: int
    group: str
    kind: str
    region: str
    size: str
    score: str
    history: str


@dataclass(frozen=True)
class ResultView:
    """Everything on the page."""

    photo: str
    image: str
    when: str
    own: bool
    siblings: tuple[Side, ...]
    pictures: tuple[Layer, ...]
    overlay: Overlay
    alt: str
    verdict: str
    advice: tuple[str, ...]
    total: str
    total_likely: str
    severity: str
    severity_of: str
    severity_note: str
    coverage: str
    why: str
    groups: tuple[GroupRow, ...]
    regions: tuple[RegionRow, ...]
    kinds: tuple[tuple[str, str], ...]
    scales: tuple[ScaleRow, ...]
    lesions: tuple[LesionRow, ...]
    checks: tuple[tuple[str, ...], ...]
    notices: tuple[str, ...]
    models: tuple[str, ...]


def view_result(document: Document, place: Place, words: Words, history: Mapping[int, str] | None = None) -> ResultView:
    """The page of an analysis; `history` says by lesion what became of it since the baseline."""
    counts, severity, told = document.counts, document.grades.severity, history or {}
    value = None if severity is None or isinstance(severity.value, str | bool) else severity.value
    groups = _groups(document, words)
    return ResultView(
        photo=place.photo,
        image=place.image,
        when=place.when,
        own=place.own,
        siblings=place.siblings,
        pictures=tuple(Layer(name, href) for name, href in place.pictures),
        overlay=draw_layers(document, words, told),
        alt=words.say("result.alt", groups=", ".join(f"{row.n} {row.name}" for row in groups)),
        verdict=str(document.quality.verdict),
        advice=advice_of(document.quality.checks, words),
        total=str(counts.total),
        total_likely=words.say("result.likely", low=counts.interval_90[0], high=counts.interval_90[1]),
        severity="–" if severity is None or severity.level is None else _level(severity, words),
        severity_of="" if value is None else words.say("result.of_five", n=words.number(float(value))),
        severity_note=_likely(severity, words),
        coverage=words.percent(document.coverage.fraction, 2),
        why=_in_short(document, words),
        groups=groups,
        regions=_regions(document, words),
        kinds=tuple((str(kind), words.say(f"kind.{kind}")) for kind in Kind if _any(document.lesions, kind)),
        scales=tuple(_scales(document, words)),
        lesions=tuple(_lesion(lesion, words, told.get(lesion.id, "–")) for lesion in document.lesions),
        checks=tuple(_check(check, words) for check in document.quality.checks),
        notices=tuple(words.tell(line) for line in document.notices),
        models=tuple(name.split("@")[0] + " " + name[-64:][:8] for name in document.models),
    )


def advice_of(checks: Sequence[CheckPart], words: Words) -> tuple[str, ...]:
    """What to do better."""
    return tuple(words.tell(check.advice) for check in checks if not check.ok and check.advice)


def _any(lesions: Sequence[LesionPart], kind: Kind) -> bool:
    return any(lesion.kind is kind for lesion in lesions)


def _level(grade: GradePart, words: Words) -> str:
    key = f"level.{grade.level}"
    return words.say(key) if words.has(key) else words.tell(str(grade.level)).capitalize()


def _likely(grade: GradePart | None, words: Words) -> str:
    if grade is None or grade.interval_90 is None:
        return words.say("result.not_assessed") if grade is None else ""
    low, high = (words.number(float(v)) for v in grade.interval_90)
    return words.say("result.likely", low=low, high=high)


def _in_short(document: Document, words: Words) -> str:
    if document.quality.verdict is Verdict.POOR:
        return words.say("result.why_poor")
    hidden = [r for r in Region if document.counts.by_region.get(r) is None]
    if hidden:
        return words.say("result.why_hidden", regions=", ".join(words.say(f"region.{r}") for r in hidden))
    return words.say("result.why_interval")


def _groups(document: Document, words: Words) -> tuple[GroupRow, ...]:
    numbers = {group: sum(lesion.group is group for lesion in document.lesions) for group in Group}
    numbers |= dict(document.counts.by_group)
    return tuple(GroupRow(str(g), numbers[g], words.say(f"group.{g}").lower()) for g in Group)


def _regions(document: Document, words: Words) -> tuple[RegionRow, ...]:
    by_region = document.counts.by_region
    most = max([n for n in by_region.values() if n is not None], default=0)
    return tuple(_region(region, by_region.get(region), most, words) for region in Region)


def _region(region: Region, n: int | None, most: int, words: Words) -> RegionRow:
    if n is None:
        return RegionRow(words.say(f"region.{region}"), words.say("region.hidden"), None)
    return RegionRow(words.say(f"region.{region}"), str(n), n / most if most else 0.0)


def _scales(document: Document, words: Words) -> list[ScaleRow]:
    rows: list[ScaleRow] = []
    for name, grade in document.grades:
        if isinstance(grade, AcnePart):
            result = words.say(f"result.affected.{grade.affected}".lower(), p=words.percent(grade.probability))
        elif isinstance(grade, GradePart):
            result = _result(grade, words)
        else:
            continue
        rows.append(
            ScaleRow(
                name=_scale_name(name, words),
                result=result,
                why=words.tell(grade.why),
                details=tuple(_detail(key, value, words) for key, value in grade.details.items()),
                missing="; ".join(words.tell(line) for line in grade.missing),
                source=words.tell(grade.source),
            )
        )
    return rows


def _detail(name: str, value: str | float | int | None, words: Words) -> tuple[str, str]:
    shown = words.tell(value) if isinstance(value, str) else words.number(value, 3)
    return words.say(f"detail.{name}") if words.has(f"detail.{name}") else in_words(name), shown


def _scale_name(name: str, words: Words) -> str:
    return words.say(f"scale.{name}") if words.has(f"scale.{name}") else SCALE_NAMES.get(name, in_words(name))


def _result(grade: GradePart, words: Words) -> str:
    if grade.value is None:
        return words.say("result.not_assessed")
    level = None if grade.level is None else words.tell(grade.level.lower())
    if not isinstance(grade.value, float | int):
        return level or words.tell(str(grade.value))
    value = words.number(grade.value)
    if grade.maximum is not None:
        value = words.say("result.of", n=value, most=words.number(grade.maximum))
    return value if level is None else f"{value}, {level}"


def _lesion(lesion: LesionPart, words: Words, history: str) -> LesionRow:
    return LesionRow(
        id=lesion.id,
        group=str(lesion.group),
        kind=words.say(f"kind.{lesion.kind}"),
        region=region_name(lesion.region, words),
        size=lesion_size(lesion, words),
        score=words.percent(lesion.score),
        history=history,
    )


def _check(check: CheckPart, words: Words) -> tuple[str, ...]:
    key = f"check.{check.name}.name"
    return (
        words.say(key) if words.has(key) else in_words(check.name),
        words.number(check.value, 2),
        words.number(check.limit, 2),
        words.say("check.passed" if check.ok else "check.failed"),
    )
