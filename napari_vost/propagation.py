"""The order of frames: two sweeps outward from the prompted frames, and where they end.

The legs of `legs` are run forward first, then backward. A sweep starts at a prompted frame with a memory of prompted
frames only. It ends at the frame that a nearer prompt answers for, at the border of the frame range, when the structure
has ended (depth only), or, after a change, when nothing changes any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from napari_vost.contracts import MemoryBank, Observation, TrackRow, TrackState
from napari_vost.features.region import crop_logits, share_regions
from napari_vost.legs import Halt, Leg, Plan, Way, legs
from napari_vost.revision import Shown, answer_of
from napari_vost.seeding import Seed
from napari_vost.sight import Engine, FrameView
from napari_vost.step import RowAnswer, step
from napari_vost.types import Region

END_SLICES = 2  # slices in a row with a negative object logit before a structure counts as ended
END_AREA = 0.05  # and an area below this share of its largest
SAME_FRAMES, SAME_IOU = 3, 0.99  # frames in a row that must agree with the stored result before a re-run stops


@dataclass(frozen=True, eq=False)
class Reached:
    """What a propagation yields: the answers of one frame, and frames that are now known to be empty.

    Attributes
    ----------
    frame_index
        The frame.
    answers
        One per object that was followed here.
    ended
        ``(object_id, first, last)`` of legs whose structure has ended: those frames are empty.
    settled
        ``(object_id, first, last)`` of legs that agree with what is stored: those frames stay as they are.
    """

    frame_index: int
    answers: tuple[RowAnswer, ...]
    ended: tuple[tuple[int, int, int], ...] = ()
    settled: tuple[tuple[int, int, int], ...] = ()


def propagate(
    engine: Engine, plan: Plan, frame_at: Callable[[int], FrameView], halts: dict[Way, Halt] | None = None
) -> Iterator[Reached]:
    """Run the sweeps of a plan.

    Parameters
    ----------
    engine
        The parts.
    plan
        What to do.
    frame_at
        Reads a frame.
    halts
        Filled with where legs stood, should the run be ended before its time.

    Yields
    ------
    Reached
        Frame by frame: forward in rising order, then backward in falling order. A frame comes again, with one object
        alone, when a hypothesis that saw it otherwise has become the best one.

    Raises
    ------
    Cancelled
        Between two stages of a frame; what was yielded before stays valid.
    """
    all_legs = legs(plan)
    halts = {} if halts is None else halts
    halts.update({leg.way: leg.halt for leg in all_legs if leg.halt is not None})
    for direction in (1, -1):
        chosen = [leg for leg in all_legs if leg.direction == direction]
        if not chosen:
            continue
        sweep = _Sweep(engine, plan, frame_at, chosen, direction)
        try:
            yield from sweep.run()
        finally:
            for leg in chosen:
                halts.pop(leg.way, None)
            halts.update(sweep.halts())


class _Sweep:
    """One sweep: rows join where their leg starts and leave where it ends."""

    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        frame_at: Callable[[int], FrameView],
        chosen: Sequence[Leg],
        direction: int,
    ) -> None:
        self._engine, self._plan, self._frame_at = engine, plan, frame_at
        self._legs = list(chosen)
        newest = max(one.entry.entry_id for seeds in plan.seeds.values() for one in seeds)
        halted = [leg.halt.next_entry_id for leg in chosen if leg.halt is not None]
        self._state = TrackState((), direction, max(newest + 1, *halted) if halted else newest + 1)
        self._next = 0  # the frame that is looked at
        self._rows: dict[int, tuple[TrackRow, ...]] = {}
        self._largest: dict[int, int] = {}
        self._missing: dict[int, int] = {}
        self._agreeing: dict[int, int] = {}
        self._shown = Shown()

    @torch.inference_mode()
    def run(self) -> Iterator[Reached]:
        direction = self._state.direction
        start = min(leg.first * direction for leg in self._legs) * direction
        stop = max(leg.last * direction for leg in self._legs) * direction + direction
        for frame_index in range(start, stop, direction):
            self._next = frame_index
            active = [leg for leg in self._legs if frame_index in leg]
            if not active:
                continue
            self._engine.check()
            frame = self._frame_at(frame_index)
            self._seat(active, frame)
            moving = self._pass_locks(self._pass_prompts(active, frame_index), frame_index)
            if not moving:
                continue
            rows = tuple(row for leg in moving for row in self._rows[leg.object_id])
            self._state, answers = step(self._engine, replace(self._state, rows=rows), frame)
            rows, again = self._shown.update(self._state.rows)
            for leg in moving:
                self._rows[leg.object_id] = tuple(row for row in rows if row.object_id == leg.object_id)
            reached = Reached(frame_index, answers, *self._finish(moving, frame_index, answers))
            for object_id, trace in again:
                yield Reached(trace.frame_index, (answer_of(object_id, trace, frame.size),))
            self._next = frame_index + direction
            yield reached

    def halts(self) -> dict[Way, Halt]:
        """Where the legs stand that have begun, in this run or before, and are not over."""
        found = {leg.way: leg.halt for leg in self._legs if leg.halt is not None}
        for leg in self._legs:
            one = leg.object_id
            if self._next in leg and self._next != leg.first and one in self._rows:
                largest, missing, shown = self._largest[one], self._missing[one], self._shown.of(one)
                newest = self._state.next_entry_id
                found[leg.way] = Halt(self._next, self._rows[one], largest, missing, shown, newest)
        return found

    def _seat(self, active: Sequence[Leg], frame: FrameView) -> None:
        """Give every leg that begins here a row that starts from its prompted frame, or the rows that it has left."""
        begun = [leg for leg in active if frame.frame_index == leg.first]
        for leg in begun:
            self._agreeing[leg.object_id] = 0
            if leg.halt is None:
                self._rows[leg.object_id] = (self._first_row(leg),)
                self._largest[leg.object_id] = max(self._seed(leg).entry.area_px, 1)
                self._missing[leg.object_id] = 0
            else:
                self._rows[leg.object_id] = tuple(self._taught(row) for row in leg.halt.rows)
                self._largest[leg.object_id], self._missing[leg.object_id] = leg.halt.largest, leg.halt.missing
                self._shown.take(leg.object_id, leg.halt.shown)
        new = {leg.object_id for leg in begun if leg.halt is None}
        if new and self._engine.region == "auto":
            rows = [row for leg in active for row in self._rows[leg.object_id]]
            shared = _share(rows, new, frame.size, self._engine.cells)
            for leg in active:
                self._rows[leg.object_id] = tuple(row for row in shared if row.object_id == leg.object_id)

    def _taught(self, row: TrackRow) -> TrackRow:
        """A row of an ended run with the prompts as they are now."""
        prompted = tuple(one.entry for one in self._plan.seeds[row.object_id])
        frames = {entry.frame_index for entry in prompted}
        kept = tuple(entry for entry in row.bank.kept if entry.frame_index not in frames)
        return replace(row, bank=replace(row.bank, prompted=prompted, kept=kept))

    def _pass_prompts(self, active: Sequence[Leg], frame_index: int) -> list[Leg]:
        """Legs that have no prompt here; rows that do go on from its answer (in a continuous sweep)."""
        moving = []
        for leg in active:
            found = [seed for seed in self._plan.seeds[leg.object_id] if seed.frame_index == frame_index]
            for seed in found:
                self._rows[leg.object_id] = tuple(
                    replace(
                        row,
                        region=seed.entry.region,
                        mask_logits=seed.mask_logits,
                        box=seed.mask.box,
                        absent=0,
                        lowest=seed.evidence.signs,
                        start=seed.evidence.start,
                    )
                    for row in self._rows[leg.object_id]
                )
            if not found:
                moving.append(leg)
        return moving

    def _seed(self, leg: Leg) -> Seed:
        return next(seed for seed in self._plan.seeds[leg.object_id] if seed.frame_index == leg.seed_frame)

    def _first_row(self, leg: Leg) -> TrackRow:
        seed = self._seed(leg)
        bank = MemoryBank(tuple(one.entry for one in self._plan.seeds[leg.object_id]))
        row = TrackRow(
            leg.object_id,
            bank,
            seed.entry.region,
            mask_logits=seed.mask_logits,
            box=seed.mask.box,
            lowest=seed.evidence.signs,
            start=seed.evidence.start,
        )
        if self._engine.prior is None:
            return row
        frame = self._frame_at(seed.frame_index)
        mask = torch.from_numpy(seed.mask.unpack())
        seen = Observation(
            seed.frame_index, frame.time_s, mask, seed.mask.box, seed.entry.area_px, seed.scores.affinity, frame.image
        )
        return replace(row, motion=self._engine.prior.start(seen))

    def _pass_locks(self, active: list[Leg], frame_index: int) -> list[Leg]:
        """End legs at frames that the user locked: nothing behind a lock is touched from here."""
        locked = []
        for leg in active:
            stored = self._plan.stored(leg.object_id, frame_index)
            if stored is not None and stored.locked:
                locked.append(leg)
        self._drop(locked)
        return [leg for leg in active if leg not in locked]

    def _finish(
        self, active: Sequence[Leg], frame_index: int, answers: Sequence[RowAnswer]
    ) -> tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int, int], ...]]:
        """End the legs whose structure has ended, or that agree with what is stored; which frames each leaves."""
        ended, settled, over = [], [], []
        by_object = {answer.object_id: answer for answer in answers}
        for leg in active:
            answer = by_object[leg.object_id]
            self._largest[leg.object_id] = max(self._largest[leg.object_id], int(answer.mask.sum()))
            if frame_index == leg.last:
                over.append(leg)
            elif self._has_ended(leg, answer) and not self._prompt_ahead(leg, frame_index):
                over.append(leg)
                ended.append((leg.object_id, frame_index + leg.direction, leg.last))
            elif leg.object_id in self._plan.changed and self._agrees(leg, frame_index, answer):
                over.append(leg)
                settled.append((leg.object_id, frame_index + leg.direction, leg.last))
        self._drop(over)
        return tuple(ended), tuple(settled)

    def _drop(self, over: Sequence[Leg]) -> None:
        gone = {leg.object_id for leg in over}
        self._legs = [leg for leg in self._legs if leg not in over]
        self._rows = {object_id: rows for object_id, rows in self._rows.items() if object_id not in gone}

    def _has_ended(self, leg: Leg, answer: RowAnswer) -> bool:
        if self._plan.order != "depth":
            return False
        small = int((answer.logits > 0).sum()) < END_AREA * self._largest[leg.object_id]
        missing = answer.scores.occurrence < 0 or not answer.mask.any()
        self._missing[leg.object_id] = self._missing[leg.object_id] + 1 if missing else 0
        return self._missing[leg.object_id] >= END_SLICES and small

    def _prompt_ahead(self, leg: Leg, frame_index: int) -> bool:
        """Whether a continuous sweep will still pass a prompted frame."""
        seeds = self._plan.seeds[leg.object_id]
        return any(seed.frame_index in leg and (seed.frame_index - frame_index) * leg.direction > 0 for seed in seeds)

    def _agrees(self, leg: Leg, frame_index: int, answer: RowAnswer) -> bool:
        stored = self._plan.stored(leg.object_id, frame_index)
        same = False
        if stored is not None:
            old = stored.mask.unpack()
            union = int((old | answer.mask).sum())
            iou = 1.0 if union == 0 else int((old & answer.mask).sum()) / union
            same = iou >= SAME_IOU and stored.present == (answer.scores.occurrence > 0)
        self._agreeing[leg.object_id] = self._agreeing[leg.object_id] + 1 if same else 0
        ahead = leg.unreached is not None and (leg.unreached - frame_index) * leg.direction > 0
        return self._agreeing[leg.object_id] >= SAME_FRAMES and not ahead


def _share(rows: Sequence[TrackRow], new: Collection[int], size: tuple[int, int], cells: int) -> list[TrackRow]:
    """Let rows whose objects lie close together look through one region.

    A row that is under way and has it to itself keeps its own, whatever begins elsewhere in the frame.
    """
    boxed = [row for row in rows if row.box is not None]
    regions = share_regions([row.box for row in boxed if row.box is not None], size, cells)
    by_row = {id(row): region for row, region in zip(boxed, regions, strict=True)}
    looking: dict[Region, set[int]] = {}
    for row, region in zip(boxed, regions, strict=True):
        looking.setdefault(region, set()).add(row.object_id)
    return [
        _reframed(row, by_row[id(row)])
        if id(row) in by_row and (row.object_id in new or len(looking[by_row[id(row)]]) > 1)
        else row
        for row in rows
    ]


def _reframed(row: TrackRow, region: Region) -> TrackRow:
    logits = None if row.mask_logits is None else crop_logits(row.mask_logits, row.region, region)
    return replace(row, region=region, mask_logits=logits)
