"""Analyses as files, as `comedo analyze` writes them: of the drawn face, and of the rendered sample face."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import comedo
from builders import make_analysis, make_image
from comedo.photo import read_photo
from comedo.report.case import Case, load_case
from comedo.report.pictures import mask_png, to_png
from comedo.report.tables import to_json
from comedo.synthetic import RenderedFace, sample_face
from comedo.types import FaceAnalysis, Photo


@dataclass(frozen=True)
class Files:
    """Where a photo and its analysis lie."""

    photo: Path
    analysis: Path
    mask: Path

    def load(self) -> Case:
        return load_case(self.analysis, photo=self.photo)


def write_case(folder: Path, analysis: FaceAnalysis, photo: Photo, data: bytes) -> Files:
    """The photo, NAME.json and NAME.mask.png in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(folder / "face.png", folder / "face.json", folder / "face.mask.png")
    named = replace(analysis, photo_name="face.png", photo_sha256=photo.sha256)
    files.photo.write_bytes(data)
    files.analysis.write_text(to_json(named) + "\n")
    files.mask.write_bytes(mask_png(named))
    return files


def drawn_case(folder: Path, **changes: object) -> Files:
    """The drawn face of the builders; its grades are made up."""
    data = to_png(make_image())
    return write_case(folder, make_analysis(**changes), read_photo(data, name="face.png"), data)


@cache
def rendered_sample() -> RenderedFace:
    """The demo picture, rendered once for all tests; its arrays are read-only."""
    face = sample_face()
    for array in (face.image, face.parts, face.lesion_mask):
        array.flags.writeable = False
    return face


def sample_case(folder: Path) -> Files:
    """The rendered sample face, analysed by the shipped networks."""
    data = to_png(rendered_sample().image)
    photo = read_photo(data, name="face.png")
    return write_case(folder, comedo.analyze(photo), photo, data)
