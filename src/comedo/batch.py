"""Many photos on the cores of one machine: results in order, memory bounded, no failure stops the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Generic, TypeVar, cast

from comedo.build import default_analyzer
from comedo.errors import ComedoError
from comedo.inference import usable_cores
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.types import FaceAnalysis, Photo

T = TypeVar("T")
Source = str | PathLike[str] | bytes | Photo


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What became of one photo: a value or an error."""

    name: str
    value: T | None
    error: ComedoError | None

    def unwrap(self) -> T:
        """The value; raises the error where there is one."""
        if self.error is not None:
            raise self.error
        return cast(T, self.value)


def analyze_many(
    sources: Iterable[Source],
    *,
    analyzer: Analyzer | None = None,
    workers: int | None = None,
    allow_poor: bool = False,
    convention: str = "visible",
) -> Iterator[Outcome[FaceAnalysis]]:
    """Analyse photos side by side; outcomes come in the order of `sources`, as they are wanted."""

    def keep(_: Source, __: Photo, analysis: FaceAnalysis) -> FaceAnalysis:
        return analysis

    return process_many(sources, keep, analyzer=analyzer, workers=workers, allow_poor=allow_poor, convention=convention)


def process_many(
    sources: Iterable[Source],
    use: Callable[[Source, Photo, FaceAnalysis], T],
    *,
    analyzer: Analyzer | None = None,
    workers: int | None = None,
    allow_poor: bool = False,
    convention: str = "visible",
) -> Iterator[Outcome[T]]:
    """Analyse photos side by side and keep of each what `use` returns.

    `use` runs in the worker while the photo's pixels are at hand; they are let go afterwards. At most three photos a
    worker are under way or waiting, so a long list costs no more memory than a short one.

    Args:
        sources: Paths, bytes or photos.
        use: Called as `use(source, photo, analysis)` in a worker thread.
        analyzer: The shipped networks by default.
        workers: Threads; by default one for each core that this process may use. The networks and decoders release
            the interpreter's lock, so threads share one set of weights and still fill the cores.
        allow_poor: Analyse photos that the quality gate refuses.
        convention: How lesions are counted.

    Raises:
        ModelError: The weights cannot be loaded. Failures of single photos are in their outcomes.
    """
    shared = analyzer or default_analyzer()
    threads = workers or usable_cores()

    def work(source: Source) -> Outcome[T]:
        name = source_name(source)
        try:
            photo = source if isinstance(source, Photo) else read_photo(source, name=name)
            analysis = shared.analyze(photo, allow_poor=allow_poor, convention=convention)
            return Outcome(name, use(source, photo, analysis), None)
        except ComedoError as error:
            return Outcome(name, None, error)
        except Exception as error:  # noqa: BLE001 - one photo, however strange, must not end the others
            return Outcome(name, None, unexpected(error))

    return map(work, sources) if threads == 1 else _in_order(work, sources, threads)


def source_name(source: Source) -> str:
    """The name by which results call a photo: never more of a path than its end."""
    if isinstance(source, Photo):
        return source.name
    return "photo" if isinstance(source, bytes) else Path(fspath(source)).name


def unexpected(error: Exception) -> ComedoError:
    """An error that nobody foresaw, as one of ours."""
    wrapped = ComedoError(
        f"unexpected {type(error).__name__}: {error}; please report it with the photo's kind and size"
    )
    wrapped.__cause__ = error
    return wrapped


def _in_order(work: Callable[[Source], Outcome[T]], sources: Iterable[Source], threads: int) -> Iterator[Outcome[T]]:
    under_way: deque[Future[Outcome[T]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="comedo-photo") as pool:
        try:
            for source in sources:
                under_way.append(pool.submit(work, source))
                if len(under_way) >= 3 * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:  # the caller stopped early
            for waiting in under_way:
                waiting.cancel()
