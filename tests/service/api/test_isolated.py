"""Without any network but loopback everything works."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import comedo
from service.api.serving import face_jpeg

PROGRAM = Path(__file__).with_name("isolated.py")
WAYS = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])  # as root, or where it is allowed


def way_into_a_namespace():
    """The command that works here."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed: it comes with util-linux")
    for way in WAYS:
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    pytest.skip("network namespaces are not permitted here")


@pytest.mark.weights
def test_everything_works_with_loopback_only(tmp_path):
    photo = tmp_path / "face.jpg"
    photo.write_bytes(face_jpeg())
    path = os.pathsep.join([str(Path(comedo.__file__).parents[1]), str(PROGRAM.parents[2])])
    done = subprocess.run(
        [*way_into_a_namespace(), sys.executable, PROGRAM, tmp_path, photo],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "everything works without a network\n"), done.stderr
