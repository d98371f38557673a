"""How a photo goes through a detector."""

from __future__ import annotations

from enum import StrEnum


class Way(StrEnum):
    """Whole, or through slices whose findings are merged."""

    WHOLE = "whole"
    SLICES = "slices"
