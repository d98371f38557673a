"""Series for tests: a drawn face with a skin of its own, moved, lit and spotted as wanted. No photo of anyone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from builders import make_analysis, make_face, make_grades, make_image, make_lesion, make_quality
from comedo.geometry import apply, compose, invert
from comedo.progress.canvas import make_canvas
from comedo.progress.compare import compare_with_itself
from comedo.progress.noise import ChangeNoise, MeasureNoise
from comedo.progress.values import Comparison, Visit
from comedo.types import FaceMap, Grade, Lesion, Verdict

ZOOM = 2  # the drawn face at 480 x 640 pixels
SIZE = (480, 640)
START = datetime.fromisoformat("2026-01-01")
QUIET = MeasureNoise(
    base=2, per_unit=0, relative=0, light=0, zoom=0, margin=1, margin_share=0, useful=5, useful_share=0
)
NOISE = ChangeNoise(
    provenance="by hand",
    pairs=0,
    typical_light=0.0,
    measures=dict.fromkeys(("count", "area", "severity"), QUIET),
)
STILL = np.eye(2, 3)
_FOREHEAD = [(x, y) for y in (190, 210) for x in (190, 220, 260, 290)]
_CHEEKS = [(x, y) for y in (320, 350, 380, 410) for x in (124, 160, 320, 356)]
PLACES = [*_FOREHEAD, *_CHEEKS]  # on skin, 24 of them, none near another


def turn(degrees: float = 0.0, scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> NDArray[np.float64]:
    """A motion of the face in the photo, about its middle."""
    motion = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), degrees, scale)
    return np.asarray(motion + np.array([[0, 0, x], [0, 0, y]]), np.float64)


def skin_photo(person: int, motion: NDArray[np.float64] = STILL, gain: float = 1.0) -> NDArray[np.uint8]:
    """The drawn face with a person's own pattern of skin."""
    lit = np.clip(_skin(person) * gain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.warpAffine(lit, motion, SIZE, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@lru_cache(maxsize=8)
def _skin(person: int) -> NDArray[np.float32]:
    """A person's skin without motion and light, drawn once for many photos; read-only."""
    rng = np.random.default_rng([person, 71])
    drawn = make_image(*SIZE).astype(np.float32)
    pattern = sum(
        a * cv2.GaussianBlur(rng.standard_normal(drawn.shape[:2]).astype(np.float32), (0, 0), s) * s
        for a, s in ((18, 1.5), (16, 3.0), (10, 6.0))
    )
    skin = np.asarray(drawn + pattern[..., None], np.float32)
    skin.flags.writeable = False
    return skin


def moved_face(motion: NDArray[np.float64] = STILL, **changes: Any) -> FaceMap:
    """The map of the drawn face after the motion."""
    face = make_face()
    grow = np.array([[ZOOM, 0, 0.5], [0, ZOOM, 0.5]])
    both = compose(motion, grow)
    scale = float(np.sqrt(abs(np.linalg.det(both[:, :2]))))
    corners = np.array([[face.box_xyxy[i], face.box_xyxy[j]] for i in (0, 2) for j in (1, 3)], np.float64)
    box = apply(both, corners)
    eyes = apply(both, np.array(face.eyes_xy, np.float64))
    known = {
        "to_photo": compose(both, face.to_photo),
        "box_xyxy": (*box.min(0).tolist(), *box.max(0).tolist()),
        "eyes_xy": tuple((x, y) for x, y in eyes.tolist()),
        "face_px": face.face_px * scale,
        "mm_per_px": 0.9 / scale,
    }
    return make_face(**{**known, **changes})


def spots(
    places: Sequence[tuple[float, float]], motion: NDArray[np.float64] = STILL, **changes: Any
) -> tuple[Lesion, ...]:
    """Lesions of 3 mm at places of the unmoved photo, numbered from 1."""
    if not places:
        return ()
    points = apply(motion, np.array(places, np.float64)).tolist()
    return tuple(
        make_lesion(i, center_xy=(x, y), diameter_px=8.0, area_px=50.0, **changes) for i, (x, y) in enumerate(points, 1)
    )


def make_visit(
    day: float | None = 0,
    *,
    person: int = 1,
    motion: NDArray[np.float64] = STILL,
    gain: float = 1.0,
    lesions: Sequence[Lesion] | int = (),
    image: NDArray[np.uint8] | None = None,
    severity: float | None = None,
    iga: int | None = None,
    poor: bool = False,
    **face_changes: Any,
) -> Visit:
    """A visit of the drawn face; a number of lesions takes the first so many of `PLACES`."""
    face = moved_face(motion, **face_changes)
    mine = spots(PLACES[:lesions], motion) if isinstance(lesions, int) else tuple(lesions)
    grades = make_grades()
    grades["severity"] = Grade("severity", severity, None, "why", "source")
    grades["iga_estimate"] = Grade("iga_estimate", iga, None, "why", "source")
    analysis = make_analysis()
    photo = skin_photo(person, motion, gain) if image is None else image
    return Visit(
        name=f"day {day}",
        sha256=f"{person:08x}{hash((day, len(mine))) % 2**32:08x}" * 4,
        when=None if day is None else START + timedelta(days=day),
        face=face,
        lesions=mine,
        quality=make_quality(Verdict.POOR if poor else Verdict.GOOD),
        counts=analysis.counts,
        grades=grades,
        models=analysis.models,
        canvas=make_canvas(photo, face),
    )


def same_place(visits: Sequence[Visit]) -> list[Comparison]:
    """Comparisons of visits that lie on the baseline as they are."""
    return [compare_with_itself(visit) for visit in visits]


def on_canvas(visit: Visit, xy: tuple[float, float]) -> NDArray[np.float64]:
    """A place of the photo on the visit's canvas, (1, 2)."""
    return apply(invert(visit.canvas.to_photo), np.array([xy], np.float64))
