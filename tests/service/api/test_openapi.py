"""The OpenAPI document is true: generated requests meet no 5xx and no answer that it does not name."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from comedo.service.app import create_app
from service.api.conftest import HERE, Service, make_settings
from service.api.world import API

CHECKS = (
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
ENDING = ("/sessions/current", "/account/password")  # they would end the session that asks


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    made = Service(create_app(make_settings(tmp_path_factory.mktemp("openapi")), pages=False))
    yield made
    for client in made.clients:
        client.close()
    made.parts.database.close()


@pytest.fixture(scope="module")
def anna(service):
    client = service.patient()
    service.photo(client)
    return client


def test_the_document_is_for_who_is_signed_in(service, anna):
    assert service.visitor().get(f"{API}/openapi.json").status_code == 401
    document = anna.get(f"{API}/openapi.json").json()
    assert document["info"]["title"] == "comedo"
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert anna.get(path).status_code == 404


def test_every_operation_names_its_problems(service):
    for path, methods in service.app.openapi()["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            for status in ("401", "404", "422"):
                assert "application/problem+json" in operation["responses"][status]["content"], (path, method)


def test_every_body_has_an_example(service):
    document = service.app.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is not None:
                known = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
                shown = [known, *known.get("properties", {}).values()]
                assert any("examples" in one for one in shown), (method, path)


def test_no_route_takes_a_path_or_an_address_to_fetch(service):
    text = json.dumps(service.app.openapi()).lower()
    assert '"url"' not in text
    assert '"path":' not in text
    assert '"format": "uri"' not in text


def as_file(part):
    """A part of a form as httpx takes it: generated values that are no text are written as text."""
    name, content, *rest = part if isinstance(part, tuple) else (None, part)
    return (name, content if isinstance(content, bytes | str) else str(content), *rest)


def test_generated_requests_meet_no_surprise(service, anna):
    schema = schemathesis.openapi.from_dict(service.app.openapi())
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith(ENDING) or (operation.method, operation.path) == ("delete", f"{API}/account"):
            continue

        @settings(
            max_examples=8,
            database=None,
            deadline=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def try_it(case):
            sent = case.as_transport_kwargs(base_url=HERE)
            body = {"content": sent.pop("data")} if isinstance(sent.get("data"), bytes) else {}
            sent = {name: value for name, value in sent.items() if name != "cookies" and value is not None}
            if "files" in sent:
                sent["files"] = [(name, as_file(value)) for name, value in sent["files"]]
            answer = anna.request(**sent, **body)
            answer.request.read()
            case.validate_response(schemathesis.Response.from_any(answer), checks=CHECKS)

        try_it()
