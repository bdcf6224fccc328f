"""Looking for an object that was lost: in squares of its own scale all over the frame, with what the user showed.

What was remembered on the way is left out: it was written while the object slipped away. Nobody looks at a whole frame
at once, for the network knows an object at the scale at which it was prompted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch

from napari_vost.contracts import MemoryBank, MemoryEntry, PromptTensors, Query
from napari_vost.features.region import uncrop
from napari_vost.masks import Box, Mask, box_of
from napari_vost.sight import Engine, FrameView, see
from napari_vost.types import Region


@dataclass(frozen=True, eq=False)
class Sighting:
    """Where an object was found: frame, mask (H, W), and how sure that is, 0 to 1."""

    frame_index: int
    mask: Mask
    score: float


def squares(
    engine: Engine, size: tuple[int, int], side: float, step: float, shown: MemoryEntry | None = None
) -> list[Region]:
    """Squares of a side that cover a frame ``(H, W)``, ``step`` of their side apart; or the whole frame.

    An object is known best where it lay in the region that it was ``shown`` in, so that place goes over all of the
    frame but a rim of a quarter of the side, and the squares reach beyond the border. For what was shown in another
    clip (None) they stay inside of the frame.
    """
    if engine.region == "full":
        return [Region.full(*size)]
    square = engine.cells * max(1, round(side / engine.cells))
    starts = []
    shares, rim = ((0.5, 0.5), square / 2) if shown is None else (lies_at(shown), square / 4)
    for length, share in zip(size, shares, strict=True):
        low, high = rim, length - rim
        if high <= low:
            low = high = length / 2
        count = 1 + math.ceil((high - low) / (square * step))
        places = [low + index * (high - low) / max(1, count - 1) for index in range(count)]
        starts.append([round(place - share * square) for place in places])
    return [Region(float(y), float(x), float(square), float(square)) for y, x in product(*starts)]


def lies_at(entry: MemoryEntry) -> tuple[float, float]:
    """Where in its region a remembered object lies: centre of its box as shares ``(y, x)`` of the region."""
    if entry.box is None:
        return 0.5, 0.5
    region, (y0, x0, y1, x1) = entry.region, entry.box
    return ((y0 + y1) / 2 - region.y0) / region.height, ((x0 + x1) / 2 - region.x0) / region.width


def square_on(mask: Mask, side: float, shown: MemoryEntry) -> Region:
    """The square of a side in which a mask lies where the object lay in the region that it was shown in."""
    y0, x0, y1, x1 = box_of(mask) or (0, 0, *mask.shape)
    y, x = lies_at(shown)
    return Region(float(round((y0 + y1) / 2 - y * side)), float(round((x0 + x1) / 2 - x * side)), side, side)


def placed(entry: MemoryEntry, here: Region, shown: MemoryEntry) -> MemoryEntry:
    """A memory as if it had been made of another region, its object where that of ``shown`` lies in there."""
    (y, x), (own_y, own_x) = lies_at(shown), lies_at(entry)
    region = replace(here, y0=here.y0 + (y - own_y) * here.height, x0=here.x0 + (x - own_x) * here.width)
    if entry.region == region:
        return entry
    return replace(entry, region=region, box=None if entry.box is None else _moved(entry.box, entry.region, region))


def _moved(box: Box, old: Region, new: Region) -> Box:
    scale = new.height / old.height
    y0, x0, y1, x1 = box
    return (
        round(new.y0 + (y0 - old.y0) * scale), round(new.x0 + (x0 - old.x0) * scale),
        round(new.y0 + (y1 - old.y0) * scale), round(new.x0 + (x1 - old.x0) * scale),
    )  # fmt: skip


@torch.inference_mode()
def look(engine: Engine, entries: Sequence[MemoryEntry], frame: FrameView, regions: Sequence[Region]) -> list[Sighting]:
    """What memories make of regions of a frame, read as if each had been made there; one sighting per region."""
    features, image_row = see(engine, frame, regions)
    device, traits = engine.network.device, engine.network.traits
    here = entries[0].region
    bank = MemoryBank(tuple(placed(one, here, entries[0]) for one in entries))
    after = max(one.frame_index for one in entries) + 1  # all that was shown lies behind
    query = Query(after, None, 1, features, 0, None, here, frame.order, max(frame.length, after + 1))
    recall = engine.policy.recall(bank, query)
    if not recall.entries:  # a policy that reads no memory knows nothing again
        return [Sighting(frame.frame_index, np.zeros(frame.size, np.bool_), 0.0)] * len(regions)
    count = len(regions)
    conditioned = engine.reader.read(
        features.levels[-1], features.position, [recall] * count, [here] * count, image_row
    )
    prompts = PromptTensors.none(count, device)
    answer = engine.network.answer(features, {traits.memory_stride: conditioned}, prompts, image_row)
    best = answer.affinity.argmax(1)
    found = []
    for row, region in enumerate(regions):
        logits = uncrop(answer.mask_logits[row, best[row]][None], region, frame.size)[0]
        mask: Mask = ((logits > 0) & (answer.occurrence[row] > 0)).cpu().numpy()
        score = float(answer.affinity[row, best[row]]) * float(torch.sigmoid(answer.occurrence[row]))
        found.append(Sighting(frame.frame_index, mask, score))
    return found
