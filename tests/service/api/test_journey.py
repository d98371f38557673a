"""What a person does with the service, from the first photo to the last receipt."""

import io
import json
import zipfile

import pypdfium2

from service.api.conftest import PASSWORD, drawn_jpeg


def test_from_upload_to_erasure(both):
    anna = both.patient()
    sent = anna.post("/api/v1/photos", files={"file": ("../../x.php", drawn_jpeg(1))}, data={"view": "front"})
    assert sent.status_code == 201, sent.text
    photo = sent.json()["photo"]["id"]
    assert anna.get(f"/api/v1/jobs/{sent.json()['job']}").json()["state"] == "queued"
    both.work()
    shown = anna.get(f"/api/v1/photos/{photo}").json()
    assert (shown["analysis"]["total"], shown["job"], shown["view"]) == (4, None, "front")
    analysis = shown["analysis"]["id"]
    document = anna.get(f"/api/v1/analyses/{analysis}").json()["document"]
    assert (document["schema"], len(document["lesions"])) == ("comedo.analysis/1", 4)
    for name, kind in (("image", "image/jpeg"), ("overlay", "image/jpeg"), ("mask", "image/png")):
        answer = anna.get(f"/api/v1/photos/{photo}/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind), name

    both.analyzer.lesions = 2
    both.photo(anna, 2, view="front")
    (change,) = anna.get("/api/v1/changes?view=front").json()["items"]
    assert change["document"]["schema"] == "comedo.change/1"
    assert len(change["photos"]) == 2
    assert anna.get(f"/api/v1/changes/{change['id']}/ledger").text.startswith("lesion,region")

    treatment = {"name": "benzoyl peroxide", "started": "2026-01-10", "note": "evenings"}
    assert anna.post("/api/v1/treatments", json=treatment).status_code == 201
    assert (
        anna.post("/api/v1/answers", json={"age": 24, "pregnancy": "not_possible", "allergies": []}).status_code == 201
    )
    advice = anna.post("/api/v1/advice", json={"analysis": analysis})
    assert advice.status_code == 201, advice.text
    assert advice.json()["document"]["schema"] == "comedo.advice/1"

    options = f"advice={advice.json()['id']}&change={change['id']}"
    pdf = anna.get(f"/api/v1/analyses/{analysis}/reports/pdf?{options}")
    with pypdfium2.PdfDocument(pdf.content) as pages:
        assert len(pages) >= 1
    for kind in ("fhir", "dicom", "csv", "json"):
        assert anna.get(f"/api/v1/analyses/{analysis}/reports/{kind}").status_code == 200, kind

    archive = anna.get("/api/v1/export")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert files.testzip() is None
        names = files.namelist()
        assert f"photos/{photo}.jpeg" in names
        assert f"analyses/{photo}-{analysis}.json" in names
        assert json.loads(files.read("treatments.json"))[0]["name"] == "benzoyl peroxide"

    receipt = anna.delete("/api/v1/account")
    assert receipt.status_code == 200, receipt.text
    assert receipt.json()["removed"]["photo"] == 2
    assert anna.get("/api/v1/account").status_code == 401
    answer = both.visitor().post("/api/v1/sessions", json={"email": "anna@example.org", "password": PASSWORD})
    assert answer.status_code == 401
