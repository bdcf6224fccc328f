"""The line about what lies under the cursor: image, position in the patient, value, object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_vost.clip import Clip
from napari_vost.display.readout import readout
from napari_vost.ui.frames import FrameArray
from napari_vost.ui.view import PlaneView

_PAUSE_MS = 30  # between two lines


class Cursor:
    """Follows the cursor in every plane of a clip; no frame is read for it.

    Parameters
    ----------
    viewer
        The viewer.
    clip
        What is shown.
    image
        The layer that shows it; values come from its data as far as they are in memory.
    view
        Which plane and frame is shown.
    label_at
        Name of the object at ``(frame_index, y, x)``, ``""`` for none; called with pixels of the clip only.
    """

    text_changed = Signal(str)

    def __init__(
        self, viewer: Any, clip: Clip, image: Any, view: PlaneView, label_at: Callable[[int, int, int], str]
    ) -> None:
        self._viewer, self._clip, self._image, self._view, self._label_at = viewer, clip, image, view, label_at
        self._world: tuple[float, ...] | None = None  # where the mouse was last, None before it was anywhere
        self.text = ""
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.refresh)
        viewer.mouse_move_callbacks.append(self._on_move)
        view.changed.connect(self._soon)
        self.refresh()

    def close(self) -> None:
        """Follow no longer."""
        self._timer.stop()
        self._view.changed.disconnect(self._soon)
        self._viewer.mouse_move_callbacks.remove(self._on_move)

    def turn_to(self, clip: Clip) -> None:
        """Say it of another clip of the same size, which the layer shows by now."""
        self._clip = clip
        self.refresh()

    def refresh(self) -> None:
        """Write the line anew: the masks under the cursor may have changed."""
        text = self._line()
        if text != self.text:
            self.text = text
            self.text_changed.emit(text)

    def _on_move(self, viewer: Any, event: Any) -> None:
        self._world = tuple(event.position)
        self._soon()

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _line(self) -> str:
        shown = self._view.frame_index
        dims = self._viewer.dims
        if self._world is None or self._view.is_3d or len(self._world) != dims.ndim or not self._view.world.ready:
            return readout(self._clip, shown)
        world = [self._world[axis] if axis in dims.displayed else dims.point[axis] for axis in range(dims.ndim)]
        place = self._view.world.pixel(world)
        frame_index, y, x = (int(np.floor(one + 0.5)) for one in place)
        inside = all(0 <= one < size for one, size in zip((frame_index, y, x), self._clip.shape, strict=True))
        if not inside:
            return readout(self._clip, shown)
        return readout(
            self._clip, frame_index, place[1:], self._value(frame_index, y, x), self._label_at(frame_index, y, x)
        )

    def _value(self, frame_index: int, y: int, x: int) -> Any:
        """Value of a pixel, None where its frame is not in memory."""
        data = self._image.data
        if isinstance(data, FrameArray):
            return data.frame(frame_index)[y, x] if data.holds(frame_index) else None
        return data[frame_index, y, x] if isinstance(data, np.ndarray) else None
