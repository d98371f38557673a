"""The way of a photo: decode, face, quality, lesions, counts, grades."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from comedo.calibration import Calibration
from comedo.errors import PoorPhoto
from comedo.face import FaceMapper
from comedo.grading import grade_all
from comedo.grading.acne import grade_affected
from comedo.grading.severity import grade_severity
from comedo.lesions import LesionFinder, count_lesions
from comedo.lesions.counting import check_convention, counted, measure_coverage
from comedo.photo import read_photo
from comedo.photo.quality import assess
from comedo.types import Counts, FaceAnalysis, FaceMap, Grade, Lesion, Photo, Quality, Verdict

Source = str | os.PathLike[str] | bytes | BinaryIO | NDArray[np.generic] | Photo


@dataclass(frozen=True)
class Analyzer:
    """Photo in, `FaceAnalysis` out. Keeps the models loaded; safe to share between threads."""

    mapper: FaceMapper
    finder: LesionFinder
    calibration: Calibration

    @property
    def models(self) -> tuple[str, ...]:
        """Name and hash of each model, so that every result can be traced."""
        return (self.mapper.network.name, *self.finder.models)

    def analyze(
        self, source: Source, *, name: str | None = None, allow_poor: bool = False, convention: str = "visible"
    ) -> FaceAnalysis:
        """Measure one photo.

        Args:
            source: Path, bytes, binary stream, array (H, W[, 3 or 4]) or a decoded `Photo`.
            name: What to call the photo in the result; by default the file's name.
            allow_poor: Analyse photos that the quality gate refuses, and mark the result.
            convention: Which lesions count: "visible" or "acne04-v1".

        Raises:
            UnusableInput: The photo cannot be read, or is poor and `allow_poor` is off.
            NoFaceFound: There is no face in it.
            ValueError: There is no such counting convention.
        """
        check_convention(convention)
        photo = source if isinstance(source, Photo) else read_photo(source, name=name)
        face = self.mapper.find(photo)
        quality = assess(photo, face)
        if quality.verdict is Verdict.POOR and not allow_poor:
            raise PoorPhoto(
                f"the photo is too poor to be measured: {' '.join(quality.advice)} "
                "Take it again, or allow poor photos to analyse it anyway, marked unreliable"
            )
        return self.measure(photo, face, quality, convention=convention)

    def measure(self, photo: Photo, face: FaceMap, quality: Quality, *, convention: str = "visible") -> FaceAnalysis:
        """Find, count and grade the lesions of a face that is already mapped."""
        reading = self.finder.find(photo, face)
        counts, grades = judge(reading.lesions, face, self.calibration, convention=convention)
        return FaceAnalysis(
            photo_name=photo.name,
            photo_sha256=photo.sha256,
            width=photo.width,
            height=photo.height,
            models=self.models,
            quality=quality,
            face=face,
            lesions=reading.lesions,
            lesion_mask=reading.mask,
            counts=counts,
            coverage=measure_coverage(reading.mask, face),
            grades=grades,
            notices=_notices(photo, face, quality),
            faint=reading.faint,
        )


def judge(
    lesions: Sequence[Lesion], face: FaceMap, calibration: Calibration, *, convention: str = "visible"
) -> tuple[Counts, Mapping[str, Grade]]:
    """Count and grade one set of lesions: those that were found, or those that a reviewer left standing."""
    counts = count_lesions(lesions, face, calibration, convention=convention)
    severity = grade_severity(
        lesions, face.face_px, calibration.severity, conspicuous_from=calibration.thresholds.sparse
    )
    affected = grade_affected(lesions, face.face_px, calibration.affected, calibration.severity)
    # Clinical scales were made by people who count what is conspicuous: on ACNE04 the bands of the
    # "visible" counts agree with the grade in 30 % of the photos, those of v1 in all.
    clinical = count_lesions(lesions, face, calibration, convention="acne04-v1")
    conspicuous = counted(lesions, calibration, "acne04-v1")
    return counts, grade_all(conspicuous, clinical, face, extra={"severity": severity, "acne": affected})


def _notices(photo: Photo, face: FaceMap, quality: Quality) -> tuple[str, ...]:
    notices = list(photo.notices)
    if face.other_faces:
        notices.append(f"{face.other_faces} further face(s) in the photo; the largest was measured")
    if quality.verdict is Verdict.POOR:
        notices.append("unreliable: the photo is poor and was analysed on request; compare nothing with it")
    if face.mm_per_px is None:
        notices.append("no millimetres: the scale needs both eyes seen from not too far aside")
    return tuple(notices)
