"""The numbers in docs/service.md are the code's, and docs/security.md names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

from comedo.service.accounts import limits
from comedo.service.app import ARCHIVES, ARCHIVES_EACH, HEAVY, HEAVY_EACH, MAX_BATCH_BYTES
from comedo.service.database import counts
from comedo.service.security import shares, slow_headers
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
    body, streams, incoming = BodyLimits(uploads={}), service.app.state.streams, service.app.state.incoming
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
        "photos on their way": f"{incoming.most_each // MIB} MiB for an account, {incoming.most // MIB} MiB in all, "
        "then 503 with Retry-After",
        "pictures and reports at a time": f"{HEAVY_EACH} for an account, {HEAVY} in all; more wait "
        f"{shares.WAIT_S:g} seconds, then 429 with Retry-After",
        "archives at a time": f"{ARCHIVES_EACH} for an account, {ARCHIVES} in all; likewise",
        "entries of an account": ", ".join(f"{most} {kind.__tablename__}" for kind, most in counts.MOST.items()),
    }
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in rows(SERVICE)]
    told = {row[0]: row[1] for row in cells if row[0] in values}
    assert told == values


def test_every_requirement_has_its_row():
    numbers = re.findall(r"^\| ([UPSDM]\d+)", SECURITY.read_text("utf-8"), re.M)
    parts = (("U", 15), ("P", 19), ("S", 10), ("D", 11), ("M", 3))
    wanted = [f"{letter}{n}" for letter, most in parts for n in range(1, most + 1)]
    assert [n for n in wanted if n not in numbers] == []
    assert len(numbers) == len(set(numbers))


def requirements():
    return [row for row in rows(SECURITY) if re.match(r"\| [UPSDM]\d+ ", row)]


def names_in(path):
    """The names of the tests of a file, as pytest finds them."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("row", requirements(), ids=lambda row: row.split()[1])
def test_a_requirement_names_tests_that_exist_or_its_reason(row):
    here = Path(__file__).parent
    files = [ROOT / name if "/" in name else here / name for name in FILES.findall(row)]
    assert [path for path in files if not path.is_file()] == []
    known = set().union(*(names_in(path) for path in files))
    assert set(NAMED.findall(row)) <= known
    assert known or "No test: " in row
