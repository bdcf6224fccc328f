"""Dice and intersection over union, with the conventions of the field written down.

Both masks empty counts as 1, one empty as 0 (DAVIS: Perazzi et al., CVPR 2016, for the intersection over union; the
same convention here for Dice). Void pixels, where the truth is unknown, take no part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import InputError

Values = NDArray[np.float64]


def dice(prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None) -> float:
    """Dice of two masks of one shape, frames or whole volumes: 2 |P and G| / (|P| + |G|), 0 to 1; both empty give 1.

    Parameters
    ----------
    prediction, truth
        bool, any shape, the same for both.
    void
        bool, where the truth is unknown.

    Raises
    ------
    InputError
        Shapes that differ, or arrays that are not bool.
    """
    return float(dice_per_frame(*_as_one_frame(prediction, truth, void))[0])


def iou(prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None) -> float:
    """Intersection over union (Jaccard, J of DAVIS) of two masks, 0 to 1; both empty give 1. Otherwise as `dice`."""
    return float(iou_per_frame(*_as_one_frame(prediction, truth, void))[0])


def dice_per_frame(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> Values:
    """Dice of each frame, (T,), of masks (T, ...). Otherwise as `dice`."""
    both, first, second = _counts(prediction, truth, void)
    return _share(2 * both, first + second)


def iou_per_frame(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> Values:
    """Intersection over union of each frame, (T,), of masks (T, ...). Otherwise as `dice`."""
    both, first, second = _counts(prediction, truth, void)
    return _share(both, first + second - both)


def _share(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.ones_like(whole), where=whole > 0)


def check_pair(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both masks without their void pixels.

    Raises
    ------
    InputError
        Shapes that differ, or arrays that are not bool.
    """
    for name, array in (("prediction", prediction), ("truth", truth), ("void", void)):
        if array is None:
            continue
        if array.dtype != np.bool_:
            raise InputError(f"{name} must be a bool mask, got {array.dtype}: compare a label map with an id first.")
        if array.shape != truth.shape:
            raise InputError(f"{name} has shape {array.shape} and truth {truth.shape}: they must be the same.")
    return (prediction, truth) if void is None else (prediction & ~void, truth & ~void)


def _counts(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None
) -> tuple[Values, Values, Values]:
    """Pixels in both, in the prediction and in the truth, per frame, without void ones."""
    prediction, truth = check_pair(prediction, truth, void)
    axes = tuple(range(1, truth.ndim))
    counts = ((prediction & truth).sum(axes), prediction.sum(axes), truth.sum(axes))
    both, first, second = (np.asarray(count, dtype=np.float64) for count in counts)
    return both, first, second


def _as_one_frame(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_] | None]:
    return prediction[None], truth[None], None if void is None else void[None]
