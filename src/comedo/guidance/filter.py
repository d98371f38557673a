"""The filter: which ingredients may be named, and which regimens are left. The rules are rows of restrictions.yaml.

It can only withhold. A restriction applies unless the answers rule it out; of several the strictest counts; a regimen
is listed whole, without the alternatives that are hidden, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comedo.guidance.advice import Access
from comedo.guidance.profile import Profile
from comedo.guidance.tables import Part, Regimen, Restriction, Tables


@dataclass(frozen=True)
class Verdict:
    """How one ingredient may appear, and the restrictions that decided it."""

    access: Access
    because: tuple[Restriction, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A regimen after the filter; `parts` hold the alternatives that may be named."""

    regimen: Regimen
    parts: tuple[tuple[str, ...], ...]
    access: Access
    because: tuple[Restriction, ...]

    @property
    def listed(self) -> bool:
        """Whether it may be shown."""
        return self.access is not Access.HIDDEN

    @property
    def ingredients(self) -> tuple[str, ...]:
        """All that its line may name; nothing for a hidden one."""
        return tuple(i for part in self.parts for i in part) if self.listed else ()


def fired(tables: Tables, profile: Profile) -> tuple[Restriction, ...]:
    """The restrictions that the answers do not rule out."""
    return tuple(r for r in tables.restrictions if profile.may(r.question, r.answers))


def judge_ingredients(tables: Tables, restrictions: tuple[Restriction, ...]) -> Mapping[str, Verdict]:
    """The strictest access that any restriction leaves to each ingredient."""
    verdicts = {}
    hidden = {r.id: tables.members(r.hide) - tables.members(r.spare) for r in restrictions}
    asked = {r.id: tables.members(r.clinician) - tables.members(r.spare) for r in restrictions}
    for name, ingredient in tables.ingredients.items():
        hiding = tuple(r for r in restrictions if name in hidden[r.id])
        asking = tuple(r for r in restrictions if name in asked[r.id])
        access = Access.HIDDEN if hiding else Access.CLINICIAN if asking else ingredient.base
        verdicts[name] = Verdict(access, hiding or asking)
    return verdicts


def judge_regimen(regimen: Regimen, verdicts: Mapping[str, Verdict]) -> Judged:
    """A regimen without its hidden alternatives; hidden when a part has none left.

    A dropped alternative still makes the rest a matter for a clinician, so that hiding one never frees another.
    """
    parts = tuple(_left(part, verdicts) for part in regimen.parts)
    held = [verdicts[i] for part in regimen.parts for i in part.any_of]
    whole = Access.HIDDEN if not all(parts) else max(min(v.access, Access.CLINICIAN) for v in held)
    because = dict.fromkeys(r for v in held for r in v.because)
    return Judged(regimen, parts, whole, tuple(because))


def _left(part: Part, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    return tuple(i for i in part.any_of if verdicts[i].access is not Access.HIDDEN)
