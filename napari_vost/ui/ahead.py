"""What the engine does while nobody asks it: the click that may come is answered, and frames are encoded."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_vost.errors import VostError
from napari_vost.types import PointPrompt

if TYPE_CHECKING:
    from napari_vost.session import Session
    from napari_vost.ui.studio import Studio

MOST_S = 0.6  # a network that takes longer for answers is not asked ahead: another click would wait for it
SLOW = 2  # answers in a row, until that is believed: the first one may wait for the network to warm up
_TIMED = 32  # frames whose time is known


class Ahead:
    """Small things for the engine's thread, one at a time.

    Parameters
    ----------
    studio
        Whose session and frame in view.

    Attributes
    ----------
    begun
        The last click that was answered, or begun to be, before it came.
    encode_s
        Seconds that each of the last frames took.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._expected: PointPrompt | None = None
        self.start_over()

    def start_over(self) -> None:
        """Forget how long things took: the network or its device is another one."""
        self.begun: PointPrompt | None = None
        self.encode_s: tuple[float, ...] = ()
        self._slow = 0  # answers in a row

    def expect(self, prompt: PointPrompt | None) -> None:
        """Answer a click before it comes; one that was expected before is expected no longer."""
        self._expected = prompt
        if prompt is not None:
            self._studio.jobs.wake()

    def step(self) -> bool:
        """Do one small thing, on the engine's thread; whether there is more."""
        session = self._studio.session
        if session is None:
            return False
        if self._answer(session):
            return True
        started = time.perf_counter()
        more = session.encode_ahead(self._studio.viewed_frame)
        if more:
            self.encode_s = (*self.encode_s, time.perf_counter() - started)[-_TIMED:]
        return more

    def between(self) -> None:
        """Answer the click that may come between two frames of a run, on the engine's thread."""
        session = self._studio.session
        with suppress(VostError):  # it was no longer wanted, or would be refused: the run goes on
            if session is not None:
                self._answer(session)

    def _is_small(self, session: Session, prompt: PointPrompt) -> bool:
        """Whether an answer is soon there; a network that sees whole frames has encoded this one before."""
        whole = session.engine.region == "full"
        return self._slow < SLOW and (not whole or session.encoded(prompt.frame_index))

    def _answer(self, session: Session) -> bool:
        """Answer the click that may come; whether there was one that is small."""
        prompt = self._expected
        if prompt is None or not self._is_small(session, prompt):
            return False
        self.begun, started = prompt, time.perf_counter()
        try:
            session.answer_ahead(prompt, lambda: self._studio.jobs.asked or self._expected is not prompt)
        finally:
            self._slow = self._slow + 1 if time.perf_counter() - started > MOST_S else 0
            if self._expected is prompt:
                self._expected = None
        return True
