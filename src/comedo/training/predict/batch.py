"""Many photos through one run: an answer or an error for each, whatever the others are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from comedo.batch import unexpected
from comedo.errors import ComedoError, NoFaceFound
from comedo.photo import read_photo
from comedo.training.data.dataset import Sample
from comedo.training.predict.document import AskedPhoto, PredictionDocument, text, to_document
from comedo.training.predict.overlay import draw_answer
from comedo.training.predict.questions import Question, in_order, place_of
from comedo.training.predict.trained import Trained
from comedo.training.runner.answer import Answer, Answering
from comedo.training.runner.labelled import LabelledPhoto
from comedo.types import Image, Mask


@dataclass(frozen=True, eq=False)
class NewPhoto(LabelledPhoto):
    """A photo on which nobody looked; its pixels are kept where it is asked about alone."""

    pixels: Image | None = None

    def read(self) -> Image:
        """Its pixels, upright, (H, W, 3) uint8 RGB."""
        return super().read() if self.pixels is None else self.pixels


@dataclass(frozen=True, eq=False)
class Prediction:
    """What became of one question."""

    document: PredictionDocument
    errors: tuple[tuple[str, ComedoError], ...] = ()  # by the name of the photo or series
    overlay: Image | None = None
    mask: Mask | None = None
    sample: Sample | None = None  # with its labels, of a run that marks lesions; None where no photo was read


@dataclass(frozen=True, eq=False)
class Batch:
    """A run, and where its photos lie."""

    trained: Trained
    answering: Answering
    root: Path  # where photos' names start in a set of labels
    faces: Path  # folder for face maps

    def predict(self, question: Question) -> Prediction:
        """Answer one question; no photo, however strange, ends the batch."""
        photos: list[AskedPhoto] = []
        try:
            return self._ask(question, photos)
        except ComedoError as error:
            failed: ComedoError = error
        except Exception as error:  # noqa: BLE001 - one photo must not end the others
            failed = unexpected(error)
        known = photos or [AskedPhoto(name=text(path.name)) for path in question.photos]
        document = to_document(self.trained, question.name, known, failed)
        unseen = self.answering.categories and isinstance(failed, NoFaceFound)
        sample = self._sample(question.photos[0], photos[0]) if unseen else None
        return Prediction(document, ((question.name, failed),), sample=sample)

    def _ask(self, question: Question, asked: list[AskedPhoto]) -> Prediction:
        """Answer; `asked` is filled with what is known of the photos."""
        if self.answering.series:
            return self._ask_series(question, asked)
        photo, part = self._read(question.photos[0], None, keep=True)
        asked.append(part)
        answer = self.answering.ask([photo])
        document = to_document(self.trained, question.name, asked, answer)
        if not self.answering.categories:
            return Prediction(document)
        overlay = draw_answer(photo.read(), answer, self.answering.categories, self.trained.model)
        sample = self._sample(photo.path, part, answer)
        return Prediction(document, overlay=overlay, mask=answer.mask, sample=sample)

    def _ask_series(self, question: Question, asked: list[AskedPhoto]) -> Prediction:
        """Answer about the photos that can be read; the others are left out, and told."""
        shots, notices = in_order(question.photos)
        photos: list[NewPhoto] = []
        errors: list[tuple[str, ComedoError]] = []
        for path, when in shots:
            try:
                photo, part = self._read(path, when, keep=False)
            except ComedoError as error:
                errors.append((f"{question.name}/{path.name}", error))
                asked.append(AskedPhoto(name=text(path.name)))
                notices += (f"{path.name} was left out: {error}",)
                continue
            photos.append(photo)
            asked.append(part)
        answer = self.answering.ask(photos)
        return Prediction(to_document(self.trained, question.name, asked, answer, notices), tuple(errors))

    def _read(self, path: Path, when: datetime | None, *, keep: bool) -> tuple[NewPhoto, AskedPhoto]:
        photo = read_photo(path)
        part = AskedPhoto(
            name=text(photo.name),
            sha256=photo.sha256,
            width=photo.width,
            height=photo.height,
            taken=None if when is None else when.isoformat(),
        )
        sample = self._sample(path, part)
        return NewPhoto(sample, path, sample.photo, self.faces, photo.image if keep else None), part

    def _sample(self, path: Path, part: AskedPhoto, answer: Answer | None = None) -> Sample:
        name = place_of(path).relative_to(self.root).as_posix()
        return Sample(name, None if answer is None else answer.labels, part.width, part.height)
