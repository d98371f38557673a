"""Names, colours, shapes and letters, the same in the overlay and on the page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from comedo.types import Group, Kind, Region

Rgb = tuple[int, int, int]


class Shape(Enum):
    """Outline of a lesion, so that no group is told by colour alone."""

    CIRCLE = "circle"
    DIAMOND = "diamond"
    SQUARE = "square"


@dataclass(frozen=True)
class GroupLook:
    """How a group of lesions is drawn and called."""

    name: str
    letter: str
    shape: Shape
    colour: Rgb


# Three colours that stay apart for red-, green- and blue-blind readers, on light and on dark skin.
GROUPS = {
    Group.INFLAMMATORY: GroupLook("Inflamed", "I", Shape.CIRCLE, (216, 27, 96)),
    Group.NON_INFLAMMATORY: GroupLook("Not inflamed", "N", Shape.DIAMOND, (30, 136, 229)),
    Group.MARK: GroupLook("Marks (not counted)", "M", Shape.SQUARE, (255, 193, 7)),
}

REGION_COLOURS: dict[Region, Rgb] = {
    Region.FOREHEAD: (119, 170, 221),
    Region.NOSE: (238, 221, 136),
    Region.LEFT_CHEEK: (68, 187, 153),
    Region.RIGHT_CHEEK: (187, 204, 51),
    Region.CHIN: (170, 136, 204),
}

REGION_NAMES = {
    Region.FOREHEAD: "Forehead",
    Region.NOSE: "Nose",
    Region.LEFT_CHEEK: "Left cheek",
    Region.RIGHT_CHEEK: "Right cheek",
    Region.CHIN: "Chin",
}

KIND_NAMES = {
    Kind.OPEN_COMEDONE: "Open comedone",
    Kind.CLOSED_COMEDONE: "Closed comedone",
    Kind.PAPULE: "Papule",
    Kind.PUSTULE: "Pustule",
    Kind.NODULE: "Nodule",
    Kind.MARK: "Mark",
}

SCALE_NAMES = {
    "severity": "Severity (1 to 5)",
    "acne": "Affected by acne",
    "hayashi": "Hayashi",
    "gags_face": "GAGS, face part",
    "iga_estimate": "IGA (estimate)",
    "gea": "GEA",
    "nice_group": "NICE group",
}

CLAIM = "comedo measures appearance. It is research software, not a medical device, and makes no diagnosis."


def in_words(name: str) -> str:
    """A technical name as words: "px_per_mm" becomes "Px per mm"."""
    return name.replace("_", " ").strip().capitalize()
