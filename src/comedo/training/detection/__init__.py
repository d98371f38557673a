"""Detectors of lesions as boxes with a type: networks, losses, assignment, slices, measuring."""
