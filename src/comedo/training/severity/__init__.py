"""Severity from patches of face regions, the recipe of the severity system, with an ordinal alternative."""
