"""The lesion network over the tiles of a face brought to one scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import Affine, compose, crop_affine, invert, sample_crop, tile_canvas
from comedo.inference import Network, run_both_ways
from comedo.types import Box, FaceMap, Image, Part, Photo, skin_of

# Channels of the network's output, in the order it was trained with (comedo.training.lesion_map.model).
MASK, ACTIVE, MARK, SPARSE, INFLAMED, RADIUS = range(6)
STRIDE = 2

# From cells of the output to canvas pixels: cell k shows pixels 2k and 2k + 1.
CELLS_TO_CANVAS: Affine = np.array([[STRIDE, 0.0, (STRIDE - 1) / 2], [0.0, STRIDE, (STRIDE - 1) / 2]])

WORK_FACE_PX = 320.0  # eye line to lips in pixels of the canvas; training photos are brought to the same
_MAX_ZOOM = 4.0  # blowing a tiny face up further only invents pixels
_MARGIN = 0.02  # of the face box's longer side, around it
# Canvas pixels: most faces are two tiles, one below the other. Four of half the width would take a third more time.
_LONGEST_TILE, _WIDEST_TILE, _OVERLAP = 704, 864, 48


@dataclass(frozen=True, eq=False)
class Canvas:
    """The face at the network's scale, and what the network says of it.

    `image` is (H, W, 3) uint8; `maps` (6, H/2, W/2) float32: probabilities of mask, active
    centre, mark centre, centre under the sparse convention, inflamed; radius in canvas pixels.
    `parts` is (H/2, W/2). `to_photo` maps canvas pixels to the photo's.
    """

    image: Image
    maps: NDArray[np.float32]
    parts: NDArray[np.uint8]
    to_photo: Affine

    @cached_property
    def skin(self) -> NDArray[np.bool_]:
        """The skin that acne can affect, (H/2, W/2)."""
        return skin_of(self.parts)

    @cached_property
    def face(self) -> NDArray[np.bool_]:
        """Where lesions may lie, (H/2, W/2): all of the head but the eyes.

        On ACNE04 6 % of the lesions lie on what the face map does not call skin: hairlines, the lips' border, ears,
        jaw. The lesion map is right there as often as elsewhere.
        """
        return ~np.isin(self.parts, [Part.BACKGROUND, Part.EYES])


def face_zoom(face: FaceMap) -> float:
    """Canvas pixels per photo pixel, but for rounding."""
    return min(_MAX_ZOOM, WORK_FACE_PX / max(face.face_px, 1.0))


def draw_canvas(photo: Photo, face: FaceMap) -> tuple[Image, Box]:
    """Cut the face out and bring it to the network's scale.

    Returns:
        The canvas, (H, W, 3) uint8 with even sides, and the box of the photo that it shows.
    """
    zoom = face_zoom(face)
    x0, y0, x1, y1 = face.box_xyxy
    margin = _MARGIN * max(x1 - x0, y1 - y0)
    left, top = max(0, round(x0 - margin)), max(0, round(y0 - margin))
    whole = max(1, int(1 / zoom))  # sides are multiples of it: see `sample_crop`
    width = max(1, (min(photo.width, round(x1 + margin)) - left) // whole) * whole
    height = max(1, (min(photo.height, round(y1 + margin)) - top) // whole) * whole
    size_hw = (max(1, round(height * zoom / STRIDE)) * STRIDE, max(1, round(width * zoom / STRIDE)) * STRIDE)
    box = (float(left), float(top), float(left + width), float(top + height))
    return sample_crop(photo.image, box, size_hw), box


def read_face(network: Network, photo: Photo, face: FaceMap, *, mirrored: Network | None = None) -> Canvas:
    """Look at the tiles that show skin, and at their mirror images; the maps are the mean of both.

    Args:
        network: Looks at the tiles.
        photo: Any.
        face: Of the photo.
        mirrored: Looks at the mirror images: one that learnt apart errs elsewhere. By default the same network.
    """
    image, box = draw_canvas(photo, face)
    to_photo = invert(crop_affine(box, (image.shape[0], image.shape[1])))
    h, w = image.shape[0] // STRIDE, image.shape[1] // STRIDE
    parts = _parts_on_canvas(face, to_photo, (h, w))
    maps = np.zeros((6, h, w), np.float32)
    maps[RADIUS] = 1.0
    canvas = Canvas(image, maps, parts, to_photo)  # its maps are filled tile by tile
    tiles = [
        t
        for t in tile_canvas(*image.shape[:2], longest=_LONGEST_TILE, widest=_WIDEST_TILE, overlap=_OVERLAP)
        if canvas.skin[t.y0 // STRIDE : (t.y0 + t.height) // STRIDE, t.x0 // STRIDE : (t.x0 + t.width) // STRIDE].any()
    ]
    pictures = [_padded(image[t.y0 : t.y0 + t.height, t.x0 : t.x0 + t.width], t.height, t.width) for t in tiles]
    weight = np.zeros((h, w), np.float32)
    for tile, output in zip(tiles, run_both_ways(network, pictures, mirrored=mirrored), strict=True):
        _blend(maps, weight, output, tile.y0 // STRIDE, tile.x0 // STRIDE)
    return canvas


def _padded(piece: Image, height: int, width: int) -> Image:
    if piece.shape[:2] == (height, width):
        return np.ascontiguousarray(piece)
    full = np.zeros((height, width, 3), np.uint8)
    full[: piece.shape[0], : piece.shape[1]] = piece
    return full


def _blend(
    maps: NDArray[np.float32], weight: NDArray[np.float32], output: NDArray[np.float32], y0: int, x0: int
) -> None:
    """Average overlapping tiles, trusting each more the farther a cell is from its border."""
    h, w = min(output.shape[1], maps.shape[1] - y0), min(output.shape[2], maps.shape[2] - x0)
    window = (slice(y0, y0 + h), slice(x0, x0 + w))
    ramp_y = np.minimum(np.arange(1, output.shape[1] + 1), np.arange(output.shape[1], 0, -1)).clip(max=32)
    ramp_x = np.minimum(np.arange(1, output.shape[2] + 1), np.arange(output.shape[2], 0, -1)).clip(max=32)
    mine = np.outer(ramp_y[:h], ramp_x[:w]).astype(np.float32)
    share = mine / (weight[window] + mine)
    part = maps[:, window[0], window[1]]
    part += share * (output[:, :h, :w] - part)
    weight[window] += mine


def _parts_on_canvas(face: FaceMap, to_photo: Affine, size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """The face map's labels at the resolution of the network's output."""
    cells_to_face = compose(invert(face.to_photo), compose(to_photo, CELLS_TO_CANVAS))
    warped = cv2.warpAffine(
        face.parts,
        cells_to_face,
        (size_hw[1], size_hw[0]),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderValue=int(Part.BACKGROUND),
    )
    return np.asarray(warped, np.uint8)
