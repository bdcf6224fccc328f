"""How the timeline is painted: names, bars, marks, axis, and what moves above them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QBrush, QColor, QImage, QPainter, QPainterPath, QPalette, QPen, QPixmap, QPolygonF

from napari_vost.display.colours import Colour
from napari_vost.ui.lane_data import Flags, ObjectLane
from napari_vost.ui.lane_scale import Scale
from napari_vost.ui.lane_strip import Columns, apart, columns, curve, review_line, runs, strip

ABOVE_PX, BELOW_PX = (
    4,
    5,
)  # of a row, above the bar (for the suggestion) and below it (for the line of what is reviewed)
DOT_PX = 3.0  # radius of a prompt
STAMP_PX = 14  # room that a sign takes
HANDLE_PX = 5.0
SUGGESTED = QColor(227, 182, 23)


@dataclass(frozen=True)
class Look:
    """Colours of the theme."""

    back: QColor
    text: QColor
    quiet: QColor
    band: QColor

    @classmethod
    def of(cls, palette: QPalette) -> Look:
        """Those that a widget has; napari's style sheet sets its palette."""
        back, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        return cls(back, text, mixed(back, text, 0.6), mixed(back, text, 0.1))


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """A colour between two; ``share`` 0 is the first, 1 the second."""
    return QColor(*(round(one + (other - one) * share) for one, other in zip(rgb(first), rgb(second), strict=True)))


def rgb(colour: QColor) -> Colour:
    """Red, green and blue, 0 to 255."""
    return colour.red(), colour.green(), colour.blue()


def faded(colour: QColor, alpha: int) -> QColor:
    """The colour with an alpha of 0 to 255."""
    return QColor(colour.red(), colour.green(), colour.blue(), alpha)


@dataclass(frozen=True)
class Stamps:
    """Small signs, painted once and stamped often; ``STAMP_PX`` wide and high."""

    dot: QPixmap
    ring: QPixmap
    tick: QPixmap
    padlock: QPixmap

    @classmethod
    def of(cls, look: Look, ratio: float) -> Stamps:
        """Signs in the colours of the theme; ``ratio`` is pixels of the screen per pixel of Qt's."""
        disc, tick, lock = QPainterPath(), QPainterPath(QPointF(3, 9)), QPainterPath()
        disc.addEllipse(QPointF(STAMP_PX / 2, STAMP_PX / 2), DOT_PX, DOT_PX)
        tick.lineTo(5.5, 12)
        tick.lineTo(10, 5)
        lock.addRect(QRectF(3, 8, 7, 4))
        lock.moveTo(4.5, 8)
        lock.arcTo(QRectF(4.5, 4.5, 4, 6), 180, -180)
        halo, line = QPen(faded(look.back, 220), 3.6), QPen(look.text, 1.6)
        return cls(
            _stamp(disc, (QPen(look.back, 1.2),), look.text, ratio),
            _stamp(disc, (QPen(look.text, 1.2),), look.back, ratio),
            _stamp(tick, (halo, line), None, ratio),
            _stamp(lock, (halo, line), None, ratio),
        )


