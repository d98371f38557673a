"""What is sent as a photo: kept without its metadata, once, or refused whatever its name says."""

import csv
import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
import simplejpeg

from comedo.photo import read_photo
from photo import files
from photo.test_strip import PHOTOS, SECRETS
from service.api.conftest import drawn_jpeg
from service.api.world import API

NAMES = [
    "photo.jpg",
    "../../etc/cron.d/x",
    "C:\\x.exe",
    "a\0b.jpg",
    "x\r\nSet-Cookie: a=b",
    "\u202egpj.exe",
    "😀" * 1000,
    "",
]


@pytest.fixture
def anna(service):
    return service.patient()


def send(client, data, name="photo.jpg", kind="image/jpeg", **more):
    return client.post(f"{API}/photos", files={"file": (name, data, kind)}, **more)


def header_bomb(side):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return files.PNG_SIGNATURE + files.png_chunk(b"IHDR", header) + files.png_chunk(b"IDAT", zlib.compress(b"x"))


NO_PHOTOS = {
    "nothing": b"",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "html": b"<!doctype html><script>alert(1)</script>",
    "script": b"#!/bin/sh\nrm -rf /\n",
    "pdf": b"%PDF-1.7\n",
    "gif": b"GIF89a" + bytes(20),
    "tiff": b"II*\0" + bytes(20),
    "psd": b"8BPS" + bytes(20),
    "zip": b"PK\x03\x04" + bytes(20),
    "truncated jpeg": drawn_jpeg()[:2000],
    "header bomb": header_bomb(60_000),
    "scan bomb": files.scan_bomb(400),
}


@pytest.mark.parametrize("what", NO_PHOTOS)
def test_what_is_no_photo_is_refused_under_every_name(anna, what):
    for name, kind in (("photo.jpg", "image/jpeg"), ("x.html", "text/html")):
        answer = send(anna, NO_PHOTOS[what], name, kind)
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert anna.get(f"{API}/photos").json()["items"] == []


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_never_used(anna, name):
    sent = send(anna, drawn_jpeg(), name or "blob")
    assert sent.status_code == 201
    assert "x.exe" not in sent.text
    assert "Set-Cookie" not in sent.headers


@pytest.mark.parametrize("kind", PHOTOS)
def test_no_metadata_leaves_or_is_kept(service, anna, kind):
    """Secrets of the file are in no answer, no report, no export, and not on the disk."""
    photo = send(anna, PHOTOS[kind]()).json()["photo"]
    service.analyzer = StandsIn()
    service.work()
    analysis = anna.get(f"{API}/photos/{photo['id']}").json()["analysis"]["id"]
    paths = [f"photos/{photo['id']}/{name}" for name in ("image", "overlay", "mask", "image?max_side=64")]
    paths += [f"analyses/{analysis}/reports/{name}" for name in ("pdf", "fhir", "dicom", "csv", "json")]
    answers = [anna.get(f"{API}/{path}") for path in ["photos", "export", *paths]]
    assert {a.status_code for a in answers} == {200}
    stored = [p.read_bytes() for p in service.parts.settings.data_dir.rglob("*") if p.is_file()]
    for data in [a.content for a in answers] + stored:
        assert not [secret for secret in SECRETS if len(secret) > 8 and secret in data]
    kept = read_photo(anna.get(f"{API}/photos/{photo['id']}/image").content)
    assert np.array_equal(kept.image, read_photo(PHOTOS[kind]()).image)


class StandsIn:
    """Analyses a photo of any size as the drawn face."""

    def analyze(self, photo, **options):
        from dataclasses import replace

        import cv2

        from service.api.drawn import AnyFace

        big = replace(photo, image=cv2.resize(photo.image, (480, 640)))
        found = AnyFace().analyze(big, **options)
        mask = cv2.resize(found.lesion_mask.astype(np.uint8), (photo.width, photo.height)).astype(bool)
        coverage = replace(found.coverage, lesion_px=int(mask.sum()))
        return replace(found, width=photo.width, height=photo.height, lesion_mask=mask, coverage=coverage)


def test_the_same_photo_is_kept_once(both):
    anna, ben = both.patient(), both.patient("ben@example.org")
    first, again = send(anna, drawn_jpeg()), send(anna, drawn_jpeg())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["photo"]["id"] == first.json()["photo"]["id"]
    assert not again.json()["created"]
    assert send(ben, drawn_jpeg()).status_code == 201  # and nobody learns that another has it
    assert both.work() == 2


def test_the_same_key_is_answered_the_same(both):
    anna = both.patient()
    key = {"Idempotency-Key": "one"}
    first = send(anna, drawn_jpeg(1), headers=key)
    assert send(anna, drawn_jpeg(1), headers=key).json() == first.json()
    other = send(anna, drawn_jpeg(2), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert len(anna.get(f"{API}/photos").json()["items"]) == 1


def test_raw_bytes_are_a_photo_too(service, anna):
    answer = anna.post(
        f"{API}/photos?view=left&taken_at=2026-01-02T08:00:00Z",
        content=drawn_jpeg(),
        headers={"Content-Type": "image/jpeg"},
    )
    photo = answer.json()["photo"]
    assert (photo["view"], photo["taken_at"]) == ("left", "2026-01-02T08:00:00Z")


@pytest.mark.parametrize(
    "about",
    [
        {"view": "back"},
        {"taken_at": "yesterday"},
        {"taken_at": "2026-01-02T08:00:00"},
        {"visit": "0" * 31},
        {"owner": "0" * 32},
        {"result": "{}"},
        {"url": "http://evil.test/x.jpg"},
        {"note": "a\0b"},
    ],
    ids=str,
)
def test_a_wrong_field_is_named(anna, about):
    answer = anna.post(f"{API}/photos", files={"file": ("x.jpg", drawn_jpeg())}, data=about)
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == list(about)


def test_a_field_given_twice_is_refused(anna):
    about = {"view": ["front", "left"]}
    answer = anna.post(f"{API}/photos", files={"file": ("x.jpg", drawn_jpeg())}, data=about)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["view"])


