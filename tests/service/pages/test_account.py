"""Password and programs: changed, reset by a code that an administrator made, tokens shown once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from comedo.errors import UnusableInput
from comedo.service.accounts.resets import make_code
from comedo.service.database.columns import now
from comedo.service.database.tables import ResetCode
from service.api.conftest import PASSWORD, Service
from service.pages.people import person

NEW = "other plain words"
EMAIL = "robin@example.org"


def sign_in(service: Service, password: str) -> int:
    return service.visitor().post("/sign-in", data={"email": EMAIL, "password": password}).status_code


def test_a_new_password_signs_other_browsers_out(service):
    here, there = person(service), service.visitor()
    there.headers["accept"] = "text/html"
    there.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    wrong = here.post("/account/password", data={"current": "wrong", "new": NEW})
    assert (wrong.status_code, "not right" in wrong.text) == (401, True)
    weak = here.post("/account/password", data={"current": PASSWORD, "new": "short"})
    assert (weak.status_code, "must have 12" in weak.text) == (422, True)
    assert "password is changed" in here.post("/account/password", data={"current": PASSWORD, "new": NEW}).text
    assert here.get("/diary").status_code == 200
    assert there.get("/diary", follow_redirects=False).status_code == 303
    assert (sign_in(service, PASSWORD), sign_in(service, NEW)) == (401, 200)


def test_a_code_sets_a_password_once(service):
    here = person(service)
    old, code = (make_code(service.parts.database, f" {EMAIL.upper()}") for _ in range(2))
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", code)
    form = {"email": EMAIL, "password": NEW}
    for wrong in ({**form, "code": old}, {**form, "code": ""}, {**form, "code": code, "email": "x@example.org"}):
        refused = service.visitor().post("/reset", data=wrong)
        assert (refused.status_code, "not right" in refused.text) == (401, True)
    visitor = service.visitor()
    visitor.headers["accept"] = "text/html"
    assert visitor.post("/reset", data={**form, "code": code.lower().replace("-", " ")}).url.path == "/diary"
    assert here.get("/diary", follow_redirects=False).status_code == 303
    assert service.visitor().post("/reset", data={**form, "code": code}).status_code == 401
    assert "set a new password by a code" in visitor.get("/privacy").text


def test_an_old_code_does_not_work(service):
    person(service)
    code = make_code(service.parts.database, EMAIL)
    with service.parts.database.write() as session:
        session.execute(update(ResetCode).values(expires=now() - timedelta(seconds=1)))
    assert service.visitor().post("/reset", data={"email": EMAIL, "code": code, "password": NEW}).status_code == 401
    assert sign_in(service, PASSWORD) == 200


def test_nobody_gets_no_code(service):
    with pytest.raises(UnusableInput, match="no account"):
        make_code(service.parts.database, "nobody@example.org")


def test_a_token_is_shown_once_and_can_be_ended(service):
    client = person(service)
    page = client.post("/account/tokens", data={"name": "phone", "scope": ["read"], "days": "30"}).text
    token = re.search(r"comedo_[\w-]{40,}", page)[0]
    program = service.visitor()
    program.headers = {"Authorization": f"Bearer {token}"}
    assert program.get("/api/v1/photos").status_code == 200
    assert program.post("/api/v1/notes", json={"text": "x"}).status_code == 403
    page = client.get("/account").text
    assert "phone" in page
    assert token not in page
    client.post(re.search(r"/account/tokens/\w+/revoke", page)[0])
    assert program.get("/api/v1/photos").status_code == 401
    assert "No program has a token" in client.get("/account").text


@pytest.mark.parametrize(
    "form",
    [{}, {"name": "phone"}, {"name": "x" * 101, "scope": "read"}, {"name": "a", "scope": "all"},
     {"name": "a", "scope": "read", "days": "0"}, {"name": "a", "scope": "read", "days": "²"}],
    ids=["empty", "no scope", "long name", "unknown scope", "no days", "strange digit"],
)  # fmt: skip
def test_a_token_needs_a_name_and_a_scope(service, form):
    client = person(service)
    assert client.post("/account/tokens", data=form).status_code == 422
    assert "No program has a token" in client.get("/account").text
