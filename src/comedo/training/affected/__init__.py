"""Affected by acne or not, from photos on which only skin is left: the recipe of the FFHQ classifier."""
