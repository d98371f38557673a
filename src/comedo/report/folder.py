"""The folder that results are written to: a file in it is replaced only by one about the same photo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock

from comedo.report.change_document import ChangeDocument
from comedo.report.change_tables import change_json
from comedo.report.document import Document, ErrorDocument
from comedo.report.page import PHOTOS_META, photos_digest, report_pieces
from comedo.report.sheets import results_csv
from comedo.report.tables import from_json, to_json
from comedo.report.whole_file import make_folder, unwritable, write_whole

PHOTO_FILES = (".json", ".overlay.png", ".mask.png")


class ResultFolder:
    """Writes the files of photos, from several threads, each file whole or not at all.

    A photo called NAME gets NAME.json, NAME.overlay.png and NAME.mask.png. Where another photo has that name, in this
    run or in the folder, it gets NAME-2, NAME-3 and so on; the same photo again replaces its own files.
    """

    def __init__(self, path: Path) -> None:
        make_folder(path)
        self.path = path
        self._owners: dict[str, str] = {}  # stem in small letters, as some file systems see it: photo
        self._lock = Lock()

    def save_photo(self, stem: str, document: Document, *, overlay_png: bytes, mask_png: bytes) -> Path:
        """Write the three files of one photo; returns the path of its JSON."""
        chosen = self._claim(stem, document.photo.sha256)
        self._write(chosen + ".overlay.png", [overlay_png])
        self._write(chosen + ".mask.png", [mask_png])
        return self._write(chosen + ".json", [to_json(document).encode() + b"\n"])  # last: it vouches for the others

    def save_report(self, documents: Sequence[Document | ErrorDocument], sections: Iterable[str]) -> list[Path]:
        """Write report.html and, for several photos, results.csv; under a number where others are there already."""
        number, digest = 1, photos_digest(documents)
        while not self._report_is_free(_numbered("report", number), _numbered("results", number), digest):
            number += 1
        pieces = (piece.encode("utf-8", "replace") for piece in report_pieces(documents, sections))
        written = [self._write(_numbered("report", number) + ".html", pieces)]
        if len(documents) > 1:
            sheet = results_csv(documents).encode("utf-8", "replace")
            written.append(self._write(_numbered("results", number) + ".csv", [sheet]))
        return written

    def save_change(self, document: ChangeDocument, ledger: str, page: Iterable[str]) -> list[Path]:
        """Write ledger.csv, change.html and change.json; under a number where those of another series are there."""
        number = 1
        while not self._change_is_free(number, {photo.sha256 for photo in document.photos}):
            number += 1
        pieces = (piece.encode("utf-8", "replace") for piece in page)
        return [
            self._write(_numbered("ledger", number) + ".csv", [ledger.encode("utf-8", "replace")]),
            self._write(_numbered("change", number) + ".html", pieces),
            self._write(_numbered("change", number) + ".json", [change_json(document).encode() + b"\n"]),
        ]

    def _change_is_free(self, number: int, photos: set[str]) -> bool:
        names = (_numbered("ledger", number) + ".csv", *(_numbered("change", number) + e for e in (".html", ".json")))
        if not any((self.path / name).exists() for name in names):
            return True
        try:
            there = ChangeDocument.model_validate_json((self.path / names[-1]).read_bytes())
        except (OSError, ValueError):
            return False
        return {photo.sha256 for photo in there.photos} <= photos  # the same series, perhaps grown

    def _claim(self, stem: str, sha256: str) -> str:
        with self._lock:
            number = 1
            while not self._is_free(_numbered(stem, number), sha256):
                number += 1
            chosen = _numbered(stem, number)
            self._owners[chosen.casefold()] = sha256
            return chosen

    def _is_free(self, stem: str, sha256: str) -> bool:
        owner = self._owners.get(stem.casefold())
        if owner is not None:
            return owner == sha256
        if not any((self.path / (stem + ending)).exists() for ending in PHOTO_FILES):
            return True
        return _photo_of(self.path / (stem + ".json")) == sha256

    def _report_is_free(self, report: str, sheet: str, digest: str) -> bool:
        page = self.path / (report + ".html")
        if not page.exists():
            return not (self.path / (sheet + ".csv")).exists()
        with page.open("rb") as file:
            return f'name="{PHOTOS_META}" content="{digest}"'.encode() in file.read(4096)

    def _write(self, name: str, pieces: Iterable[bytes]) -> Path:
        try:
            return write_whole(self.path / name, pieces)
        except OSError as error:
            raise unwritable(self.path / name, error) from error


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


def _photo_of(path: Path) -> str | None:
    """Hash of the photo that a JSON file of ours is about."""
    try:
        document = from_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return document.photo.sha256 if isinstance(document, Document) else None
