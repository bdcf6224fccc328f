"""The frames that look most like the one that is answered: SAM-I2V's selector, without its dice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.nn import functional

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall
from napari_vost.memory.policies.base import RankedPolicy, newest_first, others

LOCAL, LOCAL_READ = 4, 2
EARLIER, EARLIER_READ = 16, 4


class Selective(RankedPolicy):
    """Of the last 4 frames the 2, and of the 16 before them the 4, that look most like the current frame.

    An approximation of SAM-I2V's memory selector (arXiv:2506.01304), which draws them at random with probabilities
    from the cosine of image embeddings; here the most similar are taken, so that a run can be repeated, and embeddings
    are compared in 4 x 4 cells (`ImageFeatures.look`). Entries that nobody wrote a look for are taken newest first.
    """

    name = "selective"

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Keep the last twenty frames."""
        return replace(bank, kept=(*others(bank, entry), entry)[-(LOCAL + EARLIER) :])

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """The chosen frames, newest first."""
        newest = newest_first(bank.kept)
        local = _most_alike(newest[:LOCAL], query, LOCAL_READ)
        earlier = _most_alike(newest[LOCAL:], query, EARLIER_READ)
        chosen = [entry for entry in newest if entry in local or entry in earlier]
        return self._read(bank, query, chosen, chosen)


def _most_alike(entries: Sequence[MemoryEntry], query: Query, count: int) -> list[MemoryEntry]:
    """The entries (newest first) that look most like the current frame; ties and entries without look in order."""
    if len(entries) <= count:
        return list(entries)
    looks = [entry.look for entry in entries]
    known = [look for look in looks if look is not None]
    if len(known) < len(looks):
        return list(entries[:count])
    now = query.features.look(query.image_row)
    cosine = functional.cosine_similarity(torch.stack(known), now[None], dim=-1).tolist()
    order = sorted(range(len(entries)), key=lambda index: -cosine[index])
    return [entries[index] for index in order[:count]]
