"""What beats or breathes: a Fourier filter of the box, and constant velocity until a rhythm is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_vost.contracts import Observation, Prediction
from napari_vost.motion.belief import Belief
from napari_vost.motion.fourier import Fourier
from napari_vost.motion.period import find_period, radians_per_frame
from napari_vost.motion.priors.base import BasePrior
from napari_vost.motion.priors.kalman import Kalman, KalmanState
from napari_vost.motion.signals import Numbers, Path, numbers_of, prediction_of
from napari_vost.types import Image

NOT_YET = "No rhythm is known yet: the box is predicted at constant velocity."
BROKEN = "The rhythm broke off: the box is predicted at constant velocity until one is found again."
STILL_PX = 0.5  # standard deviation below which nothing is called rhythm
_NOISE_PX = 0.4  # standard deviation of a measurement: masks end on whole pixels
_NOISE_SHARE = 0.05  # the same, as a share of a signal's swing
_MEMORY = 0.1  # weight of the newest error
_WORSE = 4.0  # squared error, relative to constant velocity, at which the rhythm is given up
_SEEN = 0.6  # share of the frames that must have been seen for a rhythm to be looked for
_KEPT = 4  # frames of the path that outlive a broken rhythm


@dataclass(frozen=True, eq=False)
class HarmonicState:
    """Two filters side by side.

    Attributes
    ----------
    kalman
        Constant velocity, always kept up.
    path
        Where the object was seen, None until it was.
    rhythm
        The Fourier filter at the last sight; None while no rhythm is known.
    unit
        Pixels that the signals of the Fourier filter count in: the object's size when first seen.
    errors
        Smoothed squared errors, in pixels, one sight ahead: constant velocity, rhythm.
    trusted
        Whether the given heart rate still counts; not after it failed to predict.
    note
        Why the box is predicted at constant velocity, "" where a rhythm predicts it.
    """

    kalman: KalmanState
    path: Path | None = None
    rhythm: Fourier | None = None
    unit: float = 1.0
    errors: tuple[float, float] = (0.0, 0.0)
    trusted: bool = True
    note: str = NOT_YET


class Harmonic(BasePrior):
    """Fourier Kalman filter of centre y, centre x, log height and log width, three harmonics, one frequency.

    The frequency comes from the heart rate, else from the autocorrelation of what was seen (two cycles), and is tracked
    from there. A rhythm that predicts worse than constant velocity is given up, and the state's ``note`` says so. The
    phase of a prediction is 0 where the signal that swings most is largest.

    Raises
    ------
    InputError
        A rate that is not above 0 or above half the frame rate.
    """

    name = "harmonic"
    periodic = True

    def _prepare(self, frame_time_s: float | None, heart_rate_hz: float | None) -> None:
        self._angle = radians_per_frame(frame_time_s, heart_rate_hz)
        self._kalman = Kalman(frame_time_s)
        self._longest, self._found = 0, False  # for the user to be told: no prediction depends on them

    @property
    def frames_without_rhythm(self) -> int:
        """Frames on which an object was seen without any rhythm (of all objects the most); 0 once one was found."""
        return 0 if self._found else self._longest

    def start(self, seen: Observation) -> HarmonicState:
        """State after the first sight."""
        state = HarmonicState(self._kalman.start(seen))
        return self._begun(state, seen)

    def predict(self, state: HarmonicState, frame_index: int, image: Image | None = None) -> Prediction | None:
        """Box on a frame, with covariance and phase; None before the object was seen."""
        rhythmic = self.predict_rhythm(state, frame_index)
        return self._kalman.predict(state.kalman, frame_index) if rhythmic is None else rhythmic

    def predict_rhythm(self, state: HarmonicState, frame_index: int) -> Prediction | None:
        """What the rhythm alone predicts; None while none is known."""
        moment = state.kalman.moment
        if state.rhythm is None or moment is None:
            return None
        ahead = state.rhythm.moved(moment.step_at(frame_index) - moment.step)
        seen = _in_pixels(ahead.expected(), state.unit)
        return prediction_of(seen.mean, seen.covariance, state.kalman.fill, ahead.phase)

    def update(self, state: HarmonicState, seen: Observation) -> HarmonicState:
        """State after one more frame; unchanged where the object is absent."""
        if seen.box is None:
            return state
        kalman = self._kalman.update(state.kalman, seen)
        if state.path is None or state.kalman.moment is None or kalman.moment is None:
            return self._begun(replace(state, kalman=kalman), seen)
        numbers, steps = numbers_of(seen.box), kalman.moment.step - state.kalman.moment.step
        new = replace(state, kalman=kalman, path=state.path.went(kalman.moment.step, numbers))
        if state.rhythm is None:
            return self._searched(new)
        ahead = state.rhythm.moved(steps)
        new = replace(new, rhythm=ahead.corrected(_signals(numbers, state.unit)))
        return self._judged(new, state, _in_pixels(ahead.expected(), state.unit).mean, numbers)

    def _begun(self, state: HarmonicState, seen: Observation) -> HarmonicState:
        if seen.box is None or state.kalman.moment is None:
            return state
        numbers = numbers_of(seen.box)
        unit = float(np.sqrt(numbers[2] * numbers[3]))
        return replace(state, path=Path.begun(state.kalman.moment.step, numbers), unit=unit)

    def _searched(self, state: HarmonicState) -> HarmonicState:
        """The state with a rhythm, if one full cycle of the given rate, or two of one that shows itself, were seen."""
        if state.path is None:
            return state
        path, angle = state.path, self._angle if state.trusted else None
        if angle is None:
            path, angle = _rhythm_of(state.path, state.unit)
        if angle is None or path.span < 2 * np.pi / angle:
            self._longest = max(self._longest, len(state.path.steps))
            return state
        self._found = True
        values = _signals(path.values, state.unit)
        noise = _NOISE_PX / state.unit + _NOISE_SHARE * values.std(axis=0)
        rhythm = Fourier.begun(values, path.steps, angle, noise)
        return replace(state, rhythm=rhythm, errors=(0.0, 0.0), note="")

    def _judged(self, new: HarmonicState, old: HarmonicState, rhythmic: Numbers, numbers: Numbers) -> HarmonicState:
        """The state without its rhythm, if that keeps predicting worse than constant velocity."""
        if old.kalman.moment is None or new.kalman.moment is None or new.path is None:
            return new
        plain = self._kalman.predict(old.kalman, new.kalman.moment.frame_index)
        expected = numbers if plain is None else numbers_of(plain.box)
        errors = (
            old.errors[0] + _MEMORY * (float(((expected - numbers) ** 2).sum()) - old.errors[0]),
            old.errors[1] + _MEMORY * (float(((rhythmic - numbers) ** 2).sum()) - old.errors[1]),
        )
        if errors[1] <= _WORSE * (errors[0] + 4 * STILL_PX**2):
            return replace(new, errors=errors)
        self._longest, self._found = 0, False
        return replace(new, rhythm=None, errors=(0.0, 0.0), trusted=False, note=BROKEN, path=new.path.last(_KEPT))


def _rhythm_of(path: Path, unit: float) -> tuple[Path, float | None]:
    """The end of a path that repeats, and its radians per frame: what came before may have been another motion."""
    values, known = path.even()
    for part in (1, 2, 4):
        count = len(values) // part
        if known[-count:].mean() < _SEEN:
            continue
        period = find_period(_signals(values[-count:], unit), STILL_PX / unit)
        if period is not None:
            return path.last(max(len(path.steps) // part, 1)), 2 * np.pi / period
    return path, None


def _signals(numbers: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Centre y and x in units of size, log height, log width: (..., 4) from (..., 4) in pixels."""
    sides = np.log(np.maximum(numbers[..., 2:], 0.5) / unit)
    return np.concatenate((numbers[..., :2] / unit, sides), axis=-1)


def _in_pixels(belief: Belief, unit: float) -> Belief:
    """A belief about signals as one about centre y, centre x, height, width."""
    sides = unit * np.exp(np.minimum(belief.mean[2:], 10.0))
    turn = np.diag([unit, unit, *sides])
    return Belief(np.array([*(belief.mean[:2] * unit), *sides]), turn @ belief.covariance @ turn.T)
