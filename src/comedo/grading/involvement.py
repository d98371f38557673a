"""How much of the face is involved: the share of its skin that has a lesion close by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from comedo.types import FaceMap, Group, Lesion, Mask, skin_of

# Skin within about 10 mm of a lesion counts as involved: 0.15 of the way from the eye line to the
# lips, about 65 mm. A convention of comedo: the scales say "half of the face", not how near.
# Relative to the face, so that photos with and without a millimetre scale get the same grade.
REACH = 0.15
_SHIFT = 4  # sub-pixel bits of cv2.circle


@dataclass(frozen=True)
class Involvement:
    """Shares of the visible skin, [0, 1], near a lesion."""

    active: float
    inflamed: float
    lesions: int  # active lesions that were placed
    one_lesion: float  # share that a lone lesion takes

    def at(self, share: float, count: float) -> float:
        """The share that `count` lesions would take where those placed take `share`.

        For lesions thrown at random, 1 - share falls by the same factor with each of them.
        """
        if self.lesions == 0:
            return 1.0 - math.pow(1.0 - self.one_lesion, count)
        return 1.0 - math.pow(1.0 - share, count / self.lesions)


def measure_involvement(lesions: Sequence[Lesion], face: FaceMap) -> Involvement | None:
    """Involved shares of the visible skin; None without skin. More lesions never lower a share."""
    skin = skin_of(face.parts)
    cells = int(skin.sum())
    if cells == 0:
        return None
    cell_px = math.sqrt(face.photo_px_per_cell)
    reach = REACH * face.face_px / cell_px
    active = [x for x in lesions if x.active]
    inflamed = [x for x in active if x.group is Group.INFLAMMATORY]
    return Involvement(
        active=_share(active, skin, face, reach, cell_px),
        inflamed=_share(inflamed, skin, face, reach, cell_px),
        lesions=len(active),
        one_lesion=min(1.0, math.pi * reach**2 / cells),
    )


def _share(lesions: Sequence[Lesion], skin: Mask, face: FaceMap, reach: float, cell_px: float) -> float:
    near = np.zeros(skin.shape, np.uint8)
    from_photo = cv2.invertAffineTransform(face.to_photo)
    centers = np.array([x.center_xy for x in lesions]).reshape(-1, 2) @ from_photo[:, :2].T + from_photo[:, 2]
    for lesion, (x, y) in zip(lesions, centers.tolist(), strict=True):
        radius = max(reach, lesion.diameter_px / 2 / cell_px)
        cv2.circle(near, _fixed(x, y), _fixed(radius)[0], 1, cv2.FILLED, shift=_SHIFT)
    return float((skin & (near > 0)).sum() / skin.sum())


def _fixed(*values: float) -> tuple[int, ...]:
    return tuple(round(v * 2**_SHIFT) for v in values)
