"""What a recipe of the sequence model says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from comedo.errors import UnusableInput
from comedo.training.runner.plan import RunRecipe
from comedo.training.sequence.framing import COLOURS

SIDE_STEP = 64  # pixels: the network sums a face up in 4 x 4 cells at stride 16
_LEAST_LESIONS = 7  # from which a change can be drawn


def _check_range(name: str, ends: tuple[int, int], *, least: int) -> None:
    if not least <= ends[0] <= ends[1]:
        raise UnusableInput(f"{name} must be two whole numbers from {least} on, the smaller first, got {list(ends)}")


@dataclass(frozen=True, kw_only=True)
class RenderedPlan:
    """Rendered series with a known course; the numbers decide the pixels."""

    people: int = 40  # to learn from
    held_back: int = 20  # other people, to measure on
    series: int = 3  # of each person
    photos: tuple[int, int] = (2, 4)  # fewest and most in a series
    lesions: int = 32  # most active lesions on a face
    width_px: int = 256  # of a photo; its height is 1.25 times that
    max_yaw_deg: float = 35.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_range("rendered.photos", self.photos, least=2)
        if self.lesions < _LEAST_LESIONS:
            raise UnusableInput(f"rendered.lesions must be at least {_LEAST_LESIONS}, got {self.lesions}")


@dataclass(frozen=True, kw_only=True)
class PairsPlan:
    """Two photos of one person whose counts hardly differ: as they are, and with lesions of others pasted onto one."""

    photos: str  # folder below the data folder
    annotations: str  # COCO file of the same photos with circles: what is cut out and pasted
    versions: int = 4  # of each training pair: no change, and changes by pasting
    pasted: tuple[int, int] = (5, 25)  # fewest and most lesions in a change

    def __post_init__(self) -> None:
        _check_range("pairs.pasted", self.pasted, least=1)


@dataclass(frozen=True, kw_only=True)
class OwnPlan:
    """Series of one's own."""

    series: str  # CSV below the data folder: person, date, photo and, if wanted, split
    labels: str  # CSV: person, label (improved, same, worse), as `comedo data label-notes --last` writes it
    photos: str  # folder of the photos


@dataclass(frozen=True, kw_only=True)
class DrawPlan:
    """How a series is changed before it is learnt from."""

    reverse: float = 0.5  # share seen backwards, which turns better into worse
    mirror: float = 0.5  # share flipped, all photos of it
    unsound: float = 0.3  # share spoilt by noise, a stranger's photos or another order: nothing may be concluded
    gaps: float = 0.3  # share with missing photos in between
    longer: float = 0.2  # share in which photos come several times, each photographed anew, up to `net.most_photos`
    shift: float = 0.03  # of the side; each photo by itself, as all that follows
    zoom: float = 0.05
    light: float = 0.15  # gain
    white_balance: float = 0.06


@dataclass(frozen=True, kw_only=True)
class NetPlan:
    """The network."""

    side_px: int = 128  # of a face
    lesions: bool = False  # whether the lesions that comedo finds are drawn as a fourth channel
    most_photos: int = 30  # the exported network takes so many, missing ones masked
    widths: tuple[int, int, int, int] = (16, 24, 32, 48)  # channels at strides 2, 4, 8, 16
    hidden: int = 64  # of the LSTM
    output: Literal["ordinal", "classes"] = "ordinal"  # one axis with two cuts, or three classes of their own

    @property
    def channels(self) -> int:
        """Of a picture: colours and, if they are drawn, lesions."""
        return COLOURS + self.lesions

    def __post_init__(self) -> None:
        if self.side_px < SIDE_STEP or self.side_px % SIDE_STEP:
            raise UnusableInput(f"net.side_px must be a multiple of {SIDE_STEP}, got {self.side_px}")
        if self.most_photos < 2:
            raise UnusableInput(f"net.most_photos must be at least 2, got {self.most_photos}")


@dataclass(frozen=True, kw_only=True)
class SequenceRecipe(RunRecipe):
    """Better, the same or worse over 2 to 30 photos."""

    task: ClassVar[str] = "sequence-change"
    rendered: RenderedPlan | None = None
    pairs: PairsPlan | None = None
    own: OwnPlan | None = None
    draw: DrawPlan = field(default_factory=DrawPlan)
    net: NetPlan = field(default_factory=NetPlan)
    load_weight: float = 1.0  # of the loss that teaches to count each photo's lesions, where they are known
    spoilt: float = 0.1  # share of series, where the network is used, that are a stranger's or in no order
    answer_from: float = 0.8  # least probability, of a sound series too, for an answer

    def __post_init__(self) -> None:
        if not 0 < self.spoilt < 1:
            raise UnusableInput(f"spoilt must lie between 0 and 1, got {self.spoilt:g}")

    @property
    def odds_of_sound(self) -> float:
        """What the log odds of a sound series gain from those learnt from to those in use."""
        learnt = min(max(self.draw.unsound, 0.01), 0.99)
        return math.log((1 - self.spoilt) / self.spoilt) - math.log((1 - learnt) / learnt)
