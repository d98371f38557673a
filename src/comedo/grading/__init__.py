"""Every scale from one set of lesions; what a photo cannot give is named, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from comedo.grading.gags import grade_gags_face
from comedo.grading.gea import grade_gea
from comedo.grading.halves import face_midline
from comedo.grading.hayashi import grade_hayashi
from comedo.grading.iga import grade_iga
from comedo.grading.involvement import measure_involvement
from comedo.grading.nice import grade_nice
from comedo.grading.tally import visible_regions
from comedo.types import Counts, FaceMap, Grade, Lesion

__all__ = [
    "SCALES",
    "Findings",
    "grade_all",
    "grade_gags_face",
    "grade_gea",
    "grade_hayashi",
    "grade_iga",
    "grade_nice",
]


@dataclass(frozen=True, eq=False)
class Findings:
    """What the scales are given."""

    lesions: Sequence[Lesion]
    counts: Counts
    face: FaceMap

    @property
    def has_scale(self) -> bool:
        """Whether sizes are known in millimetres."""
        return self.face.mm_per_px is not None


SCALES: Mapping[str, Callable[[Findings], Grade]] = MappingProxyType(
    {
        "hayashi": lambda f: grade_hayashi(f.lesions, f.counts, midline=face_midline(f.face)),
        "gags_face": lambda f: grade_gags_face(f.lesions, visible_regions(f.counts)),
        "iga_estimate": lambda f: grade_iga(f.counts, has_scale=f.has_scale),
        "gea": lambda f: grade_gea(f.counts, measure_involvement(f.lesions, f.face), has_scale=f.has_scale),
        "nice_group": lambda f: grade_nice(f.counts, has_scale=f.has_scale),
    }
)


def grade_all(
    lesions: Sequence[Lesion], counts: Counts, face: FaceMap, *, extra: Mapping[str, Grade] = MappingProxyType({})
) -> Mapping[str, Grade]:
    """Every scale of `SCALES`, after the grades handed in (severity and acne have fitted parameters).

    Args:
        lesions: Those that `counts` counts; marks may be among them, and have no say.
        counts: Under a convention near to what clinicians count, for whom the bands were made. On
            901 ACNE04 photos the count of every visible lesion puts only 30 % in the Hayashi band
            that their grade names, on average 0.8 bands too high.
        face: Where the face is, for the scales that part it or measure how much is involved.
        extra: Grades under other keys.

    Raises:
        ValueError: If `extra` holds a key of `SCALES`.
    """
    if twice := sorted(extra.keys() & SCALES.keys()):
        raise ValueError(f"grade_all computes {', '.join(twice)} itself; leave it out of extra")
    findings = Findings(lesions, counts, face)
    return {**extra, **{name: grade(findings) for name, grade in SCALES.items()}}
