"""Candidates re-scored by motion: SAMURAI's rule (arXiv:2411.11922), one counter per object."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_vost.contracts import Prediction
from napari_vost.masks import Box, box_iou

STABLE_FRAMES = 15  # frames in a row that a track must hold before motion has a say
STABLE_AFFINITY = 0.3  # what the chosen candidate must reach for a frame to count
WEIGHT = 0.25  # say of motion


def rescored(
    affinity: Tensor, boxes: Sequence[Box | None], prediction: Prediction | None, stable: int, weight: float = WEIGHT
) -> tuple[Tensor, int]:
    """Affinities after motion had its say, and the new count of stable frames.

    Parameters
    ----------
    affinity
        (M,) predicted IoU of the candidates.
    boxes
        Half-open box of each candidate's mask, None for an empty one; M of them.
    prediction
        Where motion expects the object; None leaves the affinities alone.
    stable
        Frames in a row that this object's track has held; 0 at its start.
    weight
        Say of motion, 0 to 1.

    Returns
    -------
    tuple
        (M,) ``weight * IoU of the boxes + (1 - weight) * affinity`` once stable, the given tensor before; and the
        count: 1 on the first frame, one more where the best candidate's own affinity is above 0.3, else 0.
    """
    scores = affinity
    if prediction is not None and stable >= STABLE_FRAMES:
        overlap = [box_iou(prediction.box, box) for box in boxes]
        scores = weight * torch.tensor(overlap, dtype=affinity.dtype, device=affinity.device) + (1 - weight) * affinity
    if stable == 0:
        return scores, 1
    return scores, stable + 1 if float(affinity[scores.argmax()]) > STABLE_AFFINITY else 0
