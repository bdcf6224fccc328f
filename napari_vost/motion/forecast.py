"""Where an object will be on the next frames, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vost.contracts import MotionPrior, MotionState, Prediction
from napari_vost.errors import InputError
from napari_vost.motion.gate import GATE
from napari_vost.motion.signals import numbers_of

LONGEST = 30  # frames ahead: farther than that no prior of ours knows more than where the object was
_EDGE = 2.241  # standard normal quantile of 1 - .05 / 4: four edges, each passed on one side with a chance of 1.25 %
_EDGES = np.array([[1, 0, -0.5, 0], [0, 1, 0, -0.5], [1, 0, 0.5, 0], [0, 1, 0, 0.5]])  # centre and sides to edges

FloatBox = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Where an object is expected on a frame that nobody has looked at.

    Attributes
    ----------
    frame_index
        Which frame; it may lie behind either end of the clip.
    box
        Half-open ``(y0, x0, y1, x1)`` in frame pixels.
    covariance
        (4, 4) float64 of centre y, centre x, height, width in pixels squared. The jitter of masks is in it: it is that
        of the box that will be *seen* there.
    spacing_mm
        Millimetres per (y, x) pixel, None where the source does not say.
    """

    frame_index: int
    box: FloatBox
    covariance: NDArray[np.float64]
    spacing_mm: tuple[float, float] | None = None

    @classmethod
    def of(
        cls, prediction: Prediction, frame_index: int, prior: str, spacing_mm: tuple[float, float] | None = None
    ) -> Forecast:
        """A prediction of a prior of that name as a forecast.

        Raises
        ------
        InputError
            The prior does not say how sure it is.
        """
        if prediction.covariance is None:
            raise InputError(f"Motion prior {prior!r} does not say how sure it is: forecast with another one.")
        covariance = prediction.covariance.detach().cpu().double().numpy()
        return cls(frame_index, prediction.box, covariance, spacing_mm)

    @property
    def deviation_px(self) -> FloatBox:
        """Standard deviation of centre y, centre x, height and width in pixels."""
        y, x, height, width = np.sqrt(np.diag(self.covariance)).tolist()
        return y, x, height, width

    @property
    def deviation_mm(self) -> FloatBox | None:
        """The same in millimetres, None where the spacing is unknown."""
        if self.spacing_mm is None:
            return None
        (y, x, height, width), (along_y, along_x) = self.deviation_px, self.spacing_mm
        return y * along_y, x * along_x, height * along_y, width * along_x

    @property
    def outer(self) -> FloatBox:
        """Half-open box that holds the whole object with a chance of 95 % or more: where to look for it."""
        edges = np.sqrt(np.diag(_EDGES @ self.covariance @ _EDGES.T)) * _EDGE
        y0, x0, y1, x1 = (np.array(self.box) + edges * [-1, -1, 1, 1]).tolist()
        return y0, x0, y1, x1

    def holds(self, box: FloatBox) -> bool:
        """Whether a half-open box lies in the 95 % region: an ellipsoid over centre, height and width."""
        off = numbers_of(box) - numbers_of(self.box)
        return float(off @ np.linalg.solve(self.covariance, off)) <= GATE


def forecast(prior: MotionPrior, state: MotionState, frame_index: int, horizon: int = 5) -> tuple[Prediction, ...]:
    """Predictions for the frames after a frame, nearest first.

    Parameters
    ----------
    prior, state
        A motion prior and what it knows.
    frame_index
        The frame that was answered last.
    horizon
        Frames ahead; negative looks at the frames before (a backward sweep).

    Returns
    -------
    tuple of Prediction
        ``abs(horizon)`` of them; none where the prior has no opinion.

    Raises
    ------
    InputError
        A horizon of 0, or of more than `LONGEST` frames.
    """
    check_horizon(horizon)
    way = 1 if horizon > 0 else -1
    found = [prior.predict(state, frame_index + way * ahead) for ahead in range(1, abs(horizon) + 1)]
    return tuple(one for one in found if one is not None)


def check_horizon(horizon: int) -> None:
    """Raise `InputError` for a horizon of 0, or of more than `LONGEST` frames."""
    if horizon == 0:
        raise InputError("A forecast of 0 frames is none: give the frames ahead, negative for the frames before.")
    if abs(horizon) > LONGEST:
        raise InputError(f"A forecast looks at most {LONGEST} frames ahead, got {horizon}: give a nearer horizon.")
