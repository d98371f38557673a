"""Which lesions of a picture can be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comedo.synthetic import Camera, FaceSpec, LesionSpec, Light, Person, RenderedFace, render
from comedo.synthetic.head import head_of
from comedo.synthetic.lesions import LOOKS, place
from comedo.synthetic.visibility import can_be_seen, contrast_of
from comedo.types import Kind


def grey(level: int) -> np.ndarray:
    return np.full((4, 4, 3), level, np.uint8)


def spec_of(kind: Kind, diameter_mm: float, strength: float = 1.0, lon: float = 24.0, **camera: float) -> FaceSpec:
    """A cut-out of 84 mm with one lesion on a cheek."""
    lesion = LesionSpec(kind, (lon, -20.0), diameter_mm=diameter_mm, seed=3, strength=strength)
    lens = Camera(**{"width": 160, "height": 160, "face_share": 2.2, "noise": 0.0, **camera})  # type: ignore[arg-type]
    return FaceSpec(person=Person(tone=0.2), camera=lens, lesions=(lesion,))


def one(kind: Kind, diameter_mm: float, strength: float = 1.0, **camera: float) -> RenderedFace:
    return render(spec_of(kind, diameter_mm, strength, **camera))


def test_contrast_by_hand():
    mask = np.zeros((4, 4), bool)
    mask[:2] = True
    picture = grey(255)
    picture[0] = 0  # half of the mask is 100 of lightness away, the other half nothing
    assert contrast_of(picture, grey(255), mask) == pytest.approx(50, abs=0.1)
    assert contrast_of(grey(119), grey(119), mask) == 0.0


@pytest.mark.parametrize(
    ("contrast", "area_px", "noise", "seen"),
    [
        pytest.param(0.0, 100, 0.0, False, id="nothing"),
        pytest.param(2.2, 100, 0.0, False, id="below just noticeable"),
        pytest.param(2.4, 100, 0.0, True, id="above it"),
        pytest.param(2.4, 100, 0.04, True, id="noise of 4 against 24 over ten by ten pixels"),
        pytest.param(2.4, 100, 0.05, False, id="noise of 5 wants 25"),
        pytest.param(2.4, 121, 0.05, True, id="more pixels"),
    ],
)
def test_what_can_be_seen(contrast, area_px, noise, seen):
    assert can_be_seen(contrast, area_px, noise) is seen


def test_a_faint_lesion_says_so_and_is_in_the_truth():
    clear, faint = (one(Kind.CLOSED_COMEDONE, 2.0, strength) for strength in (1.0, 0.05))
    assert clear.lesions[0].visible
    (lesion,) = faint.lesions
    assert 0 <= lesion.contrast < clear.lesions[0].contrast
    assert one(Kind.PAPULE, 4.0, 1.5).lesions[0].contrast > one(Kind.PAPULE, 4.0, 0.5).lesions[0].contrast


def test_blur_and_noise_hide_a_small_lesion():
    sharp = one(Kind.OPEN_COMEDONE, 1.2)
    assert sharp.lesions[0].visible
    blurred = one(Kind.OPEN_COMEDONE, 1.2, blur_px=4.0)
    assert blurred.lesions[0].contrast < 0.5 * sharp.lesions[0].contrast
    noisy = one(Kind.OPEN_COMEDONE, 1.2, noise=0.5)
    assert noisy.lesions[0].contrast == pytest.approx(sharp.lesions[0].contrast)
    assert not noisy.lesions[0].visible


def test_a_neighbour_and_light_elsewhere_do_not_change_a_contrast():
    spec = spec_of(Kind.PAPULE, 4.0)
    other = LesionSpec(Kind.NODULE, (-24.0, -20.0), diameter_mm=8.0, seed=1)
    both = render(replace(spec, lesions=(*spec.lesions, other)))
    assert both.lesions[0].contrast == pytest.approx(render(spec).lesions[0].contrast, rel=1e-3)


@pytest.mark.parametrize("azimuth", [-50.0, 50.0])
def test_a_papule_is_a_dome_and_a_mark_is_flat(azimuth):
    """Where light grazes the cheek, the flank towards the lamp is the brighter one, of a dome only."""
    tilts = []
    for kind in (Kind.PAPULE, Kind.MARK):
        spec = spec_of(kind, 5.0, lon=-24 * np.sign(azimuth))
        spec = replace(spec, light=Light(azimuth_deg=azimuth, elevation_deg=10, ambient=0.2))
        face, bare = render(spec), render(replace(spec, lesions=()))
        (lesion,) = face.lesions
        gain = (face.image.astype(float) - bare.image).sum(-1)
        ys, xs = np.mgrid[: gain.shape[0], : gain.shape[1]]
        inside = np.hypot(xs - lesion.center_xy[0], ys - lesion.center_xy[1]) < lesion.diameter_px / 2
        right = xs > lesion.center_xy[0]
        tilts.append(np.sign(azimuth) * (gain[inside & right].mean() - gain[inside & ~right].mean()))
    papule, mark = tilts
    assert papule > 15
    assert abs(mark) < papule / 4


def test_a_papule_is_red_and_a_mark_is_brown():
    """Log ratios to the skin without it: a papule takes green and hardly red, a mark takes both."""
    shares = []
    for kind in (Kind.PAPULE, Kind.MARK):
        seeds = (LesionSpec(kind, (24.0, -20.0), diameter_mm=5.0, seed=seed) for seed in range(20))
        lesion = next(x for x in seeds if place(x, head_of(Person(tone=0.2))).look is LOOKS[kind])  # no pink mark
        spec = replace(spec_of(kind, 5.0), lesions=(lesion,), light=Light(azimuth_deg=0, elevation_deg=5))
        face, bare = render(spec), render(replace(spec, lesions=()))
        x, y = (round(v) for v in face.lesions[0].center_xy)
        near = (slice(y - 2, y + 3), slice(x - 2, x + 3))
        ratio = np.log(face.image[near].mean((0, 1)) / bare.image[near].mean((0, 1)))
        assert ratio[1] < -0.05
        shares.append(ratio[0] / ratio[1])
    papule, mark = shares
    assert papule < 0.3 < mark
