"""The verdict on two photos in the language of the page: what changed, against what chance explains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from comedo.progress.values import Answer
from comedo.progress.verdict import least_seen
from comedo.report.change_document import VerdictPart
from comedo.service.pages.words import Words

_SUREST = 0.99  # no probability is shown as certain


@dataclass(frozen=True)
class Odd:
    """One answer's share of a bar of 100."""

    answer: str
    x: float
    width: float
    text: str


@dataclass(frozen=True)
class VerdictView:
    """The answer in a word and in a sentence; `odds` is empty where nothing is concluded."""

    answer: str
    sentence: str
    span: str
    odds: tuple[Odd, ...]
    odds_label: str


def view_verdict(verdict: VerdictPart, first: datetime | None, last: datetime | None, words: Words) -> VerdictView:
    """The verdict on photos of these two days."""
    odds = _odds(verdict, words)
    return VerdictView(
        answer=str(verdict.answer),
        sentence=_sentence(verdict, words),
        span=_span(first, last, words),
        odds=odds,
        odds_label=", ".join(f"{words.say(f'answer.{o.answer}')} {o.text}" for o in odds),
    )


def _sentence(verdict: VerdictPart, words: Words) -> str:
    count = next((m for m in verdict.measures if m.name == "count"), None)
    if count is None:
        return words.say("verdict.refused", reason=words.tell(verdict.reason))
    limit = words.number(count.noise_limit)
    return words.say(
        f"verdict.{verdict.answer}",
        before=round(count.before),
        after=round(count.after),
        noise=least_seen(count.smallest_detectable) if verdict.answer is Answer.SAME else limit,
        reason=words.tell(verdict.reason),
    )


def _span(first: datetime | None, last: datetime | None, words: Words) -> str:
    if first is None or last is None:
        return words.say("verdict.undated")
    return words.say("verdict.span", first=words.day(first), last=words.day(last))


def _odds(verdict: VerdictPart, words: Words) -> tuple[Odd, ...]:
    found = verdict.probabilities
    if found is None or verdict.answer is Answer.CANNOT_TELL:
        return ()  # what withdrew the answer is in no probability
    odds, x = [], 0.0
    for answer in (Answer.BETTER, Answer.SAME, Answer.WORSE):
        share = found.get(answer, 0.0)
        odds.append(Odd(str(answer), round(x, 1), round(100 * share, 1), words.percent(min(share, _SUREST))))
        x += 100 * share
    return tuple(odds)
