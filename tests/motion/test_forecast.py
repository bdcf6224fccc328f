"""Forecasts of the next frames, in both directions."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from napari_vost.contracts import Prediction
from napari_vost.errors import InputError
from napari_vost.motion.forecast import Forecast, forecast
from napari_vost.motion.priors import make_prior
from napari_vost.motion.priors.kalman import Kalman
from napari_vost.testing import sighting, told
from tests.motion.paths import Path, noisy, path_of, seen_at

BOX = (10.0, 20.0, 30.0, 60.0)


def test_five_frames_ahead_follow_a_steady_walk_with_growing_doubt() -> None:
    prior = Kalman()
    state = told(prior, [sighting(at, (20, 2 * at, 40, 20 + 2 * at)) for at in range(30)])
    found = forecast(prior, state, 29)
    assert [round(one.box[1]) for one in found] == [60, 62, 64, 66, 68]
    spread = [float(one.covariance.trace()) for one in found if one.covariance is not None]
    assert len(spread) == 5
    assert spread == sorted(spread)


def test_a_negative_horizon_looks_at_the_frames_before() -> None:
    prior = Kalman()
    state = told(prior, [sighting(at, (20, 2 * at, 40, 20 + 2 * at)) for at in range(40, 20, -1)])
    assert [round(one.box[1]) for one in forecast(prior, state, 21, -3)] == [40, 38, 36]


def test_nothing_seen_means_no_forecast() -> None:
    prior = Kalman()
    assert forecast(prior, prior.start(sighting(0, None)), 0) == ()


def test_a_horizon_of_nothing_is_refused() -> None:
    prior = Kalman()
    with pytest.raises(InputError, match="0 frames"):
        forecast(prior, prior.start(sighting(0, (0, 0, 5, 5))), 0, 0)


@pytest.mark.parametrize("horizon", [31, -31, 10**6])
def test_a_horizon_that_no_prior_can_see_is_refused(horizon: int) -> None:
    prior = Kalman()
    with pytest.raises(InputError, match="at most 30 frames ahead"):
        forecast(prior, prior.start(sighting(0, (0, 0, 5, 5))), 0, horizon)


def test_deviations_are_those_of_centre_and_sides_in_pixels_and_millimetres() -> None:
    one = Forecast(3, BOX, np.diag([1.0, 4.0, 9.0, 16.0]), (0.5, 2.0))
    assert one.deviation_px == (1.0, 2.0, 3.0, 4.0)
    assert one.deviation_mm == (0.5, 4.0, 1.5, 8.0)
    assert Forecast(3, BOX, np.eye(4)).deviation_mm is None


def test_the_outer_box_holds_whole_boxes_in_95_of_100_draws_or_more() -> None:
    spread = np.array([[4.0, 1, 0.5, 0], [1, 2, 0, 0], [0.5, 0, 3, 1], [0, 0, 1, 2]])
    one = Forecast(0, BOX, spread)
    draws = np.random.default_rng(0).multivariate_normal([20, 40, 20, 40], spread, 4000)
    corners = draws[:, :2] - draws[:, 2:] / 2, draws[:, :2] + draws[:, 2:] / 2
    edges = np.concatenate(corners, axis=1)
    low, high = np.array(one.outer[:2]), np.array(one.outer[2:])
    inside = (edges[:, :2] >= low).all(axis=1) & (edges[:, 2:] <= high).all(axis=1)
    assert 0.945 < inside.mean() < 0.98
    assert 0.94 < np.mean([one.holds(tuple(box)) for box in edges]) < 0.96


def test_a_prior_that_does_not_say_how_sure_it_is_makes_no_forecast() -> None:
    with pytest.raises(InputError, match="'mute' does not say how sure"):
        Forecast.of(Prediction(BOX, 100.0), 3, "mute")
    assert Forecast.of(Prediction(BOX, 100.0, torch.eye(4)), 3, "kalman").covariance.dtype == np.float64


def walk(seed: int) -> Path:
    """A steady walk, its speed drawn anew."""
    speed = np.random.default_rng(seed).uniform(-2, 2, 2)
    return path_of(95, y=lambda t: speed[0] * t, x=lambda t: speed[1] * t)


def beat(seed: int) -> Path:
    """A beat of centre and size, its length drawn anew."""
    turn = 2 * np.pi / np.random.default_rng(seed).uniform(12, 30)
    return path_of(95, y=lambda t: 8 * np.sin(turn * t), size=lambda t: 0.1 * np.cos(turn * t))


@pytest.mark.parametrize(
    ("name", "way", "error_px", "deviation_px"),
    [
        ("regression", walk, 1.0, 4.0),
        ("kalman", walk, 1.0, 12.0),
        ("regression", beat, 1.0, 4.0),
        ("harmonic", beat, 1.0, 3.0),
        ("kalman", beat, 15.0, 20.0),
    ],
)
def test_the_95_percent_region_holds_95_of_100_boxes_and_is_no_larger_than_it_must_be(
    name: str, way: Callable[[int], Path], error_px: float, deviation_px: float
) -> None:
    held, missed, widest = [], [], 0.0
    for seed in range(8):
        truth = way(seed)
        seen, prior = noisy(truth, 0.5, seed), make_prior(name)
        assert prior is not None
        state = prior.start(seen_at(0, seen[0]))
        for at in range(1, 90):
            state = prior.update(state, seen_at(at, seen[at]))
            for ahead, one in enumerate(forecast(prior, state, at) if at >= 70 else (), start=1):
                found, (y, x, height, width) = Forecast.of(one, at + ahead, name), seen[at + ahead]
                held.append(found.holds((y - height / 2, x - width / 2, y + height / 2, x + width / 2)))
                expected = (found.box[0] + found.box[2]) / 2, (found.box[1] + found.box[3]) / 2
                missed.append(np.hypot(*(expected - truth[at + ahead, :2])))
                widest = max(widest, found.deviation_px[0])
    assert np.mean(held) > 0.93
    assert np.mean(missed) < error_px
    assert widest < deviation_px


def test_constant_velocity_that_keeps_missing_says_so() -> None:
    prior = Kalman()
    bounce = path_of(60, y=lambda t: 40 * np.abs((t % 8) / 4 - 1))
    state = prior.start(seen_at(0, bounce[0]))
    held = []
    for at in range(1, 55):
        state = prior.update(state, seen_at(at, bounce[at]))
        for ahead, one in enumerate(forecast(prior, state, at) if at >= 20 else (), start=1):
            y, x, height, width = bounce[at + ahead]
            box = (y - height / 2, x - width / 2, y + height / 2, x + width / 2)
            held.append(Forecast.of(one, at + ahead, "kalman").holds(box))
    assert np.mean(held) > 0.93
