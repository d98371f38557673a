"""The tables as pages for review: `python -m comedo.guidance.pages FOLDER` writes guidance-*.md, one row a line.

The pages are made from the tables and the English texts; a test fails while those in docs/ differ.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from comedo.guidance.advice import Provenance
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.load import load_catalogue, load_tables
from comedo.guidance.series import CODES
from comedo.guidance.tables import CareRow, Flag, Part, Sourced, Tables

_MADE = (
    "<!-- Made by `python -m comedo.guidance.pages docs` from the guideline tables: change those, not this page. -->"
)


def pages() -> dict[str, str]:
    """Every page by its file name."""
    tables, words = load_tables(), load_catalogue("en")
    state = words.say("reviewed" if tables.reviewed_by_clinician else "not_reviewed")
    made = {
        "guidance-treatments.md": ("Guidance: treatments", _treatments(tables, words)),
        "guidance-answers.md": ("Guidance: questions and what the answers withhold", _answers(tables, words)),
        "guidance-lines.md": (
            "Guidance: when to see a clinician, skin care, cautions, expectations",
            _lines(tables, words),
        ),
        "guidance-sources.md": ("Guidance: sources", _sources(tables, words)),
    }
    return {
        name: f"{_MADE}\n\n# {title}\n\n{words.say('claims')} {state}\n\n{_legend(words)}\n\n{body}\n"
        for name, (title, body) in made.items()
    }


def _legend(words: Catalogue) -> str:
    return "Provenance: " + "; ".join(f"**{p.value}**: {words.provenance[p]}" for p in Provenance) + "."


def _treatments(tables: Tables, words: Catalogue) -> str:
    p = tables.principles
    rules = [
        [rule.id, words.principles[rule.id], *_origin(rule)] for rule in (*p.never_alone, *p.never_together, *p.limited)
    ]
    regimens = [
        [
            r.id,
            words.guidelines[r.guideline],
            words.regimen(r.form, [_part(part, words) for part in r.parts]),
            words.strengths[r.strength],
            _groups(r.groups, words) + (" (comedo's convention)" if r.groups_provenance else ""),
            *_origin(r),
        ]
        for r in tables.regimens
    ]
    access = [
        [words.ingredients[i], it.cls.replace("_", " "), words.access[it.access], ", ".join(it.sources)]
        for i, it in tables.ingredients.items()
    ]
    return "\n\n".join(
        (
            "## Principles: a regimen that breaks one is refused when the tables are loaded",
            _table(("id", "rule", "provenance", "sources"), rules),
            "## Regimens",
            _table(("id", "guideline", "regimen", "strength", "groups", "provenance", "sources"), regimens),
            "## Ingredients and how freely they are named at best",
            _table(("ingredient", "class", "access", "sources"), access),
        )
    )


def _part(part: Part, words: Catalogue) -> str:
    return words.part(part, part.any_of)


def _answers(tables: Tables, words: Catalogue) -> str:
    questions = [
        [f"`{q.id}`", words.questions[q.id], q.kind, "; ".join(f"`{c}` {words.answers[q.id][c]}" for c in q.codes)]
        for q in tables.questions
    ]
    rules = [
        [
            r.id,
            _when({r.question: r.answers}, tables, words),
            _names(tables.members(r.hide) - tables.members(r.spare), tables, words),
            _names(tables.members(r.clinician) - tables.members(r.spare), tables, words),
            words.restrictions[r.id],
            *_origin(r),
        ]
        for r in tables.restrictions
    ]
    return "\n\n".join(
        (
            "## Questions",
            _table(("field", "question", "kind", "coded answers"), questions),
            "## Restrictions: each applies unless the answer rules it out; the strictest wins",
            _table(("id", "answers", "not listed", "clinician only", "reason", "provenance", "sources"), rules),
        )
    )


def _lines(tables: Tables, words: Catalogue) -> str:
    flags = [
        [
            f.id,
            words.urgency[f.level],
            words.lines[f.id],
            _conditions(f, tables, words),
            *_origin(f),
        ]
        for f in tables.flags
    ]
    care = [
        [
            row.id,
            words.sections[row.section],
            words.lines[row.id],
            _conditions(row, tables, words),
            _needs((*row.mentions, *row.needs), words),
            *_origin(row),
        ]
        for row in tables.care
    ]
    return "\n\n".join(
        (
            "## When to see a clinician",
            _table(("id", "how fast", "text", "when", "provenance", "sources"), flags),
            "## Skin care, cautions, differences, expectations, limits",
            _table(("id", "section", "text", "when", "only beside", "provenance", "sources"), care),
        )
    )


def _sources(tables: Tables, words: Catalogue) -> str:
    rows = [
        [
            i,
            s.title,
            s.jurisdiction,
            s.published or words.say("undated"),
            f"<{s.url}>" if s.url else "",
            s.provenance.value,
        ]
        for i, s in tables.sources.items()
    ]
    return f"All were read on {tables.read_on}.\n\n" + _table(
        ("id", "title", "where", "published", "address", "provenance"), rows
    )


def _origin(row: Sourced) -> tuple[str, str]:
    return row.provenance.value, ", ".join(row.sources)


def _when(when: Mapping[str, frozenset[str]], tables: Tables, words: Catalogue) -> str:
    """Answers in words, in the order of the questions' tables."""
    return "; ".join(
        f"{question}: {', '.join(words.answers[question][c] for c in tables.question[question].codes if c in codes)}"
        for question, codes in when.items()
    )


def _conditions(row: Flag | CareRow, tables: Tables, words: Catalogue) -> str:
    """Everything that a row waits for."""
    series = ", ".join(words.series[code] for code in CODES if code in row.series)
    unless = _when(row.unless, tables, words) if isinstance(row, CareRow) else ""
    parts = (
        _when(row.when, tables, words),
        _groups(row.groups, words),
        series and f"series: {series}",
        unless and f"not with {unless}",
    )
    return "; ".join(filter(None, parts))


def _groups(groups: Iterable[str], words: Catalogue) -> str:
    return ", ".join(words.groups[g] for g in groups)


def _names(ids: frozenset[str], tables: Tables, words: Catalogue) -> str:
    if len(ids) == len(tables.ingredients):
        return "everything"
    return ", ".join(words.ingredients[i] for i in tables.ingredients if i in ids)


def _needs(targets: Sequence[str], words: Catalogue) -> str:
    texts = ["any listed treatment" if t == "all" else words.ingredients.get(t, t.replace("_", " ")) for t in targets]
    return ", ".join(dict.fromkeys(texts))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def write_pages(folder: Path) -> list[Path]:
    """Write every page into a folder."""
    paths = []
    for name, text in pages().items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


if __name__ == "__main__":
    for path in write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
        sys.stdout.write(f"{path}\n")
