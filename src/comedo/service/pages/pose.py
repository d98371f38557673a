"""How the head is held in a small picture of the camera's preview: looked at, answered in a word, and let go."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from threading import Semaphore

from comedo.errors import NoFaceFound
from comedo.photo import read_photo
from comedo.service.actions.views import Side
from comedo.types import FaceMap, Photo

MOST_BYTES = 64 * 1024
LEAST_S = 0.7  # between two pictures of one account; the page sends one a second
_FRONT_DEG, _ROLL_DEG = 15.0, 20.0
_TURNED_DEG = (22.0, 65.0)  # around the 45 of a half profile; the yaw is right to about 10
_MOST_KNOWN = 1000
_AT_ONCE = 2

Find = Callable[[Photo], FaceMap]


@cache
def shipped_finder() -> Find:
    """The shipped face map, loaded when the first camera is opened."""
    from comedo.build import face_mapper

    return face_mapper().find


@dataclass
class PoseJudge:
    """Judges pictures of many accounts: of each not more often than every `LEAST_S`, and a few at a time."""

    finder: Callable[[], Find] = shipped_finder
    seen: dict[str, float] = field(default_factory=dict)
    free: Semaphore = field(default_factory=lambda: Semaphore(_AT_ONCE))

    def may_ask(self, account: str) -> bool:
        """Whether it is not too soon after the last picture; counts as one where it is not."""
        now = time.monotonic()
        if now - self.seen.get(account, float("-inf")) < LEAST_S:
            return False
        if len(self.seen) >= _MOST_KNOWN:
            self.seen.clear()
        self.seen[account] = now
        return True

    def look(self, picture: bytes, side: Side) -> str | None:
        """The pose in a JPEG, for a photo of this side; None while others are looked at: uploads and pages come first.

        Raises:
            UnusableInput: It is no picture.
        """
        if not self.free.acquire(blocking=False):
            return None
        try:
            return judge_pose(self.finder()(read_photo(picture, name="preview")), side)
        except NoFaceFound:
            return "place"
        finally:
            self.free.release()


def judge_pose(face: FaceMap, side: Side) -> str:
    """What to do, as a text of the guide; "ready" where nothing is, "unsure" where the yaw is not known."""
    if face.roll_deg is not None and abs(face.roll_deg) > _ROLL_DEG:
        return "upright"
    if face.yaw_deg is None:
        return "unsure"
    if side == "front":
        return "ready" if abs(face.yaw_deg) <= _FRONT_DEG else "look"
    turned = face.yaw_deg if side == "left" else -face.yaw_deg  # towards the cheek that is to be seen
    if turned < _TURNED_DEG[0]:
        return f"show_{side}"
    return "ready" if turned <= _TURNED_DEG[1] else "back"
