"""The newest frames without near-duplicates: SurgSAM2's pruning."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional

from napari_vost.contracts import MemoryBank, MemoryEntry, Query, Recall
from napari_vost.memory.policies.fifo import Fifo
from napari_vost.memory.policies.places import shared_places

PRUNED = 2  # frames left out of a full memory


class Similarity(Fifo):
    """SAM 2's memory, less the two frames that are most like the frame before.

    Source: SurgSAM2 (arXiv:2408.07931), from its description: when as many frames are collected as the network has
    slots, the two whose tokens have the highest mean cosine with those of the last one are left out; the others keep
    their slots, and pointers stay. Prompted frames are never left out. Unlike there tokens are compared where they lie
    in the frame, so that a region that moves does not spoil it.
    """

    name = "similarity"

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """What `Fifo` reads, pruned."""
        recall = super().recall(bank, query)
        permanent = {entry.entry_id for entry in bank.prompted}
        recent = [one for one in recall.entries if one.entry.entry_id not in permanent]
        if len(recall.entries) < self._slots or len(recent) < 2:
            return recall
        last = min(recent, key=lambda one: one.slot)
        older = [one for one in recent if one is not last]
        older.sort(key=lambda one: (-likeness(one.entry, last.entry), one.slot))
        pruned = older[:PRUNED]
        return replace(recall, entries=tuple(one for one in recall.entries if one not in pruned))


def likeness(first: MemoryEntry, second: MemoryEntry) -> float:
    """Mean cosine, -1 to 1, of the tokens of two entries that lie in the same place; -1 where they share none."""
    ours, theirs = shared_places(first, second)
    if not len(ours):
        return -1.0
    pair = first.tokens[ours].to(torch.float32), second.tokens[theirs].to(torch.float32)
    return float(functional.cosine_similarity(*pair, dim=-1).mean())
