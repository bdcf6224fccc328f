"""How the clip is cut into legs: which prompted frame answers for which frames, and what of it is to run.

Every frame without a prompt is reached from its nearest prompted frame (tie: the earlier one); between a painted or
locked mask and a frame that was only clicked, from the mask, which is surer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from napari_vost.contracts import Trace, TrackRow
from napari_vost.errors import InputError
from napari_vost.masks import PackedMask
from napari_vost.seeding import Seed
from napari_vost.types import Direction, MaskPrompt, Order

Limits = tuple[int | None, int | None]  # first and last frame of an object, None where it may go on


@dataclass(frozen=True)
class Stored:
    """What a session holds of one object on one frame: the mask, whether it was present, whether it is locked."""

    mask: PackedMask
    present: bool
    locked: bool = False


Way = tuple[int, int, int]  # (object_id, seed_frame, direction): what a leg is known by from run to run


@dataclass(frozen=True, eq=False)
class Halt:
    """Where a leg stood when its run was ended, for another run to go on from there.

    Attributes
    ----------
    next_frame
        The first frame that was not reached.
    rows
        The object's rows after the frame before it.
    largest, missing
        What `propagation` knows of the structure's end: its largest area so far, and slices in a row without it.
    shown
        What was shown of frames on which hypotheses still differ.
    next_entry_id
        Above those of all memories in the rows.
    """

    next_frame: int
    rows: tuple[TrackRow, ...]
    largest: int
    missing: int
    shown: Mapping[int, Trace]
    next_entry_id: int


@dataclass(frozen=True)
class Leg:
    """The frames that one prompted frame answers for, in one direction; both ends included, ``first`` comes first.

    With a ``halt`` it goes on from there; frames up to ``unreached`` are run even where nothing changes any more.
    """

    object_id: int
    seed_frame: int
    first: int
    last: int
    direction: int
    halt: Halt | None = field(default=None, compare=False)
    unreached: int | None = None

    def __contains__(self, frame_index: int) -> bool:
        return min(self.first, self.last) <= frame_index <= max(self.first, self.last)

    @property
    def way(self) -> Way:
        """What it is known by from run to run."""
        return self.object_id, self.seed_frame, self.direction

    @property
    def frames(self) -> range:
        """Its frames in the order in which they are reached."""
        return range(self.first, self.last + self.direction, self.direction)


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
    unreached
        Frames by object that the runs before have not come to: of objects in ``changed``, legs over them run too.
    halts
        Where legs of the runs before stood when these were ended.
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
    unreached: Mapping[int, frozenset[int]] = field(default_factory=dict)
    halts: Mapping[Way, Halt] = field(default_factory=dict)
    stored: Callable[[int, int], Stored | None] = field(default=lambda object_id, frame_index: None)
    continuous: bool = False
    limits: Mapping[int, Limits] = field(default_factory=dict)


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
            if plan.direction in ("forward", "both"):
                last = _last(seed, None if plan.continuous else after, plan, 1)
                first, last = max(seed.frame_index + 1, start), min(last, stop - 1)
                if first <= last and seed.frame_index < stop:
                    leg = Leg(object_id, seed.frame_index, first, last, 1)
                    found += _to_run(leg, plan, _runs(seed, after, changed))
            if plan.direction in ("backward", "both"):
                last = _last(seed, before, plan, -1)
                first, last = min(seed.frame_index - 1, stop - 1), max(last, start)
                if first >= last and seed.frame_index >= start:
                    leg = Leg(object_id, seed.frame_index, first, last, -1)
                    found += _to_run(leg, plan, _runs(seed, before, changed))
    return found


def _to_run(leg: Leg, plan: Plan, changed: bool) -> list[Leg]:
    """What of a leg has to run: all of it, what an ended run has left of it, or nothing."""
    left = [one for one in plan.unreached.get(leg.object_id, ()) if one in leg]
    if not left:
        return [leg] if changed else []
    furthest = max(one * leg.direction for one in left) * leg.direction
    halt = None if changed else plan.halts.get(leg.way)
    if (
        halt is not None
        and halt.next_frame in leg
        and all((one - halt.next_frame) * leg.direction >= 0 for one in left)
    ):
        return [replace(leg, first=halt.next_frame, halt=halt, unreached=furthest)]
    return [replace(leg, unreached=furthest)]


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
