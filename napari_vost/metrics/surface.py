"""Distances between the surfaces of two masks: HD95, average surface distance, surface Dice at a tolerance.

The surface of a mask is its outermost layer of pixels (those that a face-connected erosion takes away, the image border
included), and a distance is that between pixel centres. These are the definitions of MONAI and of TrackRAD2025; those
of `surface-distance`, which weighs patches of a triangulated surface, give other values. Both masks empty: distance 0
and surface Dice 1. One empty: surface Dice 0, and for a distance the longest side of the image, the penalty of
TrackRAD2025, so that a structure that was lost stays in the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.errors import InputError
from napari_vost.metrics.overlap import Values, check_pair

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Distances between two surfaces.

    Attributes
    ----------
    to_truth
        (N,) from each surface pixel of the prediction to the surface of the truth, in units of the spacing.
    to_prediction
        (M,) the other way.
    longest
        Longest side of the image: stands for every distance where one mask is empty.
    """

    to_truth: Values
    to_prediction: Values
    longest: float

    @property
    def both_empty(self) -> bool:
        """Whether neither mask holds a pixel."""
        return not (self.to_truth.size or self.to_prediction.size)

    @property
    def one_empty(self) -> bool:
        """Whether only one of the masks holds a pixel."""
        return bool(self.to_truth.size) != bool(self.to_prediction.size)

    @property
    def hd95(self) -> float:
        """The larger of the 95th percentiles (linear between ranks) of both directions."""
        if self.both_empty or self.one_empty:
            return self.longest if self.one_empty else 0.0
        return float(max(np.quantile(self.to_truth, 0.95), np.quantile(self.to_prediction, 0.95)))

    @property
    def asd(self) -> float:
        """Mean distance over the surface pixels of both masks (symmetric; also called ASSD)."""
        if self.both_empty or self.one_empty:
            return self.longest if self.one_empty else 0.0
        return float(np.concatenate([self.to_truth, self.to_prediction]).mean())

    def nsd(self, tolerance: float) -> float:
        """Share of the surface pixels of both masks that lie within the tolerance of the other surface, 0 to 1.

        Raises
        ------
        InputError
            A tolerance that is negative or no number.
        """
        if not tolerance >= 0:
            raise InputError(f"The tolerance must be 0 or more, in units of the spacing, got {tolerance}.")
        if self.both_empty:
            return 1.0
        return float((np.concatenate([self.to_truth, self.to_prediction]) <= tolerance).mean())


def surfaces(prediction: Bools, truth: Bools, spacing: Sequence[float] | None = None) -> Surfaces:
    """Measure the distances between two masks once, for `hd95`, `asd` and `nsd`.

    Parameters
    ----------
    prediction, truth
        bool, 2D or 3D, one shape.
    spacing
        Size of a pixel along each axis, in array order, such as millimetres ``(z, y, x)``; None for pixels.

    Raises
    ------
    InputError
        Masks that are not bool or of other shapes, or a spacing that is not one positive number per axis.
    """
    prediction, truth = check_pair(prediction, truth)
    steps = np.asarray((1.0,) * truth.ndim if spacing is None else spacing, dtype=np.float64)
    if steps.shape != (truth.ndim,) or not (np.isfinite(steps) & (steps > 0)).all():
        raise InputError(
            f"The spacing must be {truth.ndim} positive numbers, one per axis of the masks: got {spacing}."
        )
    longest = float((steps * truth.shape).max(initial=0.0))
    holds = ndimage.find_objects((prediction | truth).astype(np.uint8))
    if holds:  # no distance changes inside the box of both
        prediction, truth = prediction[holds[0]], truth[holds[0]]
    found, wanted = _layer(prediction), _layer(truth)
    if not (found.any() and wanted.any()):  # what is there lies infinitely far: only how many pixels matters
        return Surfaces(np.full(found.sum(), np.inf), np.full(wanted.sum(), np.inf), longest)
    to_truth = ndimage.distance_transform_edt(~wanted, steps)[found]
    to_prediction = ndimage.distance_transform_edt(~found, steps)[wanted]
    return Surfaces(to_truth, to_prediction, longest)


def hd95(prediction: Bools, truth: Bools, spacing: Sequence[float] | None = None) -> float:
    """95 % Hausdorff distance in units of the spacing; the rules are those of `surfaces` and `Surfaces.hd95`."""
    return surfaces(prediction, truth, spacing).hd95


def asd(prediction: Bools, truth: Bools, spacing: Sequence[float] | None = None) -> float:
    """Average surface distance in units of the spacing; the rules are those of `surfaces` and `Surfaces.asd`."""
    return surfaces(prediction, truth, spacing).asd


def nsd(prediction: Bools, truth: Bools, tolerance: float, spacing: Sequence[float] | None = None) -> float:
    """Surface Dice at a tolerance, 0 to 1; the rules are those of `surfaces` and `Surfaces.nsd`."""
    return surfaces(prediction, truth, spacing).nsd(tolerance)


def _layer(mask: Bools) -> Bools:
    layer: Bools = mask ^ ndimage.binary_erosion(mask)
    return layer
