"""How large and how odd a photo may be, checked from its header before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

from comedo.errors import PhotoTooLarge, PhotoTooSmall


@dataclass(frozen=True)
class Limits:
    """Limits on one photo; the defaults hold every phone photo up to 64 megapixels.

    Pixels bound the memory (three bytes each, twice that while turning), scans bound the time of
    a progressive JPEG, whose decoder walks over the whole picture once for every scan.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 64_000_000
    max_side: int = 16_384  # a 200-megapixel phone's long side is 16,320
    min_side: int = 64  # a face of fewer pixels shows no lesion
    max_aspect: float = 10.0  # panoramas reach 5
    max_jpeg_scans: int = 50  # cameras write 1 to 10, the hardest optimisers about 30
    heic_seconds: float = 10.0  # 12 megapixels take about half a second

    def check_bytes(self, count: int) -> None:
        """Raise `PhotoTooLarge` if a file of `count` bytes is over the limit."""
        if count > self.max_bytes:
            raise PhotoTooLarge(
                f"a photo may have at most {self.max_bytes:,} bytes, this one has {count:,} or more; "
                "save it with fewer pixels or as JPEG"
            )

    def check_size(self, width: int, height: int) -> None:
        """Raise if a picture of `width` x `height` pixels is too large, too small or too narrow."""
        short, long = sorted((width, height))
        if short < self.min_side:
            raise PhotoTooSmall(
                f"a photo needs at least {self.min_side} pixels on each side, this one has {width} x {height}; "
                "send the original instead of a thumbnail"
            )
        if long > self.max_side or width * height > self.max_pixels:
            raise PhotoTooLarge(
                f"a photo may have at most {self.max_pixels / 1e6:.0f} megapixels and {self.max_side:,} pixels a side, "
                f"this one has {width:,} x {height:,}; crop it to the face or shrink it"
            )
        if long > short * self.max_aspect:
            raise PhotoTooLarge(
                f"a photo's long side may be at most {self.max_aspect:g} times its short side, "
                f"this one has {width:,} x {height:,}; crop it to the face"
            )


DEFAULT_LIMITS = Limits()