def test_a_batch_is_kept_whole_or_not_at_all(both):
    anna = both.patient()
    good = [("files", (f"{n}.jpg", drawn_jpeg(n))) for n in range(3)]
    refused = anna.post(f"{API}/photos/batch", files=[*good, ("files", ("x.svg", NO_PHOTOS["svg"]))])
    assert refused.status_code == 422
    assert anna.get(f"{API}/photos").json()["items"] == []
    sent = anna.post(f"{API}/photos/batch", files=good)
    assert [one["created"] for one in sent.json()] == [True] * 3
    pages = [anna.get(f"{API}/photos?limit=2").json()]
    pages.append(anna.get(f"{API}/photos?limit=2&cursor={pages[0]['next']}").json())
    listed = [photo["id"] for page in pages for photo in page["items"]]
    assert sorted(listed) == sorted(one["photo"]["id"] for one in sent.json())
    assert pages[1]["next"] is None


@pytest.mark.parametrize("cursor", ["x", "AAAA", "=====", "%00", "a" * 200])
def test_a_strange_cursor_is_refused(anna, cursor):
    assert anna.get(f"{API}/photos?cursor={cursor}").status_code == 422


def test_no_more_waits_than_the_queue_holds(make_service):
    service = make_service(queue_limit=2)
    anna = service.patient()
    answers = [send(anna, drawn_jpeg(n)) for n in range(3)]
    assert [a.status_code for a in answers] == [201, 201, 503]
    assert answers[2].json()["code"] == "queue_full"
    assert int(answers[2].headers["retry-after"]) > 0
    assert len(anna.get(f"{API}/photos").json()["items"]) == 2
    service.work()
    assert send(anna, drawn_jpeg(2)).status_code == 201


def test_an_account_holds_no_more_than_its_quota(make_service):
    service = make_service(quota_photos=1)
    anna = service.patient()
    assert send(anna, drawn_jpeg(1)).status_code == 201
    refused = send(anna, drawn_jpeg(2))
    assert (refused.status_code, refused.json()["code"]) == (413, "quota_exceeded")


def test_a_full_disk_stops_uploads_and_nothing_else(make_service):
    service = make_service(min_free_bytes=2**60)
    anna = service.patient()
    refused = send(anna, drawn_jpeg(1))
    assert (refused.status_code, refused.json()["code"]) == (507, "store_full")
    assert anna.get(f"{API}/photos").status_code == 200


def test_a_receipt_counts_what_went(both):
    anna = both.patient()
    photo = both.photo(anna)
    receipt = anna.delete(f"{API}/photos/{photo['id']}").json()
    assert receipt["removed"] | {"job": 0} == {"photo": 1, "analysis": 1, "file": 1, "job": 0}
    assert receipt["done"] is not None
    for path in (f"photos/{photo['id']}", f"analyses/{photo['analysis']['id']}", f"photos/{photo['id']}/image"):
        assert anna.get(f"{API}/{path}").status_code == 404


@pytest.mark.parametrize("note", ["=cmd|' /C calc'!A1", "</script><script>", "a\r\nSet-Cookie: a=b", "+1", "@x"])
def test_a_note_runs_nowhere(service, anna, note):
    photo = service.photo(anna, note=note)
    assert photo["note"] == note
    with zipfile.ZipFile(io.BytesIO(anna.get(f"{API}/export").content)) as files:
        (_, row) = csv.reader(io.StringIO(files.read("photos.csv").decode(), newline=""))
    assert row[3][:1] not in "=+-@"
    assert anna.get(f"{API}/analyses/{photo['analysis']['id']}/reports/pdf").status_code == 200


def test_bit_rot_is_reported_and_not_served(service, anna):
    photo = service.photo(anna)["id"]
    (path,) = [
        p for p in (service.parts.settings.data_dir / "photos").rglob("*") if p.is_file() and p.stat().st_size > 5000
    ]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    answer = anna.get(f"{API}/photos/{photo}/image")
    assert (answer.status_code, answer.json()["code"]) == (500, "sealed_unreadable")
    assert str(path) not in answer.text


def test_a_jpeg_of_any_size_is_told_upright(anna):
    image = np.zeros((300, 200, 3), np.uint8)
    data = bytes(simplejpeg.encode_jpeg(image))
    turned = files.after_start(data, files.jpeg_segment(0xE1, b"Exif\0\0" + files.make_exif(6)))
    photo = send(anna, turned).json()["photo"]
    assert (photo["width_px"], photo["height_px"]) == (300, 200)
