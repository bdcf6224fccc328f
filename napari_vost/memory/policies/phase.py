"""What beats is remembered by its place in the beat: nearest phase first. Ours."""

from __future__ import annotations

from dataclasses import replace

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall, RecalledEntry
from napari_vost.memory.policies.base import is_seen, nearest_prompted, others
from napari_vost.memory.policies.fifo import Fifo

BINS = 40  # parts of a cycle; of each the newest frame that is no longer recent is kept


def phase_distance(first: float, second: float) -> float:
    """Way around the cycle between two phases of 0..1, 0 to .5."""
    apart = abs(first - second) % 1.0
    return min(apart, 1.0 - apart)


class Phase(Fifo):
    """The frame before, then the frames whose place in the heart or breath cycle is nearest to the current one.

    Beyond the frames that `Fifo` keeps, the newest older one with the object of each 40th of the cycle stays. Where
    the motion prior tells no phase (or has told none yet) it reads exactly what `Fifo` reads.
    """

    name = "phase"

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Keep what `Fifo` keeps, and the newest frame of each part of the cycle."""
        recent = super().admit(entry, answer, row, bank).kept
        ids = {one.entry_id for one in recent}
        older = [old for old in others(bank, entry) if old.entry_id not in ids]
        newest = {_bin(old.phase): old for old in older if old.phase is not None and is_seen(old)}
        kept = tuple(old for old in older if old in newest.values())
        return replace(bank, kept=(*kept, *recent))

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """Prompted frames in the last slot, the frame before in slot 0, then by distance in phase."""
        recall = super().recall(bank, query)
        now = None if query.prediction is None else query.prediction.phase
        phased = [(old.phase, old) for old in bank.kept[-2::-1] if old.phase is not None]
        if now is None or not phased:
            return recall
        nearest = sorted(phased, key=lambda one: round(phase_distance(one[0], now), 3))  # of equals the newest
        chosen = [bank.kept[-1], *(old for _, old in nearest[: self._slots - 2])]
        prompted = nearest_prompted(bank.prompted, query.frame_index, self._max_prompted)
        entries = [RecalledEntry(entry, self._slots - 1) for entry in prompted]
        entries += [RecalledEntry(entry, slot) for slot, entry in enumerate(chosen)]
        return replace(recall, entries=tuple(entries))


def _bin(phase: float) -> int:
    return int(phase % 1.0 * BINS)
