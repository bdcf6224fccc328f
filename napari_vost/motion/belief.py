"""A Gaussian belief and the two things a Kalman filter does to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_vost.motion.signals import Matrix, Numbers


@dataclass(frozen=True, eq=False)
class Belief:
    """Mean (n,) and covariance (n, n) of a hidden state."""

    mean: Numbers
    covariance: Matrix

    def moved(self, mean: Numbers, change: Matrix, noise: Matrix) -> Belief:
        """After time has passed: the new mean, the Jacobian ``change`` (n, n) of the step, its process noise (n, n)."""
        return Belief(mean, change @ self.covariance @ change.T + noise)

    def seen(self, look: Matrix, noise: Matrix) -> Belief:
        """What a measurement should give: ``look`` (m, n) times the state, and noise (m, m)."""
        return Belief(look @ self.mean, look @ self.covariance @ look.T + noise)

    def corrected(self, look: Matrix, noise: Matrix, measured: Numbers) -> Belief:
        """After a measurement (m,). Joseph's form, which stays symmetric and positive."""
        expected = self.seen(look, noise)
        gain = np.linalg.solve(expected.covariance, look @ self.covariance).T
        rest = np.eye(len(self.mean)) - gain @ look
        covariance = rest @ self.covariance @ rest.T + gain @ noise @ gain.T
        return Belief(self.mean + gain @ (measured - expected.mean), (covariance + covariance.T) / 2)

    def distance2(self, measured: Numbers) -> float:
        """Squared Mahalanobis distance of a measurement from this belief."""
        off = measured - self.mean
        return float(off @ np.linalg.solve(self.covariance, off))

    def log_likelihood(self, measured: Numbers) -> float:
        """Log of the Gaussian density at a measurement."""
        _, size = np.linalg.slogdet(self.covariance)
        return float(-0.5 * (self.distance2(measured) + size + len(self.mean) * np.log(2 * np.pi)))
