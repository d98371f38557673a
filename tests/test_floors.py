"""No version with a known weakness is taken: the floors in pyproject.toml, and what is installed here."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
GROUPS = (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
ASKED = [Requirement(line) for group in GROUPS for line in group]
FLOORS = {
    "opencv-python-headless": "4.12",  # CVE-2025-53644; before 5, truncated photos showed the one before
    "Pillow": "12.3",  # CVE-2026-40192 and what its release notes of 12.3 list
    "pillow-heif": "1.8",  # its wheel has libheif 1.23: CVE-2026-32738 and others
    "starlette": "1.3.1",  # limits of forms: GHSA-f96h-pmfr-66vw
    "python-multipart": "0.0.32",  # CVE-2026-40347, CVE-2026-53540
}


@pytest.mark.parametrize(("name", "floor"), FLOORS.items(), ids=FLOORS)
def test_weak_versions_are_refused(name, floor):
    asked = [one for one in ASKED if one.name == name]
    assert asked
    for one in asked:
        (least,) = (Version(part.version) for part in one.specifier if part.operator == ">=")
        assert least >= Version(floor)
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")
    assert Version(installed) >= Version(floor)
