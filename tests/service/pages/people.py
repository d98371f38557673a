"""People at the pages without a browser: they sign up by the form, upload, and wait for the worker."""

from __future__ import annotations

from typing import Any

import simplejpeg
from fastapi.testclient import TestClient

from change_builders import skin_photo
from service.api.conftest import PASSWORD, Service

# The pages of a person who is signed in, whatever they have sent.
PERSONAL = (
    "/diary",
    "/compare",
    "/capture",
    "/guidance",
    "/guidance/questions",
    "/reports",
    "/privacy",
    "/account",
    "/more",
)


def person(service: Service, email: str = "robin@example.org") -> TestClient:
    """Signed up by the form."""
    client = service.visitor()
    client.headers["accept"] = "text/html"
    answer = client.post("/sign-up", data={"email": email, "password": PASSWORD, "understood": "yes"})
    assert answer.url.path == "/diary", answer.text
    return client


def skin_jpeg(who: int = 1, *, gain: float = 1.0, mirrored: bool = False) -> bytes:
    """The drawn face with a person's own skin, which a comparison knows again and whose mirror image it tells apart."""
    image = skin_photo(who, gain=gain)
    return bytes(simplejpeg.encode_jpeg(image[:, ::-1].copy() if mirrored else image, quality=95))


def send(service: Service, client: TestClient, jpeg: bytes, day: str, **more: Any) -> str:
    """The id of a photo from the front, measured and compared."""
    answer = client.post("/photos/upload", files={"front": ("x.jpg", jpeg, "image/jpeg")}, data={"taken": day, **more})
    assert answer.status_code == 200, answer.text
    service.work()
    return str(answer.url.path).removeprefix("/photos/")
