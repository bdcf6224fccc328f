"""What motion priors measure and keep: four numbers of a box, time in frame steps, the path so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vost.contracts import Observation, Prediction
from napari_vost.masks import Box

Numbers = NDArray[np.float64]  # centre y, centre x, height, width in pixels, in this order everywhere
Matrix = NDArray[np.float64]

LONGEST_PATH = 240  # frames of the past that are kept: four beats of 60 frames


def numbers_of(box: tuple[float, float, float, float]) -> Numbers:
    """Centre y, centre x, height, width of a half-open box, float64 (4,) in pixels."""
    y0, x0, y1, x1 = box
    return np.array([(y0 + y1) / 2, (x0 + x1) / 2, y1 - y0, x1 - x0], dtype=np.float64)


def fill_of(seen: Observation, box: Box) -> float:
    """Share of its box that a mask fills, 0 to 1."""
    return float(seen.area_px) / max((box[2] - box[0]) * (box[3] - box[1]), 1)


def prediction_of(numbers: Numbers, covariance: Matrix, fill: float, phase: float | None = None) -> Prediction:
    """Put a prediction together.

    Parameters
    ----------
    numbers
        Centre y, centre x, height, width; sides below one pixel count as one.
    covariance
        (4, 4) of the box that will be *seen*: the noise of a measurement is in it, so that a gate may use it as it is.
    fill
        Share of the box that the mask fills.
    phase
        Place in the cycle, 0..1.
    """
    y, x = float(numbers[0]), float(numbers[1])
    height, width = max(float(numbers[2]), 1.0), max(float(numbers[3]), 1.0)
    box = (y - height / 2, x - width / 2, y + height / 2, x + width / 2)
    even: Tensor = torch.from_numpy((covariance + covariance.T) / 2)
    return Prediction(box, fill * height * width, even, phase)


@dataclass(frozen=True)
class Moment:
    """A frame and its place in time, counted in frame steps."""

    frame_index: int
    step: float

    def step_at(self, frame_index: int) -> float:
        """Place in time of another frame, whose own time nobody told."""
        return self.step + (frame_index - self.frame_index)


@dataclass(frozen=True)
class Clock:
    """Turns seconds into frame steps; where no time is known, a frame is a step."""

    frame_time_s: float | None = None

    def moment(self, seen: Observation, before: Moment | None) -> Moment:
        """When something was seen; a frame without a time counts on from the one before."""
        if seen.time_s is not None and self.frame_time_s is not None and self.frame_time_s > 0:
            return Moment(seen.frame_index, seen.time_s / self.frame_time_s)
        step = float(seen.frame_index) if before is None else before.step_at(seen.frame_index)
        return Moment(seen.frame_index, step)


@dataclass(frozen=True, eq=False)
class Path:
    """Where an object was seen, in the order of travel.

    Attributes
    ----------
    steps
        (N,) frame steps, all rising or all falling.
    values
        (N, 4) centre y, centre x, height, width.
    """

    steps: NDArray[np.float64]
    values: NDArray[np.float64]

    @classmethod
    def begun(cls, step: float, numbers: Numbers) -> Path:
        """A path of one place."""
        return cls(np.array([step]), numbers[None])

    def went(self, step: float, numbers: Numbers) -> Path:
        """The path with one more place; the same step again replaces it, turning round begins anew."""
        if step == self.steps[-1]:
            return Path(self.steps, np.vstack((self.values[:-1], numbers)))
        if len(self.steps) > 1 and (step - self.steps[-1]) * self.way < 0:
            return Path.begun(step, numbers)
        steps = np.append(self.steps, step)[-LONGEST_PATH:]
        return Path(steps, np.vstack((self.values, numbers))[-LONGEST_PATH:])

    @property
    def way(self) -> float:
        """+1 where frames rise, -1 where they fall."""
        return -1.0 if len(self.steps) > 1 and self.steps[-1] < self.steps[0] else 1.0

    @property
    def span(self) -> float:
        """Steps from the first place to the last."""
        return float(abs(self.steps[-1] - self.steps[0]))

    def last(self, count: int) -> Path:
        """Its end alone."""
        return Path(self.steps[-count:], self.values[-count:])

    def even(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The path at whole steps before its last place.

        Returns
        -------
        tuple
            (M, 4) values in the order of travel, linear inside gaps, at most `LONGEST_PATH` of them; and bool (M,),
            whether something was seen within three quarters of a step.
        """
        travelled = self.steps * self.way
        count = min(int(np.floor(travelled[-1] - travelled[0] + 0.25)) + 1, LONGEST_PATH)
        at = travelled[-1] - np.arange(count - 1, -1, -1, dtype=np.float64)
        values = np.stack([np.interp(at, travelled, column) for column in self.values.T], axis=1)
        nearest = np.abs(at[:, None] - travelled[None]).min(axis=1)
        return values, nearest < 0.75
