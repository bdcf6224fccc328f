"""Boundary F and J&F of DAVIS (Perazzi et al., CVPR 2016), the rules of its published evaluation.

A pixel is on the boundary where its label differs from that of its east, south or south-east neighbour; a mask that
runs into the image border has no boundary there. A boundary pixel counts as found where the other boundary passes
within the tolerance. Neither mask with a boundary counts as 1, only one of them as 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.errors import InputError
from napari_vost.masks import Mask, box_of
from napari_vost.metrics.overlap import Values, check_pair, iou_per_frame

TOLERANCE = 0.008  # of the image diagonal


def boundary_map(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Boundary pixels of masks (..., H, W): one pixel wide, on the north-west side of every change."""
    padding = [(0, 0)] * (masks.ndim - 2) + [(0, 1), (0, 1)]
    wide = np.pad(masks, padding, mode="edge")  # beyond the border nothing changes
    east, south, diagonal = wide[..., :-1, 1:], wide[..., 1:, :-1], wide[..., 1:, 1:]
    changed: NDArray[np.bool_] = (masks ^ east) | (masks ^ south) | (masks ^ diagonal)
    return changed


def boundary_f_per_frame(
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    void: NDArray[np.bool_] | None = None,
    tolerance: float = TOLERANCE,
) -> Values:
    """Boundary F of each frame: the harmonic mean of the shares of both boundaries that lie near the other.

    Parameters
    ----------
    prediction, truth
        bool (T, H, W).
    void
        bool (T, H, W), where the truth is unknown; taken from both masks.
    tolerance
        From 1 on pixels; below it a share of the image diagonal, rounded up to whole pixels.

    Returns
    -------
    ndarray
        (T,), 0 to 1. Frames where neither mask has a boundary give 1, where only one has 0.

    Raises
    ------
    InputError
        Masks that are not (T, H, W) bool of one shape, or a negative tolerance.
    """
    prediction, truth = check_pair(prediction, truth, void)
    if truth.ndim != 3:
        raise InputError(f"Masks must have the shape (T, H, W), got {truth.shape}: add the axis of the frames.")
    if not tolerance >= 0:
        raise InputError(f"The tolerance must be 0 or more, got {tolerance}: 0.008 is that of DAVIS.")
    reach = tolerance if tolerance >= 1 else math.ceil(tolerance * math.hypot(*truth.shape[1:]))
    pairs = zip(boundary_map(prediction), boundary_map(truth), strict=True)
    return np.array([_f_of(found, wanted, reach) for found, wanted in pairs], dtype=np.float64)


def j_and_f_per_frame(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> Values:
    """J&F of each frame, (T,): the mean of intersection over union and boundary F. Otherwise as those.

    The mean over frames is the J&F of an object; DAVIS leaves out the first and the last frame: cut them off first.
    """
    return (iou_per_frame(prediction, truth, void) + boundary_f_per_frame(prediction, truth, void)) / 2


def _f_of(found: Mask, wanted: Mask, reach: float) -> float:
    """F of two boundary maps; both are cut to the box that holds them, which changes no distance."""
    box = box_of(found | wanted)
    if box is None:
        return 1.0
    if not found.any() or not wanted.any():
        return 0.0
    inside = slice(box[0], box[2]), slice(box[1], box[3])
    found, wanted = found[inside], wanted[inside]
    precision = float((ndimage.distance_transform_edt(~wanted)[found] <= reach).mean())
    recall = float((ndimage.distance_transform_edt(~found)[wanted] <= reach).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
