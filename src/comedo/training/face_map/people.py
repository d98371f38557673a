"""Whom each photo of the face sets shows, and on which side of the split it is.

ACNE04 tells the person of a photo (`group`, found by matching), FASSEG numbers the people of its
turned heads; of a set that is not there nothing is known. Nobody wrote down who is on a
CelebAMask-HQ portrait, an FFHQ portrait or a frontal FASSEG photo: there each photo is a person of
its own, unless a `people.json` in the set's folder (file name to person) or a `group` in its
annotations says otherwise.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from comedo.errors import UnusableInput

_LEFT_OUT = ("acne04/frames640", "lesion_masks")  # the same photos as frames512; too coarse
_HELD_BACK_PERCENT = 15
_FASSEG_EVERY = 5  # each fifth person is held back


@dataclass(frozen=True)
class FaceFile:
    """One photo of a face set; nothing is read yet."""

    name: str  # path below the data folder
    source: str
    person: str  # one word for one person, in every folder
    split: str


@dataclass(frozen=True)
class _Known:
    """What annotations say of a photo; `None` where they are silent."""

    person: str | None = None
    split: str | None = None


def find_faces(root: Path, names: Iterable[str]) -> list[FaceFile]:
    """The photos that the face map learns from, in the order of their names.

    A split that the annotations give counts. Elsewhere a hash of the person decides, so that nobody is divided.

    Args:
        root: Data folder with faces/, acne04/, typed/, or some of them.
        names: Paths below it.

    Raises:
        UnusableInput: A `people.json` is not a table of file name to person.
    """
    known, people = _annotated(root), _told(root)
    files = []
    for name in sorted(names):
        source = "/".join(name.split("/")[:2]) if name.startswith(("faces", "acne04")) else name.split("/")[0]
        if source not in _LEFT_OUT:
            said = known.get(name, _Known())
            person = said.person or people.get(name) or _person_by_name(name, source)
            files.append(FaceFile(name, source, person, said.split or _split_of(person, source)))
    return files


def _annotated(root: Path) -> dict[str, _Known]:
    """What the COCO files of ACNE04 and of the typed portraits say, by path below the data folder."""
    known = {}
    for folder in ("acne04", "typed"):
        path = root / folder / "annotations.json"
        images = json.loads(path.read_text("utf-8"))["images"] if path.exists() else []
        for image in images:
            group = image.get("group")
            person = None if group is None else f"{folder}-{group}"
            known[f"{folder}/{image['file_name']}"] = _Known(person, image.get("split"))
    return known


def _told(root: Path) -> dict[str, str]:
    """People by path below the data folder, from the `people.json` of each set of faces that has one."""
    told: dict[str, str] = {}
    for path in sorted(root.glob("faces/*/people.json")):
        try:
            table = json.loads(path.read_text("utf-8"))
        except ValueError:  # no JSON, or no text at all
            table = None
        if not isinstance(table, Mapping) or not all(isinstance(person, str) for person in table.values()):
            raise UnusableInput(f'{path} must be a table of file name to person, such as {{"12.jpg": "anna"}}')
        source = f"faces/{path.parent.name}"
        folder = f"{source}/images" if (path.parent / "images").is_dir() else source
        told |= {f"{folder}/{name}": f"{source}/{person}" for name, person in table.items()}
    return told


def _person_by_name(name: str, source: str) -> str:
    numbered = re.search(r"personne(\d\d)", name) if source == "faces/fasseg" else None
    if numbered:
        return f"{source}/personne{numbered[1]}"
    # All versions of an ACNE04 photo share its name, whatever their folder.
    return f"acne04/{Path(name).stem}" if source.startswith("acne04") else name


def _split_of(person: str, source: str) -> str:
    """The side of a person for whom nobody chose one."""
    numbered = re.search(r"(?:personne|frontal_)(\d+)", person) if source == "faces/fasseg" else None
    if numbered:
        return "val" if int(numbered[1]) % _FASSEG_EVERY == 0 else "train"
    return "val" if zlib.crc32(person.encode()) % 100 < _HELD_BACK_PERCENT else "train"
