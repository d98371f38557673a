"""Why a line is there, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from comedo.guidance.advice import Group, Provenance, Section
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.profile import Profile
from comedo.guidance.series import Series
from comedo.guidance.tables import CareRow, Flag, Restriction, Tables


@dataclass(frozen=True)
class Reasons:
    """What a reason can refer to: the answers and the group of the photo."""

    words: Catalogue
    tables: Tables
    profile: Profile
    group: Group
    series: Series | None = None

    def of_answers(self, when: Mapping[str, frozenset[str]]) -> str:
        """The answers, or their absence, that made a rule apply."""
        return " ".join(self._of_question(question, codes) for question, codes in when.items())

    def _of_question(self, question: str, codes: frozenset[str]) -> str:
        words = self.words
        name = words.questions[question]
        if question not in self.profile.answered:
            return words.say("because_unanswered", question=name)
        given = self.profile.possible[question] & codes
        texts = [words.answers[question][c] for c in self.tables.question[question].codes if c in given]
        return words.say("because_answer", question=name, answers="; ".join(texts))

    def of_photo(self) -> str:
        """The group of the photo."""
        return self.words.say("because_photo", group=self.words.groups[self.group])

    def of_series(self) -> str:
        """The photos over time, with their dates where those are known."""
        assert self.series is not None
        words, first, last = self.words, self.series.first_on, self.series.last_on
        if first is None or last is None:
            text = words.say("because_series_undated")
        else:
            text = words.say("because_series", first=words.day(first), last=words.day(last))
        start = self.series.treatment_on
        return text if start is None else f"{text} {words.say('because_start', date=words.day(start))}"

    def of_flag(self, flag: Flag) -> str:
        """Why a flag is raised."""
        parts = [self.of_photo()] if flag.groups else []
        parts += [self.of_answers(flag.when)] if flag.when else []
        return " ".join([*parts, *([self.of_series()] if flag.series else [])])

    def of_restrictions(self, restrictions: Iterable[Restriction]) -> str:
        """Each rule with the answer that made it apply; a rule that is unverified says so."""
        return " ".join(
            f"{self.words.restrictions[r.id]}{self._mark(r)} {self.of_answers({r.question: r.answers})}"
            for r in restrictions
        )

    def _mark(self, rule: Restriction) -> str:
        unverified = rule.provenance is Provenance.UNVERIFIED
        return f" ({self.words.provenance[rule.provenance]})" if unverified else ""

    def of_care(self, row: CareRow) -> str:
        """Why a line of care, caution, difference or expectation is shown."""
        parts = [self.words.say("two_guidelines")] if row.section is Section.DIFFERENCES else []
        if row.when:
            parts.append(self.of_answers(row.when))
        if row.groups:
            parts.append(self.of_photo())
        if row.series:
            parts.append(self.of_series())
        if row.needs or row.mentions:
            parts.append(self.words.say("for_listed"))
        return " ".join(parts) or self.words.say("for_everyone")
