"""Seeds of a session: its prompts answered again in the order in which they were given.

A correction reads the frames of its object that were prompted before it, as they were answered then. So what a prompt
is worth depends on the prompts alone, not on when a session was saved, loaded or undone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from napari_vost.contracts import MemoryBank, MemoryPolicy
from napari_vost.history import Ledger, Settings
from napari_vost.masks import PackedMask
from napari_vost.seeding import Before, Seed, seed
from napari_vost.sight import Engine, FrameView, never
from napari_vost.types import MaskPrompt, Prompt

FrameAt = Callable[[int], FrameView]
_REMEMBERED = 32  # states of objects kept, so that a click costs one answer and an undo none


@dataclass(frozen=True, eq=False)
class _Answered:
    """An object's prompts so far, the corrected masks below them, and the seeds by frame that they gave."""

    prompts: tuple[Prompt, ...]
    bases: Mapping[int, PackedMask]
    seeds: Mapping[int, Seed]


@dataclass(frozen=True, eq=False)
class _Ahead:
    """What was answered before it was asked, with which policy, and the numbers of memories before and after it."""

    object_id: int
    answered: _Answered
    policy: MemoryPolicy
    first: int
    last: int


class SeedBook:
    """Seeds of the prompted and the locked frames of a session.

    Parameters
    ----------
    ledger
        Prompts, masks and locks; the book only reads it.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._answered: OrderedDict[tuple[int, tuple[Prompt, ...]], _Answered] = OrderedDict()
        self._locked: dict[tuple[int, int], Seed] = {}
        self._next_entry = 0
        self._ahead: _Ahead | None = None

    def forget(self) -> None:
        """Answer everything again: for other weights."""
        self._answered.clear()
        self._ahead = None
        self._locked.clear()

    def known(self, object_id: int) -> dict[int, tuple[Prompt, ...]]:
        """What is certain of an object: its prompted frames, and locked frames beside unlocked ones as their masks."""
        settings = self._ledger.settings
        known: dict[int, tuple[Prompt, ...]] = {}
        for prompt in settings.prompts:
            if prompt.object_id == object_id:
                known[prompt.frame_index] = (*known.get(prompt.frame_index, ()), prompt)
        locked = {frame for one, frame in settings.locks if one == object_id}
        for frame in locked:
            kept = self._ledger.kept.get((object_id, frame))
            if kept is not None and not {frame - 1, frame + 1} <= locked:
                known[frame] = (MaskPrompt(frame, object_id, kept.mask),)
        return dict(sorted(known.items()))

    def answer(
        self, engine: Engine, frame_at: FrameAt, object_id: int, settings: Settings, stops: bool = False
    ) -> Mapping[int, Seed]:
        """Seeds by frame of all prompts of an object under settings, which need not be the ledger's yet.

        With ``stops`` it ends between two looks when the job is cancelled; prompts that were answered are kept.
        """
        prompts, bases = _of_object(settings, object_id)
        self._take_ahead(engine, object_id, prompts, bases)
        done = self._longest(object_id, prompts, bases)
        seeds = dict(done.seeds) if done is not None else {}
        start = len(done.prompts) if done is not None else 0
        count = start
        engine = engine if stops else replace(engine, cancelled=never)
        try:
            for count in range(start, len(prompts)):
                if stops:
                    engine.check()
                prompt = prompts[count]
                same = tuple(one for one in prompts[: count + 1] if one.frame_index == prompt.frame_index)
                others = tuple(one.entry for frame, one in sorted(seeds.items()) if frame != prompt.frame_index)
                base = bases.get(prompt.frame_index)
                before = Before(MemoryBank(others) if base is not None else MemoryBank(), base)
                view = frame_at(prompt.frame_index)
                previous = seeds.get(prompt.frame_index)
                seeds[prompt.frame_index] = seed(engine, view, same, before, self._new_id(), previous)
            count = len(prompts)
        finally:
            if start < count:
                self._keep(object_id, _Answered(prompts[:count], bases, seeds))
        return seeds

    def answer_ahead(self, engine: Engine, frame_at: FrameAt, object_id: int, settings: Settings) -> None:
        """Answer prompts that may come: `answer` has it at once if they do, and nothing tells of it if they do not.

        It ends between two looks when the job is cancelled.
        """
        self._ahead = None
        self.answer(engine, frame_at, object_id, self._ledger.settings, stops=True)
        answered, first = self._answered.copy(), self._next_entry
        prompts, bases = _of_object(settings, object_id)
        try:
            seeds = self.answer(engine, frame_at, object_id, settings, stops=True)
            self._ahead = _Ahead(object_id, _Answered(prompts, bases, seeds), engine.policy, first, self._next_entry)
        finally:  # nothing was asked: nothing is older for it, and no number is taken
            self._answered, self._next_entry = answered, first

    def _keep(self, object_id: int, answered: _Answered) -> None:
        self._answered[object_id, answered.prompts] = answered
        while len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)

    def _take_ahead(
        self, engine: Engine, object_id: int, prompts: tuple[Prompt, ...], bases: Mapping[int, PackedMask]
    ) -> None:
        """What was answered ahead is an answer from now on, if it is to this; its memories get the next numbers."""
        ahead = self._ahead
        if ahead is None or ahead.object_id != object_id or ahead.policy is not engine.policy:
            return
        if ahead.answered.prompts != prompts or ahead.answered.bases != bases:
            return
        later = self._next_entry - ahead.first  # numbers that a run has taken meanwhile
        seeds = {frame: _numbered(one, ahead.first, later) for frame, one in ahead.answered.seeds.items()}
        self._keep(object_id, _Answered(prompts, bases, seeds))
        self._next_entry, self._ahead = ahead.last + later, None

    def seeds(self, engine: Engine, frame_at: FrameAt, object_id: int, stops: bool = False) -> list[Seed]:
        """Seeds of everything that is known of an object, by rising frame; ``stops`` as in `answer`."""
        answered = self.answer(engine, frame_at, object_id, self._ledger.settings, stops)
        found = []
        for frame, prompts in self.known(object_id).items():
            if stops:
                engine.check()
            one = answered.get(frame)
            if one is None or one.prompts != prompts:  # a locked frame: what stands there is the truth
                place = (object_id, frame)
                one = self._locked.get(place)
                if one is None or one.prompts != prompts:
                    one = seed(replace(engine, cancelled=never), frame_at(frame), prompts, Before(), self._new_id())
                    self._locked[place] = one
            found.append(one)
        return found

    def number_from(self, entry_id: int) -> None:
        """Give new memories numbers above those of an ended run, which will be read beside them."""
        self._next_entry = max(self._next_entry, entry_id)

    def _new_id(self) -> int:
        self._next_entry += 1
        return self._next_entry

    def _longest(
        self, object_id: int, prompts: tuple[Prompt, ...], bases: Mapping[int, PackedMask]
    ) -> _Answered | None:
        """The longest remembered beginning of an object's prompts whose corrected masks are the same."""
        best = None
        for (one, known), answered in self._answered.items():
            fits = one == object_id and prompts[: len(known)] == known
            if fits and (best is None or len(known) > len(best.prompts)):
                frames = {prompt.frame_index for prompt in known}
                now = {frame: mask for frame, mask in bases.items() if frame in frames}
                if now == {frame: mask for frame, mask in answered.bases.items() if frame in frames}:
                    best = answered
        return best


def _of_object(settings: Settings, object_id: int) -> tuple[tuple[Prompt, ...], dict[int, PackedMask]]:
    """An object's prompts, and the masks by frame that they correct."""
    prompts = tuple(prompt for prompt in settings.prompts if prompt.object_id == object_id)
    return prompts, {frame: mask for (one, frame), mask in settings.bases.items() if one == object_id}


def _numbered(one: Seed, first: int, later: int) -> Seed:
    """A seed whose memory, if its number is above ``first``, has one that is so much higher."""
    number = one.entry.entry_id
    return one if number <= first or not later else replace(one, entry=replace(one.entry, entry_id=number + later))
