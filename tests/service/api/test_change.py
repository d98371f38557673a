"""Change over time: the service says what `comedo.track` says of the same photos, and what withholds a verdict."""

import io
import json
import zipfile
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import simplejpeg
from sqlalchemy import select, update

import comedo
from change_builders import PLACES, skin_photo
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.report.change_tables import to_change_document
from comedo.service.actions.stored import faint_file, visit_of
from comedo.service.database.tables import Analysis, Photo
from comedo.service.storage.verify import verify
from comedo.types import FaceAnalysis, Faint
from service.api.conftest import PASSWORD
from service.api.drawn import AnyFace
from service.api.world import API

FIRST, SECOND = "2026-01-05", "2026-03-30"
FAINT = (Faint((200.123456789, 300.5), 0.0312345), Faint((210.0, 310.0), 0.04))


@dataclass
class Once:
    """The shipped networks, which look at each picture once."""

    analyzer: Analyzer
    seen: dict[bytes, FaceAnalysis] = field(default_factory=dict)

    def analyze(self, photo, **options):
        pixels = photo.image.tobytes()
        if pixels not in self.seen:
            self.seen[pixels] = self.analyzer.analyze(photo, **options)
        return replace(self.seen[pixels], photo_name=photo.name, photo_sha256=photo.sha256)


@dataclass
class FaintFace(AnyFace):
    """The drawn face with candidates that fell short of being reported."""

    faint: tuple[Faint, ...] = FAINT

    def analyze(self, photo, **options):
        return replace(super().analyze(photo, **options), faint=self.faint)


@pytest.fixture(scope="module")
def networks(real_analyzer):
    return Once(real_analyzer)


def skin_jpeg(who=1, gain=1.0):
    return bytes(simplejpeg.encode_jpeg(skin_photo(who, gain=gain), quality=95))


def black_jpeg():
    return bytes(simplejpeg.encode_jpeg(np.zeros((640, 480, 3), np.uint8)))


def send(service, client, data, when, lesions=None):
    """The id of a photo from the front, after everything that waits was done."""
    if lesions is not None:
        service.analyzer.lesions = lesions
    day = when if "T" in when else f"{when}T12:00:00+00:00"
    about = {"view": "front", "taken_at": day}
    sent = client.post(f"{API}/photos", files={"file": ("x.jpg", data)}, data=about)
    assert sent.status_code == 201, sent.text
    service.work()
    return sent.json()["photo"]["id"]


def changes(client):
    return client.get(f"{API}/changes?view=front").json()["items"]


def newest(client):
    return changes(client)[0]["document"]


def better(service, client):
    """Two photos of which the second is better."""
    return [send(service, client, skin_jpeg(gain=g), d, n) for g, d, n in ((1.0, FIRST, 20), (1.02, SECOND, 0))]


def numbers(document):
    """Every number of the verdict's measures, by measure."""
    parts = (m.model_dump() for m in document.verdict.measures)
    return {m["name"]: {k: v for k, v in m.items() if isinstance(v, float)} for m in parts}


def histories(document):
    """Each lesion of the ledger: where it lies and what became of it at each photo."""
    return [
        (track.region, track.active, [(s.state, s.group, s.lesion_id) for s in track.history])
        for track in document.ledger
    ]


@pytest.mark.weights
def test_the_service_says_what_track_says(both, rendered_person, networks):
    photos = [read_photo(photo.jpeg, name=photo.name) for photo in rendered_person]
    change = comedo.track(photos, dates=[p.when for p in rendered_person], analyzer=networks, workers=1)
    tracked = to_change_document(change)
    assert any(visit.faint for visit in change.visits)
    both.analyzer, anna = networks, both.patient()
    for photo in rendered_person:
        send(both, anna, photo.jpeg, photo.when.isoformat())
    served = type(tracked).model_validate(newest(anna))
    assert served.verdict.answer == tracked.verdict.answer
    assert numbers(served) == {
        name: pytest.approx(known, rel=1e-3, abs=5e-3) for name, known in numbers(tracked).items()
    }
    assert histories(served) == histories(tracked)
    assert [p.when for p in served.photos] == [p.when for p in tracked.photos]


