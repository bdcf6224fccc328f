"""Whether an answer is where motion can have brought it."""

from __future__ import annotations

import numpy as np

from napari_vost.contracts import Prediction
from napari_vost.masks import Box
from napari_vost.motion.signals import numbers_of

GATE = 9.488  # 95 % of a chi-square of four degrees of freedom
_LEAST_PX, _LEAST_SHARE = 1.0, 0.02  # no prediction is surer than a pixel, nor than 2 % of the object's size


def distance2(prediction: Prediction, box: Box) -> float:
    """Squared Mahalanobis distance of a box from its prediction, over centre, height and width.

    The covariance has a floor of one pixel or 2 % of the object's size (standard deviation), whichever is more: masks
    jitter, however sure a filter is. 0 where the prediction does not say how sure it is.
    """
    if prediction.covariance is None:
        return 0.0
    expected = numbers_of(prediction.box)
    least = max(_LEAST_PX, _LEAST_SHARE * float(np.sqrt(expected[2] * expected[3])))
    values, axes = np.linalg.eigh(prediction.covariance.detach().cpu().double().numpy())
    along = axes.T @ (numbers_of(box) - expected)
    return float((along**2 / np.maximum(values, least**2)).sum())


def admissible(prediction: Prediction | None, box: Box | None) -> bool:
    """Whether a seen box lies inside the 95 % gate of its prediction.

    Parameters
    ----------
    prediction
        None where motion has no opinion: everything passes.
    box
        Half-open box of the answer; None (nothing seen) passes, for there is nothing to measure.
    """
    return prediction is None or box is None or distance2(prediction, box) <= GATE
