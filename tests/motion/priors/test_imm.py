"""Constant velocity and rhythm mixed: near the better of the two, whichever it is."""

import numpy as np

from napari_vost.motion.priors.harmonic import NOT_YET, Harmonic
from napari_vost.motion.priors.imm import Imm, ImmState
from napari_vost.motion.priors.kalman import Kalman
from napari_vost.testing import MotionPriorContract
from tests.motion.paths import errors, noisy, path_of, rms
from tests.motion.priors.test_harmonic import TURN, beat, followed


class TestImm(MotionPriorContract):
    def prior(self) -> Imm:
        return Imm(frame_time_s=0.1)


def _switching(frames: int = 180) -> np.ndarray:
    return path_of(frames, y=lambda t: np.where(t < 120, 10 * np.sin(TURN * t), 1.5 * (t - 120)))


def test_while_it_beats_it_is_nearly_as_good_as_the_rhythm_alone() -> None:
    truth = beat()
    path = noisy(truth, 0.5)
    mixed, rhythm, plain = (rms(errors(prior, path, truth, 5, 60)["centre"]) for prior in (Imm(), Harmonic(), Kalman()))
    assert mixed < 2 * rhythm
    assert mixed < 0.1 * plain


def test_after_a_switch_it_is_half_as_wrong_as_the_rhythm_alone() -> None:
    truth = _switching()
    path = noisy(truth, 0.3)
    mixed, rhythm = (rms(errors(prior, path, truth, 5, 121)["centre"]) for prior in (Imm(), Harmonic()))
    assert mixed < 0.6 * rhythm


def test_ten_frames_after_a_switch_constant_velocity_has_the_say() -> None:
    path = noisy(_switching(131), 0.3)
    before, after = followed(Imm(), path[:120]), followed(Imm(), path)
    assert isinstance(before, ImmState) and isinstance(after, ImmState)
    assert before.weight > 0.9
    assert after.weight < 0.1


def test_the_phase_is_told_only_where_the_rhythm_is_the_likelier() -> None:
    prior, path = Imm(), noisy(_switching(131), 0.3)
    during, after = (prior.predict(followed(prior, path[:end]), end) for end in (120, 131))
    assert during is not None and during.phase is not None
    assert after is not None and after.phase is None


def test_disagreement_of_the_models_is_doubt() -> None:
    prior = Imm()
    state = followed(prior, noisy(beat(100), 0.3))
    assert isinstance(state, ImmState)
    spread = []
    for weight in (1.0, 0.5):
        prediction = prior.predict(ImmState(state.both, weight, 0.02), 105)
        assert prediction is not None and prediction.covariance is not None
        spread.append(float(prediction.covariance.trace()))
    assert spread[1] > 2 * spread[0]


def test_without_a_rhythm_it_is_constant_velocity_and_says_so() -> None:
    path, prior, plain = noisy(path_of(60, y=lambda t: 1.5 * t), 0.3), Imm(), Kalman()
    state = followed(prior, path)
    assert isinstance(state, ImmState)
    assert state.note == NOT_YET
    ours, theirs = prior.predict(state, 64), plain.predict(followed(plain, path), 64)
    assert ours is not None and theirs is not None
    assert ours.box == theirs.box


def test_the_covariance_covers_what_happens() -> None:
    truth = beat(240)
    nis = errors(Imm(), noisy(truth, 0.5), truth, 1, 60)["nis"]
    assert nis.mean() < 4.8
    assert np.mean(nis < 9.488) > 0.93
