"""The click that may come: where the cursor rests, what a click would ask is answered before it is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer

from napari_vost.ui.mouse import Mouse

REST_MS = 60  # that the cursor stands still before a click is expected there
LOOK_MS = 250  # that a frame is looked at: who turns the wheel is not about to click


class Hover(QObject):
    """Watches the cursor while a point is in hand.

    Parameters
    ----------
    mouse
        Says what a click would ask.
    """

    def __init__(self, mouse: Mouse) -> None:
        super().__init__()
        self._mouse, self._viewer = mouse, mouse.scene.viewer
        self._at: NDArray[np.float64] | None = None
        self.clock = QTimer(self, singleShot=True)
        self.clock.timeout.connect(self._rested)
        self._viewer.mouse_move_callbacks.append(self._moved)
        mouse.view.changed.connect(self._turned)

    def close(self) -> None:
        """Watch no longer."""
        self.clock.stop()
        if self._moved in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._moved)
        self._mouse.view.changed.disconnect(self._turned)
        self._mouse.studio.ahead.expect(None)

    def _moved(self, viewer: Any, event: Any) -> None:
        self._mouse.studio.ahead.expect(None)
        points = self._mouse.tools.tool == "point" and viewer.dims.ndisplay == 2
        self._at = self._mouse.at(event) if points else None
        self._wait(REST_MS)

    def _turned(self) -> None:
        """Another frame under a cursor that has not moved."""
        self._mouse.studio.ahead.expect(None)
        if self._at is not None and self._mouse.view.shows_frames:
            self._at[0] = self._mouse.view.frame_index
        else:
            self._at = None
        self._wait(LOOK_MS)

    def _wait(self, milliseconds: int) -> None:
        if self._at is None:
            self.clock.stop()
        else:
            self.clock.start(milliseconds)

    def _rested(self) -> None:
        studio, at = self._mouse.studio, self._at
        if at is None or self._mouse.tools.tool != "point" or studio.session is None:
            return
        if self._mouse.hit(at) is None:
            studio.ahead.expect(self._mouse.point_at(at, self._adds(at)))

    def _adds(self, at: NDArray[np.float64]) -> bool:
        """Whether a click would add: who clicks inside the mask means to take that place away."""
        frame, y, x = (
            min(max(round(one), 0), size - 1) for one, size in zip(at, self._mouse.scene.labels.shape, strict=True)
        )
        return self._mouse.tools.positive and self._mouse.scene.labels[frame, y, x] != self._mouse.studio.object_id
