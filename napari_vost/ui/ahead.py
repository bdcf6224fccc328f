"""What the engine does while nobody asks it: the click that may come is answered, then frames are encoded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from napari_vost.types import PointPrompt

if TYPE_CHECKING:
    from napari_vost.ui.studio import Studio

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
        self.begun: PointPrompt | None = None
        self.encode_s: tuple[float, ...] = ()

    def expect(self, prompt: PointPrompt | None) -> None:
        """Answer a click before it comes; one that was expected before is expected no longer."""
        self._expected = prompt
        if prompt is not None:
            self._studio.jobs.wake()

    def step(self) -> bool:
        """Do one small thing, on the engine's thread; whether there is more."""
        session, prompt = self._studio.session, self._expected
        if session is None:
            return False
        if prompt is not None:
            self.begun = prompt
            try:
                session.answer_ahead(prompt, lambda: self._studio.jobs.asked or self._expected is not prompt)
            finally:
                if self._expected is prompt:
                    self._expected = None
            return True
        started = time.perf_counter()
        more = session.encode_ahead(self._studio.viewed_frame)
        if more:
            self.encode_s = (*self.encode_s, time.perf_counter() - started)[-_TIMED:]
        return more