def _stamp(shape: QPainterPath, pens: tuple[QPen, ...], fill: QColor | None, ratio: float) -> QPixmap:
    picture = QPixmap(QSize(STAMP_PX, STAMP_PX) * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if fill is not None:
        painter.setBrush(fill)
    for pen in pens:
        painter.setPen(pen)
        painter.drawPath(shape)
    painter.end()
    return picture


def paint_name(painter: QPainter, lane: ObjectLane, place: QRectF, look: Look, active: bool) -> None:
    """Swatch and name of an object, the active one in bold with a bar at its side."""
    painter.fillRect(
        place.adjusted(8, place.height() / 2 - 5, 18 - place.width(), 5 - place.height() / 2), QColor(*lane.colour_rgb)
    )
    if active:
        painter.fillRect(QRectF(place.left(), place.top() + 1, 3, place.height() - 2), look.text)
    font = painter.font()
    font.setBold(active)
    painter.setFont(font)
    painter.setPen(look.text)
    room = place.adjusted(24, 0, -4, 0)
    words = painter.fontMetrics().elidedText(lane.name, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
    font.setBold(False)
    painter.setFont(font)


def paint_row(
    painter: QPainter, lane: ObjectLane, scale: Scale, place: QRectF, weak_below: float, look: Look, stamps: Stamps
) -> None:
    """The bar of an object with its area curve and all marks, as fine as the screen is."""
    ratio = stamps.dot.devicePixelRatio()
    fine = columns(lane, scale.resized(round(scale.width * ratio)))
    bar = place.adjusted(0, ABOVE_PX, 0, -BELOW_PX)
    colour = QColor(*lane.colour_rgb)
    if look.back.lightness() > look.text.lightness():
        colour = mixed(colour, look.text, 0.2)  # bright colours would be lost on a light ground
    height, dot = max(1, round(bar.height() * ratio)), max(1, round(ratio))
    _paint_pixels(painter, strip(fine, height, rgb(colour), weak_below, dot), bar)
    largest = float(lane.area.max(initial=0.0))
    if largest > 0:
        _paint_pixels(painter, curve(fine, height, largest, rgb(look.text), rgb(look.back), dot), bar)
    _paint_review(painter, fine, place, look, stamps, ratio)
    _paint_limits(painter, lane, scale, place, look)
    _paint_prompts(painter, lane, scale, bar, stamps)


def _paint_pixels(painter: QPainter, pixels: NDArray[np.uint8], place: QRectF) -> None:
    """Paint (H, W, 4) RGBA."""
    data = pixels.tobytes()  # the image does not copy them
    height, width = pixels.shape[:2]
    painter.drawImage(place, QImage(data, width, height, 4 * width, QImage.Format.Format_RGBA8888))


def _paint_review(painter: QPainter, fine: Columns, place: QRectF, look: Look, stamps: Stamps, ratio: float) -> None:
    """Below the bar: a line where frames are accepted, a dotted one where they are only locked, each with its sign."""
    y = place.bottom() - 3.5
    line = review_line(fine, max(1, round(2 * ratio)), rgb(look.text))
    _paint_pixels(painter, line, QRectF(place.left(), y, place.width(), 2.0))
    for flags, stamp in ((fine.accepted, stamps.tick), (fine.locked & ~fine.accepted, stamps.padlock)):
        starts = np.array([start for start, stop in runs(flags)]) / ratio
        for x in apart(starts, 1.5 * STAMP_PX):
            painter.drawPixmap(QPointF(place.left() + x - 2, y - STAMP_PX + 1), stamp)


def _paint_limits(painter: QPainter, lane: ObjectLane, scale: Scale, place: QRectF, look: Look) -> None:
    """A post where the object must not go on, hatched behind it."""
    if lane.limits is None:
        return
    left, right = (place.left() + scale.x(edge) for edge in lane.limits)
    painter.fillRect(QRectF(place.left(), place.top(), left - place.left(), place.height()), _beyond(look))
    painter.fillRect(QRectF(right, place.top(), place.right() - right, place.height()), _beyond(look))
    painter.setPen(QPen(look.text, 2.0))
    for x in (left, right):
        painter.drawLine(QPointF(x, place.top() + 3), QPointF(x, place.bottom() - 3))


def _paint_prompts(painter: QPainter, lane: ObjectLane, scale: Scale, bar: QRectF, stamps: Stamps) -> None:
    """A dot where a prompt is, a ring where it left the frame empty; dots that would lie upon one another are one."""
    corner = bar.center() - QPointF(bar.center().x() + STAMP_PX / 2, STAMP_PX / 2)
    for present, stamp in ((True, stamps.dot), (False, stamps.ring)):
        frames = np.flatnonzero(lane.prompted & (lane.present == present))
        places = bar.left() + (frames + 0.5 - scale.start) * scale.pixels_per_frame
        inside = places[(places > bar.left() - DOT_PX) & (places < bar.right() + DOT_PX)]
        for x in apart(inside, 2 * DOT_PX):
            painter.drawPixmap(QPointF(x, 0) + corner, stamp)


def paint_axis(painter: QPainter, scale: Scale, place: QRectF, kept: tuple[int, int], frame: int, look: Look) -> None:
    """Numbers of frames, from 1, where the plate of the cursor and the handles of the range leave room for them."""
    painter.setPen(look.quiet)
    painter.drawLine(place.topLeft(), place.topRight())
    taken = [
        (plate.left(), plate.right())
        for plate in (cursor_plate(painter, frame, scale, place), *handles(scale, place, kept))
    ]
    for tick_frame in scale.ticks():
        x, words = place.left() + scale.x(tick_frame + 0.5), str(tick_frame + 1)
        painter.drawLine(QPointF(x, place.top()), QPointF(x, place.top() + 3))
        wide = painter.fontMetrics().horizontalAdvance(words)
        left = min(max(x - wide / 2, place.left() + HANDLE_PX + 3), place.right() - wide - HANDLE_PX - 3)
        if all(left + wide < start - 2 or left > stop + 2 for start, stop in taken):
            room = QRectF(left, place.top() + 3, wide + 1, place.height() - 3)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter), words)


