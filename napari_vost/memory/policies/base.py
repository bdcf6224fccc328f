"""What memory policies share: the plain choice, which frames may be read, and reading by rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from napari_vost.contracts import (
    Answer,
    Choice,
    MemoryBank,
    MemoryEntry,
    Prediction,
    Query,
    Recall,
    RecalledEntry,
    TrackState,
)

MAX_PROMPTED = 4  # prompted frames read at once unless SAM 2's own rule is asked for


class BasePolicy:
    """Defaults of a memory policy: take the candidate of highest affinity, learn nothing from what was read.

    ``least_candidates`` is how many masks per answer a network must give for the policy to make sense.
    """

    name = "base"
    wants_read = False
    hands_previous_mask = False
    least_candidates = 1

    def choose(
        self, answer: Answer, predictions: tuple[Prediction | None, ...], state: TrackState
    ) -> tuple[Choice, ...]:
        """One choice per row: the candidate of highest affinity."""
        best = answer.affinity.argmax(dim=1).tolist()
        return tuple(Choice(row, int(candidate)) for row, candidate in enumerate(best))

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        """Return the bank as it is."""
        return bank


class RankedPolicy(BasePolicy):
    """A policy that picks frames of its own and reads them by rank: the newest in slot 0, prompted ones in the last.

    Parameters
    ----------
    slots
        Temporal slots of the network (7 in SAM 2).
    max_pointers
        Most object pointers, the current frame's own place counted (16 in SAM 2); 0 for none.
    max_prompted
        Most prompted frames read at once; None reads all of them.
    """

    def __init__(self, slots: int = 7, max_pointers: int = 16, max_prompted: int | None = MAX_PROMPTED) -> None:
        self._slots = slots
        self._max_pointers = max_pointers
        self._max_prompted = max_prompted

    def _read(
        self,
        bank: MemoryBank,
        query: Query,
        spatial: Sequence[MemoryEntry],
        pointing: Sequence[MemoryEntry] = (),
        anchors: Sequence[MemoryEntry] = (),
    ) -> Recall:
        """Read prompted frames and ``anchors`` in the last slot, ``spatial`` by rank, pointers of ``pointing``."""
        prompted = nearest_prompted(bank.prompted, query.frame_index, self._max_prompted)
        last = self._slots - 1
        entries = [RecalledEntry(entry, last) for entry in (*prompted, *anchors)]
        entries += [
            RecalledEntry(entry, slot_of_rank(rank, len(spatial), self._slots)) for rank, entry in enumerate(spatial)
        ]
        span = min(query.length, self._max_pointers)
        if span < 1:
            return Recall(tuple(entries))
        seen = bank.prompted if self._max_prompted is None else prompted
        pointers = _pointers(seen, query) + _pointers(pointing, query)[: span - 1]
        return Recall(tuple(entries), tuple(pointers), max(span - 1, 1))


def _pointers(entries: Sequence[MemoryEntry], query: Query) -> list[tuple[Tensor, int]]:
    """Pointers of entries that the sweep has passed, with their distance in frames."""
    distances = [(entry.pointer, (query.frame_index - entry.frame_index) * query.direction) for entry in entries]
    return [(pointer, distance) for pointer, distance in distances if distance >= 0]


def slot_of_rank(rank: int, count: int, slots: int) -> int:
    """Temporal slot of the ``rank``-th newest of ``count`` frames: its rank, or its share of the way if many."""
    return rank if count < slots else round(rank * (slots - 2) / (count - 1))


def others(bank: MemoryBank, entry: MemoryEntry) -> tuple[MemoryEntry, ...]:
    """What a bank keeps of frames other than an entry's."""
    return tuple(old for old in bank.kept if old.frame_index != entry.frame_index)


def newest_first(entries: Sequence[MemoryEntry], count: int | None = None) -> tuple[MemoryEntry, ...]:
    """The last ``count`` entries (all of them for None), the newest first."""
    return tuple(reversed(entries))[:count]


def is_seen(entry: MemoryEntry) -> bool:
    """Whether an entry holds the object at all."""
    return entry.scores.occurrence > 0 and entry.area_px > 0


def chosen_candidate(entry: MemoryEntry, answer: Answer, row: int) -> int:
    """The candidate that an entry was made of: the one with its affinity."""
    return int((answer.affinity[row] - entry.scores.affinity).abs().argmin())


def nearest_prompted(
    prompted: Sequence[MemoryEntry], frame_index: int, limit: int | None = MAX_PROMPTED
) -> tuple[MemoryEntry, ...]:
    """Prompted frames to read: the first, the nearest before, the nearest after, then the next nearest.

    Parameters
    ----------
    prompted
        All prompted frames of a row, sorted by frame.
    frame_index
        The frame that is answered.
    limit
        Most frames; None reads all of them, as SAM 2 does.

    Returns
    -------
    tuple of MemoryEntry
        In order of frame.
    """
    if limit is None or len(prompted) <= limit:
        return tuple(prompted)
    before = [entry for entry in prompted if entry.frame_index < frame_index]
    after = [entry for entry in prompted if entry.frame_index >= frame_index]
    by_distance = sorted(prompted, key=lambda entry: abs(entry.frame_index - frame_index))
    wanted = [prompted[0], *before[-1:], *after[:1], *by_distance]
    chosen = list({entry.frame_index: entry for entry in wanted}.values())[:limit]
    return tuple(sorted(chosen, key=lambda entry: entry.frame_index))
