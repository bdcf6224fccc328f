"""Dice and intersection over union."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.errors import InputError
from napari_vost.metrics.overlap import dice, dice_per_frame, iou, iou_per_frame


def _masks() -> tuple[np.ndarray, np.ndarray]:
    prediction, truth = np.zeros((4, 2, 4), dtype=bool), np.zeros((4, 2, 4), dtype=bool)
    prediction[0, 0, :3], truth[0, 0, 1:] = True, True  # 3 and 3, 2 in both
    prediction[1, 0, 0] = True  # a false alarm
    truth[2, 0, 0] = True  # a miss
    return prediction, truth  # frame 3: both empty


def test_frames_follow_the_definitions_and_both_empty_is_1():
    prediction, truth = _masks()
    np.testing.assert_allclose(dice_per_frame(prediction, truth), [4 / 6, 0, 0, 1])
    np.testing.assert_allclose(iou_per_frame(prediction, truth), [2 / 4, 0, 0, 1])


def test_a_volume_counts_voxels_and_not_frames():
    prediction, truth = _masks()
    assert dice(prediction, truth) == pytest.approx(4 / 8)
    assert iou(prediction, truth) == pytest.approx(2 / 6)
    empty = np.zeros((2, 3), dtype=bool)
    assert dice(empty, empty) == iou(empty, empty) == 1.0


def test_dice_and_iou_agree_on_random_masks_whatever_their_order():
    generator = np.random.default_rng(0)
    for _ in range(20):
        first, second = generator.random((2, 5, 6, 7)) < generator.random()
        value, other = dice(first, second), iou(first, second)
        assert value == pytest.approx(2 * other / (1 + other))
        assert dice(second, first) == value
        assert dice(first, first) == 1.0


def test_void_pixels_take_no_part():
    prediction, truth = _masks()
    void = np.zeros_like(truth)
    void[1] = void[2] = True
    np.testing.assert_allclose(dice_per_frame(prediction, truth, void), [4 / 6, 1, 1, 1])
    assert iou(prediction, truth, void) == pytest.approx(2 / 4)


def test_other_shapes_and_types_are_refused():
    prediction, truth = _masks()
    with pytest.raises(InputError, match="shape"):
        dice(prediction[:2], truth)
    with pytest.raises(InputError, match="bool"):
        iou(prediction.astype(np.uint8), truth)
