"""What a window does with a session: prompts that are answered as they come, following that a click may interrupt.

No widget and no layer is known here. All that changes a session runs on the engine's thread, in the order in which the
user did it; signals come back on the window's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal

from napari_vost.autosave import Autosave
from napari_vost.clip import Clip
from napari_vost.ends import choose_side
from napari_vost.errors import InputError
from napari_vost.history import Place, place_of
from napari_vost.masks import Mask
from napari_vost.session import Session
from napari_vost.types import Direction, PointPrompt, Prompt
from napari_vost.ui import painting, refollow
from napari_vost.ui.ahead import Ahead
from napari_vost.ui.jobs import Jobs
from napari_vost.ui.lasso import inside_of, lasso_prompts
from napari_vost.ui.objects import Objects
from napari_vost.ui.painting import Patch
from napari_vost.ui.refollow import Refollow
from napari_vost.ui.run import Progress, Run, leave_a_core


class Studio(Objects):
    """One session at a time, driven from a window.

    Attributes
    ----------
    frames
        Half-open range of frames that following does not leave; None for the whole clip.
    direction
        Which way it goes.
    """

    opened = Signal()  # another session, or none
    asked = Signal()  # `waiting` has more; what they ask for has not begun
    prompts_changed = Signal()
    masks_changed = Signal(object)  # frozenset of frame indices
    locks_changed = Signal()
    following_changed = Signal(bool)
    progressed = Signal(object)  # Progress
    said = Signal(str)  # a sentence that is no failure
    failed = Signal(str)  # a sentence
    suggested = Signal(object)  # `Suggestion` of the frame that is worth annotating next, or None
    saved = Signal(str)  # "" when all is in the file, else why it is not

    def __init__(self) -> None:
        super().__init__()
        self.autosave: Autosave | None = None
        self.frames: tuple[int, int] | None = None
        self.direction: Direction = "both"
        self.viewed_frame = 0
        self._suggesting = False
        self._leaving: list[Autosave] = []  # of sessions that were let go, until all is in their files
        self._run: Run | None = None
        self.refollow = Refollow(self)
        self._changed: set[int] = set()
        self._lock = threading.Lock()
        self.ahead = Ahead(self)
        self.jobs = Jobs(self.failed.emit, self.ahead.step)
        self.jobs.submit(leave_a_core)

    # one session at a time ----------------------------------------------------------------------------------------

    def open(self, session: Session, autosave: Autosave | None = None) -> None:
        """Work on a session from now on; the one before is closed."""
        self.close()
        self.session, self.autosave = session, None
        self.object_id = min(session.object_ids, default=1)
        self._created = frozenset({self.object_id})
        self.frames, self.hidden, self.direction = None, frozenset(), "both"
        for signal, slot in self._slots(session):
            signal.connect(slot)
        if autosave is not None:
            self.keep(autosave)
        self.ahead.start_over()
        # the network is there when the first click comes
        self.jobs.submit(lambda: session.engine if self.session is session else None)
        self.opened.emit()

    def keep(self, autosave: Autosave) -> None:
        """Hear from what saves the session, and close it with the session."""
        self.autosave = autosave
        autosave.failed.connect(self._heard_problem)
        autosave.saved.connect(self._heard_saved)

    def close(self) -> None:
        """Stop what runs, write what waits, and let the session go."""
        session, autosave = self.session, self.autosave
        if session is None:
            return
        self.stop()
        for signal, slot in self._slots(session):
            signal.disconnect(slot, missing_ok=True)
        self.session = self.autosave = None
        self._waiting.clear()
        if autosave is not None:
            autosave.failed.disconnect(self._heard_problem, missing_ok=True)
            autosave.saved.disconnect(self._heard_saved, missing_ok=True)
            self._leaving.append(autosave)
            self.jobs.submit(lambda: self._leave(autosave))
        self.opened.emit()

    def end(self) -> None:
        """Close the session and end the thread; nothing may be asked afterwards."""
        self.close()
        self.jobs.close()
        for autosave in list(self._leaving):  # the thread may have ended before it came to this
            self._leave(autosave)

    def _leave(self, autosave: Autosave) -> None:
        autosave.close()
        if autosave in self._leaving:
            self._leaving.remove(autosave)

    def _slots(self, session: Session) -> tuple[tuple[Any, Callable[..., None]], ...]:
        return (
            (session.masks_changed, self._heard_masks), (session.prompts_changed, self._heard_prompts),
            (session.locks_changed, self._heard_locks), (session.labels_changed, self._heard_labels),
        )  # fmt: skip

    @property
    def clip(self) -> Clip | None:
        """What is segmented."""
        return None if self.session is None else self.session.clip

    # prompts ------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> tuple[Prompt, ...]:
        """Prompts that were given and have no answer yet."""
        return tuple(self._waiting)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All prompts, answered or not; one that the session has already while its answer is on the way once."""
        if self.session is None:
            return ()
        known = self.session.prompts
        return (*known, *(one for one in self._waiting if one not in known))

    def add(self, *prompts: Prompt) -> None:
        """Take prompts as one step; the mask comes as soon as it can. Following pauses for it and goes on."""
        if self.session is None:
            return
        self._waiting += prompts
        self.begin({prompt.object_id for prompt in prompts})
        self.asked.emit()

        def answered(dabbed: bool = False) -> None:
            self._waiting = [one for one in self._waiting if not any(one is prompt for prompt in prompts)]
            self.prompts_changed.emit()
            self.objects_changed.emit()
            self.refollow.corrected({prompt.object_id for prompt in prompts})
            if dabbed:
                self.said.emit("The network would not follow that click, so a small dab has done what you asked.")

        def add(session: Session) -> bool:
            session.add(*prompts)
            return any(isinstance(one, PointPrompt) and place_of(one) in session.dabbed for one in prompts)

        def refused(sentence: str) -> None:
            answered()
            self.failed.emit(sentence)

        self.change(add, answered, refused, go_on=True)  # begun before it is drawn
        self.prompts_changed.emit()

    def lasso(self, frame_index: int, points_yx: NDArray[np.float64], positive: bool) -> None:
        """Take an outline (N, 2) of ``(y, x)``: the chosen object lies inside of it, or what lies inside is cut off."""
        if self.session is None:
            return
        place = (self.object_id, frame_index)
        inside = inside_of(points_yx, self.session.clip.shape[1:])
        if positive:
            self.add(*lasso_prompts(inside, *place))
        else:
            painting.hand_over(self, partial(painting.cut, place=place, inside=inside), (place[0],), (frame_index,))

    def remove(self, prompt: Prompt) -> None:
        """Take a prompt back, answered or not; one step of undo."""
        one = {prompt.object_id}

        def remove(session: Session) -> bool:
            followed = self.refollow.followed(one)
            session.remove(prompt)
            return bool(followed)

        self.change(remove, lambda followed: self.refollow.corrected(one, anew=followed))

    def paint(self, masks: Mapping[Place, Mask]) -> None:
        """Take masks (H, W) that were painted, by object and frame: kept bit for bit, locked, one step of undo."""
        if masks:
            painting.hand_over(self, lambda _: (masks, ""), *zip(*masks, strict=True))

    def paint_over(self, patches: Sequence[Patch]) -> None:
        """Take what a stroke has changed on some frames, as `paint` does; pixels of locked and hidden others stay."""
        masks = partial(painting.masks_of, patches=patches, chosen=self.object_id, hidden=self.hidden)
        painting.hand_over(self, masks, painting.painted_ids(patches), [patch.frame_index for patch in patches])

    def start_from(self, labels: Any) -> None:
        """Take an array of object ids (T, H, W) as masks that were painted: one step of undo."""
        if self.session is not None:
            painting.hand_over(self, partial(painting.of_labels, labels=labels), (), ())

    def start_from_file(self, path: Path) -> None:
        """Take a label map that lies on a disk as `start_from` does; on another grid each pixel takes the nearest."""
        if self.session is not None:
            painting.hand_over(self, partial(painting.of_file, path=path), (), ())

    def end_here(self, frame_index: int) -> None:
        """The chosen object ends at a frame: it is removed beyond it, and never followed there."""
        place = (self.object_id, frame_index)

        def end(session: Session) -> None:
            try:
                side = choose_side(session.ledger, place)
            except InputError:
                raise InputError(
                    "The object could end before or after this frame, as its marks do not tell which: go to the first "
                    "frame without it and say Not here (Delete)."
                ) from None
            session.end_here(frame_index, place[0], side)

        self.change(end)

    def not_here(self, frame_index: int) -> None:
        """The chosen object is not on a frame."""
        object_id = self.object_id
        self.change(
            lambda session: session.not_here(frame_index, object_id),
            lambda _: self.refollow.corrected({object_id}),
            go_on=True,
        )

    # steps --------------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Take the last step back."""
        self.change(refollow.undo, lambda name: self._told_step("Undid", name))

    def redo(self) -> None:
        """Do the last undone step again."""
        self.change(refollow.redo, lambda name: self._told_step("Did again", name))

    def _told_step(self, what: str, name: str | None) -> None:
        self._chosen_is_gone()
        self.said.emit(f"{what}: {name}." if name else "There is nothing to undo or redo.")

    def toggle_lock(self, frame_index: int) -> None:
        """Lock the chosen object's mask of a frame, or open it again."""
        place = (self.object_id, frame_index)

        def turn(session: Session) -> None:
            (session.unlock if place in session.locks else session.lock)(place[1], place[0])

        self.change(turn, go_on=True)

    def accept(self, frame_index: int) -> None:
        """Take the chosen object's mask of a frame as right."""
        object_id = self.object_id
        self.change(lambda session: session.accept(frame_index, object_id), go_on=True)

    # following ----------------------------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """Whether frames are being followed, or will be as soon as a click is answered."""
        return self._run is not None

    def follow(self, objects: Collection[int] | None = None) -> None:
        """Follow every object from its prompted frames, or only some ``objects`` that were corrected."""
        if self.session is not None and self._run is None:
            self._start_run(self.session, objects)
            self.following_changed.emit(True)

    def _start_run(self, session: Session, objects: Collection[int] | None = None) -> None:
        run = self._run = Run(self.frames or (0, len(session.clip)), objects)
        frames, direction = self.frames, self.direction

        def ended(_: object) -> None:
            if self._run is run:
                self._run = None
                self.following_changed.emit(False)

        def failed(sentence: str) -> None:
            ended(None)
            self.failed.emit(sentence)

        def reached(progress: Progress) -> None:
            self.jobs.tell(lambda: self._progress(run, progress))

        self.jobs.submit(lambda: run.follow(session, direction, frames, reached, self.ahead.between), ended, failed)

    def stop(self) -> None:
        """Stop following; frames that were reached stay."""
        if self._end_run() is not None:
            self.following_changed.emit(False)

    def _end_run(self) -> Run | None:
        run, session = self._run, self.session
        if run is None or session is None:
            return None
        self._run = None
        run.end(session)
        return run

    def toggle_following(self) -> None:
        """Follow, or stop."""
        self.stop() if self.following else self.follow()

    def _progress(self, run: Run, progress: Progress) -> None:
        if self._run is run:
            self.progressed.emit(progress)

    def suggest(self) -> None:
        """Look for the frame that is worth annotating next; whatever else is asked for comes first."""

        def found(suggestions: Any) -> None:
            self._suggesting = False
            self.suggested.emit(suggestions[0] if suggestions and self.session is session else None)

        def none(_: str) -> None:
            found(())

        session = self.session
        if session is not None and not self.following:
            self._suggesting = True
            self.jobs.submit(lambda: session.suggest(1), found, none)

    def use(self, parts: Mapping[str, str], done: Callable[[Any], None], failed: Callable[[str], None]) -> None:
        """Make the engine of other parts, by name as in `Session.use`; following stops for it."""
        self.change(lambda session: session.use(**parts), done, failed)

    # the engine's thread ------------------------------------------------------------------------------------------

    def change(
        self,
        call: Callable[[Session], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[str], None] | None = None,
        go_on: bool = False,
    ) -> None:
        """Change the session after what was asked before; following stops for it, and goes on where it should."""
        session = self.session
        if session is None:
            return
        if not go_on:
            self.stop()
        self.refollow.forget()
        self.ahead.expect(None)
        run = self._end_run()  # in silence: for the user it has never stopped
        if self._suggesting:
            self._suggesting = False
            session.cancel()
        self.jobs.submit(lambda: call(session), done, failed)
        if run is not None:
            self._start_run(session, run.objects)

    def _heard_masks(self, frames: tuple[int, ...]) -> None:
        with self._lock:
            first = not self._changed
            self._changed.update(frames)
        if first:
            self.jobs.tell(self._tell_masks)

    def _tell_masks(self) -> None:
        with self._lock:
            frames, self._changed = frozenset(self._changed), set()
        self.masks_changed.emit(frames)

    def _heard_prompts(self) -> None:
        self.jobs.tell(self.prompts_changed.emit)

    def _heard_locks(self) -> None:
        self.jobs.tell(self.locks_changed.emit)

    def _heard_labels(self) -> None:
        self.jobs.tell(self.objects_changed.emit)

    def _heard_problem(self, sentence: str) -> None:
        self.jobs.tell(lambda: self.saved.emit(sentence))

    def _heard_saved(self) -> None:
        self.jobs.tell(lambda: self.saved.emit(""))
