"""Checks of a FHIR Bundle beyond its shape: fhir.resources accepts any text where R4 asks for a code of a list.

The tables hold the required bindings of HL7 FHIR R4 (4.0.1) for the fields that comedo writes. A field with a required
binding that is not in them fails too, so that nobody adds one unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comedo.errors import ComedoError, MissingExtra

ALLOWED: dict[str, frozenset[str]] = {
    "Bundle.type": frozenset({"transaction"}),
    "Bundle.entry.request.method": frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}),
    "Device.status": frozenset({"active", "inactive", "entered-in-error", "unknown"}),
    "Device.deviceName.type": frozenset(
        {"udi-label-name", "user-friendly-name", "patient-reported-name", "manufacturer-name", "model-name", "other"}
    ),
    "Media.status": frozenset(
        {"preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"}
    ),
    "DocumentReference.status": frozenset({"current", "superseded", "entered-in-error"}),
    "Observation.status": frozenset({"preliminary"}),  # ours: nothing is final before a clinician signs
    "DiagnosticReport.status": frozenset({"preliminary"}),
    "Provenance.entity.role": frozenset({"derivation", "revision", "quotation", "source", "removal"}),
}
RESOURCES = frozenset(
    {
        "BodyStructure",
        "Device",
        "DiagnosticReport",
        "DocumentReference",
        "Media",
        "Observation",
        "Patient",
        "Provenance",
    }
)
CODED = {"status", "method", "role", "use", "gender", "intent", "comparator"}  # where R4 binds to a list


def faults(bundle: dict[str, Any]) -> list[str]:
    """What is wrong with a Bundle that comedo wrote; empty when nothing is."""
    found = list(_shape_faults(bundle))
    entries = bundle.get("entry", [])
    urls = [entry.get("fullUrl") for entry in entries]
    found += [f"fullUrl {url} is there twice" for url in sorted({u for u in urls if urls.count(u) > 1})]
    bare = {k: v for k, v in bundle.items() if k != "entry"} | {
        "entry": [{"request": e.get("request")} for e in entries]
    }
    found += _code_faults("Bundle", bare)
    for entry in entries:
        resource = entry["resource"]
        kind = resource["resourceType"]
        if kind not in RESOURCES:
            found.append(f"{kind} is not among what comedo exports: {', '.join(sorted(RESOURCES))}")
        found += _code_faults(kind, resource)
        found += [
            f"{kind} names {reference}, which is not in the Bundle"
            for reference in _references(resource)
            if reference.startswith("urn:uuid:") and reference not in urls
        ]
    return found


def check(bundle: dict[str, Any]) -> None:
    """Refuse a Bundle with faults.

    Raises:
        ComedoError: It has some; a fault of comedo, not of the input.
    """
    if found := faults(bundle):
        raise ComedoError(f"the Bundle is not valid FHIR R4: {found[0]} ({len(found)} in all); please report this")


def _shape_faults(bundle: dict[str, Any]) -> Iterator[str]:
    try:
        from fhir.resources.R4B.bundle import Bundle
    except ModuleNotFoundError as error:
        raise MissingExtra(f"FHIR needs {error.name}; install it with: pip install 'comedo[clinical]'") from error
    try:
        Bundle.model_validate(bundle)
    except ValueError as error:
        yield " ".join(str(error).split()[:60])


def _code_faults(path: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _code_faults(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _code_faults(path, inner)
    elif path in ALLOWED:
        if value not in ALLOWED[path]:
            yield f"{path} must be one of {', '.join(sorted(ALLOWED[path]))}, got {value!r}"
    elif path.rpartition(".")[2] in CODED:
        yield f"{path} has a value that no table here checks: {value!r}"


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "reference" and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
