"""Points inside the last mask, followed into the new image: SAM-PT's idea (arXiv:2307.01197) with Lucas and Kanade."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.contracts import Prediction
from napari_vost.masks import Mask
from napari_vost.motion.lucas_kanade import Points as Places
from napari_vost.motion.lucas_kanade import checked_points, pyramid
from napari_vost.motion.picture import Crop, Grey, Picture
from napari_vost.motion.priors.flow import SeenPrior
from napari_vost.motion.signals import numbers_of, prediction_of
from napari_vost.types import Image

COUNT = 16  # points, as in SAM-PT
_FEWEST = 4  # survivors that make a prediction
_PIXELS = 2000  # of the mask that are looked at
_ROUNDS = 5
_INSIDE = 1 / 3  # of the mask's greatest depth: points nearer to its edge may fall out of the object as it deforms
_CORNER = 1.5  # standard deviation in pixels of the window that looks for corners
_NOISE_PX, _NOISE_SHARE = 0.5, 1 / 20  # standard deviation per square root of a frame: pixels, and share of the size


class Points(SeenPrior):
    """Follows 16 points of the last mask and moves its box by their median shift.

    The points are spread over the mask, each on the strongest corner near the middle of its share. Points that do not
    come back to within a pixel are lost; those of the others that lay well inside are given as points of the object.
    An approximation of SAM-PT, whose points come from a learnt tracker and live through the clip; here they are chosen
    anew on every seen mask. With fewer than 4 survivors, or without an image, the box goes on at constant velocity.
    """

    name = "points"

    def _look(self, picture: Picture, image: Image, steps: float) -> Prediction | None:
        crop = Crop.around(picture)
        before, now = crop.of(picture.image), crop.of(image)
        mask: Mask = crop.share(picture.mask) > 0.5
        points = spread_points(mask, before)
        if len(points) < _FEWEST:
            return None
        there, good = checked_points(pyramid(before), pyramid(now), points)
        if good.sum() < _FEWEST:
            return None
        shifts = (there - points)[good] * crop.scale
        shift = np.median(shifts, axis=0)
        rough = 1.4826 * np.median(np.abs(shifts - shift), axis=0)  # a standard deviation that outliers leave alone
        numbers = numbers_of(picture.box) + np.array([*shift, 0.0, 0.0])
        noise = steps * (_NOISE_PX**2 + _NOISE_SHARE**2 * float(numbers[2] * numbers[3]))
        covariance = np.eye(4) * noise + np.diag([*rough, *rough]) ** 2
        fill = float(picture.mask.sum()) / max(float(numbers[2] * numbers[3]), 1.0)
        depth = ndimage.distance_transform_edt(mask)
        deep = good & (depth[tuple(points.astype(np.intp).T)] >= _INSIDE * depth.max())
        places = crop.in_frame(there[deep])
        found = tuple((float(y), float(x)) for y, x in places)
        return replace(prediction_of(numbers, covariance, fill), points_yx=found)


def spread_points(mask: Mask, image: Grey, count: int = COUNT) -> Places:
    """Points (N, 2) of a mask, N at most ``count``: about its k-medoids, moved to the strongest corner nearby.

    Parameters
    ----------
    mask
        Bool (H, W).
    image
        (H, W), for the corners.
    """
    every = np.argwhere(mask)
    pixels: Places = every[:: -(-len(every) // _PIXELS) or 1].astype(np.float64)
    if len(pixels) <= count:
        return pixels
    middles = _far_apart(pixels, count)
    for _ in range(_ROUNDS):
        distance2 = ((pixels[:, None] - middles[None]) ** 2).sum(axis=2)
        share = distance2.argmin(axis=1)
        used = np.unique(share)
        middles = np.stack([pixels[share == one].mean(axis=0) for one in used])
    corners = _corners(image)
    chosen = []
    for middle, one in zip(middles, used, strict=True):
        own = pixels[share == one]
        distance = np.hypot(*(own - middle).T)
        near = own[distance <= np.median(distance)]
        chosen.append(near[corners[tuple(near.astype(np.intp).T)].argmax()])
    return np.stack(chosen)


def _far_apart(pixels: Places, count: int) -> Places:
    """Pixels that lie far from one another, beginning with the one nearest to the middle."""
    chosen = [int(((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    nearest = np.full(len(pixels), np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, ((pixels - pixels[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    return pixels[chosen]


def _corners(image: Grey) -> NDArray[np.float64]:
    """Smaller eigenvalue of the structure tensor (Shi and Tomasi 1994), (H, W)."""
    dy, dx = np.gradient(image)
    yy, yx, xx = (ndimage.gaussian_filter(part, _CORNER, mode="nearest") for part in (dy * dy, dy * dx, dx * dx))
    return np.asarray((yy + xx) / 2 - np.sqrt((yy - xx) ** 2 / 4 + yx**2))
