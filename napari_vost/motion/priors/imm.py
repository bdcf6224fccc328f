"""Constant velocity and rhythm at once, each by how well it has predicted so far."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_vost.contracts import Observation, Prediction
from napari_vost.motion.belief import Belief
from napari_vost.motion.priors.base import BasePrior
from napari_vost.motion.priors.harmonic import Harmonic, HarmonicState
from napari_vost.motion.priors.kalman import Kalman
from napari_vost.motion.signals import numbers_of, prediction_of
from napari_vost.types import Image

_STAY = 0.95  # chance that what moves by one model goes on by it
_EVEN = 0.5  # weight of a rhythm that was just found
_MEMORY = 0.1  # weight of the newest frame in what is learnt of the error of constant velocity
_SPREAD = (0.02, 1e3)
_LEAST_PX = 0.5  # neither model may claim to be surer than this: whole pixels decide nothing


@dataclass(frozen=True, eq=False)
class ImmState:
    """Both filters, and how far each is believed.

    Attributes
    ----------
    both
        The two filters.
    weight
        Probability of the rhythm, 0..1; 0 while none is known.
    spread
        Factor on the covariance of constant velocity, learnt from its errors; the rhythm learns its own.
    """

    both: HarmonicState
    weight: float = 0.0
    spread: float = 1.0

    @property
    def note(self) -> str:
        """Why the box is predicted at constant velocity alone, "" where a rhythm has a say."""
        return self.both.note


class Imm(BasePrior):
    """Interacting models: constant velocity and the harmonic filter, mixed by likelihood.

    Switches follow a Markov chain. The two filters share no coordinates, so what is mixed is their predictions (mean,
    and covariance with the distance between the means), not their states as in the textbook form.

    Raises
    ------
    InputError
        A rate that is not above 0 or above half the frame rate.
    """

    name = "imm"
    periodic = True

    def _prepare(self, frame_time_s: float | None, heart_rate_hz: float | None) -> None:
        self._harmonic = Harmonic(frame_time_s, heart_rate_hz)
        self._kalman = Kalman(frame_time_s)

    @property
    def frames_without_rhythm(self) -> int:
        """As in `Harmonic`."""
        return self._harmonic.frames_without_rhythm

    def start(self, seen: Observation) -> ImmState:
        """State after the first sight."""
        return ImmState(self._harmonic.start(seen))

    def predict(self, state: ImmState, frame_index: int, image: Image | None = None) -> Prediction | None:
        """Mixture of both predictions; the phase where the rhythm is the likelier."""
        plain = self._kalman.predict(state.both.kalman, frame_index)
        rhythmic = self._harmonic.predict_rhythm(state.both, frame_index)
        if plain is None or rhythmic is None:
            return plain
        weight = _STAY * state.weight + (1 - _STAY) * (1 - state.weight)
        parts = ((1 - weight, _belief(plain, state.spread)), (weight, _belief(rhythmic)))
        mean = sum((share * one.mean for share, one in parts), np.zeros(4))
        covariance = np.zeros((4, 4))
        for share, one in parts:
            off = one.mean - mean
            covariance += share * (one.covariance + np.outer(off, off))
        fill = state.both.kalman.fill
        return prediction_of(mean, covariance, fill, rhythmic.phase if weight > _EVEN else None)

    def update(self, state: ImmState, seen: Observation) -> ImmState:
        """State after one more frame: both filters corrected, the weight by what each had expected."""
        both = self._harmonic.update(state.both, seen)
        plain = self._kalman.predict(state.both.kalman, seen.frame_index)
        if seen.box is None or plain is None:
            return replace(state, both=both)
        numbers = numbers_of(seen.box)
        surprise = _belief(plain).distance2(numbers) / 4
        spread = float(np.clip((1 - _MEMORY) * state.spread + _MEMORY * surprise, *_SPREAD))
        rhythmic = self._harmonic.predict_rhythm(state.both, seen.frame_index)
        if both.rhythm is None or rhythmic is None:
            return ImmState(both, 0.0 if both.rhythm is None else _EVEN, spread)
        weight = _STAY * state.weight + (1 - _STAY) * (1 - state.weight)
        odds = _belief(rhythmic).log_likelihood(numbers) - _belief(plain, state.spread).log_likelihood(numbers)
        odds = float(np.clip(odds, -50.0, 50.0)) + np.log(weight / (1 - weight))
        return ImmState(both, float(1 / (1 + np.exp(-odds))), spread)


def _belief(prediction: Prediction, spread: float = 1.0) -> Belief:
    covariance = np.eye(4) if prediction.covariance is None else prediction.covariance.numpy() * spread
    return Belief(numbers_of(prediction.box), covariance + np.eye(4) * _LEAST_PX**2)
