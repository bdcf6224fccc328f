"""Surface distances: figures worked out by hand, and those of MONAI for the same masks."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.errors import InputError
from napari_vost.metrics.surface import asd, hd95, nsd, surfaces
from tests.metrics.shapes import ellipsoid, pairs

# MONAI 1.6.1: compute_hausdorff_distance(percentile=95), compute_average_surface_distance(symmetric=True) and
# compute_surface_dice at 1 and 2, each with the spacing. Kept as numbers: no test has to import MONAI.
MONAI = {
    "island": (21.713606, 4.126201, 0.250000, 0.461957),
    "stretched": (34.019527, 5.639962, 0.195652, 0.336957),
    "border": (3.354102, 1.137977, 0.527473, 0.736264),
    "volume": (3.216300, 1.259760, 0.587838, 0.835907),
    "thick slices": (6.462917, 2.095509, 0.403475, 0.613900),
}


def rectangle(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((40, 50), dtype=bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize("name", MONAI)
def test_the_figures_are_those_of_monai(name: str) -> None:
    prediction, truth, spacing = pairs()[name]
    found = surfaces(prediction, truth, spacing)
    assert (found.hd95, found.asd, found.nsd(1.0), found.nsd(2.0)) == pytest.approx(MONAI[name], abs=2e-6)


def test_the_truth_is_at_distance_0() -> None:
    mask = ellipsoid((30, 30), (14, 15), (8, 6))
    assert (hd95(mask, mask), asd(mask, mask), nsd(mask, mask, 0.0)) == (0.0, 0.0, 1.0)


def test_two_lines_lie_as_far_apart_as_the_spacing_says() -> None:
    low, high = rectangle(slice(10, 11), slice(5, 45)), rectangle(slice(13, 14), slice(5, 45))
    assert hd95(low, high) == asd(low, high) == 3.0
    assert hd95(low, high, (2.5, 1.0)) == asd(low, high, (2.5, 1.0)) == 7.5
    assert hd95(low, high, (1.0, 9.0)) == 3.0  # nothing lies apart along x
    assert (nsd(low, high, 7.4, (2.5, 1.0)), nsd(low, high, 7.5, (2.5, 1.0))) == (0.0, 1.0)


def test_the_95_percentile_leaves_out_a_far_speck_and_the_mean_does_not() -> None:
    truth = rectangle(slice(5, 35), slice(5, 35))  # 116 surface pixels
    prediction = truth.copy()
    prediction[20, 45] = True  # 11 from the truth: less than 5 % of the surface
    assert hd95(prediction, truth) == 0.0
    assert asd(prediction, truth) == pytest.approx(11 / (117 + 116))
    assert nsd(prediction, truth, 2.0) == pytest.approx(232 / 233)
    assert hd95(truth, prediction) == hd95(prediction, truth)


def test_the_worse_direction_counts() -> None:
    truth = rectangle(slice(5, 35), slice(5, 35))
    part = rectangle(slice(5, 35), slice(5, 15))  # all of it near the truth, but half of the truth far from it
    found = surfaces(part, truth)
    assert np.quantile(found.to_truth, 0.95) < 10
    assert found.hd95 == np.quantile(found.to_prediction, 0.95) > 15


def test_a_mask_at_the_image_border_has_a_surface_there() -> None:
    cut = rectangle(slice(0, 10), slice(0, 10))
    inner = rectangle(slice(2, 10), slice(0, 10))
    assert hd95(inner, cut) == 2.0


def test_both_empty_is_right_and_one_empty_costs_the_longest_side() -> None:
    empty, mask = np.zeros((40, 50), dtype=bool), rectangle(slice(5, 9), slice(5, 9))
    assert (hd95(empty, empty), asd(empty, empty), nsd(empty, empty, 1.0)) == (0.0, 0.0, 1.0)
    for first, second in ((empty, mask), (mask, empty)):
        assert (hd95(first, second), asd(first, second), nsd(first, second, 1e9)) == (50.0, 50.0, 0.0)
        assert hd95(first, second, (2.0, 1.5)) == 80.0


def test_single_pixels_of_a_volume_are_measured_in_millimetres() -> None:
    first, second = np.zeros((2, 6, 20, 20), dtype=bool)
    first[1, 4, 4] = second[3, 7, 8] = True
    assert hd95(first, second, (5.0, 1.0, 2.0)) == pytest.approx(np.sqrt(10**2 + 3**2 + 8**2))


def test_wrong_spacing_tolerance_and_masks_are_refused() -> None:
    mask = rectangle(slice(5, 9), slice(5, 9))
    for spacing in ((1.0,), (1.0, 0.0), (1.0, np.nan), (1.0, 1.0, 1.0)):
        with pytest.raises(InputError, match="one per axis"):
            hd95(mask, mask, spacing)
    with pytest.raises(InputError, match="tolerance"):
        nsd(mask, mask, -1.0)
    with pytest.raises(InputError, match="shape"):
        asd(mask[:5], mask)
