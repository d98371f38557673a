"""The colour of skin."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from comedo.synthetic.noise import sample_tile, smoothstep, tile
from comedo.synthetic.skin import base_reflectance, reflectance, to_linear


def test_linear_light_of_known_greys():
    assert to_linear(np.array([0.0, 255.0, 188.0])) == pytest.approx([0, 1, 0.5], abs=0.005)


def test_every_tone_is_darker_than_the_last_and_reddest_in_red():
    tones = [base_reflectance(t) for t in np.linspace(0, 1, 11)]
    for lighter, darker in pairwise(tones):
        assert (darker < lighter).all()
    for rgb in tones:
        assert rgb[0] > rgb[1] > rgb[2] > 0


@pytest.mark.parametrize("tone", [0.0, 0.5, 1.0])
def test_blood_darkens_and_takes_least_red(tone):
    zero, one = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    ratio = (reflectance(tone, one, zero) / reflectance(tone, zero, zero))[0, 0]
    assert (ratio < 1).all()
    assert ratio[0] > ratio[1]
    assert ratio[0] > ratio[2]


def test_tile_repeats_without_a_seam():
    key = (1, 64, 2.0, 2.0)
    u, v = np.meshgrid(np.arange(64, dtype=np.float32), np.arange(64, dtype=np.float32))
    assert np.allclose(sample_tile(key, u, v, 1.0), sample_tile(key, u + 128, v - 64, 1.0), atol=1e-3)
    noise = tile(*key)
    inner, seam = np.abs(np.diff(noise, axis=1)).mean(), np.abs(noise[:, 0] - noise[:, -1]).mean()
    assert seam < 1.5 * inner
    assert (float(noise.mean()), float(noise.std())) == pytest.approx((0, 1), abs=1e-4)


def test_coarse_pixels_see_smoothed_noise():
    key = (2, 128, 0.5, 0.5)
    u, v = np.meshgrid(np.arange(0, 256, 8, dtype=np.float32), np.arange(0, 256, 8, dtype=np.float32))
    assert sample_tile(key, u, v, 1.0, px_mm=8.0).std() < 0.5 * sample_tile(key, u, v, 1.0).std()


def test_smoothstep_runs_both_ways():
    x = np.float32([-1, 0, 0.5, 1, 2])
    assert smoothstep(0, 1, x) == pytest.approx([0, 0, 0.5, 1, 1])
    assert smoothstep(1, 0, x) == pytest.approx([1, 1, 0.5, 0, 0])
