"""Brightness, contrast, sharpness and colour of pictures."""

import numpy as np
from sklearn.datasets import load_digits

from gapwise.data.properties import picture_properties


def test_a_blurred_picture_is_less_sharp_and_a_darker_one_less_bright() -> None:
    digits = np.rint(load_digits().images[:200, None] * 255 / 16).astype(np.uint8)
    plain = picture_properties(digits)
    wide = np.pad(digits.astype(float), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    shifts = [wide[..., y : y + 8, x : x + 8] for y in range(3) for x in range(3)]
    blurred = picture_properties(np.mean(shifts, axis=0).astype(np.uint8))
    assert (blurred["sharpness"] < plain["sharpness"]).all()
    dark = picture_properties(digits // 2)
    assert (dark["brightness"] <= plain["brightness"]).all()
    assert set(plain) == {"brightness", "contrast", "sharpness"}
    assert np.allclose(plain["brightness"], digits.mean(axis=(1, 2, 3)) / 255)


def test_colour_is_told_of_pictures_that_have_channels_and_small_ones_do_not_fail() -> None:
    grey = np.full((2, 3, 2, 2), 100, np.uint8)
    grey[1, 0] = 200
    found = picture_properties(grey)
    assert found["colour"][0] == 0
    assert found["colour"][1] > 0
    assert (found["sharpness"] == 0).all()
    assert picture_properties(np.zeros((0, 1, 8, 8), np.uint8)) == {}
