import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cases import drawn_case
from comedo.errors import ComedoError, UnusableInput
from comedo.exchange.codes import PLACES, code_system
from comedo.exchange.fhir import INLINE_BYTES, FhirOptions, PhotoAs, fhir_bundle, fhir_json
from comedo.exchange.fhir_check import REQUIRED, check, faults
from comedo.review.corrections import Corrections
from comedo.review.run import review, reviewed_case

WHEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def case(tmp_path):
    return drawn_case(tmp_path).load()


def resources(bundle, kind):
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def observation(bundle, code, place=None):
    return next(
        o
        for o in resources(bundle, "Observation")
        if o["code"]["coding"][0]["code"] == code and place in (None, o["bodySite"]["text"])
    )


@pytest.mark.weights
def test_a_real_face_is_valid_and_carries_its_numbers(sample_files):
    case = sample_files.load()
    bundle = fhir_bundle(case, FhirOptions(patient="Patient/1", pdf=b"%PDF", made_at=WHEN, taken_at=WHEN))
    assert faults(bundle) == []
    assert observation(bundle, "lesion-count")["valueQuantity"]["value"] == case.document.counts.total
    assert observation(bundle, "severity")["valueQuantity"]["value"] == case.document.grades.severity.value
    media = resources(bundle, "Media")[0]["content"]
    assert media["size"] <= INLINE_BYTES
    assert base64.b64decode(media["data"]).startswith(b"\xff\xd8\xff")
    report = resources(bundle, "DiagnosticReport")[0]
    assert base64.b64decode(report["presentedForm"][0]["data"]) == b"%PDF"
    assert len(report["result"]) == len(resources(bundle, "Observation"))


@pytest.mark.parametrize("photo_as", PhotoAs)
@pytest.mark.parametrize("patient", [None, "Patient/a-1", "https://clinic.example/id|4 7&x=1"])
def test_every_form_is_valid(case, photo_as, patient):
    bundle = fhir_bundle(case, FhirOptions(patient=patient, photo_as=photo_as, made_at=WHEN))
    assert faults(bundle) == []
    check(bundle)


def test_values_by_hand(case):
    bundle = fhir_bundle(case, FhirOptions(made_at=WHEN))
    count = observation(bundle, "lesion-count", "Skin of face")
    parts = {c["code"]["coding"][0]["code"]: c["valueQuantity"]["value"] for c in count["component"]}
    assert count["valueQuantity"] == {
        "value": 4,
        "unit": "lesions",
        "system": "http://unitsofmeasure.org",
        "code": "{lesions}",
    }
    assert (parts["inflammatory"], parts["non-inflammatory"], parts["low-90"], parts["high-90"]) == (3, 1, 2, 7)
    assert observation(bundle, "acne-present")["valueBoolean"] is True
    assert observation(bundle, "gea")["valueInteger"] == 2
    assert observation(bundle, "lesion-count", "Skin of cheek, left")["valueQuantity"]["value"] == 0


def test_unknown_says_so_and_is_never_zero(case):
    bundle = fhir_bundle(case, FhirOptions(made_at=WHEN))
    for unknown in (observation(bundle, "iga-estimate"), observation(bundle, "lesion-count", "Skin of chin")):
        assert "dataAbsentReason" in unknown
        assert not {"valueInteger", "valueQuantity"} & unknown.keys()


def test_nothing_is_final_and_nothing_is_a_condition(case):
    bundle = fhir_bundle(case, FhirOptions(made_at=WHEN))
    assert {o["status"] for o in resources(bundle, "Observation")} == {"preliminary"}
    assert "Condition" not in json.dumps(bundle)
    media = next(e for e in bundle["entry"] if e["resource"]["resourceType"] == "Media")
    assert all(o["derivedFrom"][0]["reference"] == media["fullUrl"] for o in resources(bundle, "Observation"))


def test_same_date_same_bytes(case):
    options = FhirOptions(made_at=WHEN)
    assert fhir_json(fhir_bundle(case, options)) == fhir_json(fhir_bundle(case, options))


def test_an_identifier_cannot_add_to_the_query(case):
    bundle = fhir_bundle(case, FhirOptions(patient="urn:x|1&_cascade=delete", made_at=WHEN))
    assert bundle["entry"][0]["request"]["ifNoneExist"] == "identifier=urn:x|1%26_cascade%3Ddelete"


@pytest.mark.parametrize("patient", ["1", "Patient/", "Patient/../1", "|1", "x|", "http://e.example/Patient/1"])
def test_a_patient_named_otherwise_is_refused(case, patient):
    with pytest.raises(UnusableInput, match="--patient"):
        fhir_bundle(case, FhirOptions(patient=patient))


def test_without_photo(case):
    bundle = fhir_bundle(replace(case, photo=None), FhirOptions(without_photo=True, made_at=WHEN))
    assert faults(bundle) == []
    assert "data" not in resources(bundle, "Media")[0]["content"]
    with pytest.raises(UnusableInput, match="--without-photo"):
        fhir_bundle(replace(case, photo=None))


