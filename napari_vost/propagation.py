"""The order of frames: two sweeps outward from the prompted frames, and where they end.

Every frame without a prompt is reached from its nearest prompted frame (tie: the earlier one), forward first, then
backward; between a painted or locked mask and a frame that was only clicked, from the mask, which is surer. A sweep
starts at a prompted frame with a memory of prompted frames only. It ends at the frame that a nearer prompt answers for,
at the border of the frame range, when the structure has ended (depth only), or, after a change, when nothing changes
any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from napari_vost.contracts import MemoryBank, Observation, TrackRow, TrackState
from napari_vost.errors import InputError
from napari_vost.features.region import crop_logits, share_regions
from napari_vost.masks import PackedMask
from napari_vost.revision import Shown, answer_of
from napari_vost.seeding import Seed
from napari_vost.sight import Engine, FrameView
from napari_vost.step import RowAnswer, step
from napari_vost.types import Direction, MaskPrompt, Order, Region

END_SLICES = 2  # slices in a row with a negative object logit before a structure counts as ended
END_AREA = 0.05  # and an area below this share of its largest
SAME_FRAMES, SAME_IOU = 3, 0.99  # frames in a row that must agree with the stored result before a re-run stops
Limits = tuple[int | None, int | None]  # first and last frame of an object, None where it may go on


@dataclass(frozen=True)
class Stored:
    """What a session holds of one object on one frame: the mask, whether it was present, whether it is locked."""

    mask: PackedMask
    present: bool
    locked: bool = False


@dataclass(frozen=True)
class Leg:
    """The frames that one prompted frame answers for, in one direction; both ends included, ``first`` comes first."""

    object_id: int
    seed_frame: int
    first: int
    last: int
    direction: int

    def __contains__(self, frame_index: int) -> bool:
        return min(self.first, self.last) <= frame_index <= max(self.first, self.last)


@dataclass(frozen=True, eq=False)
class Plan:
    """What a propagation is to do.

    Attributes
    ----------
    seeds
        Prompted frames by object id, each list sorted by frame.
    length, order
        Of the clip.
    direction
        ``"forward"``, ``"backward"`` or ``"both"``.
    frames
        Half-open range that no sweep leaves.
    changed
        Prompted frames by object whose prompts changed: only their legs run, and they end where nothing changes any
        more. All legs of an object that is not named here run to their end.
    stored
        What the session holds; asked for locks, and to find where a re-run agrees.
    continuous
        SAM 2's own order: one sweep from the first prompted frame on, past later ones, with what it remembers.
    limits
        First and last frame of objects that end somewhere: no leg of theirs leaves these.
    """

    seeds: Mapping[int, Sequence[Seed]]
    length: int
    order: Order
    direction: Direction = "both"
    frames: tuple[int, int] | None = None
    changed: Mapping[int, frozenset[int]] = field(default_factory=dict)
    stored: Callable[[int, int], Stored | None] = field(default=lambda object_id, frame_index: None)
    continuous: bool = False
    limits: Mapping[int, Limits] = field(default_factory=dict)


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
    """

    frame_index: int
    answers: tuple[RowAnswer, ...]
    ended: tuple[tuple[int, int, int], ...] = ()


def legs(plan: Plan) -> list[Leg]:
    """Cut the clip into the legs of a plan.

    Raises
    ------
    InputError
        The frame range lies outside the clip.
    """
    begin, end = plan.frames or (0, plan.length)
    if not 0 <= begin < end <= plan.length:
        raise InputError(f"Frames {begin}:{end} do not lie inside the clip: it has frames 0:{plan.length}.")
    found: list[Leg] = []
    for object_id, seeds in plan.seeds.items():
        low, high = plan.limits.get(object_id, (None, None))
        start, stop = max(begin, low or 0), end if high is None else min(end, high + 1)
        inside: list[Seed | None] = [None, *sorted(seeds, key=lambda seed: seed.frame_index), None]
        changed = plan.changed.get(object_id)
        for before, seed, after in zip(inside, inside[1:], inside[2:], strict=False):
            if seed is None or (plan.continuous and before is not None):
                continue
            if plan.direction in ("forward", "both") and _runs(seed, after, changed):
                last = _last(seed, None if plan.continuous else after, plan, 1)
                first, last = max(seed.frame_index + 1, start), min(last, stop - 1)
                if first <= last and seed.frame_index < stop:
                    found.append(Leg(object_id, seed.frame_index, first, last, 1))
            if plan.direction in ("backward", "both") and _runs(seed, before, changed):
                last = _last(seed, before, plan, -1)
                first, last = min(seed.frame_index - 1, stop - 1), max(last, start)
                if first >= last and seed.frame_index >= start:
                    found.append(Leg(object_id, seed.frame_index, first, last, -1))
    return found