def test_a_newest_photo_that_cannot_be_read_withholds_the_verdict(both):
    anna = both.patient()
    better(both, anna)
    before = changes(anna)[0]
    assert before["document"]["verdict"]["answer"] == "better"
    black = send(both, anna, black_jpeg(), "2026-05-01")
    now = changes(anna)[0]
    name = f"photo-{black[:8]}.jpeg"
    assert now["document"]["verdict"]["answer"] == "cannot_tell"
    assert now["document"]["verdict"]["reason"] == f"the newest photo could not be analysed: {name}"
    (left,) = now["document"]["left_out"]
    assert (left["name"], left["code"], left["when"][:10]) == (name, "no_face", "2026-05-01")
    assert black in now["photos"]
    assert anna.delete(f"{API}/photos/{black}").status_code == 200
    both.work()
    assert [c["id"] for c in changes(anna)] == [before["id"]]  # what named the deleted photo went with it


@pytest.mark.parametrize(
    ("day", "left_out", "answer"),
    [
        pytest.param("2025-12-01", 0, "better", id="before the first"),
        pytest.param("2026-02-01", 1, "better", id="between"),
        pytest.param("2026-05-01", 1, "cannot_tell", id="after the last"),
    ],
)
def test_photos_count_as_missing_from_the_first_on(service, day, left_out, answer):
    anna = service.patient()
    send(service, anna, black_jpeg(), day)
    better(service, anna)
    found = newest(anna)
    assert (len(found["left_out"]), found["verdict"]["answer"]) == (left_out, answer)


def test_a_poor_photo_is_missing_until_it_is_tried_again(service):
    anna = service.patient()
    better(service, anna)
    service.analyzer.poor = True
    poor = send(service, anna, skin_jpeg(gain=1.04), "2026-05-01")
    assert [left["code"] for left in newest(anna)["left_out"]] == ["poor_photo"]
    anna.post(f"{API}/photos/{poor}/analyses", json={"allow_poor": True})
    anna.post(f"{API}/changes", json={"view": "front"})
    service.work()
    assert newest(anna)["left_out"] == []
    assert len(newest(anna)["photos"]) == 3


def test_photos_that_are_named_are_compared_without_others(service):
    anna = service.patient()
    photos = better(service, anna)
    send(service, anna, black_jpeg(), "2026-05-01")
    assert newest(anna)["verdict"]["answer"] == "cannot_tell"
    assert anna.post(f"{API}/changes", json={"view": "front", "photos": photos}).status_code == 202
    service.work()
    assert newest(anna)["verdict"]["answer"] == "better"


def compared(client):
    """The photos of the newest comparison of the front, as the first letters of their ids."""
    return [p["name"][6:14] for p in newest(client)["photos"]]


def test_another_date_is_another_comparison(both):
    anna = both.patient()
    first, second = better(both, anna)
    anna.patch(f"{API}/photos/{first}", json={"taken_at": "2026-06-01T12:00:00+00:00"})
    assert both.work() == 1
    assert compared(anna) == [second[:8], first[:8]]
    assert newest(anna)["verdict"]["answer"] == "worse"


def test_another_view_is_another_comparison_of_both_views(both):
    anna = both.patient()
    first, second = better(both, anna)
    third, fourth = (send(both, anna, skin_jpeg(gain=g), d, 0) for g, d in ((1.04, "2026-04-01"), (1.06, "2026-05-01")))
    anna.patch(f"{API}/photos/{third}", json={"view": "left"})
    both.work()
    assert compared(anna) == [first[:8], second[:8], fourth[:8]]
    assert anna.get(f"{API}/changes?view=left").json()["items"] == []
    anna.patch(f"{API}/photos/{fourth}", json={"view": "left"})
    assert both.work() == 2
    assert compared(anna) == [first[:8], second[:8]]
    (left,) = anna.get(f"{API}/changes?view=left").json()["items"]
    assert sorted(left["photos"]) == sorted([third, fourth])


def test_of_a_view_with_one_photo_left_no_comparison_stays(both):
    anna = both.patient()
    first, second = better(both, anna)
    anna.patch(f"{API}/photos/{second}", json={"view": None})
    assert both.work() == 0
    assert changes(anna) == []
    anna.patch(f"{API}/photos/{second}", json={"view": "front"})
    assert both.work() == 1
    assert compared(anna) == [first[:8], second[:8]]


def test_a_start_that_leaves_its_view_is_no_start_there(service):
    anna = service.patient()
    first, second = better(service, anna)
    third = send(service, anna, skin_jpeg(gain=1.04), "2026-05-01", 0)
    with service.parts.database.write() as session:
        session.execute(update(Photo).where(Photo.id == second).values(baseline=True))
    anna.patch(f"{API}/photos/{second}", json={"view": "left"})
    shown = anna.patch(f"{API}/photos/{second}", json={"view": "front"}).json()
    service.work()
    assert shown["baseline"] is False
    assert compared(anna) == [first[:8], second[:8], third[:8]]


