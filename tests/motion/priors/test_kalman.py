"""Constant velocity, against paths whose truth is known."""

import numpy as np
import torch

from napari_vost.contracts import Observation
from napari_vost.motion.gate import GATE
from napari_vost.motion.priors.kalman import Kalman, KalmanState
from napari_vost.motion.signals import numbers_of
from napari_vost.testing import MotionPriorContract, sighting, told


class TestKalman(MotionPriorContract):
    def prior(self) -> Kalman:
        return Kalman(frame_time_s=0.1)


def test_the_first_covariance_is_that_of_the_published_constants() -> None:
    prior = Kalman()
    prediction = prior.predict(prior.start(sighting(0, (20, 20, 60, 60))), 0)
    assert prediction is not None and prediction.covariance is not None
    height = 40.0
    place = (2 * height / 20) ** 2 + (height / 20) ** 2  # belief and measurement
    aspect = 1e-2**2 + 1e-1**2
    expected = torch.tensor([place, place, place, place + height**2 * aspect], dtype=torch.float64)
    assert torch.allclose(prediction.covariance.diagonal(), expected)


def test_a_steady_speed_is_learnt_to_a_tenth_of_a_pixel() -> None:
    prior = Kalman()
    state = told(prior, [sighting(at, (20 + at, 10 + 2 * at, 40 + at, 40 + 2 * at)) for at in range(40)])
    for ahead in (40, 45, 50):
        prediction = prior.predict(state, ahead)
        assert prediction is not None
        assert np.allclose(prediction.box, (20 + ahead, 10 + 2 * ahead, 40 + ahead, 40 + 2 * ahead), atol=0.1)


def test_uneven_frame_times_count() -> None:
    times = [*np.arange(0.0, 2.0, 0.1), *np.arange(2.0, 6.0, 0.2)]
    boxes = [(20, round(10 + 20 * time), 40, round(40 + 20 * time)) for time in times]
    seen = [sighting(at, box, float(time)) for at, (box, time) in enumerate(zip(boxes, times, strict=True))]
    timed, blind = (told(prior, seen).belief.mean[5] for prior in (Kalman(frame_time_s=0.1), Kalman()))
    assert abs(timed - 2.0) < 0.05  # pixels per 0.1 s
    assert blind > 3.0  # per frame, and frames became twice as long


def test_an_absence_is_bridged_at_the_speed_before_it() -> None:
    prior = Kalman()
    seen = [sighting(at, (20, 10 + 2 * at, 40, 30 + 2 * at)) for at in range(20)]
    state = told(prior, [*seen, *[sighting(at, None) for at in range(20, 30)]])
    prediction = prior.predict(state, 30)
    assert prediction is not None
    assert abs(numbers_of(prediction.box)[1] - 80) < 1.0


def _drawn(rng: np.random.Generator, frames: int) -> list[np.ndarray]:
    """Measurements (y, x, aspect, height) drawn from the filter's own model."""
    mean = np.array([500.0, 500.0, 1.0, 100.0, 1.0, -1.0, 0.0, 0.0])
    found = []
    for _ in range(frames):
        height = mean[3]
        mean = np.concatenate((mean[:4] + mean[4:], mean[4:]))
        place, speed = height / 20, height / 160
        mean = mean + rng.standard_normal(8) * [place, place, 1e-2, place, speed, speed, 1e-5, speed]
        found.append(mean[:4] + rng.standard_normal(4) * [place, place, 1e-1, place])
        if mean[3] < 60:
            mean[3], mean[7] = 100.0, 0.0
            found.clear()
    return found


def test_the_covariance_is_calibrated_on_paths_of_its_own_model() -> None:
    rng = np.random.default_rng(3)
    prior, distances = Kalman(), []
    mask = torch.zeros((1, 1), dtype=torch.bool)
    for _ in range(30):
        state: KalmanState | None = None
        for at, (y, x, aspect, height) in enumerate(_drawn(rng, 40)):
            box = (y - height / 2, x - aspect * height / 2, y + height / 2, x + aspect * height / 2)
            seen = Observation(at, None, mask, box, 1, 0.9)
            if state is None:
                state = prior.start(seen)
                continue
            prediction = prior.predict(state, at)
            assert prediction is not None and prediction.covariance is not None
            off = numbers_of(box) - numbers_of(prediction.box)
            if at > 8:
                distances.append(off @ np.linalg.solve(prediction.covariance.numpy(), off))
            state = prior.update(state, seen)
    assert len(distances) > 500
    assert 3.5 < np.mean(distances) < 4.7  # a chi-square of four degrees of freedom has mean 4
    assert 0.91 < np.mean(np.array(distances) < GATE) < 0.98
