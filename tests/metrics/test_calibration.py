"""Ranking and calibration on numbers that can be checked by hand."""

import numpy as np
import pytest

from napari_vost.errors import InputError
from napari_vost.metrics.calibration import auroc, calibration_error, reliability


def test_auroc_counts_the_pairs_in_the_right_order() -> None:
    # good: .9, .4; bad: .5, .1: of four pairs only (.4, .5) is in the wrong order
    assert auroc([0.9, 0.5, 0.4, 0.1], [True, False, True, False]) == 0.75


def test_auroc_is_one_for_a_perfect_order_and_zero_for_the_reverse() -> None:
    assert auroc([3, 2, 1], [True, True, False]) == 1.0
    assert auroc([1, 2, 3], [True, True, False]) == 0.0


def test_ties_count_half() -> None:
    assert auroc([0.5, 0.5], [True, False]) == 0.5
    assert auroc([0.5, 0.5, 0.7], [True, False, True]) == 0.75


def test_auroc_agrees_with_counting_all_pairs() -> None:
    random = np.random.default_rng(3)
    numbers = random.integers(0, 12, 60) / 12
    good = random.random(60) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in numbers[good] for b in numbers[~good]]
    assert auroc(numbers.tolist(), good.tolist()) == pytest.approx(np.mean(pairs))


def test_without_both_outcomes_there_is_no_auroc() -> None:
    assert auroc([0.1, 0.9], [True, True]) is None
    assert auroc([0.1, 0.9], [False, False]) is None


def test_claims_fall_into_equal_bins_and_one_belongs_to_the_last() -> None:
    found = reliability([0.05, 0.05, 0.72, 1.0], [True, False, True, True], bins=4)
    assert [(one.count, one.true) for one in found] == [(2, 0.5), (1, 1.0), (1, 1.0)]
    assert [one.claimed for one in found] == pytest.approx([0.05, 0.72, 1.0])


def test_calibration_error_weighs_bins_by_their_cases() -> None:
    # .2 claimed and .5 true on two cases, .9 claimed and 1 true on two others: (.3 * 2 + .1 * 2) / 4
    assert calibration_error([0.2, 0.2, 0.9, 0.9], [True, False, True, True]) == pytest.approx(0.2)


def test_a_claim_that_comes_true_as_often_as_it_says_has_no_error() -> None:
    assert calibration_error([0.25] * 4, [True, False, False, False]) == 0.0


@pytest.mark.parametrize(("numbers", "outcomes"), [([], []), ([0.5, 0.5], [True])])
def test_numbers_without_their_outcomes_are_refused(numbers: list[float], outcomes: list[bool]) -> None:
    with pytest.raises(InputError, match="one outcome for each"):
        auroc(numbers, outcomes)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(InputError, match="lie in 0 to 1"):
        reliability([0.5, 1.2], [True, False])
