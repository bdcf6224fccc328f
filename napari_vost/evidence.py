"""What an answer shows of its own quality, read off its logits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from napari_vost.confidence import Evidence, Signs
from napari_vost.contracts import MemoryEntry, TrackRow
from napari_vost.features.region import crop_logits
from napari_vost.types import Order, Region, Scores


def evidence_of(
    row: TrackRow, frame_index: int, order: Order, region: Region, logits: Tensor, scores: Scores
) -> Evidence:
    """Evidence of a followed frame.

    Parameters
    ----------
    row
        As it was before the frame.
    frame_index, order, region
        Which frame of what, and what the network looked at.
    logits
        (1, s, s) mask logits of the answer in the region, ungated.
    scores
        Of the answer.
    """
    prompted = row.bank.prompted
    distance = min((abs(one.frame_index - frame_index) for one in prompted), default=1)
    signs = None
    if scores.occurrence > 0:
        before = None if row.mask_logits is None else crop_logits(row.mask_logits, row.region, region)
        signs = signs_of(logits, scores.affinity, before, region, _nearest_area(prompted, frame_index))
    lowest = row.lowest if signs is None else signs.lowest(row.lowest)
    far = max(distance, 1)
    return Evidence(scores.affinity, scores.occurrence, signs, lowest, far, scores.motion, order, row.start)


def prompted_evidence(logits: Tensor, region: Region, scores: Scores, painted: bool = False) -> Evidence:
    """Evidence of the answer to a prompt, (1, s, s) logits in a region; ``painted`` where it is the user's own mask."""
    signs = signs_of(logits, scores.affinity, None, region)
    start = 1.0 if painted else None if signs is None else signs.sharpness
    return Evidence(scores.affinity, scores.occurrence, signs, start=start)


def signs_of(
    logits: Tensor, affinity: float, before: Tensor | None, region: Region, reference_px: float = 0.0
) -> Signs | None:
    """Signs of a mask; None if it is empty.

    Parameters
    ----------
    logits
        (1, s, s) in the region.
    affinity
        Its predicted IoU.
    before
        (1, s, s) logits of the mask before, in the same region; None where there is none.
    region
        What the network looked at.
    reference_px
        Area in frame pixels that it is compared with; 0 for none.
    """
    values = logits[0].float()
    mask = values > 0
    count = int(mask.sum())
    if count == 0:
        return None
    probability = values.sigmoid()
    inside = probability[mask].sum()
    sharpness = float(2 * inside / (count + probability.sum()))
    overlap = 1.0 if before is None else _kept_shape(mask, before[0] > 0)
    area = count * region.height * region.width / mask.numel()
    size = math.log(area / reference_px) if reference_px > 0 else 0.0
    return Signs(affinity, sharpness, float(values[mask].mean()), overlap, size)


def _kept_shape(mask: Tensor, before: Tensor) -> float:
    """IoU of two masks (s, s) after the second is moved onto the centre of the first; 1 if it is empty."""
    if not bool(before.any()):
        return 1.0
    shift = (_centre(mask) - _centre(before)).round().long().tolist()
    moved = torch.roll(before, shift, (0, 1))
    return float((mask & moved).sum() / (mask | moved).sum())


def _centre(mask: Tensor) -> Tensor:
    return mask.nonzero().float().mean(0)


def _nearest_area(prompted: Sequence[MemoryEntry], frame_index: int) -> float:
    """Pixels of the nearest prompted mask that is not empty; 0 where there is none."""
    held = [one for one in prompted if one.area_px > 0]
    return min(held, key=lambda one: abs(one.frame_index - frame_index)).area_px if held else 0.0
