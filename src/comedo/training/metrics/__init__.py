"""Figures that judge comedo: pure numpy, counts first and ratios after, `None` where undefined."""
