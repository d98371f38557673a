"""Finding lesions, telling their group and kind, measuring and counting them."""

from comedo.lesions.counting import CONVENTIONS, count_lesions
from comedo.lesions.finder import LesionFinder, LesionReading

__all__ = ["CONVENTIONS", "LesionFinder", "LesionReading", "count_lesions"]
