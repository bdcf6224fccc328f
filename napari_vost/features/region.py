"""The region: which part of a frame the network looks at, and the way there and back.

A small structure in a 512 x 512 slice is seen at full resolution, and its mask returns to the frame's own pixels. All
sizes are whole pixels; a region is a whole number of cells (stride-16 tokens) wide, so that a moved region moves by
whole tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.masks import Box
from napari_vost.types import Region

MARGIN = 1.8  # side of the region over the longer side of the object
EDGE = 0.08  # a region moves when its object comes nearer to its border than this share of its side
LARGEST, SMALLEST = 0.8, 0.28  # share of the region that an object may take before the scale is chosen anew
WIDEN = 1.5  # per absent frame, after two of them
JOINT_LOSS = 0.25  # loss of scale at which two objects no longer share a region
GROWTH = 2.0  # most that a region may grow in a sweep, over the one of its prompted frame
OUTSIDE = -1024.0  # logit of pixels that the region does not cover


def region_around(box: Box, frame: tuple[int, int], cells: int, margin: float = MARGIN) -> Region:
    """Square region around a half-open box ``(y0, x0, y1, x1)``, ``margin`` times as wide, a whole number of cells.

    Parameters
    ----------
    box
        In frame pixels.
    frame
        ``(H, W)``; the region is never wider than the longer side, and slides inwards where it can.
    cells
        Tokens along a side of the network's input.
    margin
        Side over the longer side of the box.
    """
    longest = max(box[2] - box[0], box[3] - box[1], 1)
    side = cells * max(1, math.ceil(longest * margin / cells))
    most = cells * math.ceil(max(frame) / cells)
    side = min(side, most)
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    corner = [_slide(centre[axis] - side / 2, side, frame[axis]) for axis in (0, 1)]
    return Region(corner[0], corner[1], float(side), float(side))


def _slide(start: float, side: int, size: int) -> float:
    """Move an interval into 0..size where it fits, else centre it on it."""
    if side >= size:
        return float((size - side) // 2)
    return float(min(max(round(start), 0), size - side))


def follow(
    region: Region, box: Box | None, absent: int, frame: tuple[int, int], cells: int, widest: float = math.inf
) -> Region:
    """Region for the next frame.

    Parameters
    ----------
    region
        The one of the frame before.
    box
        Where the object is expected, None if it was not found.
    absent
        Frames in a row without the object.
    frame, cells
        As in `region_around`.
    widest
        Side that a region around a found object does not pass: a mask that leaks must not pull its region along.
    """
    if box is None:
        if absent < 2:
            return region
        half = min(region.height * WIDEN, float(max(frame))) / 2
        y, x = region.y0 + region.height / 2, region.x0 + region.width / 2
        return region_around((round(y - half), round(x - half), round(y + half), round(x + half)), frame, cells, 1.0)
    longest = max(box[2] - box[0], box[3] - box[1])
    if not SMALLEST * region.height <= longest <= LARGEST * region.height:
        fresh = region_around(box, frame, cells)
        if fresh.height == region.height or fresh.height > max(widest, region.height):
            return region if _inside(region, box, frame) else _moved(region, box, frame, cells)
        return fresh
    return region if _inside(region, box, frame) else _moved(region, box, frame, cells)


def _inside(region: Region, box: Box, frame: tuple[int, int]) -> bool:
    """Whether a box keeps clear of the region's border, where that border is not the frame's own."""
    edge = EDGE * region.height
    clear_low = (box[0] - region.y0 >= edge or region.y0 <= 0) and (box[1] - region.x0 >= edge or region.x0 <= 0)
    low = (region.y0 + region.height, region.x0 + region.width)
    clear_high = (low[0] - box[2] >= edge or low[0] >= frame[0]) and (low[1] - box[3] >= edge or low[1] >= frame[1])
    return clear_low and clear_high


def _moved(region: Region, box: Box, frame: tuple[int, int], cells: int) -> Region:
    """Region of the same scale, moved by whole cells so that the box is central."""
    cell = region.height / cells
    corner = []
    for start, middle, size in (
        (region.y0, (box[0] + box[2]) / 2, frame[0]),
        (region.x0, (box[1] + box[3]) / 2, frame[1]),
    ):
        steps = round((middle - region.height / 2 - start) / cell)
        if region.height < size:  # stay inside the frame as far as whole cells allow
            lowest, highest = math.ceil(-start / cell), math.floor((size - region.height - start) / cell)
            steps = min(max(steps, lowest), max(highest, lowest))
        corner.append(start + steps * cell)
    return Region(corner[0], corner[1], region.height, region.width)


def share_regions(boxes: Sequence[Box], frame: tuple[int, int], cells: int) -> list[Region]:
    """One region per box; boxes whose joint crop loses little scale share one.

    Two groups are joined while the joint region is less than 1 / (1 - 0.25) times as wide as the smaller one. There is
    no limit to the groups: a small structure that has to share a wide region is lost, and a crop costs little.
    """
    groups: list[tuple[Box, list[int]]] = [(box, [index]) for index, box in enumerate(boxes)]
    while len(groups) > 1:
        pairs = [
            (_scale_loss(groups[i][0], groups[j][0], frame, cells), i, j) for i in range(len(groups)) for j in range(i)
        ]
        loss, first, second = min(pairs)
        if loss >= JOINT_LOSS:
            break
        joined = (_union(groups[first][0], groups[second][0]), groups[first][1] + groups[second][1])
        groups = [group for index, group in enumerate(groups) if index not in (first, second)] + [joined]
    regions: list[Region | None] = [None] * len(boxes)
    for box, members in groups:
        region = region_around(box, frame, cells)
        for member in members:
            regions[member] = region
    return [region for region in regions if region is not None]


def _scale_loss(first: Box, second: Box, frame: tuple[int, int], cells: int) -> float:
    joint = region_around(_union(first, second), frame, cells).height
    alone = min(region_around(box, frame, cells).height for box in (first, second))
    return 1.0 - alone / joint


def _union(first: Box, second: Box) -> Box:
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )


def crop(unit: Tensor, region: Region, size: int) -> Tensor:
    """Cut a region out of a frame (C, H, W) and resample it to (3, size, size); outside the frame is 0 (black)."""
    channels, height, width = unit.shape
    y0, x0 = round(region.y0), round(region.x0)
    y1, x1 = y0 + round(region.height), x0 + round(region.width)
    part = unit[:, max(y0, 0) : max(min(y1, height), 0), max(x0, 0) : max(min(x1, width), 0)]
    pads = (max(-x0, 0), max(x1 - width, 0), max(-y0, 0), max(y1 - height, 0))
    if any(pads):
        part = functional.pad(part, pads)
    if part.shape[1:] != (size, size):
        part = functional.interpolate(part[None], size=(size, size), mode="bilinear", antialias=True)[0]
    return part.expand(3, -1, -1) if channels == 1 else part


def uncrop(logits: Tensor, region: Region, frame: tuple[int, int]) -> Tensor:
    """Bring logits (B, s, s) of a region back to frame pixels, (B, H, W); outside the region they are -1024."""
    side = (round(region.height), round(region.width))
    inside = logits
    if logits.shape[1:] != side:
        inside = functional.interpolate(logits[None], size=side, mode="bilinear")[0]
    whole = logits.new_full((logits.shape[0], *frame), OUTSIDE)
    y0, x0 = round(region.y0), round(region.x0)
    top, left = max(y0, 0), max(x0, 0)
    bottom, right = min(y0 + side[0], frame[0]), min(x0 + side[1], frame[1])
    whole[:, top:bottom, left:right] = inside[:, top - y0 : bottom - y0, left - x0 : right - x0]
    return whole


def crop_logits(logits: Tensor, made_in: Region, seen_in: Region, outside: float = -10.0) -> Tensor:
    """Resample logits (1, s, s) of one region to the same size in another; the unknown outside gets ``outside``."""
    if made_in == seen_in:
        return logits
    side = logits.shape[-1]
    steps = (torch.arange(side, device=logits.device) + 0.5) / side
    y = (seen_in.y0 + steps * seen_in.height - made_in.y0) / made_in.height * 2 - 1
    x = (seen_in.x0 + steps * seen_in.width - made_in.x0) / made_in.width * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None].to(logits.dtype)
    moved = functional.grid_sample(logits[None] - outside, grid, align_corners=False)[0]
    return moved + outside


def points_to_input(points_yx: Sequence[tuple[float, float]], region: Region, size: int) -> list[tuple[float, float]]:
    """Map frame points ``(y, x)`` to ``(x, y)`` of the network's input, pixel centres on integers in both."""
    return [
        (
            (x + 0.5 - region.x0) * size / region.width - 0.5,
            (y + 0.5 - region.y0) * size / region.height - 0.5,
        )
        for y, x in points_yx
    ]
