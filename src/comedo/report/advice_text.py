"""An advice for people in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from comedo.guidance.advice import Access, Advice, Line, Section, Source, Urgency
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.load import load_catalogue

_FAST = (Urgency.EMERGENCY, Urgency.SAME_DAY, Urgency.URGENT)


def print_advice(advice: Advice, console: Console) -> None:
    """Every line with its reason, its sources and how far it can be trusted; what is urgent comes first."""
    words = load_catalogue(advice.language)
    _say(console, words.say("title"), "bold underline")
    _say(console, words.say("photo", photo=_printable(advice.photo_name)))
    _say(console, words.say("claims"))
    _say(console, words.say("reviewed" if advice.reviewed_by_clinician else "not_reviewed"), "bold")
    _say(console, "")
    _say(console, _printable(advice.group_why))
    for section in Section:
        _print_section(section, advice, words, console)
    _print_sources(advice, words, console)


def _print_section(section: Section, advice: Advice, words: Catalogue, console: Console) -> None:
    lines = advice.section(section)
    if not lines and section is not Section.TREATMENTS:
        return
    _say(console, f"\n{words.sections[section]}", "bold")
    if not lines:
        _say(console, words.say("nothing_listed"), indent=2)
    for line in lines:
        _print_line(line, words, console)


def _print_line(line: Line, words: Catalogue, console: Console) -> None:
    head = _head(line, words)
    style = "bold red" if line.urgency in _FAST else ""
    _say(console, f"{line.id}  {head}{line.text}", style, indent=2)
    _say(console, f"{words.say('why')}: {line.why}", "dim", indent=6)
    _say(console, f"[{', '.join(line.sources)}] {words.provenance[line.provenance]}", "dim", indent=6)


def _head(line: Line, words: Catalogue) -> str:
    if line.urgency is not None:
        return f"{words.urgency[line.urgency]}: "
    if line.access is None or line.access is Access.HIDDEN:
        return ""
    return f"({words.access[line.access.name.lower()]}) "


def _print_sources(advice: Advice, words: Catalogue, console: Console) -> None:
    day = next((words.day(s.read_on) for s in advice.sources.values()), "")
    _say(console, f"\n{words.say('sources')} ({words.say('read_on', date=day)})", "bold")
    for source in advice.sources.values():
        _say(console, _source(source, words), indent=2)


def _source(source: Source, words: Catalogue) -> str:
    date = source.published or words.say("undated")
    return f"{source.id}: {source.title} ({source.jurisdiction}, {date}), {source.url or words.say('no_address')}"


def _say(console: Console, text: str, style: str = "", *, indent: int = 0) -> None:
    console.print(Padding(Text(text, style=style), (0, 0, 0, indent), expand=False), highlight=False)


def _printable(text: str) -> str:
    """A name that can neither colour nor steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
