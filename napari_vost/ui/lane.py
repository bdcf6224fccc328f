"""The timeline under the canvas: what stands on every frame, for each object, where to look next, a way there."""

from __future__ import annotations

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QMenu, QToolTip, QWidget

from napari_vost.ui import lane_words as words
from napari_vost.ui.lane_view import LaneView

NOTCH = 120.0  # of a mouse wheel, Qt's unit
ZOOM_PER_NOTCH = 1.25
PAN_PER_NOTCH = 0.1  # of what is seen
LEAP = 10  # frames of PageUp and PageDown


class Lane(LaneView):
    """Timeline of a clip. It changes nothing itself: it says what was asked for, and shows what it is told.

    Signals: ``frame_chosen(int)``, go to this frame, from 0; ``object_chosen(int)``, make this object the active one;
    ``range_changed(object)``, half-open frames ``(start, stop)`` that following must not leave, or None for all.

    Click or drag goes to a frame, on a name it chooses the object. The wheel zooms around the cursor; Shift+wheel and
    middle drag move along; a double click shows all. With the focus (Tab): arrows, Page, Home, End, plus and minus.
    """

    frame_chosen = Signal(int)
    object_chosen = Signal(int)
    range_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drag = ""  # "", "frame", "pan", "start" or "stop"
        self._drag_x = 0.0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def go_to(self, frame_index: int) -> None:
        """Move the cursor and say so, as a click does."""
        before = self._frame
        self.set_frame(frame_index)
        if self._frame != before:
            self.frame_chosen.emit(self._frame)

    def choose_range(self, start: int, stop: int) -> None:
        """Set the half-open range and say so, as dragging a handle does; at least one frame stays in it."""
        before = self._range
        self.set_range((start, stop))
        if self._range != before:
            self.range_changed.emit(self._range)

    # mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to go along frames, to pan, or to move a handle; choose an object by its name."""
        x, y = event.position().x(), event.position().y()
        self._drag, self._drag_x = "", x
        if self._data is None:
            return
        if event.button() == Qt.MouseButton.MiddleButton:
            self._drag = "pan"
        elif event.button() == Qt.MouseButton.LeftButton:
            self._drag = self._handle_at(x, y)
            lane = self._lane_at(y)
            if not self._drag and x >= self._names_px:
                self._drag = "frame"
                self._follow(x)
            elif not self._drag and lane is not None:
                self.object_chosen.emit(lane.object_id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with what was begun; else say what lies under the cursor."""
        x, y = event.position().x(), event.position().y()
        if self._drag:
            self._follow(x)
        else:
            handle = self._handle_at(x, y)
            self.setCursor(Qt.CursorShape.SizeHorCursor if handle else Qt.CursorShape.ArrowCursor)
            QToolTip.showText(event.globalPosition().toPoint() + QPoint(4, -4), self.tip(x, y), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End it."""
        self._drag = ""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all frames."""
        if event.button() == Qt.MouseButton.LeftButton and event.position().x() >= self._names_px:
            self.show_all()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the cursor, or move along; over the names, move through the rows."""
        turn = event.angleDelta()
        along, x = turn.y() or turn.x(), event.position().x()
        event.accept()
        if x < self._names_px:
            self._bar.setValue(self._bar.value() - round(along / NOTCH * self._row_px))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier or not turn.y():
            self._look_at(self._scale.panned(-along / NOTCH * PAN_PER_NOTCH * self._scale.span))
        else:
            self._look_at(self._scale.zoomed(ZOOM_PER_NOTCH ** (along / NOTCH), x - self._rows.left()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The range and the view, for those who do not drag."""
        if self._data is None:
            return
        menu, frame = QMenu(self), self._frame
        start, stop = self._range or (0, self._scale.frames)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, act in (
            (f"Follow from frame {frame + 1} on", lambda: self.choose_range(frame, max(stop, frame + 1))),
            (f"Follow up to frame {frame + 1}", lambda: self.choose_range(min(start, frame), frame + 1)),
            ("Follow through all frames", lambda: self.choose_range(0, self._scale.frames)),
            ("Show all frames", self.show_all),
        ):
            menu.addAction(text).triggered.connect(act)
        menu.popup(event.globalPos())

    def tip(self, x: float, y: float) -> str:
        """What is said of a place on the widget."""
        if self._data is None:
            return words.NO_CLIP
        if self._handle_at(x, y):
            return words.HANDLE
        lane = self._lane_at(y)
        if x < self._names_px:
            return words.HELP if lane is None else words.of_object(self._data, lane)
        return self.told(self._scale.frame_at(x - self._rows.left()), None if lane is None else lane.object_id)

    # keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Frames by arrows, Page, Home and End; objects by up and down; zoom by plus and minus."""
        key, keys = event.key(), Qt.Key
        steps = {keys.Key_Left: -1, keys.Key_Right: 1, keys.Key_PageUp: -LEAP, keys.Key_PageDown: LEAP}
        zooms = {keys.Key_Plus: ZOOM_PER_NOTCH, keys.Key_Equal: ZOOM_PER_NOTCH, keys.Key_Minus: 1 / ZOOM_PER_NOTCH}
        if self._data is None:
            super().keyPressEvent(event)
        elif key in steps:
            self.go_to(self._frame + steps[keys(key)])
        elif key in (keys.Key_Home, keys.Key_End):
            lane = self._data.find(self._active)
            first, last = (lane.extent if lane else None) or (0, self._scale.frames - 1)
            self.go_to(first if key == keys.Key_Home else last)
        elif key in (keys.Key_Up, keys.Key_Down):
            self._choose_neighbour(-1 if key == keys.Key_Up else 1)
        elif key in zooms:
            self._look_at(self._scale.zoomed(zooms[keys(key)], self._scale.x(self._frame + 0.5)))
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Say to a screen reader where one stands."""
        self.setAccessibleDescription(self.told(self._frame, self._active))
        super().focusInEvent(event)

    def _choose_neighbour(self, step: int) -> None:
        ids = [one.object_id for one in self._lanes]
        if ids:
            row = ids.index(self._active) + step if self._active in ids else 0
            self.object_chosen.emit(ids[min(max(row, 0), len(ids) - 1)])

    def _follow(self, x: float) -> None:
        """Do what is dragged, with the mouse here."""
        inside = x - self._rows.left()
        start, stop = self._range or (0, self._scale.frames)
        if self._drag == "frame":
            self.go_to(self._scale.frame_at(min(max(inside, 0.0), self._scale.width - 1e-6)))
        elif self._drag == "pan":
            self._look_at(self._scale.panned((self._drag_x - x) / self._scale.pixels_per_frame))
            self._drag_x = x
        elif self._drag == "start":
            self.choose_range(min(self._scale.boundary_at(inside), stop - 1), stop)
        elif self._drag == "stop":
            self.choose_range(start, max(self._scale.boundary_at(inside), start + 1))
