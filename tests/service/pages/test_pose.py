"""The guide's word on the pose: by the face's angles, seldom, and for who is signed in."""

from __future__ import annotations

import pytest

from builders import make_face
from comedo.errors import NoFaceFound
from comedo.service.pages.pose import MOST_BYTES, PoseJudge, judge_pose
from comedo.types import Photo
from service.api.conftest import Service, drawn_jpeg
from service.pages.people import person

JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def service(service: Service) -> Service:
    service.app.state.pose = PoseJudge(lambda: lambda photo: make_face(yaw_deg=40.0))
    return service


@pytest.mark.parametrize(
    ("side", "yaw", "roll", "said"),
    [
        ("front", 0.0, 0.0, "ready"),
        ("front", -15.0, 20.0, "ready"),
        ("front", 15.1, 0.0, "look"),
        ("front", 0.0, -20.1, "upright"),
        ("front", None, 0.0, "unsure"),
        ("front", 0.0, None, "ready"),
        ("left", 45.0, 0.0, "ready"),
        ("left", 0.0, 0.0, "show_left"),
        ("left", -45.0, 0.0, "show_left"),
        ("left", 66.0, 0.0, "back"),
        ("right", -45.0, 0.0, "ready"),
        ("right", 45.0, 0.0, "show_right"),
        ("right", -66.0, 0.0, "back"),
    ],
)
def test_a_pose_is_judged_for_its_side(side, yaw, roll, said):
    assert judge_pose(make_face(yaw_deg=yaw, roll_deg=roll), side) == said


def test_a_picture_without_a_face_asks_for_one():
    def find(photo: Photo):
        raise NoFaceFound("no face")

    assert PoseJudge(lambda: find).look(drawn_jpeg(), "front") == "place"


def test_the_page_gets_a_word_and_nothing_is_kept(service):
    client = person(service)
    answer = client.post("/capture/pose?side=left", content=drawn_jpeg(), headers=JPEG)
    assert answer.json() == {"pose": "ready"}
    assert client.post("/capture/pose?side=left", content=drawn_jpeg(), headers=JPEG).json() == {"pose": None}
    assert client.get("/api/v1/photos").json()["items"] == []
    assert client.get("/api/v1/jobs").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [(b"", {}, 415), (b"", JPEG, 422), (b"no picture", JPEG, 422), (b"x" * (MOST_BYTES + 1), JPEG, 413)],
    ids=["no type", "empty", "no picture", "too large"],
)
def test_what_is_no_small_picture_is_refused(service, body, headers, status):
    assert person(service).post("/capture/pose", content=body, headers=headers).status_code == status


def test_other_sites_and_strangers_are_turned_away(service):
    client = person(service)
    cross = {**JPEG, "sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert client.post("/capture/pose", content=drawn_jpeg(), headers=cross).status_code == 403
    stranger = service.visitor().post("/capture/pose", content=drawn_jpeg(), headers=JPEG)
    assert stranger.status_code == 401


@pytest.mark.weights
def test_the_shipped_face_map_tells_sides_apart_in_a_small_picture():
    from dataclasses import replace

    import cv2
    import simplejpeg

    from comedo.synthetic import render, sample_spec

    spec = sample_spec()
    camera = replace(spec.camera, width=432, height=576)
    judge, said = PoseJudge(), {}
    for side, yaw in (("front", 0.0), ("left", 40.0), ("right", -40.0)):
        turned = replace(spec, camera=camera, pose=replace(spec.pose, yaw_deg=yaw))
        small = cv2.resize(render(turned).image, (288, 384), interpolation=cv2.INTER_AREA)
        said[side] = judge.look(simplejpeg.encode_jpeg(small, quality=80), side)
    assert said == {"front": "ready", "left": "ready", "right": "ready"}


def test_only_a_few_pictures_are_looked_at_at_a_time():
    judge = PoseJudge(lambda: lambda photo: make_face(yaw_deg=0.0))
    while judge.free.acquire(blocking=False):
        pass
    assert judge.look(drawn_jpeg(), "front") is None
    judge.free.release()
    assert [judge.look(drawn_jpeg(), "front") for _ in range(2)] == ["ready", "ready"]
