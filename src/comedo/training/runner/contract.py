"""What a task is: everything that differs from one recipe's training to another's.

The runner does the rest for all of them: leaks, seeds, devices, checkpoints, early stopping, logs, export with a
parity check, figures with intervals and a baseline beside them, manifest and model card.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import default_collate

from comedo.errors import UnusableInput
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.runner.answer import Answering, Use
from comedo.training.runner.plan import RunRecipe
from comedo.types import Image

Arrays = Mapping[str, NDArray[Any]]
Batch = dict[str, Tensor]
Run = Callable[[Arrays], Arrays]  # the shipped network: named inputs to named outputs


class Item(Protocol):
    """One photo, or one series of photos, as a task keeps it; `split` is `train` or `val`."""

    @property
    def name(self) -> str: ...

    @property
    def person(self) -> str: ...

    @property
    def split(self) -> str: ...

    def read(self) -> Image:
        """The picture by which copies on both sides of the split are found, (H, W, 3) uint8 RGB."""
        ...


class Row(Protocol):
    """What the network, or the baseline, made of one item, beside what is true; small, without pictures."""

    @property
    def person(self) -> str: ...


RecipeT = TypeVar("RecipeT", bound=RunRecipe)
ItemT = TypeVar("ItemT", bound=Item)
RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True)
class Examples:
    """What an epoch learns from.

    `draw(index, rng)` gives example `index` of `number` as named arrays. `rng` depends on the seed, the epoch, the
    index and how often the epoch has drawn it before, so that kills, workers and devices change nothing.
    """

    number: int
    draw: Callable[[int, np.random.Generator], Arrays]


@dataclass(frozen=True, eq=False)
class Shipped:
    """A network as it is exported: preprocessing inside, so that nobody has to remember it.

    `module` takes the arrays of each of `examples` by position, in their order, and returns one tensor or a tuple
    named by `outputs`. torch and ONNX Runtime are compared on every example; give several where sizes vary.
    """

    module: nn.Module
    examples: Sequence[Arrays]
    outputs: tuple[str, ...]
    input_words: str  # "(1, H, W, 3) uint8 RGB, ..."
    output_words: str
    varying: Mapping[str, Mapping[int, str]] = field(default_factory=dict)  # name of an array: axis: its name


class Task(ABC, Generic[RecipeT, ItemT, RowT]):
    """One kind of training; holds no state.

    Methods run in this order: items, build, begin, examples, collate and loss until the end, settle, shipped, then look
    and baseline for each held-back item, gather, measures, pictures.
    """

    recipe: ClassVar[type[RunRecipe]]  # the dataclass that its YAML fills; its `task` is the name

    @abstractmethod
    def items(self, recipe: RecipeT, root: Path, cache: Path) -> list[ItemT]:
        """Read what is known of all photos of both splits; pictures are read when they are drawn.

        Args:
            recipe: Names files below `root`.
            root: The data folder.
            cache: Folder for what is dear to compute, such as face maps; files are written whole.

        Raises:
            UnusableInput: A file is absent or wrong.
        """

    def members(self, items: Sequence[ItemT]) -> list[Member]:
        """Every picture of the items for the leak check; one each unless overridden."""
        return [Member(i.name, i.person, i.split, i.read) for i in items]

    def set_aside(self, recipe: RecipeT, root: Path) -> Sequence[Member]:  # noqa: ARG002
        """Pictures that are no items but must not be like them, such as those of a `test` split; none by default."""
        return ()

    @abstractmethod
    def build(self, recipe: RecipeT, root: Path, items: Sequence[ItemT]) -> nn.Module:
        """The network before training; parameters named `encoder.*` learn at `schedule.encoder_share`.

        Args:
            recipe: Names encoder weights below `root`, if any.
            root: The data folder.
            items: Of training people alone.
        """

    def begin(self, recipe: RecipeT, root: Path, net: nn.Module, items: Sequence[ItemT]) -> None:  # noqa: ARG002
        """Fill a fresh network with what it starts from; not asked of one that goes on. Nothing unless overridden.

        Args:
            recipe: Names weights below `root`, or elsewhere.
            root: The data folder.
            net: As built; changed in place.
            items: Of training people alone.
        """
        return

    def facts(self, items: Sequence[ItemT]) -> Mapping[str, object]:  # noqa: ARG002
        """What the manifest says of the items beside their number, and a run holds fast to; nothing by default."""
        return {}

    @abstractmethod
    def examples(self, recipe: RecipeT, items: Sequence[ItemT], *, learning: bool) -> Examples:
        """Augmented examples of training items; without `learning` plain ones of others, for early stopping."""

    def collate(self, examples: Sequence[Arrays]) -> Batch:
        """A batch of some examples: stacked by name, unless overridden."""
        batch: Batch = default_collate(list(examples))
        return batch

    @abstractmethod
    def loss(self, recipe: RecipeT, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:
        """Named terms of the loss, whose sum is minimised and watched; counted in float32."""

    def settle(self, recipe: RecipeT, net: nn.Module, items: Sequence[ItemT]) -> None:  # noqa: ARG002
        """Fit what the loss does not, such as the scale of answers, to the watched people; nothing unless overridden.

        Args:
            recipe: As everywhere.
            net: After training, on the CPU and in evaluation mode; changed in place.
            items: Of people to watch, whom it did not learn from; possibly none.
        """
        return

    @abstractmethod
    def shipped(self, recipe: RecipeT, net: nn.Module) -> Shipped:
        """The trained network, on the CPU and in evaluation mode, as it is exported."""

    @abstractmethod
    def look(self, recipe: RecipeT, run: Run, item: ItemT) -> RowT:
        """What the exported network says of one held-back item, beside what is true."""

    @abstractmethod
    def baseline(self, recipe: RecipeT, items: Sequence[ItemT]) -> Callable[[ItemT], RowT]:
        """What can be said without learning from pixels: fitted to training items, asked about held-back ones."""

    baseline_words: ClassVar[str]

    def answers(self, recipe: RecipeT, run: Run, use: Use) -> Answering:  # noqa: ARG002
        """The exported network, ready for photos without labels, which it is shown as `look` shows held-back ones.

        Raises:
            UnusableInput: The task is applied in another way, or `use` asks for what it does not have.
        """
        raise UnusableInput(
            f"`comedo predict` does not apply {recipe.task}; face and lesion maps are used by "
            "`comedo analyze PHOTO --models FOLDER`"
        )

    def gather(self, rows: Sequence[RowT]) -> Mapping[str, Sequence[RowT]]:
        """Rows by section of the report; all in one unless overridden."""
        return {"photos": rows}

    def sections(self, recipe: RecipeT) -> tuple[str, ...] | None:  # noqa: ARG002
        """Every section that `gather` can make, so that a wrong name is found early; `None` where the items decide."""
        return ("photos",)

    @abstractmethod
    def measures(self, recipe: RecipeT) -> Sequence[Measure[RowT]]:
        """The figures over rows; intervals draw people."""

    def pictures(self, recipe: RecipeT, rows: Sequence[RowT]) -> Mapping[str, str]:  # noqa: ARG002
        """SVG drawings by file name without ending: curves, confusion matrices."""
        return {}

    def limits(self, recipe: RecipeT) -> Sequence[str]:  # noqa: ARG002
        """Sentences for the model card: what the network is not good for."""
        return ()
