"""Pages in German, in every state: no sentence of the library is left in English."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from comedo.calibration import AffectedCurve, SeverityCurve
from comedo.grading import grade_all
from comedo.grading.acne import grade_affected
from comedo.grading.severity import grade_severity
from comedo.photo.quality import assess
from comedo.service.database.tables import Analysis
from comedo.types import FaceAnalysis, Photo, Verdict
from service.api.conftest import PASSWORD, Service
from service.api.drawn import AnyFace
from service.pages.people import PERSONAL, person, send, skin_jpeg

ENGLISH = re.compile(
    r"\b(the|this|that|with|and|is|are|which|from|has|have|cannot|photos|lesions|skin)\b", re.IGNORECASE
)
CODE = re.compile(
    r"<(script|template|svg|title)\b.*?</\1>|<li id=\"source-.*?</li>|<(\w+)[^>]* lang=\"en\".*?</\2>", re.DOTALL
)
PAGES = (*PERSONAL, "/about")


@dataclass
class Grading(AnyFace):
    """The drawn face with the library's own grades, checks and notices."""

    def analyze(self, photo: Photo, *, allow_poor: bool = False, convention: str = "visible") -> FaceAnalysis:
        found = super().analyze(photo, allow_poor=allow_poor, convention=convention)
        face, curve = found.face, SeverityCurve()
        extra = {
            "severity": grade_severity(found.lesions, face.face_px, curve),
            "acne": grade_affected(found.lesions, face.face_px, AffectedCurve(), curve),
        }
        turned = replace(face, yaw_deg=55.0, roll_deg=35.0, other_faces=1)
        return replace(
            found,
            grades=grade_all(found.lesions, found.counts, face, extra=extra),
            quality=replace(assess(photo, turned), verdict=Verdict.FAIR),
            notices=("1 further face(s) in the photo; the largest was measured",),
        )


@pytest.fixture
def service(service: Service) -> Service:
    service.analyzer = Grading()
    return service


def in_german(client: TestClient) -> TestClient:
    client.headers["accept"] = "text/html"
    client.post("/display", data={"language": "de", "back": "/"})
    return client


def assert_german(client: TestClient, path: str) -> str:
    """The page, whose visible text holds no English word."""
    page = client.get(path)
    assert 'lang="de"' in page.text
    assert english_in(page.text) == [], path
    return page.text


def assert_german_refusal(answer: Response) -> None:
    assert answer.status_code >= 400, answer.url
    assert english_in(answer.text) == [], answer.url


def english_in(page: str) -> list[str]:
    """What surrounds English words; names of works, scripts and the other language's own name aside."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", CODE.sub(" ", page)))
    return [text[max(0, m.start() - 60) : m.end() + 60] for m in ENGLISH.finditer(text)]


def test_empty_pages(service):
    visitor = in_german(service.visitor())
    for path in ("/", "/sign-in", "/sign-up", "/reset", "/offline", "/nothing-here"):
        assert_german(visitor, path)
    client = in_german(person(service))
    for path in PAGES:
        assert_german(client, path)


def test_results_with_every_scale_and_every_check(service):
    client = in_german(person(service))
    page = assert_german(client, f"/photos/{send(service, client, skin_jpeg(), '2026-01-01')}")
    for said in (
        "ergeben zusammen eine Last",
        "Die rechte Wange ist abgewandt",
        "um 35 Grad geneigt",
        "Gesichtshälfte",
    ):
        assert said in page, said


def test_a_result_that_can_be_measured_again(service):
    client = in_german(person(service))
    photo = send(service, client, skin_jpeg(), "2026-01-01")
    with service.parts.database.write() as session:
        session.execute(update(Analysis).values(faint=None))
    assert "Noch einmal messen" in assert_german(client, f"/photos/{photo}")
    client.post(f"/photos/{photo}/again")
    assert "Wird noch einmal gemessen" in assert_german(client, f"/photos/{photo}")
    service.analyzer.poor = True
    service.work()
    assert "nicht noch einmal messen" in assert_german(client, f"/photos/{photo}")


def test_comparisons_that_answer_and_that_cannot(service):
    client = in_german(person(service))
    for day, gain in (("2026-01-01", 1.0), ("2026-02-01", 1.02), ("2026-03-01", 0.4)):
        send(service, client, skin_jpeg(gain=gain), day)
        for path in ("/diary", "/compare"):
            assert_german(client, path)
    send(service, client, skin_jpeg(mirrored=True), "2026-04-01")
    assert "gespiegelt aus" in assert_german(client, "/diary")
    send(service, client, skin_jpeg(2), "2026-05-01")
    assert "eine andere Person" in assert_german(client, "/diary")
    assert_german(client, "/compare")
    client.post("/guidance/questions", data={"age": "24", "pregnancy": "not_possible", "allergies": "-none"})
    for path in PAGES:
        assert_german(client, path)


def test_an_odd_first_photo(service):
    client = in_german(person(service))
    for day, (who, gain) in (("2026-01-01", (2, 1.0)), ("2026-02-01", (1, 1.0)), ("2026-03-01", (1, 1.02))):
        send(service, client, skin_jpeg(who, gain=gain), day)
    assert "mit dem ersten vergleichen, das Foto vom 1. Januar 2026" in assert_german(client, "/diary")


def test_what_is_refused(service):
    client = in_german(person(service))
    service.analyzer.poor = True
    assert_german(client, f"/photos/{send(service, client, skin_jpeg(), '2026-01-01')}")
    for path, data in (
        ("/sign-up", {"email": "x@example.org", "password": "short"}),
        ("/sign-up", {"email": "robin@example.org", "password": PASSWORD}),
        ("/sign-in", {"email": "x@example.org", "password": "wrong"}),
    ):
        assert_german_refusal(in_german(service.visitor()).post(path, data=data))
    for path, data in (
        ("/privacy/retention", {"retention": "days", "days": "many"}),
        ("/privacy/consents", {"clinician": "nobody@example.org"}),
        ("/privacy/confirm", {"password": "wrong"}),
        ("/treatments", {"name": "x", "started": "yesterday"}),
        ("/diary/baseline", {"photo": ""}),
        ("/guidance/questions", {"age": "several"}),
    ):
        assert_german_refusal(client.post(path, data=data))


def test_a_clinicians_pages(service):
    patient, doctor = person(service), in_german(service.clinician())
    photo = send(service, patient, skin_jpeg(), "2026-01-01")
    send(service, patient, skin_jpeg(gain=1.02), "2026-02-01")
    assert_german(doctor, "/clinic")
    patient.post("/privacy/consents", data={"clinician": "doctor@example.org"})
    course = re.search(r"/clinic/\w{32}", assert_german(doctor, "/clinic"))[0]
    doctor.post(f"/photos/{photo}/review", data={"lesion.1": "reject", "why": "ein Haar"})
    for path in (course, f"{course}/compare", f"/photos/{photo}/review", "/privacy"):
        assert_german(doctor, path)
