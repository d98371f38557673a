"""Runs of `comedo train` put to use: new photos in, answers out."""
