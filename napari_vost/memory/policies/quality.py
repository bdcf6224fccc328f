"""Only frames that were seen well: the selection of SAM 3's tracker, pointers filtered with the frames."""

from __future__ import annotations

import math
from dataclasses import replace

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall
from napari_vost.memory.policies.base import RankedPolicy, newest_first, others

LEAST_WORTH = 0.01


def worth(entry: MemoryEntry) -> float:
    """How well a frame was seen, 0..1: occurrence (0 where absent, 1 where certain) times affinity.

    Source: SAM 3's tracker, ``2 sigmoid(occurrence) - 1`` for positive logits.
    """
    if entry.scores.occurrence <= 0:
        return 0.0
    return math.tanh(entry.scores.occurrence / 2) * entry.scores.affinity  # 2 sigmoid(x) - 1 = tanh(x / 2)


class Quality(RankedPolicy):
    """The newest frames above a threshold, and always the frame before: what was hidden is not remembered.

    Source: SAM 3's tracker keeps frames whose `worth` is above .01, spatial memory and pointers alike.
    """

    name = "quality"

    def is_good(self, entry: MemoryEntry) -> bool:
        """Whether an entry is remembered beyond the next frame."""
        return worth(entry) > LEAST_WORTH

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Keep the entry for the next frame, and as many good older ones as can be read."""
        reach = max(self._slots - 1, self._max_pointers - 1)
        good = [old for old in others(bank, entry) if self.is_good(old)]
        return replace(bank, kept=(*good, entry)[-reach:])

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """The newest in slot 0, then back through the good ones."""
        newest = newest_first(bank.kept)
        return self._read(bank, query, newest[: self._slots - 1], newest)
