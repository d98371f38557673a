"""Answers and advice: what guidelines list for an analysis, filtered by what the person answered."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from comedo.guidance.answers import check_answers, plain_answers
from comedo.guidance.load import languages, load_catalogue, load_tables
from comedo.report.advice_document import to_advice_document
from comedo.report.advise import advise as advise_on
from comedo.service.accounts.access import own, see, see_owner
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.paging import piece
from comedo.service.actions.stored import document_of
from comedo.service.actions.views import AdviceView, AnswersView, Page
from comedo.service.database.columns import new_id, now
from comedo.service.database.counts import need_room
from comedo.service.database.tables import Advice, Analysis, Answers
from comedo.service.parts import Parts
from comedo.service.problems import Problem, absent


def questions(language: str = "en") -> list[dict[str, object]]:
    """The questions with their texts and the answers that each takes.

    Raises:
        Problem: There is no such language.
    """
    _check_language(language)
    words = load_catalogue(language)
    return [
        {
            "id": question.id,
            "kind": question.kind,
            "text": words.questions[question.id],
            "answers": {code: words.answers[question.id][code] for code in question.answers},
            "products": {code: words.products[code] for code in question.products},
        }
        for question in load_tables().questions
    ]


def _check_language(language: str) -> None:
    known = languages()
    if language not in known:
        reason = f"must be one of {', '.join(known)}"
        raise Problem("invalid", f"language {reason}", fields={"language": reason})


def save_answers(parts: Parts, actor: Actor, values: Mapping[str, object]) -> AnswersView:
    """Keep a person's answers; those before stay beside them.

    Raises:
        UnusableInput: A field is unknown, or its value is not one that the question takes.
    """
    actor.need(Scope.WRITE)
    asked = load_tables().questions
    document = plain_answers(check_answers(dict(values), asked), asked)
    row = Answers(id=new_id(), owner=actor.account, created=now())
    with parts.database.write() as session:
        need_room(session, Answers, actor.account, Answers.owner == actor.account)
        row.document = parts.vault.key_of(session, actor.account).seal_json(document, about=row.id)
        session.add(row)
    return AnswersView(id=row.id, owner=row.owner, created=row.created, document=document)


def newest_answers(parts: Parts, actor: Actor, *, owner: str | None = None) -> AnswersView | None:
    """The latest answers; None: nothing was answered yet."""
    whose = see_owner(parts, actor, owner, "answers.read")
    latest = select(Answers).where(Answers.owner == whose).order_by(Answers.created.desc()).limit(1)
    with parts.database.read() as session:
        row = session.scalar(latest)
        if row is None:
            return None
        document = parts.vault.key_of(session, whose).open_json(row.document, about=row.id)
    return AnswersView(id=row.id, owner=row.owner, created=row.created, document=document)


def advise(
    parts: Parts, actor: Actor, analysis: str, *, answers: str | None = None, language: str = "en"
) -> AdviceView:
    """Make and keep the advice for one's own analysis.

    Args:
        parts: Of the service.
        actor: Who asks.
        analysis: On which.
        answers: Which answers; None: the latest, or nothing answered at all, which is the most cautious.
        language: Of the texts.
    """
    actor.need(Scope.WRITE)
    _check_language(language)
    with parts.database.read() as session:
        row = own(session, actor, Analysis, analysis)
        key = parts.vault.key_of(session, row.owner)
        if answers is None:
            latest = select(Answers).where(Answers.owner == row.owner).order_by(Answers.created.desc()).limit(1)
            said = session.scalar(latest)
        else:
            said = own(session, actor, Answers, answers)
        document = document_of(row, key)
    values = {} if said is None else key.open_json(said.document, about=said.id)
    made = to_advice_document(advise_on(document, values, language=language)).model_dump(mode="json", by_alias=True)
    kept = Advice(
        id=new_id(), owner=row.owner, analysis=row.id, answers=None if said is None else said.id, created=now()
    )
    kept.document = key.seal_json(made, about=kept.id)
    with parts.database.write() as session:
        if session.get(Analysis, analysis) is None:
            raise absent("analysis")
        need_room(session, Advice, kept.owner, Advice.owner == kept.owner)
        session.add(kept)
    return _view(kept, made)


def list_advice(
    parts: Parts, actor: Actor, *, owner: str | None = None, limit: int = 20, cursor: str | None = None
) -> Page[AdviceView]:
    """Advice, newest first."""
    whose = see_owner(parts, actor, owner, "advice.list")
    rows = select(Advice).where(Advice.owner == whose)
    with parts.database.read() as session:
        found, after = piece(session, rows, (Advice.created, Advice.id), limit=limit, cursor=cursor)
        key = parts.vault.key_of(session, whose)
    return Page(items=[_view(row, key.open_json(row.document, about=row.id)) for row in found], next=after)


def get_advice(parts: Parts, actor: Actor, advice: str) -> AdviceView:
    """One advice with its document."""
    row = see(parts, actor, Advice, advice, "advice.read")
    with parts.database.read() as session:
        return _view(row, parts.vault.key_of(session, row.owner).open_json(row.document, about=row.id))


def _view(row: Advice, document: dict[str, object]) -> AdviceView:
    return AdviceView(
        id=row.id, owner=row.owner, analysis=row.analysis, answers=row.answers, created=row.created, document=document
    )
