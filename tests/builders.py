"""Small values for tests: a drawn face of 240 x 320 pixels, its map, its lesions, its analysis. No photo of anyone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import comedo
from comedo.types import (
    Check,
    Counts,
    Coverage,
    FaceAnalysis,
    FaceMap,
    Grade,
    Group,
    Kind,
    Lesion,
    Part,
    Quality,
    Region,
    Verdict,
)

WIDTH, HEIGHT = 240, 320
CELL = 4  # photo pixels per cell of the face map
SKIN_RGB = (198, 150, 126)


def make_parts() -> NDArray[np.uint8]:
    """Face map of the drawn face, (80, 60): an oval with all ten parts."""
    y, x = np.mgrid[0 : HEIGHT // CELL, 0 : WIDTH // CELL].astype(np.float64)
    x, y = (x + 0.5) * CELL, (y + 0.5) * CELL
    parts = np.zeros(x.shape, np.uint8)
    parts[((x - 120) / 105) ** 2 + ((y - 150) / 145) ** 2 < 1] = Part.OTHER
    face = ((x - 120) / 80) ** 2 + ((y - 170) / 115) ** 2 < 1
    parts[face & (x < 120)] = Part.RIGHT_CHEEK
    parts[face & (x >= 120)] = Part.LEFT_CHEEK
    parts[face & (y < 125)] = Part.FOREHEAD
    parts[face & (y > 215)] = Part.CHIN
    parts[(abs(x - 120) < 16) & (y > 130) & (y < 205)] = Part.NOSE
    for eye_x in (85, 155):
        parts[(abs(x - eye_x) < 20) & (abs(y - 118) < 5)] = Part.BROWS
        parts[((x - eye_x) / 16) ** 2 + ((y - 136) / 8) ** 2 < 1] = Part.EYES
    parts[((x - 120) / 30) ** 2 + ((y - 232) / 10) ** 2 < 1] = Part.LIPS
    return parts


def make_image(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """The drawn face, (height, width, 3) RGB."""
    colours = np.full((len(Part), 3), SKIN_RGB, np.uint8)
    colours[Part.BACKGROUND] = (188, 196, 204)
    colours[Part.OTHER] = (62, 44, 36)
    colours[Part.BROWS] = (92, 66, 54)
    colours[Part.EYES] = (240, 238, 232)
    colours[Part.LIPS] = (176, 96, 96)
    rows = np.arange(height) * (HEIGHT // CELL) // height
    columns = np.arange(width) * (WIDTH // CELL) // width
    return colours[make_parts()[rows[:, None], columns[None, :]]]


def make_face(**changes: Any) -> FaceMap:
    """The map of the drawn face."""
    face = FaceMap(
        parts=make_parts(),
        to_photo=np.array([[CELL, 0.0, (CELL - 1) / 2], [0.0, CELL, (CELL - 1) / 2]]),
        box_xyxy=(40.0, 55.0, 200.0, 285.0),
        eyes_xy=((85.0, 136.0), (155.0, 136.0)),
        roll_deg=0.0,
        yaw_deg=-4.25,
        mm_per_px=0.9,
        mm_per_px_error=0.06,
        face_px=96.0,
        score=0.97,
    )
    return replace(face, **changes)


def make_lesion(number: int = 1, **changes: Any) -> Lesion:
    """An inflamed papule on the right cheek."""
    x, y = changes.pop("center_xy", (70.0, 180.0))
    diameter = changes.get("diameter_px", 8.0)
    lesion = Lesion(
        id=number,
        box_xyxy=(x - diameter / 2, y - diameter / 2, x + diameter / 2, y + diameter / 2),
        center_xy=(x, y),
        diameter_px=8.0,
        diameter_mm=7.2,
        area_px=50.0,
        score=0.9,
        group=Group.INFLAMMATORY,
        group_probs={Group.INFLAMMATORY: 0.8, Group.NON_INFLAMMATORY: 0.15, Group.MARK: 0.05},
        kind=Kind.PAPULE,
        kind_probs={Kind.PAPULE: 0.7, Kind.PUSTULE: 0.3},
        region=Region.RIGHT_CHEEK,
        redness=9.5,
    )
    return replace(lesion, **changes)


def make_lesions() -> tuple[Lesion, ...]:
    """Five lesions: all groups, one outside the regions, one without a size in millimetres."""
    blackhead = {"group": Group.NON_INFLAMMATORY, "kind": Kind.OPEN_COMEDONE, "kind_probs": {Kind.OPEN_COMEDONE: 0.6}}
    mark = {"group": Group.MARK, "kind": Kind.MARK, "kind_probs": {Kind.MARK: 1.0}}
    return (
        make_lesion(1, center_xy=(110.0, 90.0), region=Region.FOREHEAD),
        make_lesion(2, center_xy=(121.5, 165.25), diameter_px=5.0, region=Region.NOSE, redness=-1.5, **blackhead),
        make_lesion(3),
        make_lesion(4, center_xy=(172.0, 190.0), diameter_mm=None, region=Region.LEFT_CHEEK, redness=None, **mark),
        make_lesion(5, center_xy=(120.0, 262.0), kind=Kind.PUSTULE, region=None, score=0.41),
    )


def make_grades() -> dict[str, Grade]:
    """One grade a scale; iga_estimate cannot be given."""

    def grade(scale: str, value: Any, level: str | None, **more: Any) -> Grade:
        return Grade(scale, value, level, f"why of {scale}", f"source of {scale}", **more)

    return {
        "severity": grade("severity", 2.6, "Mild", interval_90=(2.1, 3.2), maximum=5.0, details={"count": 4}),
        "acne": grade("acne", True, "affected", probability=0.93),
        "hayashi": grade("hayashi", "mild", "Mild", details={"inflammatory": 3}),
        "gags_face": grade("gags_face", 9, None, maximum=28.0, missing=("chest", "back")),
        "iga_estimate": grade("iga_estimate", None, None, missing=("touch",)),
        "gea": grade("gea", 2, "Mild", maximum=5.0),
        "nice_group": grade("nice_group", "mild to moderate", None),
    }


def make_counts() -> Counts:
    """Counts of `make_lesions`; the chin is not visible."""
    return Counts(
        convention="visible",
        total=4,
        interval_90=(2, 7),
        by_group={Group.INFLAMMATORY: 3, Group.NON_INFLAMMATORY: 1},
        by_kind={Kind.PAPULE: 2, Kind.PUSTULE: 1, Kind.OPEN_COMEDONE: 1},
        by_region=dict.fromkeys(Region, 1) | {Region.LEFT_CHEEK: 0, Region.CHIN: None},
    )


def make_quality(verdict: Verdict = Verdict.FAIR) -> Quality:
    """One check passed, one failed, one that could not be measured."""
    return Quality(
        verdict,
        (
            Check("sharpness", 0.82, 0.4, True, ""),
            Check("resolution_px_per_mm", 1.1, 4.0, verdict is Verdict.GOOD, "Come closer to the camera."),
            Check("yaw_deg", None, 35.0, True, ""),
        ),
    )


def make_analysis(**changes: Any) -> FaceAnalysis:
    """A complete analysis of the drawn face."""
    lesions = changes.get("lesions", make_lesions())
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    for lesion in lesions:
        if lesion.active:
            cx, cy = lesion.center_xy
            mask |= (x - cx) ** 2 + (y - cy) ** 2 <= (lesion.diameter_px / 2) ** 2
    face = changes.get("face", make_face())
    analysis = FaceAnalysis(
        photo_name="drawn.png",
        photo_sha256="0123456789abcdef" * 4,
        width=WIDTH,
        height=HEIGHT,
        models=("face-map@sha256:aa", "lesion-map@sha256:bb"),
        quality=make_quality(),
        face=face,
        lesions=lesions,
        lesion_mask=mask,
        counts=make_counts(),
        coverage=Coverage(lesion_px=int(mask.sum()), skin_px=face.skin_area_px),
        grades=make_grades(),
        notices=("colour profile converted to sRGB",),
    )
    return replace(analysis, **changes)


def fresh_python(code: str) -> str:
    """What `code` prints in an interpreter of its own."""
    env = {**os.environ, "PYTHONPATH": str(Path(comedo.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env)
    return done.stdout
