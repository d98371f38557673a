"""Experiments: many trainings that differ in a few values, in one table with intervals."""
