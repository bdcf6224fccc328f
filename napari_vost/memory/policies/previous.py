"""No memory but the frame before: its mask is handed on as a prompt. The baseline of all others."""

from __future__ import annotations

from dataclasses import replace

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall
from napari_vost.memory.policies.base import RankedPolicy


class Previous(RankedPolicy):
    """Prompt-level memory: the mask of the frame before, and the prompted frames, which are always read.

    Source: the idea of MaskTrack (arXiv:1612.02646) and SAM-PD (arXiv:2403.04194). Not theirs in detail: MaskTrack is
    trained for it, SAM-PD jitters the box of the mask; here the logits are handed over as they are.
    """

    name = "previous"
    hands_previous_mask = True

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Keep nothing."""
        return replace(bank, kept=())

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """Prompted frames only; the engine hands the mask over."""
        return self._read(bank, query, ())
