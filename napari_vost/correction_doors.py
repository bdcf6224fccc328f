"""The doors by which a user says what is right: prompts, paint, "not here", "ends here", and taking prompts away.

Each is one step of undo. A prompt on a locked frame is the user's own act: it changes the mask there, and the lock
stays.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from operator import index

import torch
from numpy.typing import ArrayLike
from psygnal import Signal

from napari_vost.ends import Side, check_free, choose_side, end, nowhere, reopen, reopen_for
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError, PromptError
from napari_vost.following import Follower, kept_seed, painted
from napari_vost.history import Kept, Ledger, Place, Settings, place_of
from napari_vost.legs import Limits
from napari_vost.prompt_doors import PromptDoors
from napari_vost.prompt_rules import check_frame, check_has_inside, check_prompt, whole_numbers
from napari_vost.seed_book import SeedBook
from napari_vost.sight import Engine, FrameView, never
from napari_vost.types import MaskPrompt, Prompt


class CorrectionDoors(PromptDoors):
    """Prompts and what takes them away, for whoever has an engine, a clip and masks."""

    prompts_changed: Signal
    masks_changed: Signal
    locks_changed: Signal
    view_changed: Signal
    options: EngineOptions
    ledger: Ledger
    _seeds: SeedBook
    _follower: Follower

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The engine."""

    @abstractmethod
    def frame_view(self, frame_index: int) -> FrameView:
        """A frame as the engine is given it."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All prompts in the order in which they were given."""
        return self.ledger.settings.prompts

    @property
    def limits(self) -> Mapping[int, Limits]:
        """First and last frame of objects that were ended, None where they may go on; `prompts_changed` tells."""
        return dict(self.ledger.settings.limits)

    @property
    def dabbed(self) -> frozenset[Place]:
        """``(object_id, frame_index)`` whose mask took a dab to obey a click that the network did not (see `dab`)."""
        return frozenset(place for place, kept in list(self.ledger.kept.items()) if kept.dabbed)

    @property
    def overwrite(self) -> bool | None:
        """Who gets a pixel of two objects when one is followed onto another that stands: saved, but no step of undo.

        True: the one that is followed, unless the other is locked or prompted on that frame. False: the one that
        stands. Of objects that are followed to a frame together it is the one of higher logit either way. None, the
        default: both, and label maps show the smaller id. Clicks and `paint` change no other object's mask: a brush
        that overwrites gives both masks.
        """
        return self._follower.overwrite

    @overwrite.setter
    def overwrite(self, overwrite: bool | None) -> None:
        self._follower.check_idle()
        self._follower.overwrite = None if overwrite is None else bool(overwrite)
        self.view_changed.emit()

    def add(self, *prompts: Prompt) -> None:
        """Add prompts as one step; each frame and object that they touch is answered once.

        After a click its pixel lies on the side that was asked for: where the network does not obey, a dab does it,
        and `dabbed` tells.

        Raises
        ------
        PromptError
            A prompt outside the clip or the image, or a stroke without points. Nothing is changed then.
        """
        self._follower.check_idle()
        self._give("prompt", prompts)

    @torch.inference_mode()
    def answer_ahead(self, prompt: Prompt, cancelled: Callable[[], bool] = never) -> None:
        """Answer a prompt that may come, so that `add` has its answer at once if it does; nothing is changed.

        What is answered is the same as without it, bit for bit. Only the last prompt that was answered ahead is kept.
        It may come between two frames of a run too, on the thread that follows.

        Parameters
        ----------
        prompt
            No `MaskPrompt`: a mask is its own answer.
        cancelled
            Asked between two looks at the frame.

        Raises
        ------
        PromptError
            `add` would refuse it.
        Cancelled
            ``cancelled`` said so.
        """
        _, after, _ = self._with([prompt])
        engine = replace(self.engine, cancelled=cancelled)
        self._seeds.answer_ahead(engine, self.frame_view, prompt.object_id, after)

    def paint(self, masks: Mapping[Place, ArrayLike]) -> None:
        """Take what a brush has left, bool (H, W) by ``(object_id, frame_index)``: mask prompts and locks, as one step.

        Each mask is kept bit for bit and counts for more than earlier prompts there; later clicks refine it. An empty
        one says that the object is not on that frame; an object that is not known yet begins.

        Raises
        ------
        PromptError
            A mask of another shape or place than the clip has, or of shades. Nothing is changed then.
        """
        self._follower.check_idle()
        if masks:
            self._give("paint", [self._mask_prompt(at, mask, one) for (one, at), mask in masks.items()], lock=True)

    def not_here(self, frame_index: int, object_id: int = 1) -> None:
        """Say that an object is not on a frame: an empty mask, locked, as one step.

        Raises
        ------
        InputError
            No such frame or object.
        """
        place = self._place(frame_index, object_id)
        self._give("not here", (nowhere(place, self.ledger.size),), lock=True)

    def end_here(self, frame_index: int, object_id: int = 1, side: Side | None = None) -> None:
        """Let an object end on a frame, the last one that may hold it, as one step.

        Its masks beyond are removed and it is followed no further; `clear_limits` opens the end again, and so does a
        prompt that shows the object beyond. Memory learns it from an empty mask on the first frame beyond.

        Parameters
        ----------
        frame_index, object_id
            Where and what.
        side
            ``"before"`` or ``"after"``, what is taken away; None takes the side away from the nearest prompted frame
            that shows the object, on that frame itself the side where no other one lies.

        Raises
        ------
        InputError
            No such frame or object, a prompt or a lock that shows the object beyond, or a side that has to be said.
        """
        place = self._place(frame_index, object_id)
        if side not in (None, "before", "after"):
            raise InputError(f"side must be 'before' or 'after', got {side!r}.")
        chosen = side or choose_side(self.ledger, place)
        check_free(self.ledger, place, chosen)
        settings, here = self.ledger.settings, place[1]
        after = end(settings, place, chosen, self.clip.shape)
        gone = {
            (one, frame)
            for one, frame in self.ledger.kept
            if one == place[0] and (frame > here if chosen == "after" else frame < here)
        }
        told = settings.locks | {place_of(prompt) for prompt in after.prompts}
        self._act("end here", after, (gone - told) | _changed_places(settings, after))

    def clear_limits(self, object_id: int = 1) -> None:
        """Let an object that was ended go on, on both sides, when it is followed next; one step.

        Raises
        ------
        InputError
            It was not ended.
        """
        self._follower.check_idle()
        settings, one = self.ledger.settings, index(object_id)
        if one not in settings.limits:
            raise InputError(f"Object {object_id} has no limits: it was not ended anywhere.")
        after = reopen(settings, one)
        self._act("clear limits", after, _changed_places(settings, after))

    def remove(self, prompt: Prompt) -> None:
        """Take one prompt away, of equal ones the last; the others on its frame are answered again; one step.

        Without another one there it is as `remove_prompts`. Masks on other frames stay until they are followed.

        Raises
        ------
        PromptError
            It is not there, or it leaves only prompts that take away, with nothing to take it from.
        """
        self._follower.check_idle()
        settings, place = self.ledger.settings, place_of(prompt)
        found = [number for number, one in enumerate(settings.prompts) if one == prompt]
        if not found:
            raise PromptError("This prompt is not there: choose one of the session's prompts.")
        left = settings.prompts[: found[-1]] + settings.prompts[found[-1] + 1 :]
        after = replace(settings, prompts=left, accepted=settings.accepted - {place})
        if not after.prompts_at(place):
            self.remove_prompts(place[1], place[0])
            return
        check_has_inside(after.prompts_at(place), place in settings.bases)
        self._act("remove prompt", after, {place})

    def remove_prompts(self, frame_index: int, object_id: int = 1) -> None:
        """Take all prompts of one object on one frame away; its mask there goes too, until it is followed again."""
        place = (index(object_id), index(frame_index))
        gone = self.ledger.settings.prompts_at(place)
        if not gone:
            raise PromptError(f"Object {object_id} has no prompt on frame {frame_index}.")
        self._remove("remove prompts", place[0], gone)

    def remove_object(self, object_id: int) -> None:
        """Take an object away, all of it: prompts, limits, and masks, locked ones too; undo brings it back."""
        if object_id not in self.ledger.object_ids:
            raise PromptError(f"Object {object_id} does not exist: choose one of {self.ledger.object_ids}.")
        self._follower.check_idle()
        settings = reopen(self.ledger.settings, object_id)
        own = {place for place in (*self.ledger.kept, *settings.locks, *settings.accepted) if place[0] == object_id}
        after = replace(
            settings,
            prompts=tuple(one for one in settings.prompts if one.object_id != object_id),
            locks=settings.locks - own,
            accepted=settings.accepted - own,
            bases={key: mask for key, mask in settings.bases.items() if key[0] != object_id},
        )
        self._follower.forget(object_id)
        self._act("remove object", after, own | _changed_places(self.ledger.settings, after))
        self.locks_changed.emit()

    def _give(self, name: str, given: Sequence[Prompt], lock: bool = False) -> None:
        """Add prompts, which open limits again that they contradict; with ``lock`` their places are locked."""
        settings = self.ledger.settings
        opened, after, places = self._with(given, lock)
        if not lock:
            _ = self.engine  # parts that do not fit each other are refused with the first prompt, whatever its kind
        self._act(name, after, places | _changed_places(settings, opened))
        if lock:
            self.locks_changed.emit()

    def _with(self, given: Sequence[Prompt], lock: bool = False) -> tuple[Settings, Settings, frozenset[Place]]:
        """Settings whose limits prompts open, the same with the prompts too, and the places of these."""
        prompts = tuple(whole_numbers(prompt) for prompt in given)
        for prompt in prompts:
            check_prompt(prompt, self.clip.shape)
        settings = self.ledger.settings
        opened = reopen_for(settings, prompts)
        places = frozenset(place_of(prompt) for prompt in prompts)
        known = {place_of(prompt) for prompt in opened.prompts}
        bases = dict(opened.bases)
        for place in places - known:
            tracked = self.ledger.kept.get(place)
            if tracked is not None and not tracked.mask.empty:
                bases[place] = tracked.mask
        after = replace(
            opened,
            prompts=(*opened.prompts, *prompts),
            bases=bases,
            locks=opened.locks | places if lock else opened.locks,
            accepted=opened.accepted - places,
        )
        for place, here in _by_place(after.prompts, places).items():
            check_has_inside(here, place in bases)
        return opened, after, places

    def _act(self, name: str, after: Settings, places: Collection[Place]) -> None:
        """One step: under new settings what stands at places is answered anew; without a prompt there it goes.

        A mask is its own answer: its memory is made when it is first needed, so that painting costs nothing.
        """
        prompts = _by_place(after.prompts, places)
        asked = {place[0] for place, here in prompts.items() if not isinstance(here[-1], MaskPrompt)}
        answers = {one: self._seeds.answer(self.engine, self.frame_view, one, after) for one in asked}
        masks: dict[Place, Kept | None] = dict.fromkeys(places)
        for place, here in prompts.items():
            last = here[-1]
            if isinstance(last, MaskPrompt):
                masks[place] = painted(last.mask)
            else:
                masks[place] = kept_seed(answers[place[0]][place[1]], self.engine, self.options.cleanup)
        before = self.ledger.settings.limits
        for object_id in before:
            if before[object_id] != after.limits.get(object_id):
                self._follower.widen(object_id, before[object_id], after.limits.get(object_id, (None, None)))
        self.ledger.act(name, after, masks)
        self.prompts_changed.emit()
        self.masks_changed.emit(tuple(sorted({place[1] for place in masks})))

    def _remove(self, name: str, object_id: int, gone: tuple[Prompt, ...]) -> None:
        """Drop prompts and their masks; without a prompt left but marks, all unlocked masks of the object."""
        self._follower.check_idle()
        settings = self.ledger.settings
        after = replace(settings, prompts=tuple(one for one in settings.prompts if one not in gone))
        places = {place_of(one) for one in gone}
        if not any(one.object_id == object_id for one in reopen(after, object_id).prompts):
            after = reopen(after, object_id)
            places |= {place for place in self.ledger.kept if place[0] == object_id}
        bases = {key: mask for key, mask in after.bases.items() if key not in places}
        self._follower.forget(object_id)  # what the prompts had reached has to be found anew
        self._act(name, replace(after, bases=bases), places - settings.locks)

    def _place(self, frame_index: int, object_id: int) -> Place:
        """A place, where there is such a frame and object, and something may be changed."""
        self._follower.check_idle()
        check_frame(index(frame_index), len(self.clip))
        if object_id not in self.ledger.object_ids:
            raise PromptError(f"Object {object_id} does not exist: choose one of {self.ledger.object_ids}.")
        return index(object_id), index(frame_index)


def _by_place(prompts: Sequence[Prompt], places: Collection[Place]) -> dict[Place, tuple[Prompt, ...]]:
    """Prompts at places, in order."""
    found: dict[Place, list[Prompt]] = {}
    for prompt in prompts:
        if place_of(prompt) in places:
            found.setdefault(place_of(prompt), []).append(prompt)
    return {place: tuple(here) for place, here in found.items()}


def _changed_places(before: Settings, after: Settings) -> frozenset[Place]:
    """Where prompts came or went."""
    return frozenset(place_of(prompt) for prompt in set(before.prompts) ^ set(after.prompts))
