"""Labelled photos: one value for every file format, audits, splits."""
