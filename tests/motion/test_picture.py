"""Crops of the last sight: reduced by whole numbers, and the way back to the frame."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.masks import box_of
from napari_vost.motion.picture import Crop, Picture


def crop_of(side: int, object_px: int) -> tuple[Crop, Picture]:
    image = np.zeros((side, side), np.uint8)
    mask = np.zeros((side, side), np.bool_)
    start = (side - object_px) // 2
    mask[start : start + object_px, start : start + object_px] = True
    box = box_of(mask)
    assert box is not None
    picture = Picture(image, mask, box)
    return Crop.around(picture), picture


def test_a_small_object_is_not_reduced() -> None:
    assert crop_of(512, 40)[0].scale == 1


@pytest.mark.parametrize(("side", "object_px"), [(512, 301), (1080, 500), (480, 200)])
def test_a_large_object_is_reduced_to_what_a_network_sees(side: int, object_px: int) -> None:
    crop, picture = crop_of(side, object_px)
    small = crop.of(picture.image)
    assert crop.scale > 1
    assert max(small.shape) <= 96


def test_a_pixel_of_a_crop_is_the_mean_of_its_square_also_at_the_border() -> None:
    crop = Crop(1, 0, 6, 4, 2)
    image = np.arange(48, dtype=np.uint8).reshape(8, 6)
    small = crop.of(image)
    assert small.shape == (3, 2)
    assert small[0, 0] == image[1:3, 0:2].mean()
    assert small[2, 1] == image[5, 2:4].mean()


def test_points_of_a_crop_lie_in_the_middle_of_their_squares() -> None:
    crop = Crop(10, 20, 50, 60, 4)
    assert crop.in_frame(np.array([[0.0, 0.0], [2.0, 1.0]])).tolist() == [[11.5, 21.5], [19.5, 25.5]]
