"""The codes that exports use: SNOMED CT where DICOM's own tables name them, else a code system of comedo's.

No LOINC or SNOMED code is known for acne lesion counts, IGA or GAGS, and those for kinds of acne lesions disagree
between public sources, so none is used. Places of the face are those that DICOM PS3.16 lists (as in pydicom 3.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from comedo import __version__
from comedo.types import Group, Kind, Region

CODE_SYSTEM = "urn:comedo:codes"
SCHEME = "99COMEDO"  # the same system in DICOM: a private coding scheme starts with 99
SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True)
class Code:
    """A code of comedo's own system."""

    value: str
    display: str
    definition: str


@dataclass(frozen=True)
class Place:
    """A place of the body as SNOMED CT codes it; `side` where it has one."""

    code: str
    display: str
    side: tuple[str, str] | None = None


FACE = Place("73897004", "Skin of face")
PLACES: Mapping[Region, Place] = MappingProxyType(
    {
        Region.FOREHEAD: Place("68698007", "Skin of forehead"),
        Region.NOSE: Place("113179006", "Skin of nose"),
        Region.LEFT_CHEEK: Place("36141000", "Skin of cheek", ("7771000", "Left")),
        Region.RIGHT_CHEEK: Place("36141000", "Skin of cheek", ("24028007", "Right")),
        Region.CHIN: Place("23747009", "Skin of chin"),
    }
)

REPORT = Code("acne-measurements", "Acne measurements from a photo", "Everything measured on one face photo.")
COUNT = Code("lesion-count", "Active acne lesions", "Number of active lesions; flat marks are left out.")
LOW = Code("low-90", "Lower end of the 90 % interval", "The true value is below it one time in twenty.")
HIGH = Code("high-90", "Upper end of the 90 % interval", "The true value is above it one time in twenty.")
LEVEL = Code("level", "Level in words", "The name that the scale gives to the value.")
COVERAGE = Code("coverage", "Skin under active lesions", "Share of the visible facial skin, in per cent.")
LESION = Code("lesion", "Acne lesion or mark", "One lesion found on the photo.")
SKIN = Code("skin", "Visible facial skin", "Skin of the face that acne can affect, without eyes, brows and lips.")
DIAMETER = Code("diameter", "Diameter", "Of the circle that holds the lesion.")
SCORE = Code("score", "Detection score", "How sure the network is that the lesion is there, 0 to 1.")

GROUP_CODES: Mapping[Group, Code] = MappingProxyType(
    {
        Group.INFLAMMATORY: Code("inflammatory", "Inflamed lesion", "Papule, pustule or nodule."),
        Group.NON_INFLAMMATORY: Code("non-inflammatory", "Lesion that is not inflamed", "Open or closed comedone."),
        Group.MARK: Code("mark", "Flat mark", "Flat spot, mole, freckle or scar: no active lesion."),
    }
)
KIND_CODES: Mapping[Kind, Code] = MappingProxyType(
    {
        Kind.OPEN_COMEDONE: Code("open-comedone", "Open comedone", "Experimental."),
        Kind.CLOSED_COMEDONE: Code("closed-comedone", "Closed comedone", "Experimental."),
        Kind.PAPULE: Code("papule", "Papule", "Experimental."),
        Kind.PUSTULE: Code("pustule", "Pustule", "Experimental."),
        Kind.NODULE: Code("nodule", "Nodule", "Experimental; by size, depth does not show in a photo."),
        Kind.MARK: GROUP_CODES[Group.MARK],
    }
)
SCALE_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "severity": Code("severity", "Severity, 1 to 5", "comedo's own scale from clear to severe."),
        "acne": Code("acne-present", "Signs of acne in the photo", "A measurement, not a diagnosis."),
        "hayashi": Code("hayashi", "Hayashi grade, 0 to 3", "From the inflamed lesions of one half of the face."),
        "gags_face": Code("gags-face", "GAGS, face part, 0 to 32", "Without chest and back."),
        "iga_estimate": Code("iga-estimate", "IGA, estimate, 0 to 4", "From counts; the IGA is a person's judgement."),
        "gea": Code("gea", "GEA, 0 to 5", "From counts and the share of the face involved."),
        "nice_group": Code("nice-group", "NICE NG198 severity group", "A lower bound from one photo."),
    }
)
_ALL = (
    *(REPORT, COUNT, LOW, HIGH, LEVEL, COVERAGE, LESION, SKIN, DIAMETER, SCORE),
    *GROUP_CODES.values(),
    *(code for kind, code in KIND_CODES.items() if kind is not Kind.MARK),
    *SCALE_CODES.values(),
)


def code_system() -> dict[str, object]:
    """The codes as a FHIR R4 CodeSystem, for a server that wants to know them."""
    concepts = [{"code": c.value, "display": c.display, "definition": c.definition} for c in _ALL]
    return {
        "resourceType": "CodeSystem",
        "id": "comedo",
        "url": CODE_SYSTEM,
        "version": __version__,
        "name": "ComedoCodes",
        "title": "Acne measurements of comedo",
        "status": "draft",
        "experimental": True,
        "description": "Measurements of appearance by research software; no diagnosis.",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }
