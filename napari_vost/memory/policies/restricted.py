"""A small bank in which every frame has to earn its place: RMem's eviction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall
from napari_vost.memory.policies.base import RankedPolicy, newest_first, others

PLACES = 8
NEW_SHARE = 0.8  # weight of the newest share of attention
EXPLORATION = 1.5


class Restricted(RankedPolicy):
    """Eight frames beside the prompted ones; when a ninth comes the least worth goes, the frame before never.

    Source: RMem (arXiv:2406.08476). A frame is worth its share of attention (a running mean, weight .8 on the newest)
    plus ``1.5 sqrt(ln N / (n + 8))``, n how often it was read and N the sum of those: frames that were read little get
    the benefit of the doubt. There a share counts where it falls on the object; here it counts as a whole. More frames
    than slots share out the slots by rank. ``notes[entry_id]`` holds ``(running share, times read)``.
    """

    name = "restricted"
    wants_read = True

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Add the entry; if there is no place drop the older one that is worth least."""
        older = others(bank, entry)
        if len(older) >= PLACES:
            total = sum(bank.notes.get(one.entry_id, (0.0, 0.0))[1] for one in older)
            worst = min(older, key=lambda one: _worth(bank.notes.get(one.entry_id, (0.0, 0.0)), total))
            older = tuple(one for one in older if one is not worst)
        left = {one.entry_id for one in older}
        notes = {entry_id: note for entry_id, note in bank.notes.items() if entry_id in left}
        return replace(bank, kept=(*older, entry), notes=notes)

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """All that is kept."""
        newest = newest_first(bank.kept)
        return self._read(bank, query, newest, newest)

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        """Count a read, and mix its share in."""
        notes = dict(bank.notes)
        for entry in bank.kept:
            if entry.entry_id in read:
                new = read[entry.entry_id]
                share, times = notes.get(entry.entry_id, (new, 0.0))
                notes[entry.entry_id] = (NEW_SHARE * new + (1 - NEW_SHARE) * share, times + 1)
        return replace(bank, notes=notes)


def _worth(note: tuple[float, ...], total: float) -> float:
    share, times = note
    return share + EXPLORATION * math.sqrt(math.log(max(total, 1.0)) / (times + 8))
