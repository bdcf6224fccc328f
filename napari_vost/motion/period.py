"""How long a cycle is: from the heart rate, or from the signals seen so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from napari_vost.errors import InputError

LEAST_FRAMES = 20  # fewer frames make chance look like rhythm
_SHORTEST = 4  # frames per cycle that an autocorrelation can tell from noise
_ALIKE = 0.7  # how alike two cycles must be: 1 is the same
_NEARLY = 0.85  # the shortest lag that is nearly as good as the best is the period, not its double


def radians_per_frame(frame_time_s: float | None, heart_rate_hz: float | None) -> float | None:
    """Angle of the cycle between two frames; None where the frame time or the rate is unknown.

    Raises
    ------
    InputError
        A rate that is not above 0, or above half the frame rate: it cannot be told from a slower one.
    """
    if heart_rate_hz is None:
        return None
    if not heart_rate_hz > 0:
        raise InputError(f"heart_rate_hz: expected a rate above 0, got {heart_rate_hz:g}.")
    if frame_time_s is None or not frame_time_s > 0:
        return None
    most = 0.5 / frame_time_s
    if heart_rate_hz > most:
        raise InputError(
            f"A cycle of {heart_rate_hz:g} Hz cannot be followed at {2 * most:g} frames per second: expected at most "
            f"{most:g} Hz (half the frame rate); choose the motion prior 'kalman' or a faster series."
        )
    return 2 * np.pi * heart_rate_hz * frame_time_s


def find_period(values: NDArray[np.float64], least_spread: float) -> float | None:
    """Frames per cycle of what the signals have in common, None where they have no rhythm.

    The peak of the normalised autocorrelation, summed over the signals (McLeod and Wyvill 2005), refined by a parabola.
    It is believed if two cycles were seen and are alike.

    Parameters
    ----------
    values
        (N, S) signals at whole frames, all in one unit; a straight line is taken out of each.
    least_spread
        Standard deviation, in that unit, below which a signal is called still.
    """
    count = len(values)
    if count < LEAST_FRAMES:
        return None
    level = signal.detrend(values, axis=0)
    if float(np.sqrt((level**2).mean(axis=0)).max()) < least_spread:
        return None
    lags = np.arange(count // 2 + 1)
    shared = np.array([2 * float((level[: count - lag] * level[lag:]).sum()) for lag in lags])
    energy = np.array([float((level[: count - lag] ** 2).sum() + (level[lag:] ** 2).sum()) for lag in lags])
    alike = shared / np.maximum(energy, 1e-12)
    below = np.flatnonzero(alike < 0)
    if below.size == 0:
        return None
    first = max(int(below[0]), _SHORTEST)
    peaks = [lag for lag in range(first, count // 2) if alike[lag - 1] < alike[lag] >= alike[lag + 1]]
    best = max((float(alike[lag]) for lag in peaks), default=0.0)
    if best < _ALIKE:
        return None
    tops = [_top(lag, alike[lag - 1 : lag + 2]) for lag in peaks]
    highest = max(height for _, height in tops)
    return next(place for place, height in tops if height >= _NEARLY * highest)


def _top(lag: int, around: NDArray[np.float64]) -> tuple[float, float]:
    """Place and height of a peak, by a parabola through it and its neighbours.

    A cycle that ends between two frames is as alike as one that ends on a frame; the lags beside it are less so.
    """
    before, here, after = (float(one) for one in around)
    bend = min(before - 2 * here + after, -1e-12)
    return lag + 0.5 * (before - after) / bend, here - (before - after) ** 2 / (8 * bend)
