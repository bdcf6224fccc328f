"""What guides an answer besides memory: the mask before, and where motion expects the object.

Motion has four effects, whatever the memory policy: it moves the region and the mask of the frame before to where the
object should be, re-scores the candidates, keeps answers out of memory that it cannot have brought about, and tells
where to look for an object that was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from napari_vost.contracts import MotionPrior, Observation, Prediction, PromptTensors, Recall, TrackRow, Traits
from napari_vost.features.region import crop_logits, points_to_input
from napari_vost.masks import Box
from napari_vost.motion.gate import admissible
from napari_vost.motion.rescore import STABLE_FRAMES, rescored
from napari_vost.types import Image, Region

_CERTAIN = 10.0  # logit of a pixel that a predicted mask is sure of


def predict(
    prior: MotionPrior | None, rows: Sequence[TrackRow], frame_index: int, image: Image
) -> tuple[Prediction | None, ...]:
    """Ask a motion prior where every row should be on a frame."""
    if prior is None:
        return (None,) * len(rows)
    return tuple(None if row.motion is None else prior.predict(row.motion, frame_index, image) for row in rows)


def expected_box(row: TrackRow, prediction: Prediction | None, size: tuple[int, int]) -> Box | None:
    """Where to look for a row's object in a frame of size ``(H, W)``: as predicted, else where it was seen last.

    A predicted box whose centre has left the frame says nothing.
    """
    if prediction is None:
        return row.box
    y0, x0, y1, x1 = prediction.box
    if not (0 <= (y0 + y1) / 2 < size[0] and 0 <= (x0 + x1) / 2 < size[1]):
        return row.box
    return round(y0), round(x0), max(round(y1), round(y0) + 1), max(round(x1), round(x0) + 1)


def tracking_prompts(
    traits: Traits,
    rows: Sequence[TrackRow],
    recalls: Sequence[Recall],
    regions: Sequence[Region],
    predictions: Sequence[Prediction | None],
    device: torch.device,
) -> PromptTensors:
    """Prompts of a frame without the user: points of memory and motion, and a mask where the network wants one.

    The mask is what memory hands over, else the one that motion predicts, else that of the frame before, moved along.
    """
    prompts = PromptTensors.none(len(rows), device)
    points = [
        (*recall.points, *_points(prediction, region, traits.input_size))
        for recall, region, prediction in zip(recalls, regions, predictions, strict=True)
    ]
    longest = max(len(row) for row in points)
    if longest:
        table = torch.tensor([(*row, *[(0.0, 0.0, -1)] * (longest - len(row))) for row in points], device=device)
        prompts = replace(prompts, points_xy=table[..., :2], point_labels=table[..., 2].long())
    side = traits.input_size // traits.mask_stride
    logits = torch.zeros(len(rows), 1, side, side, device=device)
    given = torch.zeros(len(rows), dtype=torch.bool, device=device)
    for index, (row, recall, region, prediction) in enumerate(zip(rows, recalls, regions, predictions, strict=True)):
        mask = recall.dense_prompt
        if mask is None and traits.previous_mask_prompt:
            mask = _mask_before(row, region, prediction, side)
        if mask is not None:
            logits[index], given[index] = mask, True
    return replace(prompts, mask_logits=logits, has_mask_logits=given) if bool(given.any()) else prompts


def _points(prediction: Prediction | None, region: Region, size: int) -> list[tuple[float, float, int]]:
    """Points that motion followed, as positive points of the network's input; those outside the region are left out."""
    if prediction is None or not prediction.points_yx:
        return []
    placed = points_to_input(prediction.points_yx, region, size)
    return [(x, y, 1) for x, y in placed if 0 <= x < size and 0 <= y < size]


def _mask_before(row: TrackRow, region: Region, prediction: Prediction | None, side: int) -> Tensor | None:
    """Logits (1, side, side) in a region of the mask that motion predicts, else of the frame before, moved along."""
    if prediction is not None and prediction.mask_prior is not None:
        whole = Region.full(*prediction.mask_prior.shape)
        device = None if row.mask_logits is None else row.mask_logits.device
        logits = (prediction.mask_prior.to(device, torch.float32) * 2 - 1)[None] * _CERTAIN
        return _resample(logits, whole, region, side)
    if row.mask_logits is None:
        return None
    made_in = row.region
    if prediction is not None and row.box is not None:
        y0, x0, y1, x1 = prediction.box
        dy, dx = (y0 + y1 - row.box[0] - row.box[2]) / 2, (x0 + x1 - row.box[1] - row.box[3]) / 2
        made_in = replace(made_in, y0=made_in.y0 + dy, x0=made_in.x0 + dx)
    return crop_logits(row.mask_logits, made_in, region)


def _resample(logits: Tensor, made_in: Region, seen_in: Region, side: int) -> Tensor:
    """Logits (1, H, W) of one region as (1, side, side) of another."""
    y = (seen_in.y0 + (torch.arange(side, device=logits.device) + 0.5) / side * seen_in.height) / made_in.height
    x = (seen_in.x0 + (torch.arange(side, device=logits.device) + 0.5) / side * seen_in.width) / made_in.width
    grid = torch.stack(torch.meshgrid(y * 2 - 1, x * 2 - 1, indexing="ij")[::-1], dim=-1)[None]
    moved = torch.nn.functional.grid_sample(logits[None] + _CERTAIN, grid, align_corners=False)[0]
    return moved - _CERTAIN


def rescore(
    affinity: Tensor,
    mask_logits: Tensor,
    rows: Sequence[TrackRow],
    predictions: Sequence[Prediction | None],
    regions: Sequence[Region],
) -> tuple[Tensor, tuple[int, ...]]:
    """Affinities (B, M) after motion had its say, and how many frames in a row each row's track has held.

    ``mask_logits`` are (B, M, s, s) in the rows' regions.
    """
    if all(prediction is None for prediction in predictions):
        return affinity, tuple(row.stable for row in rows)
    found = [
        rescored(affinity[index], candidate_boxes(mask_logits[index], regions[index]), prediction, row.stable)
        for index, (row, prediction) in enumerate(zip(rows, predictions, strict=True))
    ]
    return torch.stack([scores for scores, _ in found]), tuple(stable for _, stable in found)


def candidate_boxes(logits: Tensor, region: Region) -> list[Box | None]:
    """Half-open boxes in frame pixels of the masks (M, s, s) of one region; None for empty ones."""
    scale = region.height / logits.shape[-2], region.width / logits.shape[-1]
    boxes: list[Box | None] = []
    for mask in (logits > 0).cpu():
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        if not len(rows):
            boxes.append(None)
            continue
        low = region.y0 + int(rows[0]) * scale[0], region.x0 + int(columns[0]) * scale[1]
        high = region.y0 + (int(rows[-1]) + 1) * scale[0], region.x0 + (int(columns[-1]) + 1) * scale[1]
        boxes.append((round(low[0]), round(low[1]), round(high[0]), round(high[1])))
    return boxes


def observe_motion(
    prior: MotionPrior | None, row: TrackRow, prediction: Prediction | None, seen: Observation
) -> tuple[object, bool]:
    """State of a row's prior after a frame, and whether motion can have brought the answer about.

    An answer outside the gate is no evidence of motion: the state only grows less certain, until it is let in again. A
    track that is not stable yet has no gate: its prior still learns how fast the object is.
    """
    if prior is None:
        return None, True
    if row.motion is None:
        return prior.start(seen), True
    passed = row.stable < STABLE_FRAMES or admissible(prediction, seen.box)
    return prior.update(row.motion, seen if passed else replace(seen, box=None, area_px=0)), passed
