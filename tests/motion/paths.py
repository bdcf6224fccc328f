"""Paths of boxes whose truth is known, and how far predictions are from it."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vost.contracts import MotionPrior, Observation
from napari_vost.motion.signals import numbers_of

Path = NDArray[np.float64]  # (T, 4): centre y, centre x, height, width


def path_of(
    frames: int,
    y: Callable[[Path], Path | float] = lambda t: 0.0,
    x: Callable[[Path], Path | float] = lambda t: 0.0,
    size: Callable[[Path], Path | float] = lambda t: 0.0,
) -> Path:
    """Numbers of a box of about 40 x 50 around (100, 100): shifts in pixels and log size as functions of the frame."""
    at = np.arange(frames, dtype=np.float64)
    grow = np.exp(size(at) + np.zeros(frames))
    return np.stack((100 + y(at) + 0 * at, 100 + x(at) + 0 * at, 40 * grow, 50 * grow), axis=1)


def noisy(path: Path, deviation_px: float, seed: int = 0) -> Path:
    return path + np.random.default_rng(seed).standard_normal(path.shape) * deviation_px


def seen_at(frame_index: int, numbers: Path | None, time_s: float | None = None) -> Observation:
    """An observation with a box that need not lie on whole pixels."""
    mask = torch.zeros((1, 1), dtype=torch.bool)
    if numbers is None:
        return Observation(frame_index, time_s, mask, None, 0, 0.1)
    y, x, height, width = (float(one) for one in numbers)
    box = (y - height / 2, x - width / 2, y + height / 2, x + width / 2)
    return Observation(frame_index, time_s, mask, box, round(height * width * 0.8), 0.9)  # type: ignore[arg-type]


def errors(
    prior: MotionPrior, path: Path, truth: Path, horizon: int, first: int, hidden: Sequence[int] = ()
) -> dict[str, NDArray[np.float64]]:
    """Walk along measurements and predict ``horizon`` frames ahead from frame ``first`` on.

    Returns ``centre`` (N,): distance of centres from the truth in pixels; ``nis`` (N,): squared Mahalanobis distance
    of the measurement there from the prediction.
    """
    state = prior.start(seen_at(0, path[0]))
    centre, nis = [], []
    for at in range(1, len(path)):
        state = prior.update(state, seen_at(at, None if at in hidden else path[at]))
        if first <= at < len(path) - horizon:
            prediction = prior.predict(state, at + horizon)
            assert prediction is not None and prediction.covariance is not None
            expected = numbers_of(prediction.box)
            centre.append(np.hypot(*(expected - truth[at + horizon])[:2]))
            off = path[at + horizon] - expected
            nis.append(off @ np.linalg.solve(prediction.covariance.numpy(), off))
    return {"centre": np.array(centre), "nis": np.array(nis)}


def rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))


def breath(frames: int, period: float, depth_px: float, irregular: float, seed: int = 0) -> Path:
    """Breathing along y (and half of it along x): depth and length of each breath are drawn anew."""
    rng = np.random.default_rng(seed)
    shifts: list[float] = []
    while len(shifts) < frames:
        length = max(round(period * (1 + irregular * rng.standard_normal())), 6)
        depth = depth_px * (1 + irregular * rng.standard_normal())
        shifts += list(depth * np.sin(np.pi * np.arange(length) / length) ** 2)
    wave = np.array(shifts[:frames])
    return path_of(frames, y=lambda _: wave, x=lambda _: wave / 2)
