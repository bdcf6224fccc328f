"""Simulated clicks: where they go, and how many it takes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.errors import InputError
from napari_vost.metrics.interactive import Click, next_click, next_click_in_clip, noc, number_of_clicks


def block(y: slice, x: slice, shape: tuple[int, int] = (30, 40)) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[y, x] = True
    return mask


def test_the_first_click_lies_deepest_inside_the_truth() -> None:
    click = next_click(block(slice(0, 0), slice(0, 0)), block(slice(5, 14), slice(10, 19)))
    assert click == Click(0, 9, 14, True)


def test_what_was_painted_too_much_is_taken_away_where_it_is_the_deeper_error() -> None:
    truth = block(slice(5, 10), slice(5, 10))
    found = block(slice(5, 10), slice(7, 10)) | block(slice(15, 26), slice(20, 31))
    assert next_click(found, truth) == Click(0, 20, 25, False)
    assert next_click(found[:14], truth[:14]) == Click(0, 5, 5, True)  # depth 1 everywhere: the first such pixel


def test_equal_depths_give_a_negative_click() -> None:
    truth, found = block(slice(5, 8), slice(5, 8)), block(slice(5, 8), slice(20, 23))
    assert next_click(found, truth) == Click(0, 6, 21, False)


def test_the_image_border_counts_as_outside() -> None:
    full, nothing = np.ones((9, 9), dtype=bool), np.zeros((9, 9), dtype=bool)
    assert next_click(nothing, full) == Click(0, 4, 4, True)


def test_a_clicked_pixel_is_not_clicked_again() -> None:
    nothing, truth = np.zeros((9, 9), dtype=bool), np.zeros((9, 9), dtype=bool)
    truth[4, 4:6] = True
    first = next_click(nothing, truth)
    assert first == Click(0, 4, 4, True)
    second = next_click(nothing, truth, clicked=[first])
    assert second == Click(0, 4, 5, True)
    assert next_click(nothing, truth, clicked=[first, second]) is None


def test_void_pixels_are_no_error() -> None:
    truth, nothing = block(slice(5, 14), slice(10, 19)), np.zeros((30, 40), dtype=bool)
    assert next_click(nothing, truth, void=truth) is None
    assert next_click(truth, truth) is None


def clip() -> tuple[np.ndarray, np.ndarray]:
    """Truth on frames 1 to 3; found right on 1, half on 2, missed on 3, painted on 4 where nothing is."""
    truth, found = np.zeros((2, 5, 30, 40), dtype=bool)
    truth[1:4, 5:15, 5:15] = True
    found[1] = truth[1]
    found[2, 5:10, 5:15] = True
    found[4, 5:8, 5:8] = True
    return found, truth


def test_the_worst_frame_is_clicked_and_among_equal_ones_the_one_with_most_wrong_pixels() -> None:
    found, truth = clip()
    missed = next_click_in_clip(found, truth, range(5))
    assert missed is not None
    assert (missed.frame_index, missed.positive) == (3, True)
    found[3] = truth[3]
    leaked = next_click_in_clip(found, truth, range(5))
    assert leaked == Click(4, 6, 6, False)
    found[4] = False
    half = next_click_in_clip(found, truth, range(5))
    assert half is not None
    assert (half.frame_index, half.positive) == (2, True)
    assert 10 <= half.y < 15
    found[2] = truth[2]
    assert next_click_in_clip(found, truth, range(5)) is None


def test_only_frames_whose_truth_is_known_are_clicked() -> None:
    found, truth = clip()
    click = next_click_in_clip(found, truth, (1, 2))
    assert click is not None
    assert click.frame_index == 2


def test_clicks_of_other_frames_do_not_block_a_pixel() -> None:
    found, truth = clip()
    first = next_click_in_clip(found, truth, (3,))
    assert first is not None
    elsewhere = Click(2, first.y, first.x, True)
    assert next_click_in_clip(found, truth, (3,), [elsewhere]) == first
    assert next_click_in_clip(found, truth, (3,), [first]) != first


def test_clicks_are_counted_until_the_target_and_capped() -> None:
    assert number_of_clicks([0.0, 0.4, 0.85, 0.9], 0.85) == 2
    assert number_of_clicks([0.9, 0.2], 0.85) == 0
    assert number_of_clicks([0.0, 0.4, 0.5], 0.85) == 20
    assert number_of_clicks([0.0, 0.4, 0.5, 0.9], 0.85, cap=2) == 2


def test_noc_is_a_mean_and_names_the_cases_that_never_got_there() -> None:
    cases = [[0.9], [0.2, 0.9], [0.2, 0.3, 0.4, 0.9], [0.1, 0.2, 0.3, 0.4]]
    assert noc(cases, 0.85, cap=3) == ((0 + 1 + 3 + 3) / 4, 1)


def test_nothing_to_count_is_refused() -> None:
    with pytest.raises(InputError):
        number_of_clicks([], 0.85)
    with pytest.raises(InputError):
        number_of_clicks([0.1], 0.85, cap=0)
    with pytest.raises(InputError):
        noc([], 0.85)
