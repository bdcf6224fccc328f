"""A filter for signals that repeat: a drifting level and a few harmonics, whose shared frequency is tracked too.

Per signal the state is ``[b, v, c1, d1, ..., cK, dK]``: level, its speed, and per harmonic the part that is seen and
the part a quarter of a cycle behind it. Over a step each pair turns by ``k * angle``; the measurement is
``b + sum(c)``. The angle per step is the last number of the state, shared by all signals: in it the filter is an
extended one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_vost.motion.belief import Belief
from napari_vost.motion.signals import Matrix, Numbers

_HARMONICS = 3
_LEVEL, _SPEED, _SHAPE = 0.02, 0.002, 0.03  # process noise per step, as shares of a signal's amplitude
_ANGLE = 0.01  # the same of the angle, as a share of it
_ANGLE_AT_FIRST = 0.05
_MEMORY = 0.1  # weight of the newest frame in what the filter learns of its own errors
_SPREAD = (0.05, 1e3)


@dataclass(frozen=True, eq=False)
class Fourier:
    """The filter's belief and its constants.

    Attributes
    ----------
    belief
        Over ``S * (2 + 2K) + 1`` numbers, see the module.
    amplitude, noise
        (S,) size of each signal's swing, and standard deviation of its measurements.
    harmonics
        K; the highest lies below half the frame rate.
    lead
        Signal whose first harmonic gives the phase.
    spread
        Factor on the covariance, learnt from the innovations: a common factor on all noises leaves the gain as it is.
    """

    belief: Belief
    amplitude: NDArray[np.float64]
    noise: NDArray[np.float64]
    harmonics: int
    lead: int
    spread: float = 1.0

    @classmethod
    def begun(
        cls, values: NDArray[np.float64], steps: NDArray[np.float64], angle: float, noise: NDArray[np.float64]
    ) -> Fourier:
        """The filter after it has walked along what was seen.

        Parameters
        ----------
        values, steps
            (N, S) signals and (N,) their places in time, in the order of travel.
        angle
            Radians of the cycle per step.
        noise
            (S,) standard deviation of a measurement.
        """
        harmonics = max(1, min(_HARMONICS, int(np.ceil(np.pi / angle)) - 1))
        amplitude = np.sqrt(2) * values.std(axis=0) + noise
        shares = [1.0, angle / np.pi, *np.repeat(1 / np.arange(1, harmonics + 1), 2)]
        spread = np.append(np.outer(amplitude, shares).ravel(), _ANGLE_AT_FIRST * angle)
        mean = np.zeros(len(spread))
        mean[: -1 : len(shares)], mean[-1] = values.mean(axis=0), angle
        lead = int(np.argmax(amplitude / noise))
        walked = cls(Belief(mean, np.diag(spread**2)), amplitude, noise, harmonics, lead)
        for index, measured in enumerate(values):
            walked = walked.moved(float(steps[index] - steps[index - 1]) if index else 0.0).corrected(measured)
        return walked

    @property
    def angle(self) -> float:
        """Radians of the cycle per step."""
        return float(self.belief.mean[-1])

    @property
    def phase(self) -> float:
        """Place in the cycle, 0 to 1 (1 excluded): 0 where the leading signal's first harmonic is largest."""
        seen, behind = self.belief.mean[self._first(self.lead) + 2 : self._first(self.lead) + 4]
        return float(np.arctan2(-behind, seen) / (2 * np.pi) % 1.0) % 1.0

    def moved(self, steps: float) -> Fourier:
        """The filter some steps later, or earlier where negative."""
        mean, change = self.belief.mean.copy(), np.eye(len(self.belief.mean))
        for signal in range(len(self.noise)):
            at = self._first(signal)
            change[at, at + 1] = steps
            for harmonic in range(1, self.harmonics + 1):
                pair = slice(at + 2 * harmonic, at + 2 * harmonic + 2)
                turn = harmonic * self.angle * steps
                cosine, sine = np.cos(turn), np.sin(turn)
                change[pair, pair] = [[cosine, sine], [-sine, cosine]]
                slope = np.array([[-sine, cosine], [-cosine, -sine]])
                change[pair, -1] = harmonic * steps * slope @ self.belief.mean[pair]
        for signal in range(len(self.noise)):
            block = slice(self._first(signal), self._first(signal + 1))
            mean[block] = change[block, block] @ self.belief.mean[block]
        return replace(self, belief=self.belief.moved(mean, change, self._process_noise(abs(steps))))

    def expected(self) -> Belief:
        """What a measurement should give here: (S,) and its covariance."""
        seen = self.belief.seen(self._look(), np.diag(self.noise**2))
        return Belief(seen.mean, seen.covariance * self.spread)

    def corrected(self, measured: Numbers) -> Fourier:
        """The filter after a measurement (S,)."""
        look, noise = self._look(), np.diag(self.noise**2)
        surprise = self.belief.seen(look, noise).distance2(measured) / len(measured)
        spread = float(np.clip((1 - _MEMORY) * self.spread + _MEMORY * surprise, *_SPREAD))
        return replace(self, belief=self.belief.corrected(look, noise, measured), spread=spread)

    def _first(self, signal: int) -> int:
        return signal * (2 + 2 * self.harmonics)

    def _look(self) -> Matrix:
        one = np.array([1.0, 0.0, *np.tile([1.0, 0.0], self.harmonics)])
        return np.hstack((np.kron(np.eye(len(self.noise)), one), np.zeros((len(self.noise), 1))))

    def _process_noise(self, steps: float) -> Matrix:
        level = _LEVEL**2 * steps + _SPEED**2 * steps**3 / 3
        shapes = np.repeat((_SHAPE / np.arange(1, self.harmonics + 1)) ** 2, 2) * steps
        one = np.array([level, _SPEED**2 * steps, *shapes])
        return np.diag(np.append(np.outer(self.amplitude**2, one).ravel(), (_ANGLE * self.angle) ** 2 * steps))
