"""The tree is the architecture: what may import what, and what the run time never loads."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import comedo
from builders import fresh_python
from cases import rendered_sample

ROOT = Path(comedo.__file__).parent
FORBIDDEN = {"torch", "fastapi", "sqlalchemy", "ray", "scipy", "sklearn", "comedo.training", "comedo.service"}

# Lower layers never import higher ones; within a layer, only where LEVEL_NEIGHBOURS says so.
LAYERS = [
    {"errors", "types"},
    {"geometry"},
    {"inference", "calibration", "photo", "face", "lesions", "grading", "progress", "guidance", "synthetic"},
    {"pipeline"},
    {"build"},
    {"batch", "report", "dating", "tracking"},
    {"review"},
    {"exchange"},
    {"cli", "service", "advise_cli", "track_cli"},
]
LEVEL_OF = {name: level for level, names in enumerate(LAYERS) for name in names}


def loaded_by(code: str) -> set[str]:
    """Names of the modules loaded by code in a fresh interpreter."""
    return set(fresh_python(f"{code}; import sys; print(*sys.modules)").split())


def test_run_time_stays_light():
    """All in one interpreter, which starts slowly: whatever one of them loads stays loaded."""
    parts = ("comedo", "comedo.pipeline", "comedo.build", "comedo.batch", "comedo.report.job", "comedo.cli")
    assert not loaded_by(f"import {', '.join(parts)}") & FORBIDDEN


def test_start_up_loads_nothing_heavy():
    assert not loaded_by("import comedo, comedo.cli") & {"numpy", "cv2", "onnxruntime", "PIL", "pydantic", "yaml"}


def test_a_single_photo_loads_no_progress_bar():
    assert not loaded_by("import comedo.report.job") & {"rich.console", "rich.progress", "numpy.ma"}


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(argument):
    code = (
        f"import sys; sys.argv = ['comedo', {argument!r}]; import comedo.cli, io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): comedo.cli.main()\n"
        "pass"
    )
    loaded = loaded_by(code)
    assert "comedo.cli" in loaded
    assert not loaded & {"numpy", "cv2", "onnxruntime", "PIL", "pydantic"}


def run_time_files() -> list[Path]:
    apart = ("training", "service")
    return [p for p in sorted(ROOT.rglob("*.py")) if p.relative_to(ROOT).parts[0] not in apart]


def imports_of(path: Path) -> set[str]:
    """Full names of what a file imports anywhere, type-checking blocks left out (nothing is loaded there)."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text("utf-8")))
    return names


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


@pytest.mark.parametrize("path", run_time_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down_the_layers(path):
    part = part_of(path)
    if part in ("__init__", "__main__"):
        return  # the front door leads everywhere, lazily
    assert part in LEVEL_OF, f"{part} has no place in LAYERS: say where it belongs"
    inner = {name.split(".")[1] for name in imports_of(path) if name.startswith("comedo.")}
    above = {name for name in inner if LEVEL_OF.get(name, -1) > LEVEL_OF[part]}
    assert not above, f"{path.name} of layer {LEVEL_OF[part]} imports {sorted(above)}"


@pytest.mark.parametrize("path", run_time_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_run_time_names_no_training_package(path):
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert not roots & {"torch", "scipy", "sklearn", "onnx", "fastapi", "jinja2", "requests", "httpx", "urllib3"}
    if path.name != "cli.py":  # the command hands over to training, when it is asked to
        assert not any(name.startswith("comedo.training") for name in imports_of(path))


def test_lazy_front_door_and_type_checker_see_the_same_names():
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING")
    typed = {
        (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("comedo.")
        for alias in node.names
    }
    assert typed == {(home, name) for name, home in comedo._HOME_OF.items()}


@pytest.mark.weights
def test_an_analysis_needs_no_network(no_network):
    analysis = comedo.analyze(rendered_sample().image, name="sample")
    assert analysis.face.skin_area_px > 0
