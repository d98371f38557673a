"""Accounts, sessions, tokens, consent: who is who, and for how long."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from comedo.service.accounts.passwords import check_password
from comedo.service.accounts.sessions import new_start_token
from comedo.service.database.columns import now
from comedo.service.database.tables import Account, WebSession
from comedo.service.problems import Problem
from comedo.service.storage.verify import verify
from service.api.conftest import PASSWORD, drawn_jpeg
from service.api.world import API, give_consent, with_token

ANNA = {"email": "anna@example.org", "password": PASSWORD}


@pytest.mark.parametrize(
    ("password", "ok"),
    [
        ("", False),
        ("short", False),
        ("eleven char", False),
        ("twelve chars", True),
        ("x" * 256, False),  # one letter only
        ("several plain words" * 13, True),
        ("several plain words" * 14, False),
        ("1q2w3e4r5t6y", False),
        ("qwertyuiop123", False),
        ("anna.example in a hurry", False),
        ("пароль из нескольких слов", True),
    ],
    ids=ascii,
)
def test_passwords(password, ok):
    if ok:
        check_password(password, email="anna.example@example.org")
        return
    with pytest.raises(Problem) as refused:
        check_password(password, email="anna.example@example.org")
    assert list(refused.value.fields) == ["password"]


def test_passwords_are_dear_to_guess(quick_passwords):
    assert quick_passwords.hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")  # OWASP's least, or more


def test_signing_in_and_out(both):
    anna = both.patient()
    assert anna.get(f"{API}/account").json()["email"] == "anna@example.org"
    old = dict(anna.cookies)
    assert anna.delete(f"{API}/sessions/current").status_code == 204
    thief = both.visitor()
    thief.cookies.update(old)
    assert thief.get(f"{API}/account").status_code == 401
    again = both.visitor()
    assert again.post(f"{API}/sessions", json=ANNA | {"email": " Anna@Example.ORG "}).status_code == 200
    assert dict(again.cookies) != old
    assert again.get(f"{API}/account").status_code == 200


def test_an_address_has_one_account(both):
    both.patient()
    answer = both.visitor().post(f"{API}/accounts", json=ANNA)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "body",
    [ANNA | {"password": "wrong words here"}, ANNA | {"email": "nobody@example.org"}],
    ids=["password", "person"],
)
def test_who_is_unknown_and_who_is_wrong_look_alike(service, body):
    service.patient()
    answer = service.visitor().post(f"{API}/sessions", json=body)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "check the address and the password"


def test_guessing_is_slowed_for_the_account(both):
    both.patient()
    guesses = [both.visitor().post(f"{API}/sessions", json=ANNA | {"password": "wrong words here"}) for _ in range(12)]
    assert [g.status_code for g in guesses] == [401] * 10 + [429] * 2
    assert int(guesses[-1].headers["retry-after"]) > 0


def test_a_forged_address_does_not_help(service):
    service.patient()
    codes = [
        service.visitor()
        .post(f"{API}/sessions", json=ANNA | {"password": "x"}, headers={"X-Forwarded-For": f"10.0.0.{n}"})
        .status_code
        for n in range(12)
    ]
    assert codes[-1] == 429


@pytest.mark.parametrize(
    "ended", [{"used": timedelta(minutes=-61)}, {"expires": timedelta(seconds=-1)}], ids=["idle", "old"]
)
def test_sessions_end_by_themselves(service, ended):
    anna = service.patient()
    with service.parts.database.write() as session:
        session.execute(update(WebSession).values({name: now() + delta for name, delta in ended.items()}))
    assert anna.get(f"{API}/account").status_code == 401


def test_a_new_password_ends_the_other_sessions(both):
    here = both.patient()
    there = both.visitor()
    there.post(f"{API}/sessions", json=ANNA)
    wrong = here.put(f"{API}/account/password", json={"current": "wrong words here", "new": "other plain words"})
    assert wrong.status_code == 401
    right = here.put(f"{API}/account/password", json={"current": PASSWORD, "new": "other plain words"})
    assert right.status_code == 204
    assert here.get(f"{API}/account").status_code == 200
    assert there.get(f"{API}/account").status_code == 401


def test_who_is_disabled_is_out_at_once(service):
    anna = service.patient()
    token = with_token(service, anna, "read")
    with service.parts.database.write() as session:
        session.execute(update(Account).values(disabled=now()))
    assert anna.get(f"{API}/account").status_code == 401
    assert token.get(f"{API}/account").status_code == 401
    assert service.visitor().post(f"{API}/sessions", json=ANNA).status_code == 401


def test_what_cannot_be_undone_asks_again(service):
    anna = service.patient()
    with service.parts.database.write() as session:
        session.execute(update(WebSession).values(confirmed=now() - timedelta(minutes=11)))
    for method, path in (("GET", "/export"), ("DELETE", "/account")):
        answer = anna.request(method, API + path)
        assert (answer.status_code, answer.json()["code"]) == (403, "ask_again")
    assert anna.post(f"{API}/sessions/confirm", json={"password": "wrong words here"}).status_code == 401
    assert anna.post(f"{API}/sessions/confirm", json={"password": PASSWORD}).status_code == 204
    assert anna.get(f"{API}/export").status_code == 200


def test_no_secret_is_kept(service):
    anna = service.patient()
    token = anna.post(f"{API}/tokens", json={"name": "mine", "scopes": ["read"]}).json()["token"]
    data = service.parts.settings.data_dir
    kept = b"".join(p.read_bytes() for p in data.rglob("*") if p.is_file())
    for secret in (PASSWORD, token, *anna.cookies.values()):
        assert secret.encode() not in kept


def test_tokens_do_what_their_scopes_say(both):
    anna = both.patient()
    reader, writer = with_token(both, anna, "read"), with_token(both, anna, "write", "read")
    photo = both.photo(anna)["id"]
    assert reader.get(f"{API}/photos/{photo}/image").status_code == 200
    assert reader.delete(f"{API}/photos/{photo}").status_code == 403
    sent = writer.post(f"{API}/photos", content=drawn_jpeg(2), headers={"Content-Type": "image/jpeg"})
    assert sent.status_code == 201
    assert writer.post(f"{API}/tokens", json={"name": "more", "scopes": ["export"]}).status_code == 403
    assert anna.delete(f"{API}/tokens/{reader.token}").status_code == 204
    assert reader.get(f"{API}/photos").status_code == 401
    assert [t["id"] for t in anna.get(f"{API}/tokens").json()] == [writer.token]


def test_consent_opens_and_withdrawal_closes_at_once(both):
    anna, doctor = both.patient(), both.clinician()
    photo = both.photo(anna)["id"]
    assert doctor.get(f"{API}/photos/{photo}").status_code == 404
    consent = give_consent(anna, "doctor@example.org")
    assert [p["patient"] for p in doctor.get(f"{API}/patients").json()] == [anna.account]
    for name in ("", "/image", "/overlay", "/mask"):
        assert doctor.get(f"{API}/photos/{photo}{name}").status_code == 200
    assert doctor.delete(f"{API}/photos/{photo}").status_code == 404
    assert anna.delete(f"{API}/consents/{consent}").status_code == 204
    for name in ("", "/image", "/overlay", "/mask"):
        assert doctor.get(f"{API}/photos/{photo}{name}").status_code == 404
    assert doctor.get(f"{API}/patients").json() == []
    looks = [e["action"] for e in anna.get(f"{API}/audit").json()["items"] if e["actor"] == doctor.account]
    assert sorted(looks) == ["mask.read", "overlay.read", "photo.look", "photo.read"]


def test_a_clinician_writes_notes_while_the_consent_holds(both):
    anna, doctor = both.patient(), both.clinician()
    about = {"text": "calmer than in May", "owner": anna.account}
    assert doctor.post(f"{API}/notes", json=about).status_code == 404
    consent = give_consent(anna, "doctor@example.org")
    note = doctor.post(f"{API}/notes", json=about).json()
    assert [n["text"] for n in anna.get(f"{API}/notes").json()["items"]] == ["calmer than in May"]
    assert doctor.get(f"{API}/notes").json()["items"] == []  # hers alone
    anna.delete(f"{API}/consents/{consent}")
    assert doctor.post(f"{API}/notes", json=about).status_code == 404
    assert doctor.delete(f"{API}/notes/{note['id']}").status_code == 404
    assert anna.delete(f"{API}/notes/{note['id']}").status_code == 204


def test_consent_can_be_given_again_but_not_twice(both):
    anna = both.patient()
    both.clinician()
    consent = give_consent(anna, "doctor@example.org")
    twice = anna.post(f"{API}/consents", json={"clinician_email": "doctor@example.org"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    assert anna.delete(f"{API}/consents/{consent}").status_code == 204
    assert give_consent(anna, "doctor@example.org") != consent


def test_only_clinicians_can_be_let_in(service):
    anna = service.patient()
    service.patient("ben@example.org")
    for email in ("ben@example.org", "nobody@example.org"):
        assert anna.post(f"{API}/consents", json={"clinician_email": email}).status_code == 404


def test_a_correction_changes_no_analysis(both):
    anna, doctor = both.patient(), both.clinician()
    photo = both.photo(anna)
    analysis = photo["analysis"]["id"]
    give_consent(anna, "doctor@example.org")
    before = anna.get(f"{API}/analyses/{analysis}").json()
    said = {"lesions": [{"action": "reject", "id": 1, "why": "a hair"}], "reviewer": "somebody else", "complete": True}
    made = doctor.post(f"{API}/analyses/{analysis}/corrections", json=said)
    assert made.status_code == 201, made.text
    assert made.json()["document"]["reviewer"] == "Dr Who"  # whatever was sent
    assert anna.get(f"{API}/analyses/{analysis}").json() == before
    review = anna.get(f"{API}/corrections/{made.json()['id']}/review").json()["document"]
    assert (review["schema"], review["result"]["counts"]["total"]) == ("comedo.review/1", 3)
    assert anna.get(f"{API}/photos/{photo['id']}").json()["analysis"]["corrected"]
    for kind in ("pdf", "json", "csv"):
        assert anna.get(f"{API}/analyses/{analysis}/reports/{kind}?correction={made.json()['id']}").status_code == 200
    wrong = doctor.post(f"{API}/analyses/{analysis}/corrections", json={"lesions": [{"action": "reject", "id": 99}]})
    assert wrong.status_code == 422


def test_what_is_kept_in_full_opens_again(both):
    anna = both.patient()
    photo = both.photo(anna)
    anna.post(f"{API}/treatments", json={"name": "Azelaic acid", "started": "2026-01-01", "note": "evenings"})
    assert list(verify(both.parts.storage)) == []
    path = f"{API}/analyses/{photo['analysis']['id']}/reports/dicom"
    assert anna.get(f"{path}?mask_eyes=true").status_code == 422  # rather than a face with its eyes


def test_a_photo_comes_back_after_it_was_deleted(service):
    anna = service.patient()
    first = service.photo(anna)["id"]
    assert anna.delete(f"{API}/photos/{first}").status_code == 200
    assert service.photo(anna)["id"] != first


def test_nobody_fills_the_queue_alone(service):
    anna, ben = service.patient(), service.patient("ben@example.org")
    other = service.photo(ben)["id"]
    photos = [{"file": ("x.jpg", drawn_jpeg(seed))} for seed in range(40)]
    asked = [anna.post(f"{API}/photos", files=photo).status_code for photo in photos]
    assert asked[0] < 300
    assert asked[-1] == 503
    assert ben.post(f"{API}/photos/{other}/analyses", json={}).status_code < 300


def test_retention_is_chosen_and_checked(service):
    anna = service.patient()
    for body, status in (
        ({"retention": "days"}, 422),
        ({"retention": "keep", "retention_days": 3}, 422),
        ({"retention": "days", "retention_days": 30}, 200),
        ({"retention": "without_photos"}, 200),
        ({"retention": "for ever"}, 422),
        ({"retention": "days", "retention_days": 0}, 422),
        ({"retention": "days", "retention_days": 10**6}, 422),
    ):
        assert anna.patch(f"{API}/account", json=body).status_code == status, body
    assert anna.get(f"{API}/account").json()["retention"] == "without_photos"


def test_one_user_opens_the_service_once(make_service):
    service = make_service(accounts=False)
    token = new_start_token(service.parts)
    page = service.visitor()
    assert page.get(f"{API}/account").status_code == 401
    assert page.post(f"{API}/accounts", json=ANNA).status_code == 404
    assert page.post(f"{API}/sessions/start", json={"token": "wrong"}).status_code == 401
    opened = page.post(f"{API}/sessions/start", json={"token": token})
    assert opened.status_code == 200
    assert "SameSite=strict" in opened.headers["set-cookie"]
    assert service.visitor().post(f"{API}/sessions/start", json={"token": token}).status_code == 401
    assert page.get(f"{API}/account").json()["local"]
    photo = service.photo(page)
    rejected = {"lesions": [{"action": "reject", "id": 1}]}
    assert page.post(f"{API}/analyses/{photo['analysis']['id']}/corrections", json=rejected).status_code == 201
    again = service.visitor()
    assert (
        again.post(f"{API}/sessions/start", json={"token": new_start_token(service.parts)}).json()["id"]
        == opened.json()["id"]
    )
    assert page.delete(f"{API}/account").status_code == 200


def test_no_nul_reaches_a_row(both):
    anna = both.patient()
    for path, body in (
        ("/treatments", {"name": "a\0b", "started": "2026-01-01"}),
        ("/notes", {"text": "a\0b"}),
        ("/tokens", {"name": "\0", "scopes": ["read"]}),
        ("/consents", {"clinician_email": "a\0@example.org"}),
        ("/answers", {"age\0": 3}),
        ("/sessions/confirm", {"password": "\0"}),
    ):
        assert anna.post(API + path, json=body).status_code in (401, 422), path
    for path in ("/photos?cursor=%00", "/photos/%00", "/questions?language=%00"):
        assert anna.get(API + path).status_code in (404, 422), path
    with both.parts.database.read() as session:
        assert session.scalars(select(Account.id)).all() == [anna.account]
