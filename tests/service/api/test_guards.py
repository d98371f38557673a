"""What stands before the routes: host, origin, headers, bodies."""

import pytest

from comedo.service.security.web import PAGE_POLICY
from service.api.conftest import HERE, drawn_jpeg
from service.api.test_matrix import ROUTES
from service.api.world import ABSENT, API

UNSAFE = [r for r in ROUTES if not r.startswith("GET")]
ELSEWHERE = {
    "no header": {},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "origin null": {"Origin": "null"},
    "other port": {"Origin": "http://127.0.0.1:9999"},
    "other host": {"Origin": "http://evil.test"},
    "lying": {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.test"},
}


def path_of(route):
    path = route.partition(" ")[2]
    return API + "".join(ABSENT if part.startswith("{") else part for part in path.replace("}", "{").split("{"))


@pytest.fixture
def anna(service):
    return service.patient()


def test_no_other_site_changes_anything(service, anna):
    del anna.headers["Sec-Fetch-Site"]
    for route in UNSAFE:
        method = route.partition(" ")[0]
        path = API + route.partition(" ")[2].replace("{", "").replace("}", "")
        for name, headers in ELSEWHERE.items():
            answer = anna.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site"), (route, name)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": HERE}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": HERE}, 200),
        ({}, 403),
    ],
    ids=["origin", "metadata", "both", "neither"],
)
def test_our_own_pages_may(anna, headers, status):
    del anna.headers["Sec-Fetch-Site"]
    assert anna.patch(f"{API}/account", json={"locale": "de"}, headers=headers).status_code == status


@pytest.mark.parametrize("mode", ["no-cors", "cors", "navigate"])
def test_no_other_site_embeds_anything(anna, mode):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "iframe"}
    assert anna.get(f"{API}/account", headers=headers).status_code == 403


def test_a_link_from_elsewhere_may_be_followed(anna):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert anna.get(f"{API}/account", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "127.0.0.1.evil.test", "", "127.0.0.1/evil", "a@127.0.0.1", "[::1", "127.0.0.1 evil", "x" * 300],
)
def test_other_hosts_are_not_served(service, host):
    for path in (f"{API}/account", "/health", "/nothing"):
        answer = service.visitor().get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "LOCALHOST", "[::1]:8000"])
def test_our_own_hosts_are(service, host):
    assert service.visitor().get("/health", headers={"Host": host}).status_code == 200


def test_every_answer_carries_the_headers(service, anna):
    photo = service.photo(anna)["id"]
    paths = [path_of(route) for route in ROUTES if route.startswith("GET")] + ["/health", "/metrics", "/ready", "/none"]
    paths += [f"{API}/photos/{photo}/{name}" for name in ("image", "overlay", "mask")] + [f"{API}/openapi.json"]
    for client in (anna, service.visitor()):
        for path in paths:
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] == "same-origin", path
            assert headers["cache-control"] == "no-store", path
            assert headers["cross-origin-resource-policy"] == "same-origin", path
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path
            assert "server" not in headers, path
            assert "strict-transport-security" not in headers, path


def test_the_policy_allows_no_inline_code():
    assert "unsafe" not in PAGE_POLICY
    assert "http" not in PAGE_POLICY


def test_pictures_are_shown_and_never_run(service, anna):
    photo = service.photo(anna)["id"]
    headers = anna.get(f"{API}/photos/{photo}/image").headers
    assert "sandbox" in headers["content-security-policy"]
    assert headers["content-disposition"] == "inline"


def test_with_tls_the_cookie_is_bound_to_the_host(make_service):
    service = make_service(public_url="https://127.0.0.1:8000")
    anna = service.visitor()
    answer = anna.post(f"{API}/accounts", json={"email": "a@example.org", "password": "several plain words"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-comedo=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Encoding": "gzip"}, 415, "encoded_body"),
        ({"Content-Length": "-1"}, 400, "bad_request"),
        ({"Content-Length": "9" * 30}, 413, "too_large"),
        ({"Content-Length": "1e3"}, 400, "bad_request"),
    ],
    ids=["gzip", "negative", "huge", "no number"],
)
def test_bodies_are_refused_by_their_headers(service, anna, headers, status, code):
    for client in (anna, service.visitor()):
        answer = client.post(f"{API}/photos", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def endless(count, size=64 * 1024):
    for _ in range(count):
        yield b"x" * size


def test_a_body_without_a_length_is_counted_as_it_comes(make_service):
    service = make_service(max_upload_bytes=1024 * 1024)
    anna = service.patient()
    for path, kind in ((f"{API}/photos", "image/jpeg"), (f"{API}/answers", "application/json")):
        answer = anna.post(path, content=endless(400), headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), path


def test_nobodys_body_is_not_read(service):
    taken = []

    def body():
        for n in range(3):
            taken.append(n)
            yield b"x"

    answer = service.visitor().post(f"{API}/photos", content=body(), headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 401


def test_too_many_parts_are_refused(service, anna):
    fields = {f"f{n}": "x" for n in range(1001)}
    assert anna.post(f"{API}/photos", files={"file": ("x", b"x")}, data=fields).status_code == 400
    files = [("files", (f"{n}", b"x")) for n in range(1001)]
    assert anna.post(f"{API}/photos/batch", files=files).status_code == 400
    answer = anna.post(f"{API}/photos", files={"file": ("x", drawn_jpeg())}, data={"note": "x" * 2_000_000})
    assert answer.status_code in (400, 413)


def test_an_error_says_nothing_of_the_inside(service, anna, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("secret path /srv/comedo and SQL: SELECT 1")

    monkeypatch.setattr("comedo.service.actions.account.get", broken)
    answer = anna.get(f"{API}/account")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
