"""The guard of bodies by itself: what it counts and how long it waits."""

import asyncio

import pytest

from comedo.service.security.bodies import BodyGuard, BodyLimits, BodyRefused

LIMITS = BodyLimits(uploads={"/photos": 1000}, other_bytes=10, grace_s=0.2, least_bytes_per_s=1000)


def run(path, pieces, pause_s=0.0, headers=()):
    """What the application behind the guard receives, and what is answered."""
    sent, read = [], []
    waiting = list(pieces)

    async def receive():
        await asyncio.sleep(pause_s)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    async def app(_scope, receive, _send):
        more = True
        while more:
            message = await receive()
            read.append(message["body"])
            more = message["more_body"]

    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    asyncio.run(BodyGuard(app, LIMITS)(scope, receive, send))
    return b"".join(read), sent


@pytest.mark.parametrize(
    ("path", "sizes", "ok"),
    [
        ("/x", [0], True),
        ("/x", [10], True),
        ("/x", [11], False),
        ("/x", [5, 5], True),
        ("/x", [5, 5, 1], False),
        ("/photos/1", [11], False),
        ("/photos", [600, 400], True),
        ("/photos", [600, 401], False),
    ],
    ids=str,
)
def test_bytes_are_counted(path, sizes, ok):
    pieces = [b"x" * size for size in sizes]
    if ok:
        assert run(path, pieces) == (b"".join(pieces), [])
        return
    with pytest.raises(BodyRefused) as refused:
        run(path, pieces)
    assert refused.value.problem.code == "too_large"


def test_a_trickle_is_refused():
    with pytest.raises(BodyRefused) as refused:
        run("/photos", [b"x"] * 100, pause_s=0.05)
    assert refused.value.problem.code == "too_slow"


def test_a_slow_but_steady_body_may_take_longer_than_the_grace():
    pieces = [b"x" * 100] * 8
    assert run("/photos", pieces, pause_s=0.04) == (b"".join(pieces), [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"content-length", b"11")], 413),
        ([(b"content-length", b"+5")], 400),
        ([(b"content-length", b"5"), (b"content-length", b"6")], 400),
        ([(b"content-encoding", b"br")], 415),
    ],
    ids=["long", "sign", "two", "compressed"],
)
def test_headers_alone_refuse(headers, status):
    read, sent = run("/x", [b"x"], headers=headers)
    assert (read, sent[0]["status"]) == (b"", status)
