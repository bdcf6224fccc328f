"""Small repairs of a frame's masks; all of them are choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from napari_vost.masks import Mask, PackedMask, box_of
from napari_vost.step import RowAnswer


@dataclass(frozen=True)
class Cleanup:
    """What is repaired.

    Attributes
    ----------
    fill_holes_px
        Holes of at most so many pixels are filled (8 in SAM 2); 0 fills none.
    largest_component
        Keep only the largest connected part.
    non_overlap
        Give every pixel to one object: the one of highest logit among those followed together, else the smaller id.
    """

    fill_holes_px: int = 8
    largest_component: bool = False
    non_overlap: bool = False


def clean(answers: Sequence[RowAnswer], cleanup: Cleanup) -> list[Mask]:
    """Repaired masks (H, W) of the answers of one frame, in their order."""
    masks = [answer.mask for answer in answers]
    if cleanup.non_overlap and len(masks) > 1:
        best = torch.stack([answer.logits for answer in answers]).argmax(dim=0).cpu().numpy()
        masks = [mask & (best == row) for row, mask in enumerate(masks)]
    return [repair(mask, cleanup) for mask in masks]


def without_overlap(masks: Mapping[int, Mapping[int, PackedMask]]) -> dict[int, dict[int, PackedMask]]:
    """Masks by object and frame without a pixel that two objects share: the smaller id keeps it."""
    result: dict[int, dict[int, PackedMask]] = {object_id: {} for object_id in masks}
    taken: dict[int, Mask] = {}
    for object_id in sorted(masks):
        for frame_index, packed in masks[object_id].items():
            mask = packed.unpack()
            before = taken.get(frame_index)
            if before is not None and (mask & before).any():
                packed = PackedMask.pack(mask & ~before)
            taken[frame_index] = mask if before is None else mask | before
            if not packed.empty:
                result[object_id][frame_index] = packed
    return result


def repair(mask: Mask, cleanup: Cleanup) -> Mask:
    """Fill small holes of one mask (H, W) and drop all but its largest part, as asked."""
    box = box_of(mask)
    if box is None or not (cleanup.fill_holes_px or cleanup.largest_component):
        return mask
    inside = mask[box[0] : box[2], box[1] : box[3]]
    if cleanup.largest_component:
        parts, count = ndimage.label(inside)
        if count > 1:
            inside = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    if cleanup.fill_holes_px:
        holes, count = ndimage.label(ndimage.binary_fill_holes(inside) & ~inside)
        small = np.flatnonzero(np.bincount(holes.ravel()) <= cleanup.fill_holes_px)
        inside = inside | np.isin(holes, small[small > 0])
    repaired = np.zeros_like(mask)
    repaired[box[0] : box[2], box[1] : box[3]] = inside
    return repaired
