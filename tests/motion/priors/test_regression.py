"""Ridge regression on the last samples, against paths whose truth is known."""

import numpy as np

from napari_vost.motion.gate import GATE
from napari_vost.motion.priors.kalman import Kalman
from napari_vost.motion.priors.regression import Regression, predicted
from napari_vost.motion.signals import Path
from napari_vost.testing import MotionPriorContract
from tests.motion.paths import breath, errors, noisy, path_of, rms, seen_at


class TestRegression(MotionPriorContract):
    def prior(self) -> Regression:
        return Regression(frame_time_s=0.1)


def test_an_irregular_breath_is_forecast_twice_as_well_as_by_constant_velocity() -> None:
    truth = breath(200, 20, 16.0, irregular=0.15)
    path = noisy(truth, 0.3)
    ours, plain = (rms(errors(prior, path, truth, 5, 60)["centre"]) for prior in (Regression(), Kalman()))
    assert ours < 0.5 * plain


def test_a_sinusoid_is_forecast_to_a_pixel() -> None:
    truth = path_of(160, y=lambda t: 10 * np.sin(2 * np.pi * t / 20))
    assert rms(errors(Regression(), noisy(truth, 0.3), truth, 5, 60)["centre"]) < 1.0


def test_steady_speed_is_kept() -> None:
    truth = path_of(40, y=lambda t: 1.5 * t, x=lambda t: -2.0 * t)
    assert rms(errors(Regression(), truth, truth, 5, 30)["centre"]) < 0.5


def test_the_covariance_covers_what_happens() -> None:
    truth = path_of(240, y=lambda t: 10 * np.sin(2 * np.pi * t / 20), size=lambda t: 0.2 * np.sin(2 * np.pi * t / 20))
    for horizon in (1, 5):
        nis = errors(Regression(), noisy(truth, 0.5), truth, horizon, 80)["nis"]
        assert 1.5 < nis.mean() < 5.0  # a chi-square has 4: a little humble, never bold
        assert np.mean(nis < 9.488) > 0.9


def test_backward_is_the_mirror_of_forward() -> None:
    path = breath(80, 20, 16.0, irregular=0.1)
    found = []
    for way in (1, -1):
        prior = Regression()
        state = prior.start(seen_at(way * 0, path[0]))
        for at in range(1, 80):
            state = prior.update(state, seen_at(way * at, path[at]))
        prediction = prior.predict(state, way * 84)
        assert prediction is not None
        found.append(prediction.box)
    assert np.allclose(*found)


def test_a_gap_in_every_breath_is_bridged() -> None:
    truth = path_of(140, y=lambda t: 10 * np.sin(2 * np.pi * t / 20))
    gaps = [at for at in range(20, 140) if at % 20 in (3, 4, 5, 6, 7)]
    assert rms(errors(Regression(), truth, truth, 5, 110, hidden=gaps[:-10])["centre"]) < 2.0  # staying: 7


def test_jumps_without_rule_are_met_by_staying_and_by_a_covariance_that_covers_them() -> None:
    rng = np.random.default_rng(4)
    truth = path_of(
        160, y=lambda t: np.cumsum(rng.standard_normal(len(t)) * 3), x=lambda t: 4 * rng.standard_normal(160)
    )
    found = errors(Regression(), truth, truth, 1, 20)
    staying = rms(np.hypot(*np.diff(truth[:, :2], axis=0).T)[20:])
    assert rms(found["centre"]) < 1.05 * staying
    assert np.mean(found["nis"] < 9.488) > 0.88


def test_a_state_that_turns_round_begins_anew() -> None:
    path = Path.begun(0.0, np.ones(4)).went(1.0, np.ones(4) * 2).went(2.0, np.ones(4) * 3)
    turned = path.went(1.0, np.ones(4) * 5)
    assert len(turned.steps) == 1
    assert np.array_equal(predicted(turned, 3)[0], np.ones(4) * 5)


def test_a_gap_is_bridged_linearly_but_known_as_a_gap() -> None:
    path = Path.begun(0.0, np.zeros(4)).went(4.0, np.full(4, 8.0))
    values, known = path.even()
    assert values[:, 0].tolist() == [0, 2, 4, 6, 8]
    assert known.tolist() == [True, False, False, False, True]


def test_before_anything_can_be_fitted_the_doubt_is_what_staying_has_missed() -> None:
    truth = path_of(14, x=lambda t: 15 * t)
    for seen in (4, 6):
        for ahead in (1, 3):
            expected, covariance = predicted(Path(np.arange(float(seen)), truth[:seen]), ahead)
            off = truth[seen - 1 + ahead] - expected
            assert np.abs(off).max() == 15 * ahead
            assert off @ np.linalg.solve(covariance, off) < GATE