def _runs(seed: Seed, neighbour: Seed | None, changed: frozenset[int] | None) -> bool:
    """Whether the leg from a prompted frame towards its neighbour is to run: what it depends on has changed."""
    if changed is None or seed.frame_index in changed:
        return True
    return neighbour is not None and neighbour.frame_index in changed and _outranks(seed, neighbour)


def _outranks(seed: Seed, other: Seed) -> bool:
    """Whether all frames between two prompted ones are followed from the first of them.

    "Not here" says nothing about the frames around it and would start with nothing to follow. A click mends its own
    frame, and seldom all of it: frames on the way to it are followed from the mask that was painted, which is the
    truth, with the clicked frame in memory.
    """
    if seed.mask.empty or other.mask.empty:
        return other.mask.empty and not seed.mask.empty
    return _painted(seed) and not _painted(other)


def _painted(seed: Seed) -> bool:
    return any(isinstance(prompt, MaskPrompt) for prompt in seed.prompts)


def _last(seed: Seed, neighbour: Seed | None, plan: Plan, step: int) -> int:
    """Last frame of a leg: the clip's end, the frame before the neighbour, or half of the way to it."""
    if neighbour is None:
        return plan.length - 1 if step > 0 else 0
    here, there = seed.frame_index, neighbour.frame_index
    if plan.direction != "both" or _outranks(seed, neighbour):
        return there - step
    if _outranks(neighbour, seed):
        return here
    return (here + there) // 2 + (step < 0)


def propagate(engine: Engine, plan: Plan, frame_at: Callable[[int], FrameView]) -> Iterator[Reached]:
    """Run the sweeps of a plan.

    Parameters
    ----------
    engine
        The parts.
    plan
        What to do.
    frame_at
        Reads a frame.

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
    for direction in (1, -1):
        chosen = [leg for leg in all_legs if leg.direction == direction]
        if chosen:
            yield from _Sweep(engine, plan, frame_at, chosen, direction).run()


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
        self._state = TrackState((), direction, newest + 1)
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
            for object_id, trace in again:
                yield Reached(trace.frame_index, (answer_of(object_id, trace, frame.size),))
            for leg in moving:
                self._rows[leg.object_id] = tuple(row for row in rows if row.object_id == leg.object_id)
            yield Reached(frame_index, answers, self._finish(moving, frame_index, answers))

    def _seat(self, active: Sequence[Leg], frame: FrameView) -> None:
        """Give every leg that begins here a row that starts from its prompted frame."""
        begun = [leg for leg in active if frame.frame_index == leg.first]
        for leg in begun:
            self._rows[leg.object_id] = (self._first_row(leg),)
            self._largest[leg.object_id] = max(self._seed(leg).entry.area_px, 1)
            self._missing[leg.object_id] = self._agreeing[leg.object_id] = 0
        if begun and self._engine.region == "auto":
            rows = [row for leg in active for row in self._rows[leg.object_id]]
            shared = _share(rows, frame.size, self._engine.cells)
            for leg in active:
                self._rows[leg.object_id] = tuple(row for row in shared if row.object_id == leg.object_id)

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
    ) -> tuple[tuple[int, int, int], ...]:
        """End the legs whose structure has ended, or that agree with what is stored."""
        ended, over = [], []
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
        self._drop(over)
        return tuple(ended)

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
        return self._agreeing[leg.object_id] >= SAME_FRAMES


def _share(rows: Sequence[TrackRow], size: tuple[int, int], cells: int) -> list[TrackRow]:
    """Let rows whose objects lie close together look through one region."""
    boxed = [row for row in rows if row.box is not None]
    regions = share_regions([row.box for row in boxed if row.box is not None], size, cells)
    by_row = {id(row): region for row, region in zip(boxed, regions, strict=True)}
    return [_reframed(row, by_row.get(id(row), row.region)) for row in rows]


def _reframed(row: TrackRow, region: Region) -> TrackRow:
    logits = None if row.mask_logits is None else crop_logits(row.mask_logits, row.region, region)
    return replace(row, region=region, mask_logits=logits)
