"""From a trained network to a file: ONNX, a proof that it computes the same, and a way to run it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from comedo.errors import ModelError
from comedo.inference import read_weights
from comedo.training.runner.contract import Arrays, Run, Shipped
from comedo.training.runner.plan import Ship
from comedo.types import Image


def open_onnx(weights: bytes, outputs: Sequence[str] | None = None) -> Run:
    """An ONNX file's bytes as a function of named arrays."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    names = list(outputs or [o.name for o in session.get_outputs()])

    def run(arrays: Arrays) -> Arrays:
        found = session.run(names, dict(arrays))
        return dict(zip(names, (np.asarray(f) for f in found), strict=True))

    return run


def open_model(folder: Path, name: str) -> tuple[Run, str]:
    """A model of a run's folder and its traced name; its hash is checked.

    Raises:
        ModelError: It is absent or altered.
    """
    weights, traced = read_weights(name, folder)
    return open_onnx(weights), traced


@torch.no_grad()
def export_checked(shipped: Shipped, path: Path, plan: Ship) -> float:
    """Export and compare with torch on every example; a file that computes something else is not left behind.

    Returns:
        The largest difference.

    Raises:
        ModelError: The difference exceeds the limit, or is not a number.
    """
    module, draft = shipped.module.cpu().eval(), path.with_suffix(".draft.onnx")
    inputs = [torch.from_numpy(np.ascontiguousarray(a)) for a in shipped.examples[0].values()]
    with warnings.catch_warnings():
        # The newer exporter needs onnxscript and gains nothing for a network without control flow.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        torch.onnx.export(
            module,
            tuple(inputs),
            str(draft),
            dynamo=False,
            opset_version=plan.opset,
            input_names=list(shipped.examples[0]),
            output_names=list(shipped.outputs),
            dynamic_axes={name: dict(axes) for name, axes in shipped.varying.items()},
        )
    run = open_onnx(draft.read_bytes(), shipped.outputs)
    difference = max(_difference(shipped, run, arrays) for arrays in shipped.examples)
    if not difference <= plan.largest_difference:
        draft.unlink()
        raise ModelError(
            f"ONNX Runtime and torch differ by {difference:.2g} for {path.name}, allowed is "
            f"{plan.largest_difference:g}; export with another --set ship.opset"
        )
    draft.replace(path)
    return difference


def _difference(shipped: Shipped, run: Run, arrays: Arrays) -> float:
    wanted = shipped.module(*(torch.from_numpy(np.ascontiguousarray(a)) for a in arrays.values()))
    named = zip(shipped.outputs, (wanted,) if isinstance(wanted, Tensor) else wanted, strict=True)
    found = run(arrays)
    pairs = [(found[name].astype(np.float32), tensor.float().numpy()) for name, tensor in named]
    if any(f.shape != w.shape for f, w in pairs):
        return float("inf")
    return max((largest_difference(f, w) for f, w in pairs if f.size), default=0.0)


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
