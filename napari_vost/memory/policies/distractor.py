"""A memory in two parts: recent frames, and frames that tell the object from a look-alike (DAM4SAM's rule)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy import ndimage

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall
from napari_vost.masks import Mask, box_iou, box_of
from napari_vost.memory.policies.base import (
    RankedPolicy,
    chosen_candidate,
    is_seen,
    nearest_prompted,
    newest_first,
    others,
)

RECENT_STRIDE = 5  # beyond the frame before, recent memory holds every fifth frame
RESOLVING = 4  # frames that tell look-alikes apart, the prompted ones counted
LEAST_AFFINITY = 0.8
AREA_RATIO = (0.8, 1.2)  # to the median of ...
AREA_COUNT, AREA_SPAN = 10, 300  # ... the last 10 areas within 300 frames
INTERVAL = 5  # frames that must lie between two resolving ones
ALIKE_IOU = 0.7  # at most: boxes with and without what another candidate adds


class Distractor(RankedPolicy):
    """Recent frames, and anchors: well-seen frames on which another candidate held something else as well.

    Source: DAM4SAM (arXiv:2411.17576), from its description. Prompted frames count among the four resolving frames and
    leave the fewer places for anchors the more there are: where the user has spoken, no guess is needed. Unlike there
    the rule holds per object and in both directions.
    """

    name = "distractor"
    least_candidates = 2

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Keep every fifth frame, those whose pointers are read, and frames that tell look-alikes apart."""
        areas = {frame: area for frame, area in bank.notes.items() if abs(frame - entry.frame_index) <= AREA_SPAN}
        if self._resolves(entry, answer, row, bank, areas):
            entry = replace(entry, role="anchor")
        if is_seen(entry):
            areas[entry.frame_index] = (float(entry.area_px),)
        old = others(bank, entry)
        anchors = [one for one in (*old, entry) if one.role == "anchor"][1 - RESOLVING :]
        seen = [one for one in old if is_seen(one) and one.role != "anchor"]
        grid = [one for one in seen if one.frame_index % RECENT_STRIDE == 0][2 - self._slots :]
        pointing = seen[2 - self._max_pointers :] if self._max_pointers > 2 else []
        wanted = {one.entry_id for one in (*anchors, *grid, *pointing, entry)}
        kept = tuple(one for one in (*old, entry) if one.entry_id in wanted)
        return replace(bank, kept=kept, notes=dict(list(areas.items())[-AREA_COUNT:]))

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """Prompted frames and anchors in the last slot; the frame before and every fifth in the slots that are left."""
        prompted = nearest_prompted(bank.prompted, query.frame_index, self._max_prompted)
        free = max(RESOLVING - len(prompted), 0)
        anchors = newest_first([one for one in bank.kept if one.role == "anchor"], free)
        newest = [one for one in newest_first(bank.kept) if one not in anchors]
        recent = [one for one in newest if one is bank.kept[-1] or one.frame_index % RECENT_STRIDE == 0]
        places = max(self._slots - len(prompted) - len(anchors), 1)
        pointing = [one for one in newest_first(bank.kept) if is_seen(one)]
        return self._read(bank, query, recent[:places], pointing, anchors)

    def _resolves(
        self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank, areas: Mapping[int, tuple[float, ...]]
    ) -> bool:
        """Whether a frame was seen well, looks like the ones before, and holds a look-alike."""
        if entry.scores.affinity <= LEAST_AFFINITY or not is_seen(entry):
            return False
        resolving = [*bank.prompted, *(one for one in bank.kept if one.role == "anchor")]
        if any(abs(one.frame_index - entry.frame_index) <= INTERVAL for one in resolving):
            return False
        typical = _typical_area(entry, bank, areas)
        if typical == 0 or not AREA_RATIO[0] <= entry.area_px / typical <= AREA_RATIO[1]:
            return False
        masks: Mask = (answer.mask_logits[row] > 0).cpu().numpy()
        return likeness_box_iou(masks, chosen_candidate(entry, answer, row)) <= ALIKE_IOU


def _typical_area(entry: MemoryEntry, bank: MemoryBank, areas: Mapping[int, tuple[float, ...]]) -> float:
    """Median of the nearest areas, prompted frames among them, pixels; 0 if none is known."""
    known = {one.frame_index: float(one.area_px) for one in bank.prompted if one.area_px > 0}
    known |= {frame: area for frame, (area,) in areas.items()}
    near = sorted((abs(frame - entry.frame_index), area) for frame, area in known.items())
    last = [area for distance, area in near if distance <= AREA_SPAN][:AREA_COUNT]
    return float(np.median(last)) if last else 0.0


def likeness_box_iou(masks: Mask, chosen: int) -> float:
    """How little the other candidates add to the chosen one: smallest IoU of its box and their joint box, 0..1.

    Parameters
    ----------
    masks
        (M, h, w) candidates.
    chosen
        Which one was taken. Of each other one only its largest part (8-connected) outside the chosen one counts.
    """
    box = box_of(masks[chosen])
    if box is None:
        return 1.0
    found = [1.0]
    for index, mask in enumerate(masks):
        labels, count = ndimage.label(mask & ~masks[chosen], structure=np.ones((3, 3)))
        if index != chosen and count:
            largest = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
            found.append(box_iou(box, box_of(masks[chosen] | largest)))
    return min(found)
