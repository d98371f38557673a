"""The smallest task: is a drawn square bright or dark? Its squares are noise around a level that follows the label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from comedo.training.figures import Measure
from comedo.training.runner.contract import Arrays, Batch, Examples, Run, Shipped, Task
from comedo.training.runner.plan import RunRecipe, Schedule, Watch

SIDE = 8


@dataclass(frozen=True, kw_only=True)
class ToyRecipe(RunRecipe):
    task: ClassVar[str] = "toy"
    squares: int = 60
    dropout: float = 0.2


@dataclass(frozen=True)
class Square:
    name: str
    person: str
    split: str
    bright: int

    def read(self) -> Any:
        rng = np.random.default_rng([7, int(self.name)])
        return rng.normal(110 + 50 * self.bright, 30, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class ToyRow:
    person: str
    right: bool


class ToyNet(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(SIDE * SIDE * 3, 1))

    def forward(self, squares: Tensor) -> Tensor:
        return self.layers(squares.float() / 255 - 0.5)[:, 0]


class Toy(Task[ToyRecipe, Square, ToyRow]):
    recipe = ToyRecipe
    baseline_words = "always dark"

    def items(self, recipe: ToyRecipe, root: Path, cache: Path) -> list[Square]:
        return [
            Square(str(n), f"person-{n // 2}", "val" if n % 10 >= 8 else "train", n // 2 % 2)
            for n in range(recipe.squares)
        ]

    def build(self, recipe: ToyRecipe, root: Path, items: Sequence[Square]) -> nn.Module:
        return ToyNet(recipe.dropout)

    def examples(self, recipe: ToyRecipe, items: Sequence[Square], *, learning: bool) -> Examples:
        def draw(index: int, rng: np.random.Generator) -> Arrays:
            square = items[index].read()
            return {
                "square": square[::-1].copy() if learning and rng.random() < 0.5 else square,
                "bright": np.float32(items[index].bright),
            }

        return Examples(len(items), draw)

    def loss(self, recipe: ToyRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:
        logits = net(batch["square"]).float()
        return {"entropy": nn.functional.binary_cross_entropy_with_logits(logits, batch["bright"])}

    def shipped(self, recipe: ToyRecipe, net: nn.Module) -> Shipped:
        example = {"square": np.full((1, SIDE, SIDE, 3), 90, np.uint8)}
        return Shipped(net, [example], ("logit",), "(1, 8, 8, 3) uint8", "(1,) logit of bright")

    def look(self, recipe: ToyRecipe, run: Run, item: Square) -> ToyRow:
        return ToyRow(item.person, (run({"square": item.read()[None]})["logit"][0] > 0) == item.bright)

    def baseline(self, recipe: ToyRecipe, items: Sequence[Square]) -> Callable[[Square], ToyRow]:
        return lambda item: ToyRow(item.person, item.bright == 0)

    def measures(self, recipe: ToyRecipe) -> Sequence[Measure[ToyRow]]:
        return [Measure("accuracy", "share that is right", lambda rows: float(np.mean([r.right for r in rows])))]


def toy_recipe(**changes: Any) -> ToyRecipe:
    schedule = Schedule(epochs=4, per_step=8, rate=0.01, warmup=1, precision="float32")
    return ToyRecipe(**{"description": "bright or dark", "schedule": schedule, "watch": Watch(share=0.2)} | changes)
