"""Pages without a browser: a person's way through the forms alone, strict markup, nothing personal kept."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from comedo.service.app import create_app
from comedo.service.database.tables import WebSession
from comedo.service.pages.routes.shell import static_files
from comedo.service.pages.site import STATIC
from comedo.service.storage.retention import apply_retention
from comedo.service.work.worker import work_once
from service.api.conftest import HERE, PASSWORD, Service, drawn_jpeg, make_settings
from service.pages.people import PERSONAL, person

INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle\s*=|\son[a-z]+\s*=", re.IGNORECASE)
ADDRESS = re.compile(r"""(?:href|src|action|data-src)="([^"]*)\"""")
FIRST_PAGE_BYTES = 200_000


def upload(service: Service, client: TestClient, *sides: str, seed: int = 0) -> str:
    """The address of the result of the first side."""
    files = {side: (f"{side}.jpg", drawn_jpeg(seed + i), "image/jpeg") for i, side in enumerate(sides)}
    answer = client.post("/photos/upload", files=files, data={"taken": "2026-03-01"})
    assert answer.status_code == 200, answer.text
    while work_once(service.parts, service.analyzer, "test"):
        pass
    return answer.url.path


def assert_clean(html: str) -> None:
    """No inline script or style, no handler, no address elsewhere."""
    assert not INLINE.search(html), INLINE.search(html)
    assert all(a.startswith(("/", "#", "?", "data:")) or not a for a in ADDRESS.findall(html))


def test_first_visit_needs_nothing_and_is_small(service):
    client = service.visitor()
    page = client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert_clean(page.text)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["cache-control"] == "no-store"
    shell = {name.split("?")[0] for name in ADDRESS.findall(page.text) if name.startswith("/static/")}
    shell |= {"/static/icons.svg", "/static/js/dialog.js"}
    sizes = [len(client.get(name).content) for name in shell if not name.endswith(".png")]
    assert len(page.content) + sum(sizes) < FIRST_PAGE_BYTES


@pytest.mark.parametrize("path", [*PERSONAL, "/privacy/erase", "/clinic"])
def test_who_is_not_signed_in_is_asked_to(service, path):
    answer = service.visitor().get(path, headers={"accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2F")


def test_empty_pages_teach(service):
    client = person(service)
    for path in PERSONAL:
        page = client.get(path)
        assert page.status_code == 200, path
        assert_clean(page.text)
    assert "Your diary starts with one photo" in client.get("/diary").text


def test_a_photo_becomes_a_result_a_course_and_reports(service):
    client = person(service)
    result = upload(service, client, "front", "left")
    upload(service, client, "front", seed=9)
    pages = {path: client.get(path) for path in (result, *PERSONAL)}
    for path, page in pages.items():
        assert page.status_code == 200, (path, page.text[:300])
        assert_clean(page.text)
    assert pages[result].text.count('class="lesion lesion--') == 4
    assert "Left side" in pages[result].text
    assert "2 photos" in pages["/diary"].text
    assert "reports/pdf" in pages["/reports"].text
    for layer in ("redness", "coverage"):
        assert client.get(f"{result}/layers/{layer}.png").content.startswith(b"\x89PNG")


def test_a_comparison_shows_both_faces_on_one_place(service):
    client = person(service)
    for seed in (0, 9):
        upload(service, client, "front", seed=seed)
    page = client.get("/compare")
    faces = re.findall(r'id="face-(before|after)" href="data:image/jpeg;base64,/9j/', page.text)
    assert faces == ["before", "after"]
    assert_clean(page.text)


def test_a_poor_photo_gets_a_reason_and_a_way_on(service):
    client = person(service)
    service.analyzer.poor = True
    result = upload(service, client, "front")
    page = client.get(result)
    assert "Come closer." in page.text
    assert f"{result}/anyway" in page.text
    assert client.get(f"{result}/refusal").text.endswith("Come closer.")
    assert client.post(f"{result}/anyway").status_code == 200
    while work_once(service.parts, service.analyzer, "test"):
        pass
    assert "At a glance" in client.get(result).text
    assert client.get(f"{result}/refusal").text == ""


@pytest.mark.parametrize(("data", "words"), [(b"not a photo", "could not be used"), (b"", "could not be used")])
def test_what_is_no_photo_is_refused_in_words(service, data, words):
    answer = person(service).post("/photos/upload", files={"front": ("x.jpg", data, "image/jpeg")})
    assert answer.status_code == 422
    assert words in answer.text


def test_other_peoples_pages_are_not_there(service):
    anna, ben = person(service, "anna@example.org"), person(service, "ben@example.org")
    result = upload(service, anna, "front")
    for path in (result, f"{result}/review", f"{result}/layers/redness.png"):
        assert ben.get(path).status_code == 404, path
    for path in (f"{result}/delete", f"{result}/anyway"):
        assert ben.post(path).status_code == 404, path
    assert anna.get(result).status_code == 200


def test_texts_of_people_are_no_markup(service):
    client, nasty = person(service), "</textarea><script>alert(1)</script>"
    upload(service, client, "front")
    client.post("/notes", data={"text": nasty})
    client.post("/treatments", data={"name": nasty[:100], "started": "2026-01-01"})
    page = client.get("/diary").text
    assert nasty not in page
    assert "&lt;script&gt;alert" in page


def test_treatments_and_notes_come_and_go(service):
    client = person(service)
    upload(service, client, "front")
    client.post("/treatments", data={"name": "Azelaic acid", "started": "2026-01-01"})
    page = client.get("/diary").text
    assert "Azelaic acid" in page
    assert "12-week review was due" in page
    client.post(re.search(r"/treatments/\w+/end", page)[0])
    client.post(re.search(r"/treatments/\w+/delete", page)[0])
    assert "Azelaic acid" not in client.get("/diary").text
    for day in ("yesterday", "9999-12-31"):
        assert client.post("/treatments", data={"name": "x", "started": day}).status_code == 422, day


@pytest.mark.parametrize("days", ["0", "1000000", "²", "", "-3"])
def test_retention_is_checked_by_the_page_too(service, days):
    client = person(service)
    assert client.post("/privacy/retention", data={"retention": "days", "days": days}).status_code == 422
    assert apply_retention(service.parts.storage) == 0


def test_questions_give_sourced_guidance_in_both_languages(service):
    client = person(service)
    upload(service, client, "front")
    answer = client.post("/guidance/questions", data={"age": "24", "pregnancy": "not_possible", "allergies": "-none"})
    assert answer.url.path == "/guidance"
    assert 'href="#source-' in answer.text
    assert client.post("/guidance/questions", data={"age": "several"}).status_code == 422
    client.post("/display", data={"language": "de", "theme": "dark", "back": "/guidance"})
    page = client.get("/guidance").text
    assert 'lang="de"' in page
    assert 'data-theme="dark"' in page
    assert "Auskunft" in page


def test_a_clinician_sees_the_patient_only_while_allowed(service):
    patient, doctor = person(service), service.clinician()
    doctor.headers["accept"] = "text/html"
    result = upload(service, patient, "front")
    assert "robin@example.org" not in doctor.get("/clinic").text
    patient.post("/privacy/consents", data={"clinician": "doctor@example.org"})
    inbox = doctor.get("/clinic").text
    assert "robin@example.org" in inbox
    course = re.search(r"/clinic/\w{32}", inbox)[0]
    assert doctor.get(course).status_code == doctor.get(f"{result}/review").status_code == 200
    assert_clean(doctor.get(f"{result}/review").text)
    answer = doctor.post(f"{result}/review", data={"lesion.1": "reject", "lesion.2": "confirm", "why": "a hair"})
    assert "Reviewed by Dr Who" in answer.text
    assert "a hair" in answer.text
    doctor.post(f"{course}/notes", data={"text": "Looks calm."})
    assert "from your clinician" in patient.get("/diary").text
    log = patient.get("/privacy").text
    assert "Dr Who" in log
    assert "reviewed a result" in log
    patient.post(re.search(r"/privacy/consents/\w+/withdraw", log)[0])
    assert doctor.get(course).status_code == doctor.get(result).status_code == 404


def test_export_and_erasure_ask_for_the_password_and_give_a_receipt(service):
    client = person(service)
    upload(service, client, "front")
    with service.parts.database.write() as session:  # an hour has passed since signing in
        session.execute(update(WebSession).values(confirmed=None))
    assert "Download everything" not in client.get("/privacy").text
    assert "The password is not right" in client.post("/privacy/confirm", data={"password": "no"}).text
    assert "Download everything" in client.post("/privacy/confirm", data={"password": PASSWORD}).text
    assert client.get("/api/v1/export").content.startswith(b"PK")
    assert client.post("/privacy/erase", data={"sure": "yes", "password": "no"}).status_code == 401
    assert client.post("/privacy/erase", data={"password": PASSWORD}).status_code == 422
    receipt = client.post("/privacy/erase", data={"sure": "yes", "password": PASSWORD})
    assert "Everything is erased" in receipt.text
    assert "cache" in receipt.headers["clear-site-data"]
    assert client.get("/diary", follow_redirects=False).status_code == 303


def test_signing_out_ends_the_session(service):
    client = person(service)
    answer = client.post("/sign-out", follow_redirects=False)
    assert '"cache", "storage"' in answer.headers["clear-site-data"]
    assert client.get("/diary", follow_redirects=False).status_code == 303


def test_a_wrong_password_is_said_in_words(service):
    person(service)
    answer = service.visitor().post("/sign-in", data={"email": "robin@example.org", "password": "wrong"})
    assert answer.status_code == 401
    assert "not right" in answer.text


def test_the_single_user_opens_the_diary_by_a_link(tmp_path):
    app = create_app(make_settings(tmp_path, accounts=False))
    with TestClient(app, base_url=HERE, headers={"accept": "text/html"}) as client:
        assert client.get("/").status_code == 200
        assert "opening.js" in client.get("/start").text
        refused = client.get("/diary")
        assert refused.status_code == 401
        assert "link" in refused.text


def test_static_files_are_cached_for_good_and_nothing_else_is_served(service):
    client = service.visitor()
    for name in static_files():
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    for name in ("nothing.css", "../site.py", "%2e%2e/pages/site.py", "css"):
        assert client.get(f"/static/{name}").status_code == 404


def test_the_worker_keeps_the_shell_only(service):
    script = service.visitor().get("/sw.js").text
    kept = re.search(r"const SHELL = (\[.*?\]);", script)[1]
    assert all(address.startswith("/static/") for address in re.findall(r'"([^"]+)"', kept))
    assert "/api" not in script


def test_nothing_personal_enters_the_browsers_storage():
    modules = "".join(path.read_text("utf-8") for path in STATIC.rglob("*.js"))
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|\beval\b|innerHTML", modules)
    assert not re.search(r"https?://(?!www\.w3\.org)", modules)
