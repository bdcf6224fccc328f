"""The gate of motion: a chi-square of four numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_vost.contracts import Prediction
from napari_vost.motion.gate import GATE, admissible, distance2

SURE = Prediction((10.0, 10.0, 30.0, 30.0), 400.0, torch.diag(torch.tensor([16.0, 16.0, 16.0, 16.0])))


@pytest.mark.parametrize(("shift", "passes"), [(0, True), (12, True), (13, False), (-12, True), (-13, False)])
def test_the_gate_closes_at_3_08_standard_deviations_along_one_number(shift: int, passes: bool) -> None:
    assert admissible(SURE, (10, 10 + shift, 30, 30 + shift)) is passes  # sqrt(9.488) * 4 = 12.32


def test_correlated_numbers_count_along_their_own_axes() -> None:
    covariance = torch.diag(torch.tensor([16.0, 16.0, 16.0, 16.0]))
    covariance[0, 1] = covariance[1, 0] = 15.0
    prediction = Prediction((10.0, 10.0, 30.0, 30.0), 400.0, covariance)
    assert admissible(prediction, (20, 20, 40, 40))
    assert not admissible(prediction, (20, 0, 40, 20))


def test_no_prediction_no_box_and_no_covariance_pass() -> None:
    assert admissible(None, (0, 0, 5, 5))
    assert admissible(SURE, None)
    assert admissible(Prediction((0.0, 0.0, 4.0, 4.0), 16.0), (50, 50, 60, 60))


def test_a_prediction_that_is_far_too_sure_still_lets_a_pixel_pass() -> None:
    prediction = Prediction((10.0, 10.0, 30.0, 30.0), 400.0, torch.eye(4) * 1e-12)
    assert admissible(prediction, (11, 11, 31, 31))
    assert not admissible(prediction, (14, 14, 34, 34))


@given(st.integers(0, 40), st.integers(1, 40), st.floats(1.0, 30.0))
def test_less_certainty_never_closes_the_gate(shift: int, side: int, factor: float) -> None:
    box = (10 + shift, 10, 10 + shift + side, 30)
    assert SURE.covariance is not None
    wider = Prediction(SURE.box, SURE.area_px, SURE.covariance * factor)
    assert distance2(wider, box) <= distance2(SURE, box) + 1e-9
    assert admissible(wider, box) or not admissible(SURE, box)
    assert GATE == pytest.approx(9.488)
