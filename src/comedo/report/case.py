"""An analysis read back from its file, with what lies beside it: the start of every report, review and export."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from comedo.errors import UnusableInput
from comedo.lesions.kinds import KINDS
from comedo.photo import read_photo
from comedo.report.document import Document, LesionPart
from comedo.report.face_map import unpack_map
from comedo.report.pictures import LESION
from comedo.report.written import StrPath, is_stdin, name_of, parse_analysis, read_bytes
from comedo.types import FaceMap, Group, Lesion, Mask, Photo


@dataclass(frozen=True)
class Reader:
    """Who read the photo after comedo."""

    name: str
    at: str  # UTC, ISO 8601
    complete: bool  # every lesion of the face was looked at, and missed ones were added
    named: frozenset[int] = frozenset()  # lesions that the reader confirmed, corrected or added


@dataclass(frozen=True, eq=False)
class Case:
    """One analysis with its photo and lesion mask, where they are there.

    `mask` is (H, W), active lesions; `sha256` is that of the analysis file; `reader` is set where the numbers are
    those of a review.
    """

    document: Document
    sha256: str
    face: FaceMap
    mask: Mask | None = None
    photo: Photo | None = None
    photo_bytes: int | None = None
    reader: Reader | None = None

    @cached_property
    def lesions(self) -> tuple[Lesion, ...]:
        """The lesions as values."""
        return tuple(to_lesion(part) for part in self.document.lesions)

    @property
    def count_interval(self) -> tuple[int, int] | None:
        """The count's 90 % interval; None after a complete reading, whose error is the reader's and not known here."""
        if self.reader is not None and self.reader.complete:
            return None
        return self.document.counts.interval_90

    def need_photo(self, what: str) -> Photo:
        """The photo, or a plain refusal."""
        if self.photo is None:
            raise UnusableInput(
                f"{what}: name the photo that was analysed with --photo, or leave it out with --without-photo"
            )
        return self.photo

    def need_mask(self, what: str) -> Mask:
        """The mask, or a plain refusal."""
        if self.mask is None:
            raise UnusableInput(f"{what} needs the lesion mask, NAME.mask.png beside the analysis; analyse with --out")
        return self.mask


def load_case(analysis: StrPath, *, photo: StrPath | None = None, mask: StrPath | None = None) -> Case:
    """Read an analysis.

    Args:
        analysis: A file of schema comedo.analysis/1; "-" is standard input.
        photo: The photo that was analysed; its hash is compared.
        mask: Its lesion mask; by default NAME.mask.png beside the analysis, where there is one.

    Raises:
        UnusableInput: A file cannot be read, is not what it should be, or belongs to another photo.
    """
    data = read_bytes(analysis, "the analysis")
    document = parse_analysis(data, name_of(analysis))
    mask_path = Path(mask) if mask is not None else _mask_beside(analysis)
    try:
        face = unpack_map(document.face)
    except ValueError as error:
        raise UnusableInput(f"{name_of(analysis)}: {error}") from error
    return Case(
        document=document,
        sha256=hashlib.sha256(data).hexdigest(),
        face=face,
        mask=None if mask_path is None else _read_mask(mask_path, document),
        photo=None if photo is None else _read_same_photo(photo, document),
        photo_bytes=None if photo is None else Path(photo).stat().st_size,
    )


def _mask_beside(analysis: StrPath) -> Path | None:
    if is_stdin(analysis):
        return None
    beside = Path(analysis).with_suffix(".mask.png")
    return beside if beside.is_file() else None


def to_lesion(part: LesionPart) -> Lesion:
    """A written lesion as a value; its group's probabilities are the sums over the group's kinds."""
    return Lesion(
        id=part.id,
        box_xyxy=part.box_xyxy,
        center_xy=part.center_xy,
        diameter_px=part.diameter_px,
        diameter_mm=part.diameter_mm,
        area_px=part.area_px,
        score=part.score,
        group=part.group,
        group_probs={g: sum(part.kind_probs.get(k, 0.0) for k in KINDS[g]) for g in Group},
        kind=part.kind,
        kind_probs=dict(part.kind_probs),
        region=part.region,
        redness=part.redness,
        conspicuity=part.conspicuity,
    )


def _read_mask(path: Path, document: Document) -> Mask:
    labels = read_photo(path).image[..., 0]
    size_hw = (document.photo.height, document.photo.width)
    if labels.shape != size_hw:
        raise UnusableInput(f"{path} must be {size_hw} pixels as the photo, got {labels.shape}; name this photo's mask")
    mask = np.asarray(labels == LESION)
    if min(int(np.count_nonzero(mask)), document.coverage.skin_px) != document.coverage.lesion_px:
        raise UnusableInput(f"{path} is not the mask of this analysis: other lesion pixels; analyse the photo again")
    return mask


def _read_same_photo(path: StrPath, document: Document) -> Photo:
    photo = read_photo(path)
    if photo.sha256 != document.photo.sha256:
        raise UnusableInput(
            f"{os.fspath(path)!r} is not the photo that was analysed ({document.photo.name}, SHA-256 "
            f"{document.photo.sha256[:12]}…, this one {photo.sha256[:12]}…); name the same file"
        )
    return photo
