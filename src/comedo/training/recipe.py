"""Training recipes: short YAML files read into frozen values; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from comedo.errors import UnusableInput
from comedo.inference import MIRRORED
from comedo.training.face_sources import FacePlan
from comedo.training.fit import Schedule
from comedo.training.lesion_crops import CropPlan
from comedo.training.lesion_made import MadePhotos
from comedo.training.teacher import KeepMask

Value = TypeVar("Value")


@dataclass(frozen=True)
class OwnPhotos:
    """Photos of the user's own: a COCO file whose images name their split and person."""

    annotations: str
    photos: str
    pixels_per_mm: float  # of skin, in the photos' pixels


@dataclass(frozen=True)
class LesionData:
    """Where the sets of the lesion map lie, below the data folder; null leaves one out."""

    acne04: str | None = None
    typed: str | None = None
    masks: str | None = None
    masks_held_back: tuple[str, ...] = ()  # names without ending: kept for the evaluation
    clear: str | None = None
    own: OwnPhotos | None = None


@dataclass(frozen=True)
class FaceData:
    """Where the face map's landmarks lie, below the data folder; they name the photos."""

    landmarks: str = "landmarks.npz"


@dataclass(frozen=True)
class Validation:
    """How the averaged network is watched while it learns."""

    every: int = 1000  # steps
    batches: int = 4  # of held-back crops, always the same
    photos: int = 60  # at most so many held-back photos are kept in memory (face map)


@dataclass(frozen=True)
class ExportPlan:
    """What the shipped file looks like."""

    opset: int = 17
    sizes: tuple[tuple[int, int], ...] = ((256, 256), (384, 320))  # height, width of the pictures compared
    largest_difference: float = 1e-3  # to torch: relative where an output exceeds 1
    terms: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every training needs to know."""

    network: ClassVar[str]
    description: str
    pretrained: str | None  # encoder weights below the data folder; null starts from nothing
    per_step: int  # pictures in one step
    start: str | None = None  # `shipped`, or an ONNX file of the same kind: go on from its weights
    schedule: Schedule
    validation: Validation = field(default_factory=Validation)
    export: ExportPlan = field(default_factory=ExportPlan)

    @property
    def exported(self) -> str:
        """Name of the exported network."""
        return self.network


@dataclass(frozen=True, kw_only=True)
class LesionRecipe(Recipe):
    """The lesion map."""

    network: ClassVar[str] = "lesion-map"
    looks_at: Literal["pictures", "mirror images"] = "pictures"  # of a pair of lesion maps, which one this is
    data: LesionData
    crops: CropPlan = field(default_factory=CropPlan)
    made: MadePhotos = field(default_factory=MadePhotos)  # `rendered` and `pasted` among the shares
    keep_mask: KeepMask | None = None  # null: masks are learnt from people's alone

    @property
    def exported(self) -> str:
        """A pair has two names."""
        return MIRRORED if self.looks_at == "mirror images" else self.network


@dataclass(frozen=True, kw_only=True)
class FaceRecipe(Recipe):
    """The face map."""

    network: ClassVar[str] = "face-map"
    data: FaceData
    crops: FacePlan = field(default_factory=FacePlan)


AnyRecipe = LesionRecipe | FaceRecipe
_KINDS: Mapping[str, type[LesionRecipe] | type[FaceRecipe]] = {"lesion-map": LesionRecipe, "face-map": FaceRecipe}


def build(kind: type[Value], values: object, where: str) -> Value:
    """Fill a dataclass, and those inside it, from plain values.

    Raises:
        UnusableInput: An unknown key, an absent one, or a value of the wrong type.
    """
    if not isinstance(values, Mapping):
        raise UnusableInput(f"{where} must be a group of keys, got {values!r}")
    assert is_dataclass(kind)
    known = {f.name: f for f in fields(kind)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UnusableInput(f"{where} has no {', '.join(map(str, unknown))}; it knows {', '.join(known)}")
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    absent = sorted(set(required) - set(values))
    if absent:
        raise UnusableInput(f"{where} lacks {', '.join(absent)}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in values.items()})


def _value(hint: Any, value: object, where: str) -> object:
    options = [hint, *getattr(hint, "__args__", ())]
    inner = next((o for o in options if isinstance(o, type) and is_dataclass(o)), None)
    if inner is not None and isinstance(value, Mapping):
        return build(inner, value, where)
    try:
        checked: object = TypeAdapter[object](hint).validate_python(value)
    except ValidationError as error:
        raise UnusableInput(f"{where}: {error.errors()[0]['msg']}, got {value!r}") from error
    return checked


def read_values(path: Path, changes: Sequence[str] = ()) -> dict[str, object]:
    """The values of a recipe's file, with changes made to them.

    Args:
        path: A YAML file that starts with `network` (the two shipped networks) or `task` (all others).
        changes: `key=value` with dots for keys inside keys; the value is read as YAML.

    Raises:
        UnusableInput: The file is absent, no YAML, or names neither.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UnusableInput(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(values, dict) or not {"network", "task"} & set(values):
        raise UnusableInput(f"{path} must start with `network: {' | '.join(_KINDS)}`, or with `task:` and its name")
    for change in changes:
        _change(values, change)
    return values


def read_recipe(path: Path, changes: Sequence[str] = ()) -> AnyRecipe:
    """Read a recipe of one of the two shipped networks.

    Args:
        path: A YAML file; `network` names its kind.
        changes: `key=value` with dots for keys inside keys; the value is read as YAML.

    Raises:
        UnusableInput: The file is absent, no YAML, or not a recipe.
    """
    values = read_values(path, changes)
    if values.get("network") not in _KINDS:
        raise UnusableInput(f"{path} must start with `network: {' | '.join(_KINDS)}`")
    return build(_KINDS[str(values.pop("network"))], values, path.name)


def _change(values: dict[str, object], change: str) -> None:
    key, sign, text = change.partition("=")
    *outer, last = key.split(".")
    if not sign or not last or key in ("network", "task"):
        raise UnusableInput(f"--set wants key=value, for example schedule.steps=100; got {change!r}")
    place = values
    for name in outer:
        inside = place.setdefault(name, {})
        if not isinstance(inside, dict):
            raise UnusableInput(f"--set {change}: {name} is a value and holds no keys")
        place = inside
    place[last] = yaml.safe_load(text)


def recipe_values(recipe: Recipe) -> dict[str, object]:
    """The recipe as plain values: what a checkpoint and a manifest remember."""
    return {"network": recipe.network, **asdict(recipe)}
