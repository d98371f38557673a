"""An analysis as a FHIR R4 transaction Bundle: measurements that a clinician has yet to sign, never a Condition.

Every entry has a urn:uuid that follows from the analysis, so that the same export gives the same bytes. Pictures and
the PDF travel inside, because servers lose separate Binary entries.
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from comedo import __version__
from comedo.errors import UnusableInput
from comedo.exchange.codes import FACE, REPORT
from comedo.exchange.fhir_observations import Resource, body_structures, coding, concept, observations, place_concept
from comedo.report.case import Case
from comedo.report.eyes import mask_eyes
from comedo.report.look import CLAIM
from comedo.report.pictures import to_jpeg

INLINE_BYTES = 900_000  # servers cut request bodies at 1 MB and more
_SIDES = (2000, 1600, 1200, 900, 600)
_SPACE = uuid.UUID("6f0f4c0e-7a3b-5d0a-9a57-2b7f0c1d9e42")  # comedo's own, for uuid5
_MEDIA_TYPE = "http://terminology.hl7.org/CodeSystem/media-type"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


class PhotoAs(StrEnum):
    """The resource that carries the photo: Media in R4, DocumentReference for servers on the way to R5."""

    MEDIA = "media"
    DOCUMENT_REFERENCE = "document-reference"


@dataclass(frozen=True)
class FhirOptions:
    """Whose measurements these are, and what travels with them."""

    patient: str | None = None  # "Patient/123", or "SYSTEM|VALUE": an identifier that the server looks up
    photo_as: PhotoAs = PhotoAs.MEDIA
    without_photo: bool = False
    mask_eyes: bool = False
    pdf: bytes | None = None
    pdf_language: str = "en"
    made_at: datetime | None = None  # None: now
    taken_at: datetime | None = None  # when the photo was taken; None: not known


def fhir_bundle(case: Case, options: FhirOptions = FhirOptions()) -> Resource:
    """The Bundle as plain values, ready for JSON.

    Raises:
        UnusableInput: The photo is wanted and absent, or the patient is named in no known way.
    """
    return _Writer(case, options).bundle()


def fhir_json(bundle: Resource) -> bytes:
    """The Bundle as a file."""
    return json.dumps(bundle, ensure_ascii=False, indent=1).encode() + b"\n"


class _Writer:
    """Gathers the entries of one Bundle."""

    def __init__(self, case: Case, options: FhirOptions) -> None:
        self.case, self.options = case, options
        self.at = _instant(options.made_at or datetime.now(UTC))
        self.entries: list[Resource] = []

    def bundle(self) -> Resource:
        """Every resource, each after those that it names."""
        subject = self._patient()
        device = self._add("device", _device(self.case.document.models))
        photo = self._add("photo", self._photo(subject, device))
        common: Resource = {"subject": subject, "device": device, "derivedFrom": [photo], "issued": self.at}
        if self.options.taken_at is not None:
            common["effectiveDateTime"] = _instant(self.options.taken_at)
        results = [self._add(f"observation/{name}", it | common) for name, it in observations(self.case)]
        for name, structure in body_structures(self.case):
            self._add(f"body-structure/{name}", structure | {"patient": subject})
        report = self._add("report", self._report(subject, photo, results))
        self._add("provenance", self._provenance([*results, report], device))
        return {
            "resourceType": "Bundle",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": self._urn("bundle")},
            "type": "transaction",
            "timestamp": self.at,
            "entry": self.entries,
        }

    def _add(self, name: str, resource: Resource, **request: str) -> Resource:
        """One more entry; returns the reference to it."""
        kind = resource["resourceType"]
        entry = {
            "fullUrl": self._urn(name),
            "resource": resource,
            "request": {"method": "POST", "url": kind, **request},
        }
        self.entries.append(entry)
        return {"reference": entry["fullUrl"], "type": kind}

    def _urn(self, name: str) -> str:
        reader = "" if self.case.reader is None else f"{self.case.reader.name}/{self.case.reader.at}"
        return f"urn:uuid:{uuid.uuid5(_SPACE, f'{self.case.sha256}/{reader}/{self.at}/{name}')}"

    def _patient(self) -> Resource:
        named = self.options.patient
        if named is None:
            return {"type": "Patient", "display": "not named"}
        if "|" in named:
            system, _, value = named.partition("|")
            if not system or not value:
                raise UnusableInput(f"--patient must be Patient/ID or SYSTEM|VALUE, got {named!r}")
            identified = {"resourceType": "Patient", "identifier": [{"system": system, "value": value}]}
            return self._add("patient", identified, ifNoneExist=f"identifier={_in_query(system)}|{_in_query(value)}")
        if not named.startswith("Patient/") or not named.removeprefix("Patient/").replace("-", "").isalnum():
            raise UnusableInput(f"--patient must be Patient/ID or SYSTEM|VALUE, got {named!r}")
        return {"reference": named, "type": "Patient"}

    def _photo(self, subject: Resource, device: Resource) -> Resource:
        photo = self.case.document.photo
        identifier = [{"system": "urn:comedo:photo-sha256", "value": photo.sha256}]
        attachment: Resource = {"contentType": "image/jpeg", "title": photo.name or "photo"}
        taken = None if self.options.taken_at is None else _instant(self.options.taken_at)
        if taken is not None:
            attachment["creation"] = taken
        if not self.options.without_photo:
            data = self._inline_jpeg()
            attachment |= {"data": base64.b64encode(data).decode(), "size": len(data)}
        if self.options.photo_as is PhotoAs.DOCUMENT_REFERENCE:
            document = {"resourceType": "DocumentReference", "status": "current", "identifier": identifier}
            return document | {"subject": subject, "date": self.at, "content": [{"attachment": attachment}]}
        media: Resource = {
            "resourceType": "Media",
            "identifier": identifier,
            "status": "completed",
            "type": coding(_MEDIA_TYPE, "image", "Image"),
            "subject": subject,
            "bodySite": place_concept(FACE),
            "device": device,
            "content": attachment,
        }
        return media if taken is None else media | {"createdDateTime": taken}

    def _inline_jpeg(self) -> bytes:
        """A copy small enough for servers; the original belongs into DICOM or an archive."""
        image = self.case.need_photo("a Bundle with the photo").image
        if self.options.mask_eyes:
            image = mask_eyes(image, self.case.face)
        copies = (to_jpeg(image, max_side=side) for side in _SIDES)
        return next(copy for copy in copies if len(copy) <= INLINE_BYTES)

    def _report(self, subject: Resource, photo: Resource, results: list[Resource]) -> Resource:
        report: Resource = {
            "resourceType": "DiagnosticReport",
            "status": "preliminary",
            "code": concept(REPORT),
            "subject": subject,
            "issued": self.at,
            "result": results,
        }
        if self.options.taken_at is not None:
            report["effectiveDateTime"] = _instant(self.options.taken_at)
        if self.options.photo_as is PhotoAs.MEDIA:
            report["media"] = [{"link": photo}]
        if self.case.reader is not None:
            report["resultsInterpreter"] = [{"type": "Practitioner", "display": self.case.reader.name}]
        if self.options.pdf is not None:
            data = base64.b64encode(self.options.pdf).decode()
            form = {"contentType": "application/pdf", "language": self.options.pdf_language, "title": REPORT.display}
            report["presentedForm"] = [form | {"data": data, "size": len(self.options.pdf)}]
        return report

    def _provenance(self, targets: list[Resource], device: Resource) -> Resource:
        agents: list[Resource] = [{"type": coding(_PARTICIPANT, "assembler", "Assembler"), "who": device}]
        if self.case.reader is not None:
            who = {"type": "Practitioner", "display": self.case.reader.name}
            agents.append({"type": coding(_PARTICIPANT, "verifier", "Verifier"), "who": who})
        source = {"identifier": {"system": "urn:comedo:analysis-sha256", "value": self.case.sha256}}
        return {
            "resourceType": "Provenance",
            "target": targets,
            "recorded": self.at,
            "agent": agents,
            "entity": [{"role": "source", "what": source}],
        }


def _device(models: tuple[str, ...]) -> Resource:
    versions: list[Any] = [{"type": {"text": "software"}, "value": __version__}]
    versions += [{"type": {"text": "network"}, "value": model} for model in models]
    return {
        "resourceType": "Device",
        "status": "active",
        "deviceName": [{"name": "comedo", "type": "user-friendly-name"}],
        "type": {"text": "Research software, not a medical device"},
        "version": versions,
        "note": [{"text": CLAIM}],
    }


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_query(text: str) -> str:
    """Text inside a search query; nothing of it may add a parameter."""
    return quote(text, safe=":/")
