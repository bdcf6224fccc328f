"""Seconds beside the marks that have no answer yet, from what such answers took on this device before."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, QTimer

from napari_vost.types import Prompt
from napari_vost.ui.engine_room import EngineRoom
from napari_vost.ui.scene import Scene

TICK_MS = 200
LEAST_S = 0.4  # a shorter wait is over before anybody has read how long it is
OVERDUE = "…"
_GAP = "  "  # from the middle of a mark to the words beside it
_PT = 12


@dataclass(frozen=True)
class _Wait:
    prompt: Prompt
    encoded: bool
    alone: bool  # nothing else was under way and nothing was known, so the time until the answer is that of the answer
    began_s: float
    due_s: float | None  # None while nobody knows


class Waiting(QObject):
    """Counts down beside the rings of marks that wait; the clock stands still while nothing waits.

    Parameters
    ----------
    room
        What knows how long answers took, and is told how long these take.
    scene
        Whose marks they are.
    """

    def __init__(self, room: EngineRoom, scene: Scene) -> None:
        super().__init__()
        self._room, self._studio, self._scene = room, room.studio, scene
        self._waits: list[_Wait] = []
        self._words: list[str] = []  # as they stand beside the marks now
        self.clock = QTimer(self, interval=TICK_MS)
        self.clock.timeout.connect(self._look)
        self._studio.asked.connect(self._note)
        self._studio.prompts_changed.connect(self._look)
        scene.made.connect(self._made)

    def close_down(self) -> None:
        """Count no longer."""
        self.clock.stop()
        self._studio.asked.disconnect(self._note)
        self._studio.prompts_changed.disconnect(self._look)
        self._scene.made.disconnect(self._made)

    def left_s(self) -> tuple[float | None, ...]:
        """Seconds that each mark still waits, in the order of the answers; None where nobody knows."""
        now = time.monotonic()
        return tuple(None if one.due_s is None else one.due_s - now for one in self._waits)

    def _look(self) -> None:
        """Marks came and are drawn, or were answered."""
        now, waiting = time.monotonic(), self._studio.waiting
        for gone in [one for one in self._waits if not any(one.prompt is prompt for prompt in waiting)]:
            self._waits.remove(gone)
            if gone.alone:
                self._room.answered(gone.encoded, now - gone.began_s)
        if not self._waits:
            self.clock.stop()
        elif not self.clock.isActive():
            self.clock.start()
        self._draw()

    def _note(self) -> None:
        """Marks came, and what they ask for has not begun: the engine is as they found it."""
        now = time.monotonic()
        for prompt in self._studio.waiting:
            if not any(one.prompt is prompt for one in self._waits):
                self._waits.append(self._wait_of(prompt, now))

    def _wait_of(self, prompt: Prompt, now_s: float) -> _Wait:
        session, before = self._studio.session, self._waits[-1:]
        encoded = session is not None and session.encoded(prompt.frame_index)
        encoded = encoded or any(one.prompt.frame_index == prompt.frame_index for one in self._waits)
        alone = not (self._studio.jobs.busy or self._studio.following or before or prompt == self._studio.ahead.begun)
        takes_s = self._room.answer_s(encoded)
        turn_s = before[0].due_s if before else now_s
        due_s = None if takes_s is None or turn_s is None else max(now_s, turn_s) + takes_s
        return _Wait(prompt, encoded, alone, now_s, due_s)

    def _draw(self) -> None:
        """Write the seconds beside the marks; each change of the layer takes time, so what stands there is left."""
        marks, layer = self._scene.marks, self._scene.prompts
        words = [self._left(prompt) for prompt in marks] if self._waits else []
        words = words if any(words) else []
        if words == self._words or len(words) > len(layer.data):
            return
        self._words = words
        if words:
            colours = ["#{:02x}{:02x}{:02x}".format(*self._studio.colour(one.object_id)) for one in marks]
            layer.text = {"string": words, "color": colours, "size": _PT, "anchor": "lower_left"}
        else:
            layer.text = {"string": {"constant": ""}}

    def _left(self, prompt: Prompt) -> str:
        wait: Any = next((one for one in self._waits if one.prompt is prompt), None)
        if wait is None or wait.due_s is None or wait.due_s - wait.began_s < LEAST_S:
            return ""
        left_s = wait.due_s - time.monotonic()
        return _GAP + (OVERDUE if left_s <= 0 else seconds_words(left_s))

    def _made(self) -> None:
        self._words = []
        self._draw()


def seconds_words(seconds: float) -> str:
    """Seconds that go by: ``3 s``, and below two of them ``0.6 s``."""
    return f"{seconds:.1f} s" if seconds < 2 else f"{seconds:.0f} s"
