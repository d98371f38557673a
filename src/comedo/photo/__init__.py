"""Photos in: reading any common file safely, and judging whether it can be measured."""

from comedo.photo.limits import Limits
from comedo.photo.quality import assess
from comedo.photo.read import read_photo, sniff

__all__ = ["Limits", "assess", "read_photo", "sniff"]
