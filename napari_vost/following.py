"""Following: from what is certain of every object to masks on all frames, written as they are found."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from psygnal import Signal

from napari_vost.cleanup import Cleanup, clean, repair
from napari_vost.clip import Clip
from napari_vost.confidence import Calibration, confidence
from napari_vost.dab import obey
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError, VostWarning
from napari_vost.history import Action, Follow, Kept, Ledger, Place, frame_result
from napari_vost.legs import Halt, Limits, Plan, Way
from napari_vost.masks import Mask, PackedMask
from napari_vost.motion.period import LEAST_FRAMES
from napari_vost.prompt_rules import changed_frames
from napari_vost.propagation import Reached, propagate
from napari_vost.road import Followed, Road, Standing
from napari_vost.seed_book import SeedBook
from napari_vost.seeding import TRUTH_LOGIT, Seed
from napari_vost.sight import Engine, FrameView
from napari_vost.types import Direction, FrameResult, MaskPrompt, Scores

Parts = Callable[[], tuple[Engine, Callable[[int], FrameView]]]


class Follower:
    """Runs propagations of a session and remembers what they knew.

    Parameters
    ----------
    clip, ledger, seeds, options
        Of the session; the ledger's masks are written.
    """

    reached = Signal(int)  # frame index

    def __init__(self, clip: Clip, ledger: Ledger, seeds: SeedBook, options: EngineOptions) -> None:
        self._clip, self._ledger, self._seeds, self._options = clip, ledger, seeds, options
        self._followed: dict[int, Followed] = {}
        self._halts: dict[Way, Halt] = {}
        self._by_depth: dict[int, tuple[dict[int, Followed], dict[Way, Halt]]] = {}  # both by how many actions stand
        self._replaying = False
        ledger.logged.connect(self._remember)
        self.pending: dict[Place, Kept | None] | None = None  # what a run has replaced so far; None while none runs
        self.follow: Follow | None = None  # how that run follows
        self.read_only = ""  # why nothing may be changed, "" where it may
        self.overwrite: bool | None = None  # see `Session.overwrite`
        self.renews = False  # see `Session.use`: prompted frames may have been answered by another engine
        self._adapting = self._told = False

    def check_idle(self) -> None:
        """Raise `InputError` for a read-only session, and while a run goes on: what it leans on must not change."""
        self.check_writable()
        if self.pending is not None or self._adapting:
            what = "An adaptation" if self._adapting else "A propagation"
            raise InputError(f"{what} is running: let it end, or cancel it, before anything is changed.")

    def check_writable(self) -> None:
        """Raise `InputError` for a read-only session."""
        if self.read_only:
            raise InputError(self.read_only)

    @contextmanager
    def adapting(self) -> Iterator[None]:
        """Nothing may be changed inside this block."""
        self.check_idle()
        self._adapting = True
        try:
            yield
        finally:
            self._adapting = False

    def forget(self, object_id: int | None = None) -> None:
        """Let the next run of an object go over all its frames again; of all objects, and whatever is undone before."""
        if object_id is None:
            self._followed, self._by_depth, self._halts = {}, {}, {}
        else:
            self._followed.pop(object_id, None)
            self._halts = {way: halt for way, halt in self._halts.items() if way[0] != object_id}

    def widen(self, object_id: int, before: Limits, after: Limits) -> None:
        """Take frames that an object may be followed to from now on as frames that no run has come to."""
        followed = self._followed.get(object_id)
        if followed is not None:
            new = self._within(after) - self._within(before)
            self._followed[object_id] = replace(followed, unreached=followed.unreached | new)

    def _within(self, limits: Limits) -> frozenset[int]:
        first, last = limits
        return frozenset(range(first or 0, len(self._clip) if last is None else last + 1))

    def replay(self, undo: bool) -> Action | None:
        """Undo or redo an action, and what runs knew with it; None where there is none."""
        self.check_idle()
        self._replaying = True
        try:
            action = self._ledger.undo() if undo else self._ledger.redo()
        finally:
            self._replaying = False
        if action is not None:
            followed, halts = self._by_depth.get(len(self._ledger.done), ({}, {}))
            self._followed, self._halts = dict(followed), dict(halts)
        return action

    def outdated(self) -> frozenset[int]:
        """Objects that were followed, and whose prompts have changed since or that were not followed to the end."""
        return frozenset(one for one, stood in self.standing.items() if stood.changed or stood.unreached)

    @property
    def standing(self) -> dict[int, Standing]:
        """How far each object has been followed, in numbers; for the file."""
        return {
            one: Standing(
                changed_frames(followed.known, self._seeds.known(one)), followed.unreached, followed.direction
            )
            for one, followed in tuple(self._followed.items())
        }

    @standing.setter
    def standing(self, standing: Mapping[int, Standing]) -> None:
        self._followed = {
            one: Followed(
                {frame: prompts for frame, prompts in self._seeds.known(one).items() if frame not in stood.changed},
                stood.unreached,
                stood.direction,
            )
            for one, stood in standing.items()
        }
        self._remember()

    def _remember(self) -> None:
        """Keep beside the log what runs knew after each action; what was undone is gone with the next action."""
        if not self._replaying:
            depth = len(self._ledger.done)
            self._by_depth = {at: kept for at, kept in self._by_depth.items() if at < depth}
            self._by_depth[depth] = dict(self._followed), dict(self._halts)

    def run(
        self,
        parts: Parts,
        direction: Direction,
        frames: tuple[int, int] | None,
        exact: bool,
        objects: Collection[int] | None = None,
    ) -> Iterator[FrameResult]:
        """Follow; see `Session.propagate`. However it ends, what was written is one step in the log."""
        self.check_idle()
        before: dict[Place, Kept | None] = {}
        only = None if objects is None else tuple(sorted(objects))
        self.pending, self.follow = before, Follow(direction, frames, exact, only)
        road: Road | None = None
        halts: dict[Way, Halt] = {}
        try:
            engine, frame_at = parts()
            plan = self.plan(engine, frame_at, direction, frames, exact, objects)
            road = Road(plan, {one: self._seeds.known(one) for one in plan.seeds}, self._followed)
            for object_id in plan.seeds:
                self.forget(object_id)  # until it is known how far this run has come
            if self.renews:
                self._renew(engine, plan, before)
            yield from self._prompted_results(plan)
            for reached in propagate(engine, plan, frame_at, halts):
                road.pass_by(reached)
                yield self._take(reached, before, engine.network.traits.calibration)
            road.arrive()
            self._tell_of_rhythm(engine)
        finally:
            follow, self.pending, self.follow = self.follow, None, None
            if road is not None:
                self._followed.update(road.followed())
                self._halts.update({way: halt for way, halt in halts.items() if way[1] in self._followed[way[0]].known})
                self._seeds.number_from(max((halt.next_entry_id for halt in halts.values()), default=0))
            self._ledger.note("follow", before, follow)
            if not before:  # nothing was logged, and yet it is known how far this has come
                self._remember()

    def _tell_of_rhythm(self, engine: Engine) -> None:
        """Say once per session that a periodic prior has found nothing periodic."""
        frames = getattr(engine.prior, "frames_without_rhythm", 0)
        if self._told or frames < LEAST_FRAMES:
            return
        self._told = True
        warnings.warn(
            f"No rhythm showed in {frames} frames (it takes two cycles, or one of a known heart rate), so motion prior "
            f"{engine.chosen.motion!r} went by constant velocity: for a clip without a cycle choose 'regression'.",
            VostWarning,
            stacklevel=2,
        )

    def plan(
        self,
        engine: Engine,
        frame_at: Callable[[int], FrameView],
        direction: Direction,
        frames: tuple[int, int] | None,
        exact: bool,
        objects: Collection[int] | None = None,
    ) -> Plan:
        """What has to run: objects that are new or have changed; all of them where nothing has."""
        known = {
            one: prompts
            for one in self._ledger.object_ids
            if (objects is None or one in objects) and (prompts := self._seeds.known(one))
        }
        again = exact or self._options.sam2
        followed = {} if again else {o: f for o, f in self._followed.items() if o in known and f.direction == direction}
        start, stop = frames or (0, len(self._clip))
        left = {o: frozenset(f for f in one.unreached if start <= f < stop) for o, one in followed.items()}
        changed = {one: changed_frames(followed[one].known, known[one]) for one in followed}
        run = [one for one in known if one not in followed or changed[one] or left[one]]
        if not run:
            run, left, changed = list(known), {}, {}
        seeds = {one: self._seeds.seeds(engine, frame_at, one, stops=True) for one in run}
        return Plan(
            seeds, len(self._clip), self._clip.order, direction, frames, changed, left, self._halts,
            self._ledger.stored, self._options.sam2, self._ledger.settings.limits,
        )  # fmt: skip

    def _renew(self, engine: Engine, plan: Plan, before: dict[Place, Kept | None]) -> None:
        """Keep what the engine answers on prompted frames now; what was painted or locked is the user's own."""
        settings, cleanup = self._ledger.settings, self._options.cleanup
        for object_id, seeds in plan.seeds.items():
            for one in seeds:
                place = (object_id, one.frame_index)
                if place not in settings.locks and not isinstance(one.prompts[-1], MaskPrompt):
                    self._ledger.write(place, kept_seed(one, engine, cleanup), before)
                    self.reached.emit(one.frame_index)

    def _prompted_results(self, plan: Plan) -> Iterator[FrameResult]:
        for frame_index in sorted({one.frame_index for seeds in plan.seeds.values() for one in seeds}):
            here = {
                o: self._ledger.shown((o, frame_index)) for o in plan.seeds if (o, frame_index) in self._ledger.kept
            }
            yield frame_result(frame_index, here)

    def _take(self, reached: Reached, before: dict[Place, Kept | None], calibration: Calibration | None) -> FrameResult:
        here: dict[int, Kept] = {}
        cleanup = self._options.cleanup
        cleaned = clean(reached.answers, cleanup if self.overwrite is None else replace(cleanup, non_overlap=True))
        masks = {answer.object_id: mask for answer, mask in zip(reached.answers, cleaned, strict=True)}
        if self.overwrite is not None:
            self._part_from_others(reached.frame_index, masks, before)
        for answer in reached.answers:
            sure = confidence(answer.evidence, calibration)
            here[answer.object_id] = Kept(PackedMask.pack(masks[answer.object_id]), answer.scores, sure)
            self._ledger.write((answer.object_id, reached.frame_index), here[answer.object_id], before)
        for object_id, first, last in reached.ended:
            prompted = self._ledger.settings.prompted_frames(object_id)
            for frame_index in range(min(first, last), max(first, last) + 1):
                place = (object_id, frame_index)
                if place not in self._ledger.settings.locks and frame_index not in prompted:
                    self._ledger.write(place, None, before)
        self.reached.emit(reached.frame_index)
        return frame_result(reached.frame_index, here)

    def _part_from_others(self, frame_index: int, masks: dict[int, Mask], before: dict[Place, Kept | None]) -> None:
        """Share no pixel with objects that stand on a frame: they lose it, or keep it (locked or prompted, always)."""
        settings = self._ledger.settings
        for object_id in self._ledger.object_ids:
            place = (object_id, frame_index)
            kept = self._ledger.kept.get(place)
            if object_id in masks or kept is None or kept.mask.empty:
                continue
            standing = kept.mask.unpack()
            taken = np.logical_or.reduce([standing & mask for mask in masks.values()])
            if not taken.any():
                continue
            if self.overwrite and place not in settings.locks and not settings.prompts_at(place):
                self._ledger.write(place, replace(kept, mask=PackedMask.pack(standing & ~taken)), before)
            else:
                masks.update({one: mask & ~standing for one, mask in masks.items()})


def kept_seed(one: Seed, engine: Engine, cleanup: Cleanup) -> Kept:
    """What a session keeps of prompts that a network has answered: the mask repaired, and the clicks obeyed."""
    mask, refused = repair(one.mask.unpack(), cleanup), one.refused
    if not engine.sam2:  # a repair may fill the hole that a click has made, or drop what it has added
        again = obey(mask, one.prompts)
        mask, refused = again.mask, refused + again.refused
    sure = confidence(one.evidence, engine.network.traits.calibration)
    return Kept(PackedMask.pack(mask), one.scores, sure, bool(refused))


def painted(mask: PackedMask) -> Kept:
    """What a session keeps of a mask prompt: it is the truth, present if any pixel is set (docs/sam2.md 2)."""
    return Kept(mask, Scores(1.0, -TRUTH_LOGIT if mask.empty else TRUTH_LOGIT), 1.0)
