"""Boundary F and J&F: by hand, and against the published rule written out with dilations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from napari_vost.errors import InputError
from napari_vost.metrics.boundary import boundary_f_per_frame, boundary_map, j_and_f_per_frame
from tests.metrics.shapes import ellipsoid


def square(left: int = 30) -> np.ndarray:
    mask = np.zeros((1, 80, 100), dtype=bool)
    mask[0, 20:40, left : left + 20] = True
    return mask


def slow_boundary(mask: np.ndarray) -> np.ndarray:
    """Pixel by pixel, as the rule reads."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            for other_y, other_x in ((y, x + 1), (y + 1, x), (y + 1, x + 1)):
                if other_y < height and other_x < width:
                    found[y, x] |= mask[y, x] != mask[other_y, other_x]
    return found


def slow_f(prediction: np.ndarray, truth: np.ndarray, reach: int) -> float:
    """With dilation by a disk."""
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = y**2 + x**2 <= reach**2
    first, second = slow_boundary(prediction), slow_boundary(truth)
    near_first, near_second = ndimage.binary_dilation(first, disk), ndimage.binary_dilation(second, disk)
    precision, recall = (first & near_second).sum() / first.sum(), (second & near_first).sum() / second.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def test_the_boundary_lies_north_west_of_every_change() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    mask[2, 2] = True
    expected = np.zeros((5, 5), dtype=bool)
    expected[1:3, 1:3] = True
    np.testing.assert_array_equal(boundary_map(mask), expected)


def test_the_image_border_is_no_boundary() -> None:
    assert not boundary_map(np.ones((3, 4, 5), dtype=bool)).any()
    corner = np.zeros((4, 4), dtype=bool)
    corner[3, 3] = True
    assert boundary_map(corner).sum() == 3  # the three neighbours that see it, not the corner itself


def test_boundaries_are_those_of_the_rule_pixel_by_pixel() -> None:
    masks = np.random.default_rng(0).random((6, 9, 11)) < 0.5
    np.testing.assert_array_equal(boundary_map(masks), np.stack([slow_boundary(mask) for mask in masks]))


@pytest.mark.parametrize("reach", [1, 3, 8])
def test_f_is_that_of_the_published_rule(reach: int) -> None:
    truth = ellipsoid((60, 70), (30, 30), (17.3, 12.1)) | ellipsoid((60, 70), (55, 62), (9.4, 11.2))
    found = ellipsoid((60, 70), (27, 33), (14.2, 15.3)) | ellipsoid((60, 70), (8, 60), (4.1, 4.1))
    value = boundary_f_per_frame(found[None], truth[None], tolerance=reach)[0]
    assert value == pytest.approx(slow_f(found, truth, reach), abs=1e-12)
    assert 0.05 < value < 0.95


def test_the_tolerance_is_rounded_up_from_the_diagonal() -> None:
    assert math.ceil(0.008 * math.hypot(80, 100)) == 2
    truth = square()
    assert boundary_f_per_frame(square(32), truth)[0] == 1.0
    shifted = boundary_f_per_frame(square(33), truth)[0]
    assert shifted == pytest.approx(slow_f(square(33)[0], truth[0], 2))
    assert shifted < 1.0


def test_one_boundary_missing_is_0_and_both_missing_is_1() -> None:
    empty, full = np.zeros((1, 80, 100), dtype=bool), np.ones((1, 80, 100), dtype=bool)
    assert boundary_f_per_frame(empty, square())[0] == boundary_f_per_frame(square(), empty)[0] == 0.0
    assert boundary_f_per_frame(empty, empty)[0] == 1.0
    assert boundary_f_per_frame(full, empty)[0] == 1.0  # neither has a boundary; J tells them apart
    assert j_and_f_per_frame(full, empty)[0] == 0.5


def test_far_masks_score_0() -> None:
    assert boundary_f_per_frame(square(0), square(70))[0] == 0.0


def test_j_and_f_is_the_mean_of_both_frame_by_frame() -> None:
    truth = np.concatenate([square(), square(), np.zeros_like(square())])
    found = np.concatenate([square(32), square(70), np.zeros_like(square())])
    np.testing.assert_allclose(j_and_f_per_frame(found, truth), [(18 / 22 + 1) / 2, 0.0, 1.0])


def test_void_pixels_belong_to_neither_mask() -> None:
    void = np.zeros((1, 80, 100), dtype=bool)
    void[0, :, 50:] = True
    found = square() | np.roll(square(), 20, axis=2)
    assert j_and_f_per_frame(found, square())[0] < 0.8
    assert j_and_f_per_frame(found, square(), void)[0] == 1.0


def test_other_shapes_and_tolerances_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(T, H, W\)"):
        boundary_f_per_frame(square()[0], square()[0])
    with pytest.raises(InputError, match="shape"):
        boundary_f_per_frame(square()[:, :9], square())
    with pytest.raises(InputError, match="tolerance"):
        boundary_f_per_frame(square(), square(), tolerance=math.nan)
