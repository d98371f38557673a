"""Asks the questions one by one. Where the text goes and the answers come from is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from comedo.errors import UnusableInput
from comedo.guidance.answers import HELPED, Answers, check_answers
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.tables import Question

Read = Callable[[str], str]  # a prompt in, the line that was typed out
Say = Callable[[str], None]


def ask(questions: Sequence[Question], words: Catalogue, read: Read, say: Say) -> Answers:
    """The answers that a person types; an empty line leaves a question unanswered."""
    say(words.say("ask_intro"))
    values = {question.id: _Asker(question, words, read, say).ask() for question in questions}
    return check_answers(values, questions)


class _Asker:
    """One question: its prompt, its numbered answers, and again until the answer is one."""

    def __init__(self, question: Question, words: Catalogue, read: Read, say: Say) -> None:
        self.question, self.words, self.read, self.say = question, words, read, say

    def ask(self) -> object:
        question, words = self.question, self.words
        self.say("")
        self.say(words.questions[question.id])
        if question.kind == "number":
            return self._until_valid(words.say("ask_number"), lambda text: self._checked(int(text)))
        if question.kind == "treatments":
            chosen = self._several(question.products, words.products, words.say("ask_treatments"))
            return None if chosen is None else [self._entry(code) for code in chosen]
        texts = words.answers[question.id]
        if question.kind == "choice":
            return self._one(question.answers, texts, words.say("ask_choice"))
        return self._several(question.answers, texts, words.say("ask_choices"))

    def _one(self, codes: Sequence[str], texts: Mapping[str, str], prompt: str) -> object:
        self._list(codes, texts)
        return self._until_valid(prompt, lambda text: _pick(codes, text))

    def _several(self, codes: Sequence[str], texts: Mapping[str, str], prompt: str) -> list[str] | None:
        self._list(codes, texts)
        self.say(f"  0  {self.words.say('none_of_these')}")
        chosen = self._until_valid(prompt, lambda text: _pick_several(codes, text))
        return chosen if isinstance(chosen, list) else None

    def _entry(self, code: str) -> dict[str, object]:
        words, what = self.words, self.words.products[code]
        weeks = self._until_valid(
            words.say("ask_weeks", what=what), lambda text: self._checked_entry(code, weeks=int(text))
        )
        yes_no = {"yes": words.say("yes"), "no": words.say("no")}
        self.say(words.say("ask_now", what=what))
        now = self._one(tuple(yes_no), yes_no, words.say("ask_choice"))
        self.say(words.say("ask_helped", what=what))
        helped = self._one(HELPED, {code: words.say(code) for code in HELPED}, words.say("ask_choice"))
        return {"what": code, "weeks": weeks, "now": now, "helped": helped}

    def _list(self, codes: Sequence[str], texts: Mapping[str, str]) -> None:
        for number, code in enumerate(codes, 1):
            self.say(f"  {number}  {texts[code]}")

    def _until_valid(self, prompt: str, parse: Callable[[str], object]) -> object:
        while True:
            text = self.read(prompt).strip()
            if not text:
                return None
            try:
                return parse(text)
            except (ValueError, IndexError, UnusableInput):
                self.say(self.words.say("ask_again"))

    def _checked(self, value: int) -> int:
        check_answers({self.question.id: value}, [self.question])
        return value

    def _checked_entry(self, code: str, *, weeks: int) -> int:
        check_answers({self.question.id: [{"what": code, "weeks": weeks}]}, [self.question])
        return weeks


def _pick(codes: Sequence[str], text: str) -> str:
    number = int(text)
    if number < 1:
        raise IndexError(number)
    return codes[number - 1]


def _pick_several(codes: Sequence[str], text: str) -> list[str]:
    numbers = text.replace(",", " ").split()
    return [] if numbers == ["0"] else [_pick(codes, number) for number in dict.fromkeys(numbers)]
