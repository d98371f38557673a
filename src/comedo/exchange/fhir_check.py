"""Checks of a FHIR Bundle beyond its shape: fhir.resources accepts any text where R4 asks for a code of a list.

The tables hold, for what comedo writes, the required bindings, the fields that must be there and the resources that a
reference may name, by HL7 FHIR R4 (4.0.1). A field with a required binding that is not in them fails too, so that
nobody adds one unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comedo.errors import ComedoError, missing_extra

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
    "Media.content.contentType": frozenset({"image/jpeg"}),
    "DocumentReference.content.attachment.contentType": frozenset({"image/jpeg"}),
    "DiagnosticReport.presentedForm.contentType": frozenset({"application/pdf"}),
}
REQUIRED: dict[str, tuple[str, ...]] = {  # cardinality 1..1 or 1..*; fullUrl is comedo's own rule
    "Bundle": ("type",),
    "Bundle.entry": ("fullUrl", "request"),
    "Bundle.entry.request": ("method", "url"),
    "BodyStructure": ("patient",),
    "Device.deviceName": ("name", "type"),
    "Device.version": ("value",),
    "Device.note": ("text",),
    "DiagnosticReport": ("status", "code"),
    "DiagnosticReport.media": ("link",),
    "DocumentReference": ("status", "content"),
    "DocumentReference.content": ("attachment",),
    "Media": ("status", "content"),
    "Observation": ("status", "code"),
    "Observation.component": ("code",),
    "Observation.note": ("text",),
    "Provenance": ("target", "recorded", "agent"),
    "Provenance.agent": ("who",),
    "Provenance.entity": ("role", "what"),
}
TARGETS: dict[str, frozenset[str]] = {  # what a reference may name, of what comedo writes
    "BodyStructure.patient": frozenset({"Patient"}),
    "DiagnosticReport.media.link": frozenset({"Media"}),
    "DiagnosticReport.result": frozenset({"Observation"}),
    "DiagnosticReport.resultsInterpreter": frozenset({"Practitioner"}),
    "DiagnosticReport.subject": frozenset({"Patient"}),
    "DocumentReference.subject": frozenset({"Patient"}),
    "Media.device": frozenset({"Device"}),
    "Media.subject": frozenset({"Patient"}),
    "Observation.derivedFrom": frozenset({"DocumentReference", "Media"}),
    "Observation.device": frozenset({"Device"}),
    "Observation.subject": frozenset({"Patient"}),
    "Provenance.agent.who": frozenset({"Device", "Practitioner"}),
    "Provenance.target": frozenset({"DiagnosticReport", "Observation"}),
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
CODED = {"status", "method", "role", "use", "gender", "intent", "comparator", "contentType"}  # where R4 binds to a list


def faults(bundle: dict[str, Any]) -> list[str]:
    """What is wrong with a Bundle that comedo wrote; empty when nothing is."""
    found = list(_shape_faults(bundle))
    entries = bundle.get("entry", [])
    urls = [entry.get("fullUrl") for entry in entries]
    found += [f"fullUrl {url} is there twice" for url in sorted({u for u in urls if urls.count(u) > 1})]
    bare = {k: v for k, v in bundle.items() if k != "entry"} | {
        "entry": [{"request": e.get("request")} for e in entries]
    }
    found += [*_code_faults("Bundle", bare), *_field_faults("Bundle", _with_urls(bare, urls))]
    for entry in entries:
        resource = entry["resource"]
        kind = resource["resourceType"]
        if entry.get("request", {}).get("url") != kind:
            found.append(f"Bundle.entry.request.url must be {kind}, the type that is posted")
        if kind not in RESOURCES:
            found.append(f"{kind} is not among what comedo exports: {', '.join(sorted(RESOURCES))}")
        found += [*_code_faults(kind, resource), *_field_faults(kind, resource)]
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
        raise missing_extra("FHIR", error.name, "clinical") from error
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


def _with_urls(bundle: dict[str, Any], urls: list[str | None]) -> dict[str, Any]:
    entries = zip(bundle["entry"], urls, strict=True)
    return bundle | {"entry": [entry | {"fullUrl": url} if url else entry for entry, url in entries]}


def _field_faults(path: str, value: object) -> Iterator[str]:
    """Fields absent or empty (ele-1), references to a wrong kind, a value beside the reason for its absence (obs-6)."""
    if isinstance(value, dict):
        yield from (f"{path}.{field} is absent" for field in REQUIRED.get(path, ()) if field not in value)
        kind = value.get("type")
        if path in TARGETS and kind not in TARGETS[path]:
            yield f"{path} names a {kind}; it may name {', '.join(sorted(TARGETS[path]))}"
        if "dataAbsentReason" in value and any(key.startswith("value") for key in value):
            yield f"{path} has a value and a dataAbsentReason (obs-6)"
        for key, inner in value.items():
            yield from _field_faults(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _field_faults(path, inner)
    if value is None or (isinstance(value, str | list | dict) and not value):
        yield f"{path} is empty"


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