def handles(scale: Scale, axis: QRectF, kept: tuple[int, int]) -> list[QRectF]:
    """Where the two handles of the range stand."""
    left, right = (axis.left() + scale.x(edge) for edge in kept)
    return [QRectF(x, axis.top() + 1, HANDLE_PX, axis.height() - 2) for x in (left, right - HANDLE_PX)]


def cursor_plate(painter: QPainter, frame: int, scale: Scale, axis: QRectF) -> QRectF:
    """Where the number of the frame that is shown stands."""
    width = painter.fontMetrics().horizontalAdvance(str(frame + 1)) + 8.0
    left = axis.left() + scale.x(frame + 0.5) - width / 2
    return QRectF(min(max(left, axis.left()), axis.right() - width), axis.top() + 1, width, axis.height() - 2)


def paint_cursor(painter: QPainter, frame: int, scale: Scale, rows: QRectF, axis: QRectF, look: Look) -> None:
    """The frame that is shown: a line, and its number on a plate; the plate stays on the axis at its own end."""
    wide = scale.pixels_per_frame
    if wide > 3:
        painter.fillRect(QRectF(rows.left() + scale.x(frame), rows.top(), wide, rows.height()), faded(look.text, 40))
    x = rows.left() + scale.x(frame + 0.5)
    painter.setPen(QPen(look.text, 1.5))
    painter.drawLine(QPointF(x, rows.top()), QPointF(x, axis.top()))
    plate = cursor_plate(painter, frame, scale, axis)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.text)
    painter.drawRoundedRect(plate, 3, 3)
    painter.setPen(look.back)
    painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), str(frame + 1))


def paint_suggestion(painter: QPainter, x: float, y: float, look: Look) -> None:
    """A diamond above the frame that is worth annotating next."""
    painter.setPen(QPen(look.text, 1.2))
    painter.setBrush(SUGGESTED)
    painter.drawPolygon(QPolygonF([QPointF(x, y - 5), QPointF(x + 5, y), QPointF(x, y + 5), QPointF(x - 5, y)]))


def paint_range(painter: QPainter, kept: tuple[int, int], scale: Scale, rows: QRectF, axis: QRectF, look: Look) -> None:
    """What must not be followed lies in the shade; the two handles stand on the axis."""
    for edge, outer, handle in zip(kept, (rows.left(), rows.right()), handles(scale, axis, kept), strict=True):
        x = rows.left() + scale.x(edge)
        if 0 < edge < scale.frames:
            shade = QRectF(QPointF(min(x, outer), rows.top()), QPointF(max(x, outer), axis.top()))
            painter.fillRect(shade, faded(look.back, 170))
            painter.fillRect(shade, _beyond(look))
            painter.setPen(QPen(look.text, 1.0, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, rows.top()), QPointF(x, axis.top()))
        painter.setPen(QPen(look.back, 1.0))
        painter.setBrush(look.quiet)
        painter.drawRoundedRect(handle, 2, 2)


def paint_flash(painter: QPainter, flags: Flags, scale: Scale, place: QRectF, look: Look, strength: float) -> None:
    """Light up frames, (T,) bool; ``strength`` 1 to 0."""
    x = place.left() + np.array([[scale.x(start), scale.x(stop)] for start, stop in runs(flags)]).reshape(-1, 2)
    merged: list[list[float]] = []
    for left, right in x.tolist():
        if merged and left - merged[-1][1] < 3:
            merged[-1][1] = right
        else:
            merged.append([left, max(right, left + 2)])
    for left, right in merged:
        painter.fillRect(QRectF(left, place.top(), right - left, place.height()), faded(look.text, int(150 * strength)))


def paint_words(painter: QPainter, words: str, place: QRectF, look: Look) -> None:
    """A sentence in the middle."""
    painter.setPen(look.quiet)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), words)


def _beyond(look: Look) -> QBrush:
    return QBrush(faded(look.quiet, 120), Qt.BrushStyle.BDiagPattern)
