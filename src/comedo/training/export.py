"""From a trained network to the shipped file: ONNX, a proof that it computes the same, a manifest."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from comedo.errors import ModelError
from comedo.types import Image

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Entry:
    """One model of a manifest."""

    name: str
    file: str
    sha256: str
    date: str  # ISO 8601
    recipe: Mapping[str, object]
    data: Mapping[str, object]
    metrics: Mapping[str, object]
    parity: float  # largest difference to torch, relative where an output exceeds 1
    input: str
    output: str
    terms: str


def export_onnx(module: nn.Module, path: Path, *, opset: int) -> None:
    """Write a network for ONNX Runtime: one picture of any size whose sides are multiples of 32.

    Args:
        module: (1, H, W, 3) uint8 to (1, C, H/2, W/2) float32, in evaluation mode on the CPU.
        path: The file to write.
        opset: Version of the ONNX operators.
    """
    axes = {"image": {1: "height", 2: "width"}, "maps": {2: "rows", 3: "columns"}}
    picture = torch.zeros(1, 128, 160, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The newer exporter needs onnxscript and gains nothing for a network without control flow.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            module,
            (picture,),
            str(path),
            dynamo=False,
            opset_version=opset,
            input_names=["image"],
            output_names=["maps"],
            dynamic_axes=axes,
        )


def example_pictures(sizes: Sequence[tuple[int, int]], *, seed: int = 0) -> list[Image]:
    """Two pictures (H, W, 3) uint8 of each size: smooth skin colours with spots, and noise."""
    rng = np.random.default_rng(seed)
    pictures = []
    for height, width in sizes:
        y = np.arange(height)[:, None, None] / max(height, width)
        x = np.arange(width)[None, :, None] / max(height, width)
        waves = np.sin(x * rng.uniform(3, 40, 3) + rng.uniform(0, 6, 3)) * np.sin(y * rng.uniform(3, 40, 3))
        skin = np.array([190, 140, 120]) + 40 * waves + rng.normal(0, 4, (height, width, 3))
        pictures.append(np.clip(skin, 0, 255).astype(np.uint8))
        pictures.append(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    return pictures


def largest_difference(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Largest difference of two arrays: absolute up to 1, relative to the wanted value above."""
    return float(np.max(np.abs(found - wanted) / np.maximum(1, np.abs(wanted))))


@torch.no_grad()
def parity(module: nn.Module, path: Path, pictures: Sequence[Image]) -> float:
    """Largest difference between torch and ONNX Runtime over some pictures."""
    import onnxruntime as ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = []
    for picture in pictures:
        found = np.asarray(session.run(["maps"], {"image": picture[None]})[0], np.float32)
        wanted = module(torch.from_numpy(picture[None])).float().numpy()
        differences.append(largest_difference(found, wanted))
    return max(differences)


def export_checked(
    module: nn.Module, path: Path, *, opset: int, sizes: Sequence[tuple[int, int]], limit: float
) -> float:
    """Export and compare with torch; a file that computes something else is not left behind.

    Args:
        module: The network as shipped.
        path: The file to write.
        opset: Version of the ONNX operators.
        sizes: Height and width of the pictures to compare on.
        limit: Largest allowed difference.

    Returns:
        The largest difference.

    Raises:
        ModelError: The difference exceeds the limit, or is not a number.
    """
    module = module.cpu().eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    draft = path.with_suffix(".draft.onnx")
    export_onnx(module, draft, opset=opset)
    difference = parity(module, draft, example_pictures(sizes))
    if not difference <= limit:
        draft.unlink()
        raise ModelError(
            f"ONNX Runtime and torch differ by {difference:.2g} for {path.name}, allowed is {limit:g}; "
            "export with another --set export.opset, or train with another network"
        )
    draft.replace(path)
    return difference


def add_to_manifest(folder: Path, entry: Entry) -> Path:
    """Write the model into the manifest of its folder, in the place of an older one of its name."""
    others = [m for m in _models(folder) if m["name"] != entry.name]
    return _write(folder, [*others, asdict(entry)])


def remove_from_manifest(folder: Path, name: str) -> str | None:
    """Take a model out of the manifest.

    Returns:
        Its file's name, or `None` when there is no such model.
    """
    models = _models(folder)
    gone = next((str(m["file"]) for m in models if m["name"] == name), None)
    if gone is not None:
        _write(folder, [m for m in models if m["name"] != name])
    return gone


def read_entries(folder: Path) -> list[Entry]:
    """The manifest of a folder; none where there is no manifest."""
    return [Entry(**model) for model in _models(folder)]  # type: ignore[arg-type]


def _models(folder: Path) -> list[dict[str, object]]:
    path = folder / MANIFEST
    models: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))["models"] if path.exists() else []
    return models


def _write(folder: Path, models: Sequence[dict[str, object]]) -> Path:
    path, draft = folder / MANIFEST, folder / f"{MANIFEST}.draft"
    in_order = sorted(models, key=lambda m: str(m["name"]))
    draft.write_text(json.dumps({"models": in_order}, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
