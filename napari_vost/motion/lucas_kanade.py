"""Lucas and Kanade's image registration (1981), coarse to fine: for single points and for every pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.motion.picture import Grey

_LEVELS = 4
_LEAST_SIDE = 16  # pixels: coarser levels show nothing
_WINDOW = 7  # half of a point's window, in pixels
_ROUNDS = 8
_FLAT = 1e-3  # share of the image's mean gradient energy below which a point cannot be followed
_SMOOTH = 4.0  # standard deviation in pixels of a pixel's window in a dense flow
_CALM = 0.02  # gradient energy, relative to the mean, at which the dense flow trusts the coarser level instead

Points = NDArray[np.float64]  # (N, 2) of (y, x)


def pyramid(image: Grey) -> list[Grey]:
    """The image, and it halved again and again (pixel p of one level is pixel 2p of the finer one)."""
    levels = [image]
    while len(levels) < _LEVELS and min(levels[-1].shape) >= 2 * _LEAST_SIDE:
        levels.append(ndimage.gaussian_filter(levels[-1], 1.0, mode="nearest")[::2, ::2])
    return levels


def follow_points(first: list[Grey], second: list[Grey], points: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Follow points from one image to another.

    Parameters
    ----------
    first, second
        Pyramids of both images.
    points
        (N, 2) places ``(y, x)`` in the first.

    Returns
    -------
    tuple
        (N, 2) places in the second; bool (N,), whether the point lies on something that can be followed in both
        directions and stayed inside the image.
    """
    shift, textured = np.zeros_like(points), np.ones(len(points), dtype=bool)
    for level in range(len(first) - 1, -1, -1):
        shift, textured = _nudged(first[level], second[level], points / 2**level, shift)
        shift = shift * 2 if level else shift
    found = points + shift
    size = np.array(first[0].shape)
    return found, textured & (found >= 0).all(axis=1) & (found <= size - 1).all(axis=1)


def checked_points(first: list[Grey], second: list[Grey], points: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Follow points forth and back; those that do not return to within one pixel are lost (Kalal 2010)."""
    there, good = follow_points(first, second, points)
    back, good_back = follow_points(second, first, there)
    return there, good & good_back & (np.hypot(*(back - points).T) < 1.0)


def _nudged(first: Grey, second: Grey, points: Points, shift: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Shifts (N, 2) refined on one level, and whether each point has enough texture."""
    side = np.arange(-_WINDOW, _WINDOW + 1, dtype=np.float64)
    window = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    places = points[:, None] + window
    slopes: list[Grey] = list(np.gradient(first))
    gradient = np.stack([_sampled(slope, places) for slope in slopes], axis=-1)
    tensor = gradient.transpose(0, 2, 1) @ gradient
    energy = max(float(sum((slope**2).mean() for slope in slopes)) * len(window), 1e-12)
    textured = np.linalg.eigvalsh(tensor)[:, 0] > _FLAT * energy
    inverse = np.linalg.inv(tensor + np.eye(2) * _FLAT * energy)
    patch = _sampled(first, places)
    for _ in range(_ROUNDS):
        rest = patch - _sampled(second, places + shift[:, None])
        step = np.einsum("nij,nkj,nk->ni", inverse, gradient, rest)
        shift = shift + np.clip(step, -2.0, 2.0)
        if np.abs(step).max(initial=0.0) < 0.01:
            break
    return shift, textured


def dense_flow(fixed: Grey, moving: Grey) -> NDArray[np.float64]:
    """Flow (2, H, W) such that ``fixed(p)`` looks like ``moving(p + flow(p))``, in pixels.

    Every pixel is registered by its Gaussian neighbourhood; where that is flat, the coarser level has the say.
    """
    low, high = pyramid(fixed), pyramid(moving)
    flow = np.zeros((2, *low[-1].shape))
    for level in range(len(low) - 1, -1, -1):
        shape = low[level].shape
        if flow.shape[1:] != shape:
            grid = np.stack(np.meshgrid(*(np.arange(size) / 2 for size in shape), indexing="ij"))
            flow = 2 * np.stack([ndimage.map_coordinates(part, grid, order=1, mode="nearest") for part in flow])
        for _ in range(_ROUNDS // 2):
            flow = _registered(low[level], high[level], flow)
    return flow


def warped(image: Grey, flow: NDArray[np.float64]) -> Grey:
    """``image(p + flow(p))``, bilinear; past the edge it goes on as at the edge."""
    places = np.indices(image.shape, dtype=np.float64) + flow
    return np.asarray(ndimage.map_coordinates(image, places, order=1, mode="nearest"))


def _registered(fixed: Grey, moving: Grey, flow: NDArray[np.float64]) -> NDArray[np.float64]:
    """The flow after one more round on one level."""
    seen = warped(moving, flow)
    rest, (dy, dx) = fixed - seen, np.gradient(seen)
    yy, yx, xx, y, x = (
        ndimage.gaussian_filter(part, _SMOOTH, mode="nearest")
        for part in (dy * dy, dy * dx, dx * dx, dy * rest, dx * rest)
    )
    calm = _CALM * max(float((yy + xx).mean()), 1e-12)
    yy, xx = yy + calm, xx + calm
    whole = yy * xx - yx * yx
    step = np.stack(((xx * y - yx * x) / whole, (yy * x - yx * y) / whole))
    moved = flow + np.clip(step, -2.0, 2.0)
    return np.stack([ndimage.gaussian_filter(part, 1.0, mode="nearest") for part in moved])


def _sampled(image: Grey, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear values at (..., 2) places."""
    return np.asarray(ndimage.map_coordinates(image, np.moveaxis(places, -1, 0), order=1, mode="nearest"))
