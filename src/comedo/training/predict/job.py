"""One run of `comedo predict`: photos in; files, lines and an exit code out."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from comedo.errors import UnusableInput, worst_exit
from comedo.report.job import printable
from comedo.report.whole_file import make_folder
from comedo.training.charts.bars import tracked
from comedo.training.data.convert import FORMATS, write_dataset
from comedo.training.data.dataset import SHAPE_NAMES, Dataset
from comedo.training.data.files import CannotCarry
from comedo.training.predict.batch import Batch, Prediction
from comedo.training.predict.folder import PredictionFolder
from comedo.training.predict.questions import common_folder, find_questions
from comedo.training.predict.trained import open_trained
from comedo.training.runner.answer import Answering


@dataclass(frozen=True)
class Job:
    """What was asked for."""

    run: Path
    paths: Sequence[Path]
    out: Path
    way: str | None = None
    cut_off: float | None = None
    without_face: bool = False
    twin: bool = False
    labels: Path | None = None  # file or folder of labels to write
    labels_format: str = "coco"  # a name of `FORMATS`
    cache: Path | None = None

    def do(self) -> int:
        """Do it; returns the exit code.

        Raises:
            ComedoError: Nothing could be done at all; failures of single photos are in the exit code.
        """
        trained = open_trained(self.run, twin=self.twin)
        answering = trained.answering(way=self.way, cut_off=self.cut_off, without_face=self.without_face)
        self._check_labels(answering, trained.recipe.task)
        questions = find_questions(self.paths, series=answering.series)
        folder, root = PredictionFolder(self.out), common_folder(self.paths)
        with self._faces() as faces:
            batch = Batch(trained, answering, root, faces)
            words = "series" if answering.series else "photos"
            done = [_save(batch.predict(question), folder) for question in tracked(questions, words, many=2)]
        written = [folder.save_sheet([p.document for p in done])]
        if self.labels is not None:
            samples = tuple(p.sample for p in done if p.sample is not None)
            write_dataset(Dataset(samples, answering.categories, root), self.labels, FORMATS[self.labels_format])
            written.append(self.labels)
        for prediction in done:
            if prediction.document.sentence is not None:
                typer.echo(printable(f"{prediction.document.name}: {prediction.document.sentence}"))
        for path in written:
            typer.echo(printable(f"written: {path}"))
        return worst_exit(error.exit_code for p in done for _, error in p.errors)

    def _check_labels(self, answering: Answering, task: str) -> None:
        """Refuse labels that could not be written before any photo is looked at."""
        if self.labels is None:
            return
        if answering.shape is None:
            raise UnusableInput(f"a run of {task} marks no lesions: leave --labels out")
        if answering.shape not in FORMATS[self.labels_format].shapes:
            able = ", ".join(name for name, kind in FORMATS.items() if answering.shape in kind.shapes)
            raise CannotCarry(
                f"{self.labels_format} cannot carry what a run of {task} marks, a {SHAPE_NAMES[answering.shape]}; "
                f"choose --format {able}, then `comedo data convert --shapes` draws it as another shape"
            )

    @contextmanager
    def _faces(self) -> Iterator[Path]:
        """Folder for face maps: that of the cache, else one that is removed in the end."""
        if self.cache is None:
            with tempfile.TemporaryDirectory(prefix="comedo-faces-") as folder:
                yield Path(folder)
            return
        make_folder(self.cache / "faces")  # where a run keeps those of its own photos
        yield self.cache / "faces"


def _save(prediction: Prediction, folder: PredictionFolder) -> Prediction:
    """Write the files of one photo or series, say what failed, and let the pictures go."""
    folder.save(prediction.document, overlay=prediction.overlay, mask=prediction.mask)
    for name, error in prediction.errors:
        sys.stderr.write(printable(f"{name}: {error}") + "\n")  # above the progress bar, which typer would write into
    return replace(prediction, overlay=None, mask=None)
