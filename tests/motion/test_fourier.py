"""The Fourier filter on signals drawn from its own model."""

import numpy as np
import pytest

from napari_vost.motion.fourier import Fourier


def _wave(at: np.ndarray, period: float) -> np.ndarray:
    turn = 2 * np.pi * at / period
    return np.stack((np.sin(turn) + 0.3 * np.cos(2 * turn), 0.5 * np.cos(turn)), axis=1)


def _walked(period: float = 20.0, guess: float = 20.0, frames: int = 100, way: float = 1.0) -> Fourier:
    steps = way * np.arange(frames)
    values = _wave(steps, period) + np.random.default_rng(0).standard_normal((frames, 2)) * 0.01
    return Fourier.begun(values, steps, 2 * np.pi / guess, np.array([0.05, 0.05]))


def test_frequency_is_refined_from_a_guess_that_is_off_by_a_twentieth() -> None:
    assert 2 * np.pi / _walked(guess=21.0).angle == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_cycle_ahead_in_either_direction_is_as_good_as_now(way: float) -> None:
    filter_ = _walked(way=way)
    for ahead in (5, 13, 20):
        truth = _wave(np.array([way * (99 + ahead)]), 20.0)[0]
        assert np.allclose(filter_.moved(way * ahead).expected().mean, truth, atol=0.1)


def test_going_there_and_back_gives_the_same_mean_and_less_certainty() -> None:
    filter_ = _walked()
    back = filter_.moved(7.0).moved(-7.0)
    assert np.allclose(back.belief.mean, filter_.belief.mean)
    assert np.trace(back.belief.covariance) > np.trace(filter_.belief.covariance)


def test_the_phase_rises_by_a_cycle_per_period_and_is_0_at_the_top() -> None:
    filter_ = _walked()
    phases = [filter_.moved(float(ahead)).phase for ahead in range(21)]
    assert phases[20] == pytest.approx(phases[0], abs=0.01)
    steps = np.diff(phases) % 1.0
    assert np.allclose(steps, 0.05, atol=0.005)
    top = 105 - 99  # the leading signal's first harmonic, sin(2 pi t / 20), is largest at t = 105
    assert filter_.moved(float(top)).phase == pytest.approx(0.0, abs=0.02) or filter_.moved(float(top)).phase > 0.98


@pytest.mark.parametrize(("period", "harmonics"), [(20.0, 3), (6.5, 3), (6.0, 2), (4.0, 1), (2.0, 1)])
def test_no_harmonic_reaches_half_the_frame_rate_but_the_first(period: float, harmonics: int) -> None:
    assert _walked(period, period, 40).harmonics == harmonics


def test_errors_larger_than_claimed_widen_the_covariance() -> None:
    rng = np.random.default_rng(1)
    steps = np.arange(150.0)
    clean, rough = (_wave(steps, 20.0) + rng.standard_normal((150, 2)) * noise for noise in (0.02, 0.3))
    spread = [Fourier.begun(values, steps, 2 * np.pi / 20, np.array([0.05, 0.05])).spread for values in (clean, rough)]
    assert spread[1] > 5 * spread[0]
