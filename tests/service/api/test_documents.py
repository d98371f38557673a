"""The numbers in docs/service.md are the code's, and docs/security.md names tests that exist."""

import re
from pathlib import Path

import pytest

from comedo.service.accounts import limits
from comedo.service.app import MAX_BATCH_BYTES
from comedo.service.security import slow_headers
from comedo.service.security.bodies import DEFAULT_BYTES, BodyLimits
from comedo.service.settings import MIB, Settings

ROOT = Path(__file__).parents[3]
SERVICE, SECURITY = (ROOT / "docs" / f"{name}.md" for name in ("service", "security"))
NAMED = re.compile(r"`(test_\w+)`")
FILES = re.compile(r"`((?:tests/(?:\w+/)*)?(?:test_\w+|conftest)\.py)`")


def rows(document):
    return [line for line in document.read_text("utf-8").splitlines() if line.startswith("| ")]


def test_limits_are_those_of_the_code(service):
    known = Settings(_env_file=None)
    body, streams = BodyLimits(uploads={}), service.app.state.streams
    values = {
        "bytes of a photo": f"{known.max_upload_bytes // MIB} MiB",
        "photos of a batch": f"{known.max_batch_photos}, together {MAX_BATCH_BYTES // MIB} MiB",
        "bytes of any other body": f"{DEFAULT_BYTES // 1024} KiB",
        "photos of an account": f"{known.quota_photos}",
        "bytes of an account": f"{known.quota_bytes // MIB} MiB",
        "jobs that wait": f"{known.queue_limit}, then 503 with Retry-After",
        "headers of a request": f"{slow_headers.HEADER_SECONDS:g} seconds",
        "body of a request": f"{body.grace_s:g} seconds, more at {body.least_bytes_per_s / 1024:g} KiB/s or faster",
        "sign-ins": f"{limits.SIGN_IN_ACCOUNT.count} for an account and {limits.SIGN_IN_ADDRESS.count} for an address "
        f"in {limits.SIGN_IN_ACCOUNT.per.seconds // 60} minutes",
        "event streams": f"{streams.most_each} for an account, {streams.most} in all",
    }
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in rows(SERVICE)]
    told = {row[0]: row[1] for row in cells if row[0] in values}
    assert told == values


def test_every_requirement_has_its_row():
    numbers = re.findall(r"^\| ([UPSDM]\d+)", SECURITY.read_text("utf-8"), re.M)
    wanted = [f"{letter}{n}" for letter, most in (("U", 15), ("P", 19), ("S", 10)) for n in range(1, most + 1)]
    assert [n for n in wanted if n not in numbers] == []
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("row", [r for r in rows(SECURITY) if "test" in r], ids=lambda r: r[2:9])
def test_named_tests_exist(row):
    here = Path(__file__).parent
    files = [ROOT / name if "/" in name else here / name for name in FILES.findall(row)]
    for path in files:
        assert path.is_file(), path
    text = "".join(path.read_text("utf-8") for path in files)
    for name in NAMED.findall(row):
        assert f"def {name}(" in text, name