def test_a_review_names_its_reader_and_the_lesions_that_were_named(case):
    given = {"schema": "comedo.corrections/1", "reviewer": "Dr A", "complete": True, "reviewed_at": WHEN}
    done = review(case, Corrections.model_validate(given | {"lesions": [{"id": 1, "action": "confirm"}]}))
    bundle = fhir_bundle(reviewed_case(case, done), FhirOptions(patient="Patient/1", made_at=WHEN))
    assert faults(bundle) == []
    [structure] = resources(bundle, "BodyStructure")
    assert structure["location"]["text"] == "Skin of forehead"
    assert resources(bundle, "DiagnosticReport")[0]["resultsInterpreter"][0]["display"] == "Dr A"
    parts = observation(bundle, "lesion-count", "Skin of face")["component"]
    assert "low-90" not in {c["code"]["coding"][0]["code"] for c in parts}, "a reader's count has no interval of ours"
    assert not resources(fhir_bundle(case, FhirOptions(made_at=WHEN)), "BodyStructure")


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda b: b["entry"][-2]["resource"].update(status="nonsense"), "DiagnosticReport.status"),
        (lambda b: b["entry"][2]["resource"].update(status="final"), "Observation.status"),
        (lambda b: b["entry"][0]["resource"].update(status="on"), "Device.status"),
        (lambda b: b["entry"][0]["request"].update(method="SEND"), "Bundle.entry.request.method"),
        (lambda b: b.update(type="heap"), "Bundle.type"),
        (lambda b: b["entry"][2]["resource"]["device"].update(reference="urn:uuid:0"), "not in the Bundle"),
        (lambda b: b["entry"][1].update(fullUrl=b["entry"][0]["fullUrl"]), "twice"),
        (lambda b: b["entry"][2]["resource"].update(colour="red"), "colour"),
        (
            lambda b: b["entry"].append(
                {
                    "fullUrl": "urn:uuid:1",
                    "resource": {"resourceType": "Condition", "subject": {"display": "x"}},
                    "request": {"method": "POST", "url": "Condition"},
                }
            ),
            "Condition is not among",
        ),
        (lambda b: b["entry"][-2]["resource"]["media"][0]["link"].update(type="Device"), "DiagnosticReport.media.link"),
        (lambda b: b["entry"][0]["request"].update(url="Patient"), "Bundle.entry.request.url must be Device"),
        (lambda b: b["entry"][1]["resource"]["content"].update(contentType="image/webp"), "Media.content.contentType"),
        (lambda b: b["entry"][1]["resource"]["content"].update(title=""), "Media.content.title is empty"),
        (
            lambda b: b["entry"][2]["resource"].update(dataAbsentReason={"text": "unknown"}),
            "Observation has a value and a dataAbsentReason",
        ),
    ],
    ids=[
        *("report", "final", "device", "method", "bundle", "reference", "fullUrl", "field", "condition"),
        *("link", "url", "mime", "empty", "both"),
    ],
)
def test_the_check_sees_what_is_wrong(case, spoil, fault):
    bundle = fhir_bundle(case, FhirOptions(made_at=WHEN))
    spoil(bundle)
    assert any(fault in found for found in faults(bundle)), faults(bundle)
    with pytest.raises(ComedoError, match="not valid FHIR"):
        check(bundle)


def places_of(value, path):
    """Every dict under a path of the Bundle."""
    if isinstance(value, list):
        for inner in value:
            yield from places_of(inner, path)
    elif isinstance(value, dict) and not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from places_of(value[path[0]], path[1:])


@pytest.mark.parametrize(("path", "field"), [(path, f) for path, fields in REQUIRED.items() for f in fields])
def test_every_field_that_r4_requires_is_missed(case, path, field):
    """Both forms of the photo and a reviewed case between them write everything that the table names."""
    given = {"schema": "comedo.corrections/1", "reviewer": "Dr A", "reviewed_at": WHEN}
    done = review(case, Corrections.model_validate(given | {"lesions": [{"id": 1, "action": "confirm"}]}))
    kind, *inner = path.split(".")
    photo_as = PhotoAs.DOCUMENT_REFERENCE if kind == "DocumentReference" else PhotoAs.MEDIA
    bundle = fhir_bundle(reviewed_case(case, done), FhirOptions(photo_as=photo_as, pdf=b"%PDF", made_at=WHEN))
    roots = [bundle] if kind == "Bundle" else resources(bundle, kind)
    place = next(place for root in roots for place in places_of(root, inner))
    assert faults(bundle) == []
    place.pop(field)
    assert any(field in fault for fault in faults(bundle)), faults(bundle)


def test_the_moment_of_the_photo_is_said_where_r4_has_a_place_for_it(case):
    bundle = fhir_bundle(case, FhirOptions(made_at=WHEN, taken_at=WHEN, pdf=b"%PDF", pdf_language="de"))
    assert faults(bundle) == []
    moment = "2026-11-20T09:30:00Z"
    [media], [report] = resources(bundle, "Media"), resources(bundle, "DiagnosticReport")
    assert (media["createdDateTime"], media["content"]["creation"], report["effectiveDateTime"]) == (moment,) * 3
    assert {o["effectiveDateTime"] for o in resources(bundle, "Observation")} == {moment}
    assert media["type"]["coding"][0]["code"] == "image"
    assert report["presentedForm"][0]["language"] == "de"


def test_the_code_system_holds_every_code_that_is_written(case):
    from fhir.resources.R4B.codesystem import CodeSystem

    system = code_system()
    CodeSystem.model_validate(system)
    known = {c["code"] for c in system["concept"]}
    assert len(known) == system["count"]

    def ours(value):
        if isinstance(value, dict):
            if value.get("system") == system["url"] and "code" in value:
                yield value["code"]
            for inner in value.values():
                yield from ours(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from ours(inner)

    assert set(ours(fhir_bundle(case, FhirOptions(made_at=WHEN)))) <= known


def test_places_are_those_of_dicoms_own_table():
    from pydicom.sr._concepts_dict import concepts

    listed = {code: meanings for row in concepts["SCT"].values() for code, meanings in row.items()}
    for place in PLACES.values():
        assert place.display.split()[-1] in listed[place.code][0]
        if place.side:
            assert place.side[1] in listed[place.side[0]][0]
