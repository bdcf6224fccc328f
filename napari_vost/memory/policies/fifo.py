"""First in, first out: SAM 2.1's own memory (docs/sam2.md 5), with prompted frames permanent."""

from __future__ import annotations

from torch import Tensor

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall, RecalledEntry
from napari_vost.memory.policies.base import MAX_PROMPTED, BasePolicy, nearest_prompted


class Fifo(BasePolicy):
    """The newest frames and the prompted ones.

    Parameters
    ----------
    slots
        Temporal slots of the network (7 in SAM 2): ``slots - 1`` recent frames are read.
    max_pointers
        Most object pointers, the current frame's own place counted (16 in SAM 2).
    stride
        Temporal stride r: beyond the previous frame every r-th frame is read.
    max_prompted
        Most prompted frames read at once; None reads all of them (SAM 2's default).
    """

    name = "fifo"

    def __init__(
        self, slots: int = 7, max_pointers: int = 16, stride: int = 1, max_prompted: int | None = MAX_PROMPTED
    ) -> None:
        self._slots = slots
        self._max_pointers = max_pointers
        self._stride = stride
        self._max_prompted = max_prompted

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Keep every frame that can still be read: ``max(stride * (slots - 1), max_pointers - 1)`` frames."""
        reach = max(self._stride * (self._slots - 1), self._max_pointers - 1)
        kept = tuple(
            old
            for old in bank.kept
            if old.frame_index != entry.frame_index and abs(old.frame_index - entry.frame_index) < reach
        )
        return MemoryBank(bank.prompted, (*kept, entry))

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """Prompted frames in the last slot, recent frames in slots 0 to ``slots - 2``, pointers of the past."""
        chosen = nearest_prompted(bank.prompted, query.frame_index, self._max_prompted)
        entries = [RecalledEntry(entry, self._slots - 1) for entry in chosen]
        recent = {entry.frame_index: entry for entry in bank.kept}
        others = {entry.frame_index: entry for entry in bank.prompted if entry not in chosen}
        for slot in range(self._slots - 2, -1, -1):
            frame_index = recent_frame(query.frame_index, slot, self._stride, query.direction)
            found = recent.get(frame_index, others.get(frame_index))
            if found is not None:
                entries.append(RecalledEntry(found, slot))
        span = min(query.length, self._max_pointers)
        return Recall(tuple(entries), self._pointers(bank, chosen, query, span), max(span - 1, 1))

    def _pointers(
        self, bank: MemoryBank, chosen: tuple[MemoryEntry, ...], query: Query, span: int
    ) -> tuple[tuple[Tensor, int], ...]:
        if self._max_pointers == 0:
            return ()
        seen = bank.prompted if self._max_prompted is None else chosen
        distances = [(entry.pointer, (query.frame_index - entry.frame_index) * query.direction) for entry in seen]
        pointers = [(pointer, distance) for pointer, distance in distances if distance >= 0]
        recent = {(query.frame_index - entry.frame_index) * query.direction: entry for entry in bank.kept}
        pointers += [(recent[distance].pointer, distance) for distance in range(1, span) if distance in recent]
        return tuple(pointers)


def recent_frame(frame_index: int, slot: int, stride: int, direction: int) -> int:
    """Frame that a temporal slot refers to (docs/sam2.md 5): slot 0 is the frame before, whatever the stride.

    Parameters
    ----------
    frame_index
        The frame that is answered.
    slot
        0 for the nearest.
    stride
        Temporal stride r.
    direction
        +1 forward, -1 backward.
    """
    if slot == 0:
        return frame_index - direction
    if direction > 0:
        return (frame_index - 2) // stride * stride - (slot - 1) * stride
    return -(-(frame_index + 2) // stride) * stride + (slot - 1) * stride
