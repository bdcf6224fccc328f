"""A change of mind: when another hypothesis becomes the best one, the frames before are shown as it saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from napari_vost.contracts import Trace, TrackRow
from napari_vost.features.region import uncrop
from napari_vost.masks import Mask
from napari_vost.step import RowAnswer


class Shown:
    """What was shown of every object, on frames on which its hypotheses still differ."""

    def __init__(self) -> None:
        self._traces: dict[int, dict[int, Trace]] = {}

    def update(self, rows: Sequence[TrackRow]) -> tuple[tuple[TrackRow, ...], tuple[tuple[int, Trace], ...]]:
        """Take the rows of a frame.

        Returns
        -------
        tuple
            The rows, without what all hypotheses of an object agree on; and ``(object_id, trace)`` of frames that have
            to be shown anew, because the best hypothesis saw them otherwise.
        """
        kept: list[TrackRow] = []
        again: list[tuple[int, Trace]] = []
        for object_id in dict.fromkeys(row.object_id for row in rows):
            own = [row for row in rows if row.object_id == object_id]
            best = max(range(len(own)), key=lambda index: own[index].log_score)
            shown = self._traces.get(object_id, {})
            again += [(object_id, one) for one in own[best].trail if shown.get(one.frame_index, one) is not one]
            own = _parted(own)
            self._traces[object_id] = {one.frame_index: one for one in own[best].trail}
            kept += own
        return tuple(kept), tuple(again)

    def of(self, object_id: int) -> Mapping[int, Trace]:
        """What was shown of an object, by frame, where its hypotheses still differ."""
        return self._traces.get(object_id, {})

    def take(self, object_id: int, shown: Mapping[int, Trace]) -> None:
        """Go on from what another run has shown of an object."""
        self._traces[object_id] = dict(shown)


def _parted(rows: Sequence[TrackRow]) -> list[TrackRow]:
    """Rows of one object without the beginning of their trails that is the same for all."""
    longest = min(len(row.trail) for row in rows)
    same = 0
    while same < longest and all(row.trail[same] is rows[0].trail[same] for row in rows):
        same += 1
    return [replace(row, trail=row.trail[same:]) for row in rows] if same else list(rows)


def answer_of(object_id: int, trace: Trace, size: tuple[int, int]) -> RowAnswer:
    """The answer that a hypothesis gave on a frame of size ``(H, W)``."""
    logits = uncrop(trace.logits.float()[None], trace.region, size)[0]
    mask: Mask = ((logits > 0) & (trace.scores.occurrence > 0)).cpu().numpy()
    return RowAnswer(object_id, mask, trace.scores, logits, trace.evidence)
