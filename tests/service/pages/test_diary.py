"""What photos are compared with: the chosen start, how each photo stands to it, and photos that look mirrored."""

from __future__ import annotations

import re

import pytest

from service.pages.people import person, send, skin_jpeg

DAYS = ("2026-01-01", "2026-02-01", "2026-03-01")


def words_of(page: str) -> list[str]:
    """How each photo stands, newest first."""
    return re.findall(r'class="chip chip--\w+">([^<]+)</span></a>', page)


def compared(client) -> list[str]:
    """The photos of the newest comparison by its document, as the first letters of their ids."""
    newest = client.get("/api/v1/changes").json()["items"][0]
    return [photo["name"][6:14] for photo in newest["document"]["photos"]]


def test_the_diary_says_how_each_photo_stands(service):
    client = person(service)
    for day, gain in zip(DAYS, (1.0, 1.02, 0.4), strict=True):
        send(service, client, skin_jpeg(gain=gain), day)
    send(service, client, skin_jpeg(2), "2026-04-01")
    page = client.get("/diary").text
    assert words_of(page) == ["Not comparable", "Taken differently", "Comparable", "Start"]
    assert "Take the next photo in brighter light" in page
    assert "another person" in page


def test_a_chosen_start_holds_for_photos_to_come(service):
    client = person(service)
    first, second, third = (
        send(service, client, skin_jpeg(gain=gain), day) for gain, day in zip((1.0, 1.02, 1.04), DAYS, strict=True)
    )
    assert compared(client) == [first[:8], second[:8], third[:8]]
    answer = client.post("/diary/baseline", data={"photo": second})
    assert "made anew from there" in answer.text
    service.work()
    assert compared(client) == [second[:8], third[:8]]
    assert words_of(client.get("/diary").text) == ["Comparable", "Start", "Before the start"]
    assert re.search(rf'id="before".*?value="{second}" selected', client.get("/compare").text, re.DOTALL)
    fourth = send(service, client, skin_jpeg(gain=1.06), "2026-04-01")
    assert compared(client) == [second[:8], third[:8], fourth[:8]]
    client.post("/diary/baseline", data={"photo": first})
    service.work()
    assert compared(client) == [first[:8], second[:8], third[:8], fourth[:8]]


@pytest.mark.parametrize(("which", "status"), [("none", 422), ("newest", 409), ("another's", 404)])
def test_a_start_needs_a_later_photo_of_ones_own(service, which, status):
    client, other = person(service), person(service, "ben@example.org")
    photos = [send(service, client, skin_jpeg(gain=gain), day) for gain, day in zip((1.0, 1.02), DAYS, strict=False)]
    theirs = send(service, other, skin_jpeg(2), DAYS[0])
    photo = {"none": "", "newest": photos[-1], "another's": theirs}[which]
    assert client.post("/diary/baseline", data={"photo": photo}).status_code == status
    assert compared(client) == [p[:8] for p in photos]


def test_a_photo_that_looks_mirrored_is_flipped_only_when_its_owner_says_so(service):
    client = person(service)
    send(service, client, skin_jpeg(), DAYS[0])
    photo = send(service, client, skin_jpeg(gain=1.02, mirrored=True), DAYS[1])
    for path in ("/diary", "/compare"):
        page = client.get(path).text
        assert "The selfie of 1 February 2026 looks mirrored" in page, path
        assert f'action="/photos/{photo}/mirrored"' in page, path
    assert words_of(client.get("/diary").text) == ["Not comparable", "Start"]
    before = client.get(f"/api/v1/photos/{photo}/image").content
    client.post(f"/photos/{photo}/mirrored", data={"mirrored": "yes"})
    service.work()
    page = client.get("/diary").text
    assert words_of(page) == ["Flipped, comparable", "Start"]
    assert "looks mirrored" not in page
    assert client.get(f"/api/v1/photos/{photo}/image").content == before
    client.post(f"/photos/{photo}/mirrored", data={"mirrored": "no"})
    service.work()
    page = client.get("/diary").text
    assert words_of(page) == ["Not comparable", "Start"]
    assert "Flip it for the comparison" not in page


def test_an_odd_first_photo_is_told_by_its_day(service):
    client = person(service)
    for day, (who, gain) in zip(DAYS, ((2, 1.0), (1, 1.0), (1, 1.02)), strict=True):
        send(service, client, skin_jpeg(who, gain=gain), day)
    page = client.get("/diary").text
    assert "No later photo can be compared with the first, the photo of 1 January 2026, but they can" in page
    assert "photo-" not in re.search(r'<div class="notice.*?</ul>', page, re.DOTALL)[0]


def test_a_newest_photo_that_could_not_be_read_is_told_by_its_day(service):
    client = person(service)
    for day, gain in zip(DAYS, (1.0, 1.02, 0.0), strict=True):
        send(service, client, skin_jpeg(gain=gain), day)
    assert "the newest photo could not be analysed: the photo of 1 March 2026" in client.get("/diary").text


def test_a_clinician_sees_how_photos_stand_and_chooses_nothing(service):
    patient, doctor = person(service), service.clinician()
    doctor.headers["accept"] = "text/html"
    for day, gain in zip(DAYS, (1.0, 1.02, 1.04), strict=True):
        send(service, patient, skin_jpeg(gain=gain), day)
    patient.post("/privacy/consents", data={"clinician": "doctor@example.org"})
    page = doctor.get(re.search(r"/clinic/\w{32}", doctor.get("/clinic").text)[0]).text
    assert words_of(page) == ["Comparable", "Comparable", "Start"]
    steps, dots = (re.findall(rf'class="{kind}[^"]*" data-when="([^"]+)"', page) for kind in ("moment", "dot"))
    assert len(steps) == 3
    assert set(steps) == set(dots)
    assert "/diary/baseline" in patient.get("/diary").text
    assert "/diary/baseline" not in page
