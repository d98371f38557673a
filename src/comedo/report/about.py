"""What this installation is made of."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from comedo import __version__
from comedo.errors import ModelError
from comedo.guidance.answers import SCHEMA as ANSWERS_SCHEMA
from comedo.inference import TWIN, choose_model, read_manifest, usable_cores
from comedo.lesions.counting import CONVENTIONS
from comedo.report.advice_document import ADVICE_SCHEMA
from comedo.report.change_document import CHANGE_SCHEMA
from comedo.report.document import ANALYSIS_SCHEMA, ERROR_SCHEMA

# The last two are those of comedo.review, which builds on this package; a test holds them together.
SCHEMAS = (
    *(ANALYSIS_SCHEMA, ERROR_SCHEMA, CHANGE_SCHEMA, ANSWERS_SCHEMA, ADVICE_SCHEMA),
    *("comedo.corrections/1", "comedo.review/1"),
)
LIBRARIES = ("numpy", "opencv-python-headless", "simplejpeg", "Pillow", "onnxruntime", "pydantic")


def about() -> dict[str, object]:
    """Versions, networks, formats and conventions, ready for JSON; a library that is not installed is None."""
    heic = find_spec("pillow_heif") is not None
    return {
        "schema": "comedo.info/1",
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": usable_cores(),
        "models": _models(),
        "formats": ["jpeg", "png", "webp", *(["heic"] if heic else [])],
        "conventions": list(CONVENTIONS),
        "schemas": list(SCHEMAS),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "licence": "code Apache-2.0; weights for non-commercial research (NOTICE, MODEL_CARD.md)",
    }


def _models() -> list[str]:
    try:
        cards = read_manifest()
        used = [choose_model(name) for name in cards if not name.endswith(TWIN)]
        return [f"{name}@sha256:{cards[name].sha256}" for name in used]
    except ModelError:
        return []


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
