"""Online ridge regression on the last samples: plain, and hard to beat for breathing (Radiat Oncol 2023, 18:149)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vost.contracts import Observation, Prediction
from napari_vost.motion.priors.base import BasePrior
from napari_vost.motion.signals import Matrix, Moment, Numbers, Path, fill_of, numbers_of, prediction_of
from napari_vost.types import Image

LAGS = 12  # samples a prediction is made of
FORGETTING = 0.99  # weight of a frame relative to the one after it
_RIDGE = 0.1  # pixels squared: about the variance that whole pixels add to a difference of two measurements
_LEAST = 0.1  # pixels squared: nothing is predicted more surely than whole pixels allow
_GROWTH = 1 / 160  # standard deviation per square root of a frame, as a share of the size: what no fit shows
_FEW = 7.0  # n residuals make a covariance 1 + 7 / n wider: Hotelling's 95 % region of four numbers, to first order
_REST = 1 / 20  # the same, where nothing can be fitted


@dataclass(frozen=True, eq=False)
class RegressionState:
    """Where the object was seen; the weights are solved for when a horizon is asked for."""

    path: Path | None = None
    moment: Moment | None = None
    fill: float = 1.0


class Regression(BasePrior):
    """Ridge regression of each number on its own last samples, one fit per horizon, older frames forgotten.

    Every number is written relative to its present value, so a structure that stays is predicted to stay, wherever it
    is. It is the batch form of recursive least squares with the same forgetting. The covariance is that of the
    residuals, each as if its own frame had not been fitted, and grows where the present is unlike the past. Where such
    fits would have predicted a number worse than by staying, it stays; before there are enough frames to fit, all do.
    """

    name = "regression"

    def start(self, seen: Observation) -> RegressionState:
        """State after the first sight."""
        return self.update(RegressionState(), seen)

    def update(self, state: RegressionState, seen: Observation) -> RegressionState:
        """State after one more frame; unchanged where the object is absent."""
        if seen.box is None:
            return state
        moment, numbers = self._clock.moment(seen, state.moment), numbers_of(seen.box)
        path = Path.begun(moment.step, numbers) if state.path is None else state.path.went(moment.step, numbers)
        return RegressionState(path, moment, fill_of(seen, seen.box))

    def predict(self, state: RegressionState, frame_index: int, image: Image | None = None) -> Prediction | None:
        """Box on a frame, with the covariance of such predictions so far; None before the object was seen."""
        if state.path is None or state.moment is None:
            return None
        ahead = max(round((state.moment.step_at(frame_index) - state.moment.step) * state.path.way), 0)
        numbers, covariance = predicted(state.path, ahead)
        return prediction_of(numbers, covariance, state.fill)


def predicted(path: Path, ahead: int) -> tuple[Numbers, Matrix]:
    """Numbers (4,) some whole frames after the end of a path, and their covariance (4, 4)."""
    values, known = path.even()
    size2 = float(max(values[-1, 2] * values[-1, 3], 1.0))
    reach = min(ahead, len(values) // 2)  # farther than half of the past nothing can be fitted: the box stays there
    if reach == 0:
        return values[-1], np.eye(4) * (_LEAST + size2 * _REST**2 * (1 + ahead))
    lags = min(LAGS, (len(values) - reach) // 3)
    ends = np.arange(max(lags, 1) - 1, len(values) - reach)
    ends = ends[known[ends] & known[ends + reach]]  # what lies between may be a bridged gap
    floor = np.eye(4) * (_LEAST + size2 * (_GROWTH**2 * reach + _REST**2 * (ahead - reach)))
    if lags < 2 or len(ends) < 2 * lags:
        moved = values[ends + reach] - values[ends]  # what staying has missed so far
        missed = moved.T @ moved / max(len(moved), 1) * (ahead / reach) ** 2
        return values[-1], missed + floor + np.eye(4) * size2 * _REST**2 * ahead
    weights = FORGETTING ** (ends[-1] - ends)
    now = np.array([len(values) - 1])
    steps, doubt, residuals = np.empty(4), np.empty(4), np.empty((len(ends), 4))
    for signal in range(4):
        past = _relative(values[:, signal], ends, lags)
        target = values[ends + reach, signal] - values[ends, signal]
        solved = np.linalg.inv((past.T * weights) @ past + np.eye(lags - 1) * _RIDGE * float(weights.sum()))
        fitted = solved @ past.T @ (weights * target)
        present = _relative(values[:, signal], now, lags)[0]
        steps[signal], doubt[signal] = present @ fitted, np.sqrt(1 + present @ solved @ present)
        own_say = weights * np.einsum("ni,ij,nj->n", past, solved, past)
        residuals[:, signal] = (target - past @ fitted) / np.maximum(1 - own_say, 0.1)
        if weights @ residuals[:, signal] ** 2 >= weights @ target**2:
            residuals[:, signal], steps[signal] = target, 0.0
    covariance = (residuals.T * weights) @ residuals / float(weights.sum()) * (1 + _FEW * reach / len(ends))
    return values[-1] + steps, covariance * np.outer(doubt, doubt) + floor


def _relative(signal: NDArray[np.float64], ends: NDArray[np.intp], lags: int) -> Matrix:
    """(N, lags - 1) samples before each end, relative to the sample there."""
    past: Matrix = signal[ends[:, None] - np.arange(1, lags)] - signal[ends][:, None]
    return past
