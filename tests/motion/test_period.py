"""Cycles found in signals, and rates that a frame rate cannot carry."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from napari_vost.errors import InputError
from napari_vost.motion.period import find_period, radians_per_frame


@example(5.5, 0.0, 0.0)  # only every second cycle ends on a frame
@given(st.floats(5.0, 40.0), st.floats(0.0, 6.28), st.floats(-0.2, 0.2))
def test_a_sinusoid_on_a_slope_gives_its_period_within_a_twentieth(period: float, phase: float, slope: float) -> None:
    at = np.arange(round(3 * period) + 8)
    signal = 5 * np.sin(2 * np.pi * at / period + phase) + slope * at
    found = find_period(signal[:, None], 0.5)
    assert found is not None
    assert abs(found - period) < 0.05 * period + 0.1


def test_a_cycle_of_two_beats_is_not_taken_for_half_of_itself_nor_for_its_double() -> None:
    at = np.arange(100)
    wave = np.sin(2 * np.pi * at / 24) + 0.7 * np.sin(4 * np.pi * at / 24)
    found = find_period(5 * wave[:, None], 0.5)
    assert found is not None
    assert abs(found - 24) < 0.5


def test_one_cycle_is_not_a_rhythm() -> None:
    at = np.arange(24)
    assert find_period(5 * np.sin(2 * np.pi * at / 20)[:, None], 0.5) is None


@pytest.mark.parametrize("seed", range(20))
def test_noise_and_steady_motion_have_no_rhythm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signals = rng.standard_normal((60, 4)) + 2.0 * np.arange(60)[:, None]
    assert find_period(signals, 0.5) is None


def test_what_hardly_moves_has_no_rhythm() -> None:
    at = np.arange(100)
    assert find_period(0.3 * np.sin(2 * np.pi * at / 20)[:, None], 0.5) is None


def test_a_rate_becomes_an_angle_per_frame() -> None:
    assert radians_per_frame(0.05, 1.0) == pytest.approx(2 * np.pi / 20)
    assert radians_per_frame(None, 1.0) is None
    assert radians_per_frame(0.05, None) is None


def test_half_the_frame_rate_is_the_most() -> None:
    assert radians_per_frame(0.25, 2.0) == pytest.approx(np.pi)
    with pytest.raises(InputError, match=r"2\.1 Hz .* 4 frames per second: expected at most 2 Hz"):
        radians_per_frame(0.25, 2.1)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="above 0"):
        radians_per_frame(0.1, rate)
