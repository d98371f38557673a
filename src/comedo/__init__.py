"""Acne measurements from face photos: the public names, each loaded when first used.

    import comedo

    analysis = comedo.analyze("selfie.jpg")
    print(analysis.counts.total, analysis.grades["severity"].level)

comedo measures appearance. It is research software, not a medical device, and makes no diagnosis.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

    from comedo.batch import Outcome, analyze_many
    from comedo.build import Analyzer, default_analyzer
    from comedo.errors import (
        ComedoError,
        DamagedPhoto,
        MissingExtra,
        ModelError,
        NoFaceFound,
        PhotoTooLarge,
        PhotoTooSmall,
        PoorPhoto,
        UnsupportedFormat,
        UnusableInput,
    )
    from comedo.guidance.advice import Advice
    from comedo.photo import read_photo
    from comedo.progress.values import Change
    from comedo.report.case import Case, load_case
    from comedo.report.pdf import PdfOptions, report_pdf
    from comedo.review.run import apply_corrections, reviewed_case
    from comedo.tracking import track
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
        Photo,
        Quality,
        Region,
        Verdict,
    )

__version__ = "0.1.0"

_HOMES = {
    "comedo.batch": ("Outcome", "analyze_many"),
    "comedo.build": ("Analyzer", "default_analyzer"),
    "comedo.errors": (
        "ComedoError",
        "DamagedPhoto",
        "MissingExtra",
        "ModelError",
        "NoFaceFound",
        "PhotoTooLarge",
        "PhotoTooSmall",
        "PoorPhoto",
        "UnsupportedFormat",
        "UnusableInput",
    ),
    "comedo.guidance.advice": ("Advice",),
    "comedo.photo": ("read_photo",),
    "comedo.progress.values": ("Change",),
    "comedo.report.case": ("Case", "load_case"),
    "comedo.report.pdf": ("PdfOptions", "report_pdf"),
    "comedo.review.run": ("apply_corrections", "reviewed_case"),
    "comedo.tracking": ("track",),
    "comedo.types": (
        "Check",
        "Counts",
        "Coverage",
        "FaceAnalysis",
        "FaceMap",
        "Grade",
        "Group",
        "Kind",
        "Lesion",
        "Part",
        "Photo",
        "Quality",
        "Region",
        "Verdict",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Advice",
    "Analyzer",
    "Case",
    "Change",
    "Check",
    "ComedoError",
    "Counts",
    "Coverage",
    "DamagedPhoto",
    "FaceAnalysis",
    "FaceMap",
    "Grade",
    "Group",
    "Kind",
    "Lesion",
    "MissingExtra",
    "ModelError",
    "NoFaceFound",
    "Outcome",
    "Part",
    "PdfOptions",
    "Photo",
    "PhotoTooLarge",
    "PhotoTooSmall",
    "PoorPhoto",
    "Quality",
    "Region",
    "UnsupportedFormat",
    "UnusableInput",
    "Verdict",
    "__version__",
    "advise",
    "analyze",
    "analyze_many",
    "apply_corrections",
    "default_analyzer",
    "load_case",
    "read_photo",
    "report_pdf",
    "reviewed_case",
    "track",
]


def analyze(
    source: str | PathLike[str] | bytes | BinaryIO | NDArray[np.uint8] | Photo,
    *,
    name: str | None = None,
    allow_poor: bool = False,
    convention: str = "visible",
) -> FaceAnalysis:
    """Measure the acne on one face photo, with the shipped networks.

    The networks are loaded on the first call and kept; calls from several threads are safe.

    Args:
        source: A path, the bytes of a file, an open binary file, an (H, W, 3) uint8 RGB array, or a `Photo`.
        name: The photo's name in the result; a path brings its own.
        allow_poor: Analyse a photo that the quality gate refuses, and mark the result.
        convention: How lesions are counted: "visible" (every visible active lesion) or "acne04-v1" (sparser).

    Raises:
        UnusableInput: The input is not a photo that can be analysed; the subclass and message say why.
        NoFaceFound: There is no face in the photo.
    """
    from comedo.build import default_analyzer

    return default_analyzer().analyze(source, name=name, allow_poor=allow_poor, convention=convention)


def advise(
    analysis: FaceAnalysis | Case | str | PathLike[str],
    answers: Mapping[str, object] | str | PathLike[str],
    *,
    change: Change | str | PathLike[str] | None = None,
    language: str = "en",
    today: date | None = None,
) -> Advice:
    """What guidelines list for an analysis, filtered by a person's answers; each line with its reason and sources.

    Information only: no diagnosis, no prescription. A question that is left out counts as the cautious answer.

    Args:
        analysis: What `analyze` gave, the path of a JSON file that `comedo analyze` wrote, or a case: `reviewed_case`
            gives the one with a reader's numbers.
        answers: Values by question, {"age": 24, "pregnancy": "not_possible", "allergies": []}, or the path of a YAML or
            JSON file of them; docs/guidance.md names the questions.
        change: What `track` gave, or the path of its JSON file, of a series that ends with this photo. It adds
            information and the 12-week review; it never lists or frees a treatment.
        language: "en" or "de".
        today: The day that the review date counts from; by default today.

    Raises:
        UnusableInput: A file cannot be used, an answer is none that its question takes, or there is no such language.
    """
    from comedo.report.advise import advise as run

    return run(analysis, answers, change=change, language=language, today=today)


def __getattr__(name: str) -> object:
    """Load a public name from its module when it is first asked for (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'comedo' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted(__all__)
