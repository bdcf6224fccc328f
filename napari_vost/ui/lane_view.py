"""How the timeline looks: what it is told, where things lie on it, and its painting. `Lane` adds mouse and keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QRectF, QSize, Qt, QTimer
from qtpy.QtGui import QHideEvent, QPaintDevice, QPainter, QPaintEvent, QPixmap, QResizeEvent
from qtpy.QtWidgets import QScrollBar, QSizePolicy, QWidget

from napari_vost.ui import lane_paint as paint
from napari_vost.ui import lane_words as words
from napari_vost.ui.lane_data import Flags, LaneData, ObjectLane
from napari_vost.ui.lane_scale import Scale

ROW_PX, TALL_ROW_PX, AXIS_PX = 24, 44, 19
LEAST_PX, MOST_PX = 60, 160
ROWS_ALWAYS = 4  # so many objects are seen without anybody making the timeline taller
NAMES_PX = 140
GRAB_PX = 7  # how near to a handle a press takes it
FLASH_MS, FLASH_STEPS = 60, 14
Part = Literal["names", "rows", "axis"]
Range = tuple[int, int]


@contextmanager
def painting(on: QPaintDevice) -> Iterator[QPainter]:
    """A painter that ends in any case: one that an error leaves open takes the whole program down with it."""
    painter = QPainter(on)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    try:
        yield painter
    finally:
        painter.end()


class LaneView(QWidget):
    """Timeline of a clip that shows what it is told; frames count from 0 here, and from 1 on the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: LaneData | None = None
        self._scale = Scale(1, 1)
        self._frame = 0
        self._active: int | None = None
        self._brought: int | None = None  # the object whose row was brought into view last
        self._suggestion: tuple[int, int | None] | None = None
        self._range: Range | None = None
        self._progress: float | None = None
        self._flashing: dict[int, Flags] = {}
        self._flash_left = 0
        self._picture: QPixmap | None = None  # names and bars; what moves is painted above it
        self._timer = QTimer(self)
        self._timer.setInterval(FLASH_MS)
        self._timer.timeout.connect(self._fade)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.valueChanged.connect(self._stale)
        self._bar.hide()
        self.setMinimumHeight(LEAST_PX)
        self.setMaximumHeight(MOST_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription(words.HELP)

    # what it is told

    def set_data(self, data: LaneData | None) -> None:
        """Show these lanes; None shows that there is no clip, and forgets what was told of the last one."""
        rows, frames = len(self._lanes), 1 if data is None else data.frames
        self._data = data
        if data is None or frames != self._scale.frames:
            self._scale = Scale(frames, self._scale.width)
            self._frame, self._range, self._suggestion = min(self._frame, frames - 1), None, None
            self._progress = None
            self._end_flash()
        if len(self._lanes) != rows:
            least = AXIS_PX + ROW_PX * min(len(self._lanes), ROWS_ALWAYS)
            self.setMinimumHeight(max(LEAST_PX, least))  # a dock grows for this, and for no hint
            self.updateGeometry()
        self._arrange()

    def set_frame(self, frame_index: int) -> None:
        """Move the cursor; a view that is zoomed in goes along, and stays where it is if the frame is the same."""
        before, self._frame = self._frame, int(np.clip(frame_index, 0, self._scale.frames - 1))
        if self._frame != before:
            self._look_at(self._scale.with_frame(self._frame))
        if self.hasFocus():
            self.setAccessibleDescription(self.told(self._frame, self._active))
        self.update()

    def set_active(self, object_id: int | None) -> None:
        """Emphasise the row of an object; one that was not active before, or had no row, is brought into view."""
        self._active = object_id
        rows = [one.object_id for one in self._lanes]
        before, self._brought = self._brought, object_id if object_id in rows else None
        if object_id in rows and object_id != before:
            top, high = rows.index(object_id) * self._row_px, self._rows.height()
            self._bar.setValue(int(np.clip(self._bar.value(), top + self._row_px - high, top)))
        self._stale()

    def set_suggestion(self, frame_index: int | None, object_id: int | None = None) -> None:
        """Mark the frame that is worth annotating next, in the row of an object or at the top; None marks none."""
        self._suggestion = None if frame_index is None else (frame_index, object_id)
        self.update()

    def set_range(self, frames: Range | None) -> None:
        """Shade what lies outside of half-open ``(start, stop)``; None leaves all frames open."""
        whole = frames is None or (frames[0] <= 0 and frames[1] >= self._scale.frames)
        self._range = None if whole else frames
        self.update()

    def set_progress(self, share: float | None) -> None:
        """How far following has come, 0 to 1, as a line along the top; None takes it away."""
        self._progress = share
        self.update()

    def flash(self, frames: Mapping[int, Iterable[int]]) -> None:
        """Light up frames by object id for a moment, such as `changed_frames` finds them."""
        self._end_flash()
        if not frames or not self.isVisible():
            return
        for object_id, changed in frames.items():
            self._flashing[object_id] = np.zeros(self._scale.frames, np.bool_)
            self._flashing[object_id][list(changed)] = True
        self._flash_left = FLASH_STEPS
        self._timer.start()

    def show_all(self) -> None:
        """Zoom out to the whole clip."""
        self._look_at(self._scale.whole())

    def told(self, frame_index: int, object_id: int | None) -> str:
        """What the tooltip says of a frame: ``Frame 46 · Pancreas · confidence .62 · 312 mm² · open``."""
        return words.of_frame(self._data, frame_index, object_id)

    @property
    def visible_frames(self) -> Range:
        """Half-open range of the frames that are seen at least in part."""
        last = self._scale.frame_at(self._scale.width - 1e-6)
        return self._scale.frame_at(0), last + 1

    @property
    def flashing(self) -> bool:
        """Whether frames are lit up now."""
        return self._timer.isActive()

    # where things are

    @property
    def _lanes(self) -> tuple[ObjectLane, ...]:
        return () if self._data is None else self._data.objects

    @property
    def _names_px(self) -> int:
        return max(48, min(NAMES_PX, self.width() // 4))

    @property
    def _rows(self) -> QRectF:
        bar = self._bar.width() if self._bar.isVisibleTo(self) else 0
        width = max(1, self.width() - self._names_px - bar)
        return QRectF(self._names_px, 0, width, max(1, self.height() - AXIS_PX))

    @property
    def _axis(self) -> QRectF:
        rows = self._rows
        return QRectF(rows.left(), rows.bottom(), rows.width(), AXIS_PX)

    @property
    def _row_px(self) -> int:
        return int(np.clip((self.height() - AXIS_PX) // max(1, len(self._lanes)), ROW_PX, TALL_ROW_PX))

    def _place(self, row: int) -> QRectF:
        rows = self._rows
        return QRectF(rows.left(), row * self._row_px - self._bar.value(), rows.width(), self._row_px)

    def _part(self, x: float, y: float) -> Part:
        if y >= self._rows.bottom():
            return "axis"
        return "names" if x < self._names_px else "rows"

    def _lane_at(self, y: float) -> ObjectLane | None:
        row = int(y + self._bar.value()) // self._row_px
        return self._lanes[row] if y < self._rows.bottom() and 0 <= row < len(self._lanes) else None

    def _handle_at(self, x: float, y: float) -> str:
        """``"start"`` or ``"stop"`` where a handle can be taken, else ""."""
        if self._data is None or self._part(x, y) != "axis":
            return ""
        start, stop = self._range or (0, self._scale.frames)
        left = self._rows.left()
        away = {"start": abs(left + self._scale.x(start) - x), "stop": abs(left + self._scale.x(stop) - x)}
        nearest = min(away, key=lambda name: away[name])
        return nearest if away[nearest] <= GRAB_PX else ""

    def sizeHint(self) -> QSize:
        """Room for a row per object, within limits."""
        return QSize(600, int(np.clip(AXIS_PX + ROW_PX * len(self._lanes), LEAST_PX, MOST_PX)))

    def _arrange(self) -> None:
        """Fit scroll bar and scale to the size."""
        over = self._row_px * len(self._lanes) - int(self._rows.height())
        self._bar.setVisible(over > 0)
        self._bar.setRange(0, max(0, over))
        self._bar.setSingleStep(ROW_PX)
        self._bar.setPageStep(int(self._rows.height()))
        self._bar.setGeometry(
            self.width() - self._bar.sizeHint().width(), 0, self._bar.sizeHint().width(), self.height()
        )
        self._scale = self._scale.resized(int(self._rows.width()))
        self._stale()

    def _look_at(self, scale: Scale) -> None:
        if scale != self._scale:
            self._scale = scale
            self._stale()

    def _stale(self) -> None:
        self._picture = None
        self.update()

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, and what moves above it."""
        look, ratio = paint.Look.of(self.palette()), self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != ratio:
            picture = QPixmap(self.size() * ratio)
            picture.setDevicePixelRatio(ratio)
            picture.fill(look.back)
            with painting(picture) as painter:
                self._paint_still(painter, look, ratio)
            self._picture = picture
        with painting(self) as painter:
            painter.drawPixmap(QPoint(0, 0), self._picture)
            self._paint_moving(painter, look)

    def _paint_still(self, painter: QPainter, look: paint.Look, ratio: float) -> None:
        """Names and bars; nothing of it changes while the cursor moves."""
        painter.setFont(self.font())
        rows, axis, stamps = self._rows, self._axis, paint.Stamps.of(look, ratio)
        if self._data is None or not self._lanes:
            said = words.NO_CLIP if self._data is None else words.NO_OBJECT
            paint.paint_words(painter, said, rows.adjusted(8, 0, -8, 0), look)
            return
        for row, lane in enumerate(self._lanes):
            place = self._place(row)
            if place.bottom() <= 0 or place.top() >= rows.bottom():
                continue
            name = QRectF(0, place.top(), self._names_px, place.height())
            active = lane.object_id == self._active
            painter.setClipRect(QRectF(0, 0, rows.right(), rows.bottom()))
            if active:
                painter.fillRect(name.united(place), look.band)
            paint.paint_name(painter, lane, name, look, active)
            painter.setClipRect(rows)
            paint.paint_row(painter, lane, self._scale, place, self._data.weak_below, look, stamps)
        painter.setClipping(False)
        painter.setPen(look.text)
        corner = QRectF(6, axis.top(), self._names_px - 8, AXIS_PX)
        metrics, told = painter.fontMetrics(), words.of_all(self._data)
        told = metrics.elidedText(told, Qt.TextElideMode.ElideRight, int(corner.width()))
        painter.drawText(corner, int(Qt.AlignmentFlag.AlignVCenter), told)

    def _paint_moving(self, painter: QPainter, look: paint.Look) -> None:
        """Axis, cursor, range, and whatever else comes and goes."""
        rows, axis = self._rows, self._axis
        if self._data is not None:
            painter.setClipRect(rows.adjusted(-1, 0, 1, AXIS_PX))
            self._paint_flash(painter, look)
            kept = self._range or (0, self._scale.frames)
            paint.paint_axis(painter, self._scale, axis, kept, self._frame, look)
            paint.paint_range(painter, kept, self._scale, rows, axis, look)
            self._paint_suggestion(painter, look)
            paint.paint_cursor(painter, self._frame, self._scale, rows, axis, look)
            painter.setClipping(False)
        if self._progress is not None:
            painter.fillRect(QRectF(rows.left(), 0, rows.width() * self._progress, 3), look.text)
        if self.hasFocus():
            painter.setPen(look.text)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_flash(self, painter: QPainter, look: paint.Look) -> None:
        strength = self._flash_left / FLASH_STEPS
        for row, lane in enumerate(self._lanes):
            flags = self._flashing.get(lane.object_id)
            if flags is not None and strength > 0:
                paint.paint_flash(painter, flags, self._scale, self._place(row), look, strength)

    def _paint_suggestion(self, painter: QPainter, look: paint.Look) -> None:
        if self._suggestion is None:
            return
        frame, object_id = self._suggestion
        ids = [one.object_id for one in self._lanes]
        top = self._place(ids.index(object_id)).top() if object_id in ids else 0.0
        paint.paint_suggestion(painter, self._rows.left() + self._scale.x(frame + 0.5), top + 6, look)

    # what Qt tells

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the frames that are seen."""
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        """Paint anew in another theme or font."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._stale()
        super().changeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing flashes where nobody looks."""
        self._end_flash()

    def _fade(self) -> None:
        self._flash_left -= 1
        if self._flash_left <= 0:
            self._end_flash()
        self.update()

    def _end_flash(self) -> None:
        self._flashing, self._flash_left = {}, 0
        self._timer.stop()
        self.update()
