"""Annotation formats of other tools, each one a way to and from a `Dataset`."""
