"""A training from recipe to shipped file: setup, photos, fit, export."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor, nn

from comedo.errors import UnusableInput
from comedo.inference import WEIGHTS
from comedo.training.export import Entry, add_to_manifest, export_checked, sha256_of
from comedo.training.fit import Batch, Loss, fit
from comedo.training.imagenet import load_mobilenet
from comedo.training.networks import UNet
from comedo.training.recipe import AnyRecipe, recipe_values
from comedo.training.same_data import NOTE, claim_data
from comedo.training.start import settle_norms, start_from_onnx
from comedo.training.tasks import KINDS, Batches, open_data

_INPUT = "(1, H, W, 3) uint8 RGB, H and W multiples of 32"


def choose_device(name: str) -> str:
    """`auto` is a CUDA device where there is one, else the CPU.

    Raises:
        UnusableInput: A CUDA device is asked for and there is none.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UnusableInput("torch sees no CUDA device; train with --device cpu")
    return name


def train(recipe: AnyRecipe, *, data: Path, out: Path, device: str = "auto", allow_leaks: bool = False) -> Entry:
    """Train to the end of the schedule, continuing what `out` holds, then export.

    Args:
        recipe: What to train on what and how.
        data: Folder of the sets.
        out: Folder of this run: last.pt, log.csv, recipe.json, data.json, the ONNX file, manifest.json.
        device: `auto`, `cpu`, `cuda`, ...
        allow_leaks: Train although the split leaks; the manifest then names every leak.

    Returns:
        The entry of the manifest.

    Raises:
        UnusableInput: The data is not complete, or `out` holds a run of another recipe or on other photos.
        LeakyData: A person or a picture is on both sides of the split.
        ModelError: The exported network computes something else.
    """
    where = choose_device(device)
    claim(out, recipe)
    batches = open_data(recipe, data, allow_leaks=allow_leaks)
    claim_data(out, batches.about, "last.pt")
    kind = KINDS[recipe.network]
    net = _fresh(recipe, data, batches)
    validate = _validation(batches, kind.loss, recipe.validation.batches, where)
    if validate is not None:
        validate(net.to(where).eval())  # what cannot be validated should fail now, not in an hour
    averaged = fit(
        net,
        batches.train,
        kind.loss,
        schedule=recipe.schedule,
        folder=out,
        device=where,
        validate=validate,
        validate_every=recipe.validation.every,
    )
    metrics = {} if validate is None else validate(averaged)
    return export_run(recipe, averaged, out, data=batches.about, metrics=metrics)


def export_last(recipe: AnyRecipe, *, out: Path) -> Entry:
    """Export the averaged weights of the checkpoint in `out` without training on.

    Raises:
        UnusableInput: There is no checkpoint, or it is another recipe's.
        ModelError: The exported network computes something else.
    """
    path = out / "last.pt"
    if not path.exists():
        raise UnusableInput(f"{out} holds no checkpoint last.pt; train first")
    claim(out, recipe)
    net = KINDS[recipe.network].build()
    saved = torch.load(path, map_location="cpu", weights_only=True)
    net.load_state_dict(saved["averaged"])
    known = out / NOTE
    data = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    return export_run(recipe, net, out, data=data, metrics={"steps": saved["step"]})


def claim(out: Path, recipe: AnyRecipe) -> None:
    """Write the recipe into the run's folder; refuse to continue a run with another one.

    Raises:
        UnusableInput: The folder holds a run of another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    note = out / "recipe.json"
    text = json.dumps(recipe_values(recipe), indent=2) + "\n"
    if note.exists() and note.read_text(encoding="utf-8") != text and (out / "last.pt").exists():
        raise UnusableInput(
            f"{out} holds a run with another recipe (see {note}); choose another --out, or undo the change to go on"
        )
    note.write_text(text, encoding="utf-8")


def _fresh(recipe: AnyRecipe, data: Path, batches: Batches) -> UNet:
    torch.manual_seed(recipe.schedule.seed)
    net = KINDS[recipe.network].build()

    def pictures() -> Tensor:
        return batches.train(0)[0].permute(0, 3, 1, 2).float() / 255.0

    if recipe.start is not None:
        weights = WEIGHTS / f"{recipe.exported}.onnx" if recipe.start == "shipped" else Path(recipe.start)
        start_from_onnx(net, weights, pictures())
    elif recipe.pretrained is not None:
        weights = data / recipe.pretrained
        load_mobilenet(net.encoder, weights)
        settle_norms(net, lambda: net(pictures()))
    net.encoder.freeze(recipe.schedule.frozen_stages)
    return net


def _validation(
    batches: Batches, loss: Loss, number: int, device: str
) -> Callable[[nn.Module], dict[str, float]] | None:
    """Mean loss terms over held-back batches that are drawn once; `None` without held-back photos."""
    if batches.held_back is None or number == 0:
        return None
    drawn = [batches.held_back(index) for index in range(number)]

    @torch.no_grad()
    def validate(net: nn.Module) -> dict[str, float]:
        sums: dict[str, list[float]] = {}
        for batch in drawn:
            for name, value in _terms(net, batch, loss, device).items():
                sums.setdefault(name, []).append(value)
        return {name: sum(values) / len(values) for name, values in sums.items()}

    return validate


def _terms(net: nn.Module, batch: Batch, loss: Loss, device: str) -> dict[str, float]:
    pictures, target = batch
    output = net(pictures.to(device).permute(0, 3, 1, 2).float() / 255.0)
    return {k: float(v) for k, v in loss(output, {k: v.to(device) for k, v in target.items()}).items()}


def export_run(
    recipe: AnyRecipe, net: nn.Module, out: Path, *, data: Mapping[str, object], metrics: Mapping[str, object]
) -> Entry:
    """Write NAME.onnx and its entry in the manifest of `out`."""
    kind, plan = KINDS[recipe.network], recipe.export
    assert isinstance(net, UNet)
    path = out / f"{recipe.exported}.onnx"
    limit = plan.largest_difference
    difference = export_checked(kind.shipped(net), path, opset=plan.opset, sizes=plan.sizes, limit=limit)
    entry = Entry(
        name=recipe.exported,
        file=path.name,
        sha256=sha256_of(path),
        date=datetime.now(UTC).date().isoformat(),
        recipe=recipe_values(recipe),
        data=data,
        metrics=metrics,
        parity=difference,
        input=_INPUT,
        output=kind.output,
        terms=plan.terms,
    )
    add_to_manifest(out, entry)
    return entry
