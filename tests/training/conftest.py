"""What the tests of training share: a data set of rendered faces, made once, and one thread for torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rendered import rendered_set


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 photos of 6 people with masks, grades and votes; nobody writes there."""
    return rendered_set(tmp_path_factory.mktemp("rendered"))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small pictures gain nothing from threads, which only wait for each other on a busy machine."""
    torch = pytest.importorskip("torch", reason="needs comedo[train]")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
