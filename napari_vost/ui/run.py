"""One run of following on the engine's thread, and how far it is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch

from napari_vost.session import Session
from napari_vost.types import Direction

EVERY_S = 0.1  # between two news of how far a run is: for each the window is painted


def leave_a_core() -> None:
    """Let the network, on the thread that calls this, use all cores but one: the window stays quick while it works."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1)))


@dataclass(frozen=True)
class Progress:
    """How far a run is: frames done, of how many, and seconds that it will go on; None while unknown.

    How many frames a correction changes nobody knows before.
    """

    done: int
    total: int | None
    left_s: float | None


class Run:
    """Frames are followed until the end, or until another thread ends it.

    Parameters
    ----------
    frames
        Half-open range that is followed in.
    objects
        The only objects that are followed, because they were corrected; None for all.
    """

    def __init__(self, frames: tuple[int, int], objects: Collection[int] | None = None) -> None:
        self.objects = objects
        self._frames = range(*frames)
        self._stop = threading.Event()
        self._broken = False  # off by an error, with a step of undo for what was reached

    def end(self, session: Session) -> None:
        """Stop at the next stage of a frame, or before the first one."""
        self._stop.set()
        session.cancel()

    def follow(
        self,
        session: Session,
        direction: Direction,
        frames: tuple[int, int] | None,
        reached: Callable[[Progress], None],
        between: Callable[[], object] = lambda: None,
    ) -> None:
        """Follow, and tell how far it is now and then; `Cancelled` when it was ended after it had begun.

        Between two frames it does what is given.

        Called once more after an error (see `Jobs.rescue`) it goes on, and both are one step of undo.
        """
        if self._stop.is_set():
            return
        standing = len(session.ledger.done)
        try:
            self._follow(session, direction, frames, reached, between)
        finally:
            noted = len(session.ledger.done) > standing
            if self._broken and noted:
                session.ledger.join()
            self._broken = self._broken or noted

    def _follow(
        self,
        session: Session,
        direction: Direction,
        frames: tuple[int, int] | None,
        reached: Callable[[Progress], None],
        between: Callable[[], object],
    ) -> None:
        started_s = time.monotonic()
        told_s = 0.0
        total = None if self.objects is not None else self._total(session)
        seen: set[int] = set()
        for result in session.propagate(direction, frames, objects=self.objects):
            if self._stop.is_set():  # what was asked just before the run began it has forgotten
                session.cancel()
            else:
                between()
            seen.add(result.frame_index)
            done = len(seen)
            spent_s = time.monotonic() - started_s
            if spent_s < told_s + EVERY_S and done > 1:
                continue
            told_s = spent_s
            known = total is not None and done > 1
            reached(Progress(done, total, spent_s / done * max(total - done, 0) if known and total else None))

    def _total(self, session: Session) -> int:
        """Frames that are before a run: all of them, or what is left of a run that was stopped."""
        prompts, standing = session.prompts, session.standing
        if not all(prompt.object_id in standing for prompt in prompts):
            return len(self._frames)
        left = {frame for one in standing.values() for frame in one.unreached if frame in self._frames}
        prompted = {prompt.frame_index for prompt in prompts}
        return len(left | prompted) if left else len(self._frames)
