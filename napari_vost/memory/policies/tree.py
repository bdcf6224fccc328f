"""Several hypotheses per object, each with a memory of its own: SAM2Long's tree, streaming."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

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
from napari_vost.memory.policies.quality import Quality

PATHS = 3
LEAST_AFFINITY = 0.1
CERTAIN = 2.0  # |occurrence| above which a frame is no matter of doubt
KEY_SCALES = (0.95, 1.05)  # of the least and of the best seen frame that is read
PROMPTED_OCCURRENCE = 10.0


class Tree(Quality):
    """Three paths per object, each a row; what is shown is the path with the highest score so far.

    Source: SAM2Long (arXiv:2410.16268), from its description. A path's score is the sum of ``ln(affinity + 1e-5)``. In
    certain frames the three best of all paths' candidates live on; in doubt, three that differ in affinity (rounded
    to hundredths) or presence. A path remembers frames with affinity > .1 and the object in it; keys are scaled by .95
    to 1.05 in order of occurrence, prompted frames counting as 10. The original decides at the end of the video; here
    the best path is shown at once, and frames are shown anew when another one overtakes it (`revision`). Its
    scale on pointers' keys is left out.
    """

    name = "tree"
    least_candidates = 2

    def is_good(self, entry: MemoryEntry) -> bool:
        """Whether a path remembers an entry beyond the next frame."""
        return entry.scores.affinity > LEAST_AFFINITY and entry.scores.occurrence > 0

    def choose(
        self, answer: Answer, predictions: tuple[Prediction | None, ...], state: TrackState
    ) -> tuple[Choice, ...]:
        """One path on the frame after the start; from then on up to three per object, best first."""
        rows_of: dict[int, list[int]] = {}
        for index, row in enumerate(state.rows):
            rows_of.setdefault(row.object_id, []).append(index)
        affinity, occurrence = answer.affinity.tolist(), answer.occurrence.tolist()
        choices: list[Choice] = []
        for rows in rows_of.values():
            found = [
                Choice(row, candidate, math.log(value + 1e-5))
                for row in rows
                for candidate, value in enumerate(affinity[row])
            ]
            found.sort(key=lambda one: -(state.rows[one.parent].log_score + one.log_score))
            if not any(state.rows[row].bank.kept for row in rows):
                choices.append(found[0])
            elif max(abs(occurrence[row]) for row in rows) > CERTAIN:
                choices += found[:PATHS]
            else:
                choices += _different(found, affinity, occurrence)
        return tuple(choices)

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """What the path remembers, the better seen the louder."""
        recall = super().recall(bank, query)
        return replace(recall, entries=tuple(_scaled(recall.entries)))


def _different(
    found: Sequence[Choice], affinity: Sequence[Sequence[float]], occurrence: Sequence[float]
) -> list[Choice]:
    """The best choices (given best first) that differ in affinity or presence, then the best of paths without one."""
    values: dict[float, Choice] = {}
    for one in found:
        sign = 1 if occurrence[one.parent] > 0 else -1
        values.setdefault(round(sign * affinity[one.parent][one.candidate], 2), one)
    taken = list(values.values())[:PATHS]
    for one in found:
        if len(taken) < PATHS and one.parent not in {other.parent for other in taken}:
            taken.append(one)
    return taken


def _scaled(entries: Sequence[RecalledEntry]) -> Iterator[RecalledEntry]:
    """Entries in their order, with keys scaled by rank of occurrence."""
    scores = [PROMPTED_OCCURRENCE if one.entry.role == "prompted" else one.entry.scores.occurrence for one in entries]
    order = sorted(range(len(entries)), key=scores.__getitem__)
    low, high = KEY_SCALES
    for index, one in enumerate(entries):
        scale = low + (high - low) * order.index(index) / (len(entries) - 1) if len(entries) > 1 else 1.0
        yield replace(one, key_scale=scale)
