"""Real clicks, strokes, wheels and keys on the canvas of a napari window, in pixels of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE, CONTROL, SHIFT = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier,
)  # fmt: skip


class Hands:
    """A user of a desk.

    Parameters
    ----------
    viewer
        The viewer whose canvas is touched.
    desk
        Where the clip's pixels lie is asked of it.
    qtbot
        Waits.
    """

    def __init__(self, viewer: Any, desk: Any, qtbot: Any) -> None:
        self.viewer, self.desk, self.qtbot = viewer, desk, qtbot
        self.canvas = viewer.window._qt_viewer.canvas.native
        self._painted: list[Any] = []  # sizes of the canvas
        viewer.window._qt_viewer.canvas._scene_canvas.events.draw.connect(self._note_size, position="last")

    def _note_size(self, _: Any) -> None:
        self._painted.append(self.canvas.size())

    def steady(self) -> bool:
        """Whether the canvas is painted in the size that it keeps: napari forgets its own wheel where that changes."""
        self.canvas.update()
        last = self._painted[-3:]
        return len(last) == 3 and all(size == self.canvas.size() for size in last)

    def place(self, y: float, x: float, frame: float | None = None) -> QPoint:
        """Canvas pixel of a pixel ``(y, x)`` of the frame in view, or of ``(frame, y, x)`` in another plane."""
        image, dims = self.desk.scene.image, self.viewer.dims
        at = np.array([self.desk.view.frame_index if frame is None else frame, y, x], float)
        world = at * image.scale[-3:] + image.translate[-3:]
        shown = [axis - (dims.ndim - 3) for axis in dims.displayed]
        camera, size = self.viewer.scene.camera, self.canvas.size()
        away = (world[shown] - np.array(camera.center)[-2:]) * camera.zoom
        vertical, horizontal = camera.orientation2d
        down = away[0] if str(vertical.value) == "down" else -away[0]
        right = away[1] if str(horizontal.value) == "right" else -away[1]
        return QPoint(round(size.width() / 2 + right), round(size.height() / 2 + down))

    def point_at(self, y: float, x: float) -> None:
        """Move the cursor there."""
        self._send_move(self.place(y, x), Qt.MouseButton.NoButton, NONE)

    def click(self, y: float, x: float, button: Any = LEFT, modifier: Any = NONE, frame: float | None = None) -> None:
        self._send_move(self.place(y, x, frame), Qt.MouseButton.NoButton, modifier)
        QTest.mouseClick(self.canvas, button, modifier, self.place(y, x, frame))

    def double_click(self, y: float, x: float) -> None:
        """As Qt sends it: press, release, double click, release."""
        QTest.mouseClick(self.canvas, LEFT, NONE, self.place(y, x))
        QTest.mouseDClick(self.canvas, LEFT, NONE, self.place(y, x))

    def drag(self, path: Sequence[tuple[float, float]], button: Any = LEFT, modifier: Any = NONE) -> None:
        places = [self.place(y, x) for y, x in path]
        self.press(places[0], button, modifier)
        for before, after in pairwise(places):
            for share in (0.25, 0.5, 0.75, 1.0):
                self.move(before + (after - before) * share, button, modifier)
        self.release(places[-1], button, modifier)

    def press(self, place: QPoint, button: Any = LEFT, modifier: Any = NONE) -> None:
        QTest.mousePress(self.canvas, button, modifier, place)

    def move(self, place: QPoint, button: Any = LEFT, modifier: Any = NONE) -> None:
        """With the button held."""
        self.qtbot.wait(8)  # vispy skips moves that follow one another faster than a hand
        self._send_move(place, button, modifier)

    def _send_move(self, place: QPoint, button: Any, modifier: Any) -> None:
        """As an event to the canvas: `QTest.mouseMove` moves the pointer of the screen, which other tests share."""
        local, everywhere = QPointF(place), QPointF(self.canvas.mapToGlobal(place))
        event = QMouseEvent(QEvent.Type.MouseMove, local, everywhere, Qt.MouseButton.NoButton, button, modifier)
        QApplication.sendEvent(self.canvas, event)

    def release(self, place: QPoint, button: Any = LEFT, modifier: Any = NONE) -> None:
        QTest.mouseRelease(self.canvas, button, modifier, place)

    def wheel(self, notches: float, modifier: Any = NONE, pixels: int = 0, phase: Any = None) -> None:
        middle = QPoint(self.canvas.width() // 2, self.canvas.height() // 2)
        event = QWheelEvent(
            QPointF(middle), QPointF(self.canvas.mapToGlobal(middle)), QPoint(0, pixels),
            QPoint(0, round(120 * notches)), Qt.MouseButton.NoButton, modifier,
            phase or Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self.canvas, event)

    def key(self, key: Any, modifier: Any = NONE) -> None:
        QTest.keyClick(self.canvas, key, modifier)

    def settle(self) -> None:
        """Wait until everything that was asked is answered and drawn."""
        studio = self.desk.studio

        def at_rest() -> bool:
            asked = studio.jobs.busy or studio.waiting or studio.following or studio.refollow.due
            return not (asked or self.desk.scene.drawing)

        rests = 0
        while rests < 2:  # in the first something may have been asked and answered, and the answer sets off more
            self.qtbot.waitUntil(at_rest, timeout=60_000)
            self.qtbot.wait(30)
            rests = rests + 1 if at_rest() else 0
