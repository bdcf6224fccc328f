"""Forecasts of the next frames, in both directions."""

import pytest

from napari_vost.errors import InputError
from napari_vost.motion.forecast import forecast
from napari_vost.motion.priors.kalman import Kalman
from napari_vost.testing import sighting, told


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
