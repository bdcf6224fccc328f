"""Constant velocity of the box: the Kalman filter of DeepSORT (Wojke 2017) as SAMURAI uses it (arXiv:2411.11922)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vost.contracts import Observation, Prediction
from napari_vost.motion.belief import Belief
from napari_vost.motion.priors.base import BasePrior
from napari_vost.motion.signals import Matrix, Moment, Numbers, fill_of, numbers_of, prediction_of
from napari_vost.types import Image

_PLACE, _SPEED = 1 / 20, 1 / 160  # standard deviations as shares of the height, per frame
_ASPECT, _ASPECT_SPEED, _ASPECT_SEEN = 1e-2, 1e-5, 1e-1
_LOOK = np.eye(4, 8)
_MEMORY = 0.1  # weight of the newest frame in what the filter learns of its own errors
_MOST = 1e3


@dataclass(frozen=True, eq=False)
class KalmanState:
    """Belief (8,) over centre y, centre x, aspect (width / height), height and their speeds per frame step.

    Attributes
    ----------
    belief
        None until the object was seen.
    moment
        When it was last seen: a frame without the object leaves the state as it is, and distance in time makes the
        uncertainty grow.
    fill
        Share of its box that the mask filled.
    spread
        Factor on the covariance of predictions, learnt from the errors: 1 and more, the constants are the least.
    """

    belief: Belief | None = None
    moment: Moment | None = None
    fill: float = 1.0
    spread: float = 1.0


class Kalman(BasePrior):
    """Constant velocity, with the published constants.

    Ours is one thing: where it keeps missing by more than those constants allow, its predictions say so. The gain stays
    as it is, and so do the predicted boxes.
    """

    name = "kalman"

    def start(self, seen: Observation) -> KalmanState:
        """State after the first sight: there, at rest, speed unknown."""
        if seen.box is None:
            return KalmanState()
        measured = _measured(seen.box)
        sides = 2 * _PLACE, 2 * _PLACE, 0.0, 2 * _PLACE, 10 * _SPEED, 10 * _SPEED, 0.0, 10 * _SPEED
        spread = np.array(sides) * measured[3] + np.array([0, 0, _ASPECT, 0, 0, 0, _ASPECT_SPEED, 0])
        belief = Belief(np.concatenate((measured, np.zeros(4))), np.diag(spread**2))
        return KalmanState(belief, self._clock.moment(seen, None), fill_of(seen, seen.box))

    def predict(self, state: KalmanState, frame_index: int, image: Image | None = None) -> Prediction | None:
        """Box on a frame, with its covariance; None before the object was seen."""
        if state.belief is None or state.moment is None:
            return None
        ahead = state.moment.step_at(frame_index) - state.moment.step
        belief = _moved(state.belief, ahead)
        expected = belief.seen(_LOOK, _noise(belief))
        y, x, aspect, height = expected.mean
        height, aspect = max(height, 1.0), max(aspect, 1e-3)
        turn = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, height, aspect]], dtype=np.float64)
        numbers = np.array([y, x, height, aspect * height])
        wider = 1 + (state.spread - 1) * max(abs(ahead), 1.0)  # a speed that is wrong is more so the farther it leads
        return prediction_of(numbers, turn @ expected.covariance @ turn.T * wider, state.fill)

    def update(self, state: KalmanState, seen: Observation) -> KalmanState:
        """State after one more frame; unchanged where the object is absent."""
        if seen.box is None:
            return state
        if state.belief is None or state.moment is None:
            return self.start(seen)
        moment = self._clock.moment(seen, state.moment)
        belief, measured = _moved(state.belief, moment.step - state.moment.step), _measured(seen.box)
        missed = belief.seen(_LOOK, _noise(belief)).distance2(measured) / len(measured)
        spread = float(np.clip((1 - _MEMORY) * state.spread + _MEMORY * missed, 1.0, _MOST))
        belief = belief.corrected(_LOOK, _noise(belief), measured)
        return KalmanState(belief, moment, fill_of(seen, seen.box), spread)


def _measured(box: tuple[float, float, float, float]) -> Numbers:
    y, x, height, width = numbers_of(box)
    return np.array([y, x, width / height, height])


def _noise(belief: Belief) -> Matrix:
    """Noise of a measurement of the four numbers, (4, 4)."""
    height = max(float(belief.mean[3]), 1.0)
    return np.diag(np.array([_PLACE * height, _PLACE * height, _ASPECT_SEEN, _PLACE * height]) ** 2)


def _moved(belief: Belief, steps: float) -> Belief:
    """The belief some steps later (earlier where negative): whole steps one by one, as the constants are per frame."""
    count = max(round(abs(steps)), 1)
    change = np.eye(8) + np.diag(np.full(4, steps / count), 4)
    for _ in range(count):
        mean: NDArray[np.float64] = change @ belief.mean
        height = max(float(belief.mean[3]), 1.0)
        place, speed = _PLACE * height, _SPEED * height
        spread = np.array([place, place, _ASPECT, place, speed, speed, _ASPECT_SPEED, speed])
        belief = belief.moved(mean, change, np.diag(spread**2) * (abs(steps) / count))
    return belief