def test_what_is_said_anew_of_a_photo_and_compared_as_before_is_not_compared_again(service):
    anna = service.patient()
    photo = better(service, anna)[0]
    for said in ({"note": "calm"}, {"view": "front"}, {"taken_at": f"{FIRST}T13:00:00+01:00"}, {"visit": None}):
        assert anna.patch(f"{API}/photos/{photo}", json=said).status_code == 200
    assert service.work() == 0


def kept(service, photo):
    """The row of a photo's analysis, its key and the photo."""
    with service.parts.database.read() as session:
        row = session.scalars(select(Analysis).where(Analysis.photo == photo)).one()
        return row, service.parts.vault.key_of(session, row.owner), session.get_one(Photo, photo)


@pytest.mark.parametrize("mirrored", [False, True])
def test_faint_lesions_come_back_as_they_were(both, mirrored):
    both.analyzer, anna = FaintFace(), both.patient()
    photo = send(both, anna, skin_jpeg(), FIRST)
    anna.patch(f"{API}/photos/{photo}", json={"mirrored": mirrored})
    row, _, shown = kept(both, photo)
    with both.parts.database.read() as session:
        assert visit_of(both.parts, session, row, shown).faint == FAINT
    assert b"0.0312345" not in row.faint
    assert "faint" not in json.dumps(anna.get(f"{API}/analyses/{row.id}").json())
    assert list(verify(both.parts.storage)) == []
    with both.parts.database.write() as session:
        session.execute(update(Analysis).values(faint=row.mask, mask=row.faint))  # neither is the other
    assert [f"{f.what} {f.where}" for f in verify(both.parts.storage)] == [
        f"sealed_unreadable analysis/{row.id}/{column}" for column in ("mask", "faint")
    ]


def test_a_flicker_at_the_cut_off_is_no_change(service):
    service.analyzer, anna = FaintFace(faint=(Faint(PLACES[3], 0.03),)), service.patient()
    send(service, anna, skin_jpeg(), FIRST, lesions=4)
    send(service, anna, skin_jpeg(gain=1.02), SECOND, lesions=3)
    ledger = [[(s["state"], s["lesion_id"]) for s in track["history"]] for track in newest(anna)["ledger"]]
    assert ledger == [
        *([("present", n), ("persisting", n)] for n in (1, 2, 3)),
        [("present", 4), ("persisting", None)],
    ]


def test_the_archive_holds_faint_lesions(service):
    service.analyzer, anna = FaintFace(), service.patient()
    photo = send(service, anna, skin_jpeg(), FIRST)
    anna.post(f"{API}/sessions/confirm", json={"password": PASSWORD})
    archive = zipfile.ZipFile(io.BytesIO(anna.get(f"{API}/export").content))
    (name,) = [n for n in archive.namelist() if n.endswith(".faint.json")]
    row, key, _ = kept(service, photo)
    assert name == f"analyses/{photo}-{row.id}.faint.json"
    assert archive.read(name) == faint_file(row, key)
    assert json.loads(archive.read(name))[0] == [200.123456789, 300.5, 0.0312345]


def test_analyses_from_before_are_compared_without_faint_lesions(both):
    both.analyzer, anna = FaintFace(), both.patient()
    photos = better(both, anna)
    assert newest(anna)["notices"] == []
    with both.parts.database.write() as session:
        session.execute(update(Analysis).where(Analysis.photo == photos[0]).values(faint=None))
    anna.post(f"{API}/changes", json={"view": "front"})
    both.work()
    assert newest(anna)["notices"] == [
        "faint lesions are left aside, because 1 photo(s) were analysed before they were kept: analyse these again"
    ]
    assert newest(anna)["verdict"]["answer"] == "better"
    shown = anna.get(f"{API}/photos").json()["items"]
    assert [photo["analysis"]["complete"] for photo in shown] == [True, False]
    both.analyzer.lesions = 20
    anna.post(f"{API}/photos/{photos[0]}/analyses", json={})
    both.work()
    assert newest(anna)["notices"] == []
    assert anna.get(f"{API}/photos/{photos[0]}").json()["analysis"]["complete"] is True
    row, key, _ = kept(both, photos[0])
    assert json.loads(faint_file(row, key))[1] == [210.0, 310.0, 0.04]
