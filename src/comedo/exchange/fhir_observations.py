"""Measurements as FHIR Observations: one for each scale and region; what is unknown says so and is never 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comedo.exchange.codes import (
    CODE_SYSTEM,
    COUNT,
    COVERAGE,
    FACE,
    GROUP_CODES,
    HIGH,
    KIND_CODES,
    LEVEL,
    LOW,
    PLACES,
    SCALE_CODES,
    SNOMED,
    Code,
    Place,
)
from comedo.report.case import Case
from comedo.report.document import AcnePart, GradePart
from comedo.types import Group, Region

Resource = dict[str, Any]
Named = tuple[str, Resource]

UCUM = "http://unitsofmeasure.org"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def coding(system: str, code: str, display: str) -> Resource:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code, "display": display}]}


def concept(code: Code) -> Resource:
    """A code of comedo's own system."""
    return coding(CODE_SYSTEM, code.value, code.display) | {"text": code.display}


def place_concept(place: Place) -> Resource:
    """A place of the body; its side, for which R4 has no field of its own, in words."""
    words = place.display if place.side is None else f"{place.display}, {place.side[1].lower()}"
    return coding(SNOMED, place.code, place.display) | {"text": words}


def observations(case: Case) -> Iterator[Named]:
    """Counts of the face and of each region, coverage, and every scale."""
    yield "count", _face_count(case)
    for region in Region:
        yield f"count/{region}", _region_count(case, region)
    yield "coverage", _coverage(case)
    grades = case.document.grades
    for name, grade in grades.scales().items():
        if name in SCALE_CODES:
            yield name, _scale(name, grade)
    if grades.acne is not None:
        yield "acne", _affected(grades.acne)


def body_structures(case: Case) -> Iterator[Named]:
    """Lesions that a clinician named; those that only the software saw stay in the counts."""
    if case.reader is None:
        return
    for lesion in case.lesions:
        if lesion.id in case.reader.named:
            size = "" if lesion.diameter_mm is None else f", {lesion.diameter_mm:.1f} mm"
            x, y = lesion.center_xy
            structure: Resource = {
                "resourceType": "BodyStructure",
                "identifier": [{"system": f"urn:comedo:analysis-sha256:{case.sha256}", "value": str(lesion.id)}],
                "morphology": concept(KIND_CODES[lesion.kind]),
                "location": place_concept(FACE if lesion.region is None else PLACES[lesion.region]),
                "description": f"at {x:.0f}, {y:.0f} of the photo{size}",
            }
            side = None if lesion.region is None else PLACES[lesion.region].side
            if side is not None:
                structure["locationQualifier"] = [coding(SNOMED, *side)]
            yield str(lesion.id), structure


def _observation(code: Code, place: Place, value: Resource, **more: Any) -> Resource:
    category = coding(_CATEGORY, "imaging", "Imaging")
    head = {"resourceType": "Observation", "status": "preliminary", "category": [category], "code": concept(code)}
    return head | value | {"bodySite": place_concept(place)} | {k: v for k, v in more.items() if v}


def _face_count(case: Case) -> Resource:
    counts = case.document.counts
    parts = [_component(GROUP_CODES[g], _lesions(n)) for g, n in counts.by_group.items()]
    parts += [_component(KIND_CODES[k], _lesions(n)) for k, n in counts.by_kind.items()]
    parts += _ends(case.count_interval, _lesions)
    method = {"text": f"counted on the photo by the convention {counts.convention}"}
    return _observation(COUNT, FACE, _lesions(counts.total), component=parts, method=method)


def _region_count(case: Case, region: Region) -> Resource:
    """Groups of a region are counted here, which the convention "visible" allows: it counts every active lesion."""
    counts = case.document.counts
    total = counts.by_region.get(region)
    parts = []
    if total is not None and counts.convention == "visible":
        here = [x.group for x in case.lesions if x.region is region]
        groups = (Group.INFLAMMATORY, Group.NON_INFLAMMATORY)
        parts = [_component(GROUP_CODES[g], _lesions(here.count(g))) for g in groups]
    return _observation(COUNT, PLACES[region], _lesions(total), component=parts)


def _coverage(case: Case) -> Resource:
    fraction = case.document.coverage.fraction
    return _observation(COVERAGE, FACE, _quantity(None if fraction is None else round(100 * fraction, 4), "%", "%"))


def _scale(name: str, grade: GradePart) -> Resource:
    parts = [] if grade.level is None else [_component(LEVEL, {"valueString": grade.level})]
    parts += _ends(grade.interval_90, lambda v: _quantity(v, "score", "{score}"))
    missing = f" Not on the photo: {'; '.join(grade.missing)}." if grade.missing else ""
    note = [{"text": f"{grade.why}.{missing}"}]
    method = {"text": grade.source}
    return _observation(SCALE_CODES[name], FACE, _value(grade.value), component=parts, note=note, method=method)


def _affected(acne: AcnePart) -> Resource:
    note = [{"text": f"{acne.why} A sign in the photo, no diagnosis."}]
    return _observation(SCALE_CODES["acne"], FACE, _value(acne.affected), note=note, method={"text": acne.source})


def _value(value: bool | int | float | str | None) -> Resource:
    if value is None:
        return {"dataAbsentReason": coding(_ABSENT, "unknown", "Unknown")}
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, str):
        return {"valueString": value.replace("_", " ")}
    return {"valueInteger": value} if isinstance(value, int) else _quantity(value, "score", "{score}")


def _lesions(count: float | None) -> Resource:
    return _quantity(count, "lesions", "{lesions}")


def _quantity(value: float | None, unit: str, code: str) -> Resource:
    if value is None:
        return {"dataAbsentReason": coding(_ABSENT, "not-performed", "Not Performed")}
    return {"valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": code}}


def _component(code: Code, value: Resource) -> Resource:
    return {"code": concept(code)} | value


def _ends(pair: tuple[float, float] | None, value: Any) -> list[Resource]:
    return [] if pair is None else [_component(LOW, value(pair[0])), _component(HIGH, value(pair[1]))]
