"""A person's answers, checked against the questions; every refusal names the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from comedo.errors import UnusableInput
from comedo.guidance.tables import Question

SCHEMA = "comedo.answers/1"
MAX_TREATMENTS = 50
MAX_WEEKS = 5200
HELPED = ("yes", "partly", "no")
_ENTRY = ("what", "weeks", "now", "helped")


@dataclass(frozen=True)
class Treatment:
    """One treatment that is or was used; None: not said, which counts as the cautious answer."""

    what: str
    weeks: int | None = None
    now: bool | None = None
    helped: str | None = None


@dataclass(frozen=True)
class Answers:
    """What was answered; a question that is absent was not."""

    age: int | None = None
    choices: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    treatments: tuple[Treatment, ...] | None = None

    def answered(self, question: str) -> bool:
        """Whether a question was answered."""
        return {"age": self.age is not None, "treatments": self.treatments is not None}.get(
            question, question in self.choices
        )


def check_answers(values: object, questions: Sequence[Question]) -> Answers:
    """Read plain values, as from a YAML or JSON file; null means unanswered.

    Raises:
        UnusableInput: A field is unknown, or its value is not one that the question takes.
    """
    if not isinstance(values, Mapping):
        raise _refusal("the answers", "must be fields with values", values)
    known = {q.id: q for q in questions}
    for name in values:
        if name not in (*known, "schema"):
            raise UnusableInput(f"answers: there is no field {_shown(name)}{_nearest(name, list(known))}")
    if values.get("schema", SCHEMA) != SCHEMA:
        raise _refusal("schema", f"must be {SCHEMA}", values["schema"])
    given = {name: values[name] for name in known if values.get(name) is not None}
    age = _age(given["age"], known["age"]) if "age" in given else None
    entries = _treatments(given["treatments"], known["treatments"]) if "treatments" in given else None
    choices = {
        name: _choices(value, known[name]) for name, value in given.items() if known[name].kind in ("choice", "choices")
    }
    return Answers(age, MappingProxyType(choices), entries)


def plain_answers(answers: Answers, questions: Sequence[Question]) -> dict[str, object]:
    """The answers as plain values, every question named; `check_answers` reads them back."""
    values: dict[str, object] = {"schema": SCHEMA}
    for question in questions:
        chosen = answers.choices.get(question.id)
        if question.kind == "number":
            values[question.id] = answers.age
        elif question.kind == "treatments":
            entries = answers.treatments
            values[question.id] = None if entries is None else [_plain_entry(t) for t in entries]
        elif chosen is None:
            values[question.id] = None
        else:
            ordered = [code for code in question.answers if code in chosen]
            values[question.id] = ordered[0] if question.kind == "choice" else ordered
    return values


def _plain_entry(entry: Treatment) -> dict[str, object]:
    return {"what": entry.what, "weeks": entry.weeks, "now": entry.now, "helped": entry.helped}


def _age(value: object, question: Question) -> int:
    low, high = min(b[0] for b in question.bands.values()), max(b[1] for b in question.bands.values())
    return _whole("age", value, low, high)


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _refusal(name, f"must be a whole number from {low} to {high}", value)
    return value


def _choices(value: object, question: Question) -> frozenset[str]:
    if question.kind == "choice":
        return frozenset({_code(question.id, value, question.answers)})
    if not isinstance(value, list | tuple | set | frozenset):
        raise _refusal(question.id, f"must be a list ([] for none) of {', '.join(question.answers)}", value)
    return frozenset(_code(f"{question.id}[{i}]", v, question.answers) for i, v in enumerate(value))


def _code(name: str, value: object, codes: Sequence[str]) -> str:
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value  # YAML reads yes and no so
    if not isinstance(text, str) or text not in codes:
        raise _refusal(name, f"must be one of {', '.join(codes)}", value, _nearest(value, codes))
    return text


def _treatments(value: object, question: Question) -> tuple[Treatment, ...]:
    if not isinstance(value, list | tuple):
        raise _refusal(question.id, "must be a list of entries ([] for none), each with `what`", value)
    if len(value) > MAX_TREATMENTS:
        raise UnusableInput(f"answers: {question.id} has {len(value)} entries; at most {MAX_TREATMENTS} are read")
    return tuple(_entry(f"{question.id}[{i}]", entry, question) for i, entry in enumerate(value))


def _entry(name: str, value: object, question: Question) -> Treatment:
    if not isinstance(value, Mapping) or "what" not in value:
        raise _refusal(name, "must be fields with values, `what` among them", value)
    for key in value:
        if key not in _ENTRY:
            raise UnusableInput(f"answers: {name} has no field {_shown(key)}{_nearest(key, _ENTRY)}")
    weeks, now, helped = (value.get(key) for key in ("weeks", "now", "helped"))
    return Treatment(
        what=_code(f"{name}.what", value["what"], question.products),
        weeks=None if weeks is None else _whole(f"{name}.weeks", weeks, 0, MAX_WEEKS),
        now=None if now is None else _code(f"{name}.now", now, ("yes", "no")) == "yes",
        helped=None if helped is None else _code(f"{name}.helped", helped, HELPED),
    )


def _refusal(name: str, rule: str, value: object, hint: str = "") -> UnusableInput:
    return UnusableInput(f"answers: {name} {rule}; got {_shown(value)}{hint}")


def _shown(value: object) -> str:
    """A value short and harmless enough for a message."""
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return "fields" if isinstance(value, Mapping) else "a list"
    if value is None:
        return "nothing"
    if not isinstance(value, str | int | float):
        return f"a {type(value).__name__}"
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a huge number"
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:40])
    return f"'{text}'"


def _nearest(value: object, known: Sequence[str]) -> str:
    found = get_close_matches(value[:60], known, n=1) if isinstance(value, str) else []
    return f" (did you mean {found[0]}?)" if found else ""
