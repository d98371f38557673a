"""SIGKILL in the middle of uploads, deletions and erasures: what was acknowledged stays, nothing is left over.

By steps and by times together 50 rounds on SQLite and 20 on PostgreSQL; COMEDO_KILL_ROUNDS=500 makes so many of each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import comedo

PROGRAM = Path(__file__).with_name("killing.py")
ROUNDS = {"sqlite": 25, "postgresql": 10}


@pytest.mark.parametrize("mode", ["steps", "times"])
def test_killed_at_any_step_nothing_is_lost_or_left(database_url: str, tmp_path: Path, mode: str) -> None:
    run_rounds(database_url, tmp_path / "data", mode, rounds_of(database_url))


def test_the_same_with_photos_in_a_bucket(database_url: str, tmp_path: Path, client: object, endpoint: str) -> None:
    (tmp_path / "data").mkdir()
    run_rounds(database_url, tmp_path / "data", "steps", max(rounds_of(database_url) // 5, 5), endpoint)


def rounds_of(url: str) -> int:
    return int(os.environ.get("COMEDO_KILL_ROUNDS", ROUNDS["sqlite" if url.startswith("sqlite") else "postgresql"]))


def run_rounds(url: str, folder: Path, mode: str, rounds: int, *endpoint: str) -> None:
    path = os.pathsep.join([str(Path(comedo.__file__).parents[1]), str(PROGRAM.parents[2])])
    done = subprocess.run(
        [sys.executable, PROGRAM, url, folder, mode, str(rounds), *endpoint],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300 + rounds * 20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    steps, _, kills = done.stdout.strip().partition(" steps, killed at ")
    assert int(kills) == min(int(steps), rounds)
