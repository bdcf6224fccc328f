"""What memory policies share: the plain choice, and which frames may be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari_vost.contracts import Answer, Choice, MemoryBank, MemoryEntry, Prediction, TrackState

MAX_PROMPTED = 4  # prompted frames read at once unless SAM 2's own rule is asked for


class BasePolicy:
    """Defaults of a memory policy: take the candidate of highest affinity, learn nothing from what was read."""

    name = "base"
    wants_read = False

    def choose(
        self, answer: Answer, predictions: tuple[Prediction | None, ...], state: TrackState
    ) -> tuple[Choice, ...]:
        """One choice per row: the candidate of highest affinity."""
        best = answer.affinity.argmax(dim=1).tolist()
        return tuple(Choice(row, int(candidate)) for row, candidate in enumerate(best))

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        """Return the bank as it is."""
        return bank


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
