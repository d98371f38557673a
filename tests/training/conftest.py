"""What the tests of training share: a data set of rendered faces, made once, and one thread for torch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rendered import rendered_set

if TYPE_CHECKING:
    from comedo.training.runner.run import Result


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 photos of 6 people with masks, grades and votes; nobody writes there."""
    return rendered_set(tmp_path_factory.mktemp("rendered"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small pictures gain nothing from threads, which only wait for each other on a busy machine."""
    with suppress(ImportError):  # without torch there is nothing to hold back
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def lesion_run(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run of lesion-segmentation on rendered faces; other recipes start from its encoder. Nobody writes there."""
    pytest.importorskip("lightning", reason="needs comedo[train]")
    from recipe_trials import LESION_RUN, run_small

    folder = tmp_path_factory.mktemp("lesion-net") / "run"
    return folder, run_small("lesion-segmentation", rendered, folder, *LESION_RUN)
