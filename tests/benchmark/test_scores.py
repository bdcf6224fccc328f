"""Prompts made of the truth, judged frames, intervals."""

import numpy as np
import pytest

from napari_vost.benchmark.scores import bootstrap, judged_frames, prompt_from_truth
from napari_vost.errors import UnknownName
from napari_vost.types import BoxPrompt, MaskPrompt, PointPrompt


def mask(height: int = 20, width: int = 24) -> np.ndarray:
    found = np.zeros((height, width), dtype=bool)
    found[4:9, 6:17] = True
    return found


def test_a_mask_prompt_is_the_truth() -> None:
    prompt = prompt_from_truth("mask", mask(), 3, 2)
    assert isinstance(prompt, MaskPrompt)
    assert (prompt.frame_index, prompt.object_id) == (3, 2)
    np.testing.assert_array_equal(prompt.mask.unpack(), mask())


def test_a_box_prompt_has_both_corners_inside_the_truth() -> None:
    assert prompt_from_truth("box", mask(), 3, 2) == BoxPrompt(3, 2, 4.0, 6.0, 8.0, 16.0)


def test_a_point_prompt_lies_deepest_inside() -> None:
    prompt = prompt_from_truth("point", mask(), 3, 2)
    assert isinstance(prompt, PointPrompt)
    assert prompt.y == 6.0
    assert 8 <= prompt.x <= 14


def test_the_point_of_a_ring_lies_on_the_ring() -> None:
    y, x = np.mgrid[0:41, 0:41] - 20
    ring = (y**2 + x**2 < 18**2) & (y**2 + x**2 > 10**2)
    prompt = prompt_from_truth("point", ring, 0, 1)
    assert isinstance(prompt, PointPrompt)
    assert ring[int(prompt.y), int(prompt.x)]


def test_an_unknown_prompt_is_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'point'"):
        prompt_from_truth("points", mask(), 0, 1)


def truth() -> np.ndarray:
    volume = np.zeros((6, 4, 4), dtype=bool)
    volume[1:4] = True
    return volume


def test_the_prompted_frame_is_never_judged() -> None:
    held, stack, without = judged_frames(truth(), 2, range(6), empty_counts=False)
    assert (held, stack, without) == ([1, 3], [1, 3], [0, 4, 5])


def test_empty_frames_belong_to_the_stack_where_the_layout_says_so() -> None:
    held, stack, without = judged_frames(truth(), 1, (1, 3, 5), empty_counts=True)
    assert (held, stack, without) == ([3], [3, 5], [5])


def test_an_interval_holds_the_mean_and_is_always_the_same() -> None:
    values = [0.1, 0.4, 0.5, 0.9, 0.7]
    found = bootstrap(values)
    assert found.mean == pytest.approx(0.52)
    assert found.low is not None
    assert found.high is not None
    assert 0.1 < found.low < 0.52 < found.high < 0.9
    assert found == bootstrap(values)


def test_an_interval_has_the_width_of_the_normal_one_for_many_cases() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    found = bootstrap(list(values))
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.08)


def test_one_case_has_no_interval() -> None:
    found = bootstrap([0.3])
    assert (found.mean, found.low, found.high) == (0.3, None, None)
