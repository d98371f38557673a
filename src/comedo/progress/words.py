"""The verdict in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence

from comedo.progress.values import Answer, Summary, Visit
from comedo.progress.verdict import least_seen, short


def in_one_sentence(whole: Summary, visits: Sequence[Visit], last: int | None) -> str:
    """What a person is told first."""
    if whole.answer is Answer.CANNOT_TELL or last is None or whole.probabilities is None:
        return f"Cannot tell: {whole.reason}."
    count = whole.measures[0]
    span = _span(visits[0], visits[last])
    numbers = f"{count.before:.0f} active lesions then, {count.after:.0f} now on the skin that both photos show"
    if whole.answer is Answer.SAME:
        return (
            f"The same{span} as far as these photos can show: {numbers}; "
            f"fewer than {least_seen(count.smallest_detectable)} may go unseen."
        )
    sure = whole.probabilities[whole.answer]
    return (
        f"{whole.answer.capitalize()}{span}: {numbers}, more than the {short(count.noise_limit)} "
        f"that noise explains (probability {min(sure, 0.99):.0%})."
    )


def _span(first: Visit, last: Visit) -> str:
    if first.when is None or last.when is None:
        return ""
    days = (last.when - first.when).days
    return "" if days < 1 else f" after {days} day{'s' if days > 1 else ''}"
