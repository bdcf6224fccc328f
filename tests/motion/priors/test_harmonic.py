"""The rhythm of a box, against paths whose truth is known."""

import numpy as np
import pytest

from napari_vost.contracts import MotionPrior, MotionState
from napari_vost.errors import InputError
from napari_vost.motion.gate import GATE
from napari_vost.motion.priors.harmonic import BROKEN, NOT_YET, Harmonic, HarmonicState
from napari_vost.motion.priors.kalman import Kalman
from napari_vost.motion.signals import numbers_of
from napari_vost.testing import MotionPriorContract
from tests.motion.paths import Path, breath, errors, noisy, path_of, rms, seen_at

TURN = 2 * np.pi / 20


class TestHarmonic(MotionPriorContract):
    def prior(self) -> Harmonic:
        return Harmonic(frame_time_s=0.1)


def beat(frames: int = 200) -> Path:
    return path_of(frames, y=lambda t: 10 * np.sin(TURN * t) + 0.05 * t, size=lambda t: 0.2 * np.sin(TURN * t + 1))


def followed(prior: MotionPrior, path: Path, way: int = 1) -> MotionState:
    state = prior.start(seen_at(0, path[0]))
    for at in range(1, len(path)):
        state = prior.update(state, seen_at(way * at, path[at]))
    return state


def test_a_drifting_beat_is_forecast_ten_times_as_well_as_by_constant_velocity() -> None:
    truth = beat()
    path = noisy(truth, 0.5)
    ours, plain = (rms(errors(prior, path, truth, 5, 60)["centre"]) for prior in (Harmonic(), Kalman()))
    assert ours < 0.1 * plain
    assert ours < 1.0


@pytest.mark.parametrize("period", [8, 20, 50])
def test_beats_of_8_to_50_frames_are_forecast_to_a_pixel(period: int) -> None:
    truth = path_of(4 * period, y=lambda t: 8 * np.sin(2 * np.pi * t / period))
    assert rms(errors(Harmonic(), noisy(truth, 0.3), truth, 5, 3 * period)["centre"]) < 1.0


def test_a_breath_that_is_a_little_irregular_is_forecast_four_times_as_well() -> None:
    truth = breath(200, 20, 16.0, irregular=0.05)
    path = noisy(truth, 0.3)
    ours, plain = (rms(errors(prior, path, truth, 5, 60)["centre"]) for prior in (Harmonic(), Kalman()))
    assert ours < 0.25 * plain


def test_a_rate_that_changes_slowly_is_followed() -> None:
    truth = path_of(240, y=lambda t: 10 * np.sin(2 * np.pi * (t / 20 + t**2 / 20000)))  # 20 to 13.5 frames per cycle
    assert rms(errors(Harmonic(), noisy(truth, 0.3), truth, 5, 60)["centre"]) < 2.0


def test_the_covariance_is_calibrated_one_frame_ahead() -> None:
    truth = beat(240)
    nis = errors(Harmonic(), noisy(truth, 0.5), truth, 1, 60)["nis"]
    assert 3.2 < nis.mean() < 4.8
    assert np.mean(nis < GATE) > 0.9


def test_the_area_beats_with_the_box() -> None:
    prior = Harmonic()
    state = followed(prior, beat(100))
    areas = [prediction.area_px for ahead in range(100, 120) if (prediction := prior.predict(state, ahead))]
    assert max(areas) / min(areas) == pytest.approx(np.exp(0.8), rel=0.1)


def test_backward_is_the_mirror_of_forward_and_the_phase_runs_back() -> None:
    path, prior = beat(100), Harmonic()
    forward, backward = (prior.predict(followed(prior, path, way), way * 105) for way in (1, -1))
    assert forward is not None and backward is not None
    assert np.allclose(forward.box, backward.box, atol=0.05)
    state = followed(prior, path, -1)
    phases = [
        one.phase for ahead in (-99, -100, -101) if (one := prior.predict(state, ahead)) and one.phase is not None
    ]
    assert np.allclose(np.diff(phases) % 1.0, 0.95, atol=0.01)


def test_a_cycle_without_the_object_is_bridged() -> None:
    truth = beat(160)
    prior = Harmonic()
    state = prior.start(seen_at(0, truth[0]))
    for at in range(1, 130):
        state = prior.update(state, seen_at(at, None if at >= 105 else truth[at]))
    prediction = prior.predict(state, 130)
    assert prediction is not None
    assert np.abs(numbers_of(prediction.box) - truth[130]).max() < 2.0


def test_before_two_cycles_were_seen_it_is_constant_velocity_and_says_so() -> None:
    path, prior, plain = beat(30), Harmonic(), Kalman()
    state = followed(prior, path)
    assert isinstance(state, HarmonicState)
    assert state.note == NOT_YET
    ours, theirs = prior.predict(state, 33), plain.predict(followed(plain, path), 33)
    assert ours is not None and theirs is not None
    assert ours.box == theirs.box
    assert ours.phase is None


def test_a_known_heart_rate_needs_one_cycle_only() -> None:
    truth = beat(60)
    known, blind = Harmonic(0.05, 1.0), Harmonic(0.05)
    states = [followed(prior, truth[:26]) for prior in (known, blind)]
    assert [state.note for state in states] == ["", NOT_YET]  # type: ignore[attr-defined]
    prediction = known.predict(states[0], 30)
    assert prediction is not None
    assert np.hypot(*(numbers_of(prediction.box) - truth[30])[:2]) < 2.0


def test_a_heart_rate_that_does_not_fit_is_given_up_for_the_rhythm_that_shows() -> None:
    truth = path_of(300, y=lambda t: 10 * np.sin(TURN * t))
    state = followed(Harmonic(0.05, 2.9), noisy(truth, 0.3))
    assert isinstance(state, HarmonicState)
    assert not state.trusted
    assert state.rhythm is not None
    assert 2 * np.pi / state.rhythm.angle == pytest.approx(20, abs=0.5)


def test_an_aperiodic_path_is_never_called_a_rhythm_and_its_frames_are_counted() -> None:
    for truth in (path_of(120, y=lambda t: 1.5 * t), path_of(120, x=lambda t: 0.01 * t**2), path_of(120)):
        prior = Harmonic()
        state = followed(prior, noisy(truth, 0.4))
        assert isinstance(state, HarmonicState)
        assert state.note == NOT_YET
        assert prior.frames_without_rhythm == 120


def test_a_rhythm_in_one_direction_is_enough_until_it_breaks_off() -> None:
    path, prior = noisy(beat(), 0.3), Harmonic()
    followed(prior, path)
    followed(prior, path[:30], -1)
    assert prior.frames_without_rhythm == 0
    walk = path[-1] + np.arange(1, 60)[:, None] * np.array([1.5, 0, 0, 0])
    followed(prior, np.concatenate((path, walk)))
    assert prior.frames_without_rhythm > 20


def test_a_rhythm_that_breaks_off_is_given_up_within_a_cycle_and_says_so() -> None:
    truth = path_of(140, y=lambda t: np.where(t < 120, 10 * np.sin(TURN * t), 1.5 * (t - 120)))
    path = noisy(truth, 0.3)
    before, after = followed(Harmonic(), path[:120]), followed(Harmonic(), path)
    assert [state.note for state in (before, after)] == ["", BROKEN]  # type: ignore[attr-defined]


def test_a_rate_above_half_the_frame_rate_is_refused() -> None:
    with pytest.raises(InputError, match="half the frame rate"):
        Harmonic(frame_time_s=0.5, heart_rate_hz=1.2)
