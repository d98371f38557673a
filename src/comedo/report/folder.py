"""The folder that results are written to: a file in it is replaced only by one about the same photo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from comedo.report.change_document import ChangeDocument
from comedo.report.change_tables import change_json
from comedo.report.document import Document, ErrorDocument
from comedo.report.page import PHOTOS_META, photos_digest, report_pieces
from comedo.report.photo_folder import PhotoFolder, numbered
from comedo.report.sheets import results_csv
from comedo.report.tables import from_json, to_json


class ResultFolder(PhotoFolder):
    """Writes NAME.json, NAME.overlay.png and NAME.mask.png of photos, and what is said of all of them."""

    endings = (".json", ".overlay.png", ".mask.png")

    def belongs_to(self, stem: str, owner: str) -> bool:
        """Whether the files are about the photo of that hash."""
        return _photo_of(self.path / (stem + ".json")) == owner

    def save_photo(self, stem: str, document: Document, *, overlay_png: bytes, mask_png: bytes) -> Path:
        """Write the three files of one photo; returns the path of its JSON."""
        chosen = self.claim(stem, document.photo.sha256)
        self.write(chosen + ".overlay.png", [overlay_png])
        self.write(chosen + ".mask.png", [mask_png])
        return self.write(chosen + ".json", [to_json(document).encode() + b"\n"])  # last: it vouches for the others

    def save_report(self, documents: Sequence[Document | ErrorDocument], sections: Iterable[str]) -> list[Path]:
        """Write report.html and, for several photos, results.csv; under a number where others are there already."""
        number, digest = 1, photos_digest(documents)
        while not self._report_is_free(numbered("report", number), numbered("results", number), digest):
            number += 1
        pieces = (piece.encode("utf-8", "replace") for piece in report_pieces(documents, sections))
        written = [self.write(numbered("report", number) + ".html", pieces)]
        if len(documents) > 1:
            sheet = results_csv(documents).encode("utf-8", "replace")
            written.append(self.write(numbered("results", number) + ".csv", [sheet]))
        return written

    def save_change(self, document: ChangeDocument, ledger: str, page: Iterable[str]) -> list[Path]:
        """Write ledger.csv, change.html and change.json; under a number where those of another series are there."""
        number = 1
        while not self._change_is_free(number, {photo.sha256 for photo in document.photos}):
            number += 1
        pieces = (piece.encode("utf-8", "replace") for piece in page)
        return [
            self.write(numbered("ledger", number) + ".csv", [ledger.encode("utf-8", "replace")]),
            self.write(numbered("change", number) + ".html", pieces),
            self.write(numbered("change", number) + ".json", [change_json(document).encode() + b"\n"]),
        ]

    def _change_is_free(self, number: int, photos: set[str]) -> bool:
        names = (numbered("ledger", number) + ".csv", *(numbered("change", number) + e for e in (".html", ".json")))
        if not any((self.path / name).exists() for name in names):
            return True
        try:
            there = ChangeDocument.model_validate_json((self.path / names[-1]).read_bytes())
        except (OSError, ValueError):
            return False
        return {photo.sha256 for photo in there.photos} <= photos  # the same series, perhaps grown

    def _report_is_free(self, report: str, sheet: str, digest: str) -> bool:
        page = self.path / (report + ".html")
        if not page.exists():
            return not (self.path / (sheet + ".csv")).exists()
        with page.open("rb") as file:
            return f'name="{PHOTOS_META}" content="{digest}"'.encode() in file.read(4096)


def _photo_of(path: Path) -> str | None:
    """Hash of the photo that a JSON file of ours is about."""
    try:
        document = from_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return document.photo.sha256 if isinstance(document, Document) else None
