"""The folder that answers are written to: a file in it is replaced only by one about the same photos and network."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from comedo.report.job import PHOTO_ENDINGS
from comedo.report.look import CLAIM
from comedo.report.photo_folder import PhotoFolder, numbered
from comedo.report.pictures import to_png
from comedo.training.predict.document import PredictionDocument, rows_about, to_sheet
from comedo.types import Image, Mask

_SHEET = "predictions"
_LESION = 255


class PredictionFolder(PhotoFolder):
    """Writes NAME.json, NAME.overlay.png and NAME.mask.png, and predictions.csv about all."""

    endings = (".json", ".overlay.png", ".mask.png")

    def belongs_to(self, stem: str, owner: str) -> bool:
        """Whether the files are about the same photos and network, or about a photo that could not be read."""
        try:
            there = PredictionDocument.model_validate_json((self.path / (stem + ".json")).read_bytes())
        except (OSError, ValueError):
            return False
        return there.owner in (owner, None)

    def save(self, document: PredictionDocument, *, overlay: Image | None = None, mask: Mask | None = None) -> Path:
        """Write what there is about one photo or series; returns the path of its JSON.

        Args:
            document: Its `name` names the files.
            overlay: (h, w, 3), for people.
            mask: (H, W) of the photo's size: 255 lesion, 0 none.
        """
        name = Path(document.name)
        stem = name.stem if name.suffix.lower() in PHOTO_ENDINGS else name.name
        chosen = self.claim(stem, document.owner or document.name)
        if overlay is not None:
            self.write(chosen + ".overlay.png", [to_png(overlay)])
        if mask is not None:
            self.write(chosen + ".mask.png", [_mask_png(mask, document.model)])
        written = document.model_dump_json(by_alias=True)
        return self.write(chosen + ".json", [written.encode() + b"\n"])  # last: it vouches for the others

    def save_sheet(self, documents: Sequence[PredictionDocument]) -> Path:
        """Write predictions.csv; under a number where one about other photos is there already."""
        sheet, number = to_sheet(documents), 1
        while not self._sheet_is_free(numbered(_SHEET, number), sheet):
            number += 1
        return self.write(numbered(_SHEET, number) + ".csv", [sheet.encode()])

    def _sheet_is_free(self, stem: str, sheet: str) -> bool:
        path = self.path / (stem + ".csv")
        try:
            return not path.exists() or rows_about(path.read_text("utf-8")) <= rows_about(sheet)
        except (OSError, ValueError):
            return False


def _mask_png(mask: Mask, model: str) -> bytes:
    """An 8-bit grey PNG that says what made it; nothing of the photo's file goes into it."""
    about = PngInfo()
    about.add_text("Software", f"comedo {model}")
    about.add_text("Comment", CLAIM)
    content = BytesIO()
    PillowImage.fromarray(mask.astype(np.uint8) * _LESION).save(content, "PNG", pnginfo=about, compress_level=3)
    return content.getvalue()
