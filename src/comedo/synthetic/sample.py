"""Specs drawn at random, the demo picture, and the same person in another photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from comedo.synthetic.head import Head, head_of
from comedo.synthetic.lesions import Placed, draw_direction, place
from comedo.synthetic.render import RenderedFace, render
from comedo.synthetic.spec import Camera, FaceSpec, HairStyle, LesionSpec, Light, Person, Pose
from comedo.types import Kind, Region

# How often kinds stand together on faces, roughly: an assumption for load and tests, not a finding.
_KIND_SHARES = {
    Kind.OPEN_COMEDONE: 0.16,
    Kind.CLOSED_COMEDONE: 0.20,
    Kind.PAPULE: 0.30,
    Kind.PUSTULE: 0.12,
    Kind.NODULE: 0.03,
    Kind.MARK: 0.19,
}
_REGION_SHARES = {
    Region.FOREHEAD: 0.27,
    Region.NOSE: 0.06,
    Region.LEFT_CHEEK: 0.25,
    Region.RIGHT_CHEEK: 0.25,
    Region.CHIN: 0.17,
}
_GAP_MM = 1.0  # bare skin left between two lesions
_TRIES = 40


def scatter_lesions(
    person: Person,
    counts: Mapping[Kind, int],
    *,
    seed: int,
    regions: Sequence[Region] = tuple(Region),
    strength: tuple[float, float] = (0.7, 1.15),
) -> tuple[LesionSpec, ...]:
    """Lesions at fixed places on a person's skin that do not touch each other.

    Args:
        person: Whose skin; hair on the forehead leaves no place there.
        counts: How many of each kind; crowded skin may end with fewer.
        seed: Draws places, sizes and strengths.
        regions: Where they may be, weighted by how often acne stands there.
        strength: Range of `LesionSpec.strength`.
    """
    if not any(counts.values()):
        return ()  # the head is dear to make
    rng = np.random.default_rng([seed, 51])
    head = head_of(person)
    weights = np.array([_REGION_SHARES[r] for r in regions])
    placed: list[Placed] = []
    for kind in (k for k in Kind for _ in range(counts.get(k, 0))):
        for _ in range(_TRIES):
            region = regions[int(rng.choice(len(regions), p=weights / weights.sum()))]
            candidate = _candidate(head, kind, region, rng, strength)
            if candidate is not None and all(_apart(candidate, other) for other in placed):
                placed.append(candidate)
                break
    return tuple(p.spec for p in placed)


def _candidate(
    head: Head, kind: Kind, region: Region, rng: np.random.Generator, strength: tuple[float, float]
) -> Placed | None:
    spot = draw_direction(region, head, rng)
    seed, force = int(rng.integers(2**31)), float(rng.uniform(*strength))
    return None if spot is None else place(LesionSpec(kind, spot, seed=seed, strength=force), head)


def _apart(a: Placed, b: Placed) -> bool:
    distance = float(np.linalg.norm(np.subtract(a.center, b.center)))
    return distance > (a.diameter_mm + b.diameter_mm) / 2 * 1.15 + _GAP_MM


def random_spec(
    seed: int,
    *,
    n_lesions: int | None = None,
    max_yaw_deg: float = 70.0,
    size_wh: tuple[int, int] | None = None,
    tone: float | None = None,
) -> FaceSpec:
    """A spec drawn from a wide range of people, poses, lights and cameras.

    Args:
        seed: The same seed gives the same spec.
        n_lesions: How many lesions, marks included; None draws 0 to 45.
        max_yaw_deg: Half of the poses are within 25 degrees, the rest up to here.
        size_wh: Width and height of the picture; None draws 400 to 1,400 pixels.
        tone: Skin tone; None draws from 0 to 1.
    """
    rng = np.random.default_rng([seed, 52])
    person = _random_person(rng, seed, tone)
    pose = _random_pose(rng, max_yaw_deg)
    light = Light(
        azimuth_deg=float(rng.uniform(-60, 60)),
        elevation_deg=float(rng.uniform(5, 60)),
        strength=float(np.exp(rng.uniform(np.log(0.45), np.log(1.15)))),
        ambient=float(rng.uniform(0.2, 0.8)),
        kelvin=float(rng.uniform(4300, 7200)),
        softness=float(rng.uniform(0.2, 1)),
    )
    drawn = (int(rng.integers(400, 1100)), int(rng.integers(500, 1400)))
    width, height = size_wh or drawn
    cam = Camera(
        width=width,
        height=height,
        face_share=float(rng.uniform(0.4, 0.95)),
        center_xy=(float(rng.uniform(0.45, 0.55)), float(rng.uniform(0.47, 0.57))),
        blur_px=float(rng.uniform(0.5, 1.2)),
        noise=float(rng.uniform(0.002, 0.016)),
        mirrored=bool(rng.random() < 0.3),
    )
    n = int(rng.integers(0, 46)) if n_lesions is None else n_lesions
    kinds, shares = list(_KIND_SHARES), np.array(list(_KIND_SHARES.values()))
    numbers = rng.multinomial(n, shares / shares.sum())
    counts = {k: int(c) for k, c in zip(kinds, numbers, strict=True)}
    return FaceSpec(
        person=person,
        pose=pose,
        light=light,
        camera=cam,
        lesions=scatter_lesions(person, counts, seed=seed),
        glasses=bool(rng.random() < 0.12),
        background_seed=seed,
        noise_seed=seed,
    )


def _random_person(rng: np.random.Generator, seed: int, tone: float | None) -> Person:
    drawn = float(rng.uniform(0, 1))
    tone = drawn if tone is None else tone
    darkest = float(rng.uniform(0.25, 1))
    style = rng.choice(list(HairStyle), p=[0.08, 0.46, 0.46])
    return Person(
        tone=tone,
        shape_seed=1 + seed,
        hair=HairStyle(str(style)),
        # dark skin rarely goes with light hair and eyes
        hair_darkness=max(darkest, min(1.0, 0.2 + 1.6 * tone)),
        hair_warmth=float(rng.uniform(0, 1)) * (1 - 0.7 * tone),
        fringe=float(rng.uniform(0.3, 1)) if rng.random() < 0.3 else 0.0,
        iris_darkness=max(float(rng.uniform(0.1, 1)), min(1.0, 0.2 + 1.6 * tone)),
        ruddiness=float(rng.uniform(0.1, 0.9)),
        oil=float(rng.uniform(0.05, 0.9)),
    )


def _random_pose(rng: np.random.Generator, max_yaw_deg: float) -> Pose:
    near = rng.random() < 0.5
    limit = min(25.0, max_yaw_deg) if near else max_yaw_deg
    return Pose(
        yaw_deg=float(rng.uniform(-limit, limit)),
        pitch_deg=float(np.clip(rng.normal(0, 6), -15, 15)),
        roll_deg=float(np.clip(rng.normal(0, 6), -20, 20)),
        eyes_closed=bool(rng.random() < 0.15),
        smile=float(rng.uniform(0, 1)),
    )


def same_person(spec: FaceSpec, seed: int, *, lesions: Sequence[LesionSpec] | None = None) -> FaceSpec:
    """Another photo of the same skin: pose, light and distance change a little, lesions keep their places.

    Args:
        spec: The first photo.
        seed: Draws the changes.
        lesions: What is on the skin now; None leaves it as it was. Lesions given in degrees stay where they
            are; drop, add or `replace` some for a change over time.
    """
    rng = np.random.default_rng([seed, 53])

    def near(value: float, spread: float) -> float:
        return float(value + rng.uniform(-spread, spread))

    pose, light, cam = spec.pose, spec.light, spec.camera
    return replace(
        spec,
        pose=replace(
            pose, yaw_deg=near(pose.yaw_deg, 6), pitch_deg=near(pose.pitch_deg, 4), roll_deg=near(pose.roll_deg, 4)
        ),
        light=replace(
            light,
            azimuth_deg=near(light.azimuth_deg, 20),
            elevation_deg=near(light.elevation_deg, 10),
            strength=light.strength * near(1, 0.15),
            kelvin=near(light.kelvin, 500),
        ),
        camera=replace(
            cam,
            face_share=cam.face_share * near(1, 0.06),
            center_xy=(near(cam.center_xy[0], 0.02), near(cam.center_xy[1], 0.02)),
        ),
        lesions=spec.lesions if lesions is None else tuple(lesions),
        noise_seed=int(rng.integers(2**31)),
    )


def sample_spec() -> FaceSpec:
    """What the demo picture shows: a friendly adult with 14 clear lesions; every kind is in sight, if not every one."""
    person = Person(tone=0.24, shape_seed=8, hair=HairStyle.LONG, hair_darkness=0.62, hair_warmth=0.5, ruddiness=0.4)
    counts = {
        Kind.OPEN_COMEDONE: 2,
        Kind.CLOSED_COMEDONE: 2,
        Kind.PAPULE: 5,
        Kind.PUSTULE: 2,
        Kind.NODULE: 1,
        Kind.MARK: 2,
    }
    return FaceSpec(
        person=person,
        pose=Pose(yaw_deg=9, pitch_deg=-3, roll_deg=2, smile=0.9),
        light=Light(azimuth_deg=-28, elevation_deg=32, ambient=0.45, kelvin=5400, softness=0.7),
        camera=Camera(width=1200, height=1600, face_share=0.58, center_xy=(0.5, 0.53), noise=0.004),
        lesions=scatter_lesions(person, counts, seed=6, strength=(1.3, 1.9)),
        background_seed=21,
        noise_seed=1,
    )


def sample_face() -> RenderedFace:
    """The demo picture, 1200 x 1600 pixels, with its truth."""
    return render(sample_spec())
