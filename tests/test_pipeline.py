"""The whole way of a photo with the shipped networks, on rendered faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg

import comedo
from cases import rendered_sample
from comedo.build import default_analyzer
from comedo.errors import NoFaceFound, PoorPhoto
from comedo.face import skin_mask
from comedo.inference import OnnxNetwork
from comedo.synthetic import RenderedFace
from comedo.types import Group, Image, Kind, Region, Verdict

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def face() -> RenderedFace:
    return rendered_sample()


@pytest.fixture(scope="module")
def analysis(face: RenderedFace) -> comedo.FaceAnalysis:
    return default_analyzer().analyze(face.image, name="sample")


def test_the_rendered_face_is_mapped(face: RenderedFace, analysis: comedo.FaceAnalysis) -> None:
    skin = np.isin(face.parts, [r.part for r in Region])
    found = skin_mask(analysis.face, analysis.width, analysis.height)
    assert (found & skin).sum() / (found | skin).sum() > 0.8
    for mine, true in zip(analysis.face.eyes_xy, face.eyes_xy, strict=True):
        assert mine is not None
        assert true is not None
        assert np.hypot(mine[0] - true[0], mine[1] - true[1]) * face.mm_per_px < 6
    assert analysis.face.mm_per_px == pytest.approx(face.mm_per_px, rel=0.15)
    assert analysis.face.yaw_deg == pytest.approx(face.yaw_deg, abs=20)


def test_half_of_its_large_inflamed_lesions_are_found(face: RenderedFace, analysis: comedo.FaceAnalysis) -> None:
    # The network has only seen photos; rendered lesions are near enough for about half of them.
    large = [x for x in face.lesions if x.kind in (Kind.PAPULE, Kind.PUSTULE, Kind.NODULE) and x.diameter_mm >= 2.5]
    assert len(large) >= 5
    centres = np.array([x.center_xy for x in analysis.lesions if x.active]).reshape(-1, 2)
    found = [np.hypot(*(centres - x.center_xy).T).min(initial=np.inf) < x.diameter_px for x in large]
    assert np.mean(found) >= 0.4


def test_counts_and_grades_agree_with_the_lesions(analysis: comedo.FaceAnalysis) -> None:
    active = [x for x in analysis.lesions if x.active]
    assert analysis.counts.total == len(active)
    assert sum(analysis.counts.by_group.values()) == len(active)
    assert Group.MARK not in analysis.counts.by_group
    assert analysis.coverage.lesion_px <= analysis.coverage.skin_px
    assert {"severity", "acne", "hayashi", "gags_face", "iga_estimate", "gea", "nice_group"} <= set(analysis.grades)


def test_the_same_photo_gives_the_same_answer(face: RenderedFace, analysis: comedo.FaceAnalysis) -> None:
    again = default_analyzer().analyze(face.image, name="sample")
    assert again.lesions == analysis.lesions
    assert (again.lesion_mask == analysis.lesion_mask).all()


@pytest.mark.parametrize("zoom", [0.6, 2.0])
def test_size_in_pixels_hardly_matters(face: RenderedFace, analysis: comedo.FaceAnalysis, zoom: float) -> None:
    flag = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    image = np.asarray(cv2.resize(face.image, None, fx=zoom, fy=zoom, interpolation=flag), np.uint8)
    other = default_analyzer().analyze(image, allow_poor=True)
    low, high = analysis.counts.interval_90
    assert low <= other.counts.total <= high


@pytest.mark.parametrize(
    "change",
    [
        lambda i: np.full_like(i, 127),
        lambda i: i[-300:, :300],
        lambda i: np.random.default_rng(0).integers(0, 255, i.shape, np.uint8),
    ],
    ids=["grey", "corner", "noise"],
)
def test_no_face_is_an_error(face: RenderedFace, change: Callable[[Image], Image]) -> None:
    with pytest.raises(NoFaceFound):
        default_analyzer().analyze(np.ascontiguousarray(change(face.image)))


def test_a_poor_photo_is_refused_with_advice_and_analysed_on_request(face: RenderedFace) -> None:
    blurred = np.asarray(cv2.GaussianBlur(face.image, (0, 0), 12), np.uint8)
    with pytest.raises(PoorPhoto, match="analyse it anyway"):
        default_analyzer().analyze(blurred)
    anyway = default_analyzer().analyze(blurred, allow_poor=True)
    assert anyway.quality.verdict is Verdict.POOR
    assert any("unreliable" in n for n in anyway.notices)


def test_an_unknown_convention_costs_no_work(face: RenderedFace) -> None:
    with pytest.raises(ValueError, match="acne04-v1"):
        default_analyzer().analyze(face.image, convention="guess")


def test_one_decode_and_few_network_runs(face: RenderedFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.jpg"
    path.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(face.image), quality=92))
    decodes, runs = [], []
    decode, run = simplejpeg.decode_jpeg, OnnxNetwork.run
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *a, **k: decodes.append(1) or decode(*a, **k))
    monkeypatch.setattr(OnnxNetwork, "run", lambda self, image: runs.append(image.shape) or run(self, image))
    default_analyzer().analyze(path)
    assert len(decodes) == 1
    small = [s for s in runs if s in ((256, 256, 3), (320, 320, 3))]
    tiles = [s for s in runs if s not in small]
    assert len(small) <= 3
    assert len(tiles) <= 4
    assert sum(h * w for h, w, _ in tiles) <= 1.8e6


def test_mirrored_sides_swap(face: RenderedFace, analysis: comedo.FaceAnalysis) -> None:
    mirrored = default_analyzer().analyze(np.ascontiguousarray(face.image[:, ::-1]))
    left, right = (analysis.face.region_area_px(r) for r in (Region.LEFT_CHEEK, Region.RIGHT_CHEEK))
    assert mirrored.face.region_area_px(Region.RIGHT_CHEEK) == pytest.approx(left, rel=0.15)
    assert mirrored.face.region_area_px(Region.LEFT_CHEEK) == pytest.approx(right, rel=0.15)


def test_an_analyzer_is_shared_between_threads(face: RenderedFace, analysis: comedo.FaceAnalysis) -> None:
    from concurrent.futures import ThreadPoolExecutor

    analyzer = comedo.Analyzer()
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: analyzer.analyze(face.image, name="sample"), range(3)))
    assert all(r.lesions == analysis.lesions for r in results)
