"""What the documents say is so: snippets run, commands and links exist, limits and recipes are the code's."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
import simplejpeg
from typer.core import TyperGroup as Group
from typer.main import get_command

from cases import rendered_sample
from comedo import cli
from comedo.photo import quality
from comedo.photo.limits import DEFAULT_LIMITS
from comedo.training.cli import app as training

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "MODEL_CARD.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"(?P<before><!-- no test: .+? -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)")


@dataclass(frozen=True)
class Block:
    """One block of code of a document."""

    document: Path
    line: int  # of its first line of code
    language: str
    code: str
    tested: bool


def blocks_of(document: Path) -> list[Block]:
    text = document.read_text("utf-8")
    return [
        Block(document, text.count("\n", 0, m.start("code")), m["language"], m["code"], m["before"] is None)
        for m in BLOCK.finditer(text)
    ]


def blocks(language: str) -> list[Block]:
    return [b for d in DOCUMENTS for b in blocks_of(d) if b.language == language]


def name(value: Path | Block) -> str:
    return value.name if isinstance(value, Path) else f"{value.document.name}:{value.line}"


@pytest.fixture(scope="session")
def sample_jpeg() -> bytes:
    return bytes(simplejpeg.encode_jpeg(rendered_sample().image, quality=92))


@pytest.mark.weights
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if "```python" in d.read_text("utf-8")], ids=name)
def test_python_snippets_run(document, sample_jpeg, tmp_path, monkeypatch):
    """The blocks of a document share one namespace, in a folder with photos of the names they use."""
    (tmp_path / "photos").mkdir()
    for photo in ("selfie.jpg", "a.jpg", "b.jpg", "photos/a.jpg"):
        (tmp_path / photo).write_bytes(sample_jpeg)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for block in (b for b in blocks_of(document) if b.language == "python" and b.tested):
        exec(compile("\n" * block.line + block.code, str(document), "exec"), namespace)


@pytest.mark.parametrize("block", blocks("python"), ids=name)
def test_python_snippets_compile(block):
    compile(block.code, name(block), "exec")


def commands() -> list[tuple[Block, str]]:
    """Every line of a shell block that calls comedo."""
    return [
        (block, line.split("#")[0].strip())
        for block in blocks("")
        for line in block.code.replace("\\\n", " ").splitlines()
        if line.startswith("comedo ")
    ]


@pytest.mark.parametrize(("block", "line"), commands(), ids=lambda v: v if isinstance(v, str) else name(v))
def test_commands_and_their_options_exist(block, line):
    words = [w for w in shlex.split(line) if w not in (">", "|")]
    places = [get_command(training), get_command(cli.app)]
    found = [c for c in (p.commands.get(words[1]) for p in places) if c is not None]
    assert found, f"no command {words[1]}"
    command, rest = found[0], words[2:]
    while isinstance(command, Group):
        assert rest[0] in command.commands, f"no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {w for w in rest if w.startswith("-") and w != "-"} <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    for target in LINK.findall(document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("block", blocks("yaml"), ids=name)
def test_recipes_are_recipes(block, tmp_path):
    from comedo.training.lesion_map.recipe import LesionRecipe
    from comedo.training.recipe import read_values
    from comedo.training.runner.registry import read_run

    (tmp_path / "ours.yaml").write_text(block.code)
    _, read = read_run(read_values(tmp_path / "ours.yaml"), "ours.yaml")
    assert isinstance(read, LesionRecipe)
    assert read.data.own is not None
    assert set(read.crops.shares) == {"own"}


@pytest.mark.parametrize("block", blocks("json"), ids=name)
def test_the_example_of_own_photos_is_read_as_it_is_explained(block, tmp_path):
    from comedo.training.leaks import check_disjoint
    from comedo.training.lesion_map.own import load_own

    (tmp_path / "annotations.json").write_text(block.code)
    photos = {p.name: p for p in load_own(tmp_path / "annotations.json", tmp_path, pixels_per_mm=9.5)}
    check_disjoint((p.person, p.split) for p in photos.values())
    may, june, ben = (photos[n] for n in ("anna-may.jpg", "anna-june.jpg", "ben.jpg"))
    assert (may.split, ben.split) == ("train", "val")
    assert list(may.inflamed) == [1]
    assert (len(june.active), len(june.marks)) == (0, 1)
    assert ben.active.tolist() == [[467, 733, 12]]


def table(document: Path, header: str) -> dict[str, list[str]]:
    """Rows of the table whose header starts so, by their first cell."""
    lines = document.read_text("utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {header}"))
    rows: dict[str, list[str]] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [c.strip().strip("`") for c in line.strip("|").split("|")]
        rows[cells[0]] = cells[1:]
    return rows


def test_photo_limits_are_the_codes():
    limit = DEFAULT_LIMITS
    assert [row[0] for row in table(ROOT / "docs/photos.md", "limit").values()] == [
        f"{limit.max_bytes / 2**20:.0f} MiB",
        f"{limit.max_pixels / 1e6:.0f} million",
        f"{limit.max_side:,} pixels",
        f"{limit.min_side} pixels",
        f"{limit.max_aspect:g}",
        f"{limit.max_jpeg_scans}",
        f"{limit.heic_seconds:g} seconds",
    ]


QUALITY = {
    "resolution": (quality.RESOLUTION_FAIR, quality.RESOLUTION_POOR),
    "sharpness": (quality.SHARPNESS_FAIR, quality.SHARPNESS_POOR),
    "highlights": (quality.HIGHLIGHTS_FAIR, quality.HIGHLIGHTS_POOR),
    "shadows": (quality.SHADOWS_FAIR, quality.SHADOWS_POOR),
    "noise": (quality.NOISE_FAIR, quality.NOISE_POOR),
}


@pytest.mark.parametrize("check", QUALITY)
def test_quality_limits_are_the_codes(check):
    _, good, poor, _ = table(ROOT / "docs/photos.md", "check")[check]
    assert (float(good.split()[-1]), float(poor.split()[-1])) == QUALITY[check]


def test_every_check_of_the_gate_is_explained():
    from builders import make_face, make_image
    from comedo.types import Photo

    checks = quality.assess(Photo(make_image(), "drawn", "", "array"), make_face()).checks
    assert set(table(ROOT / "docs/photos.md", "check")) == {c.name for c in checks}
