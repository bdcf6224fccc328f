"""The strip of the dock that says how a clip is looked at: planes, convention, window, play, read-out."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_vost.clip import Clip, Window
from napari_vost.display.planes import notes
from napari_vost.ui.cursor import Cursor
from napari_vost.ui.playing import Player
from napari_vost.ui.view import PlaneView
from napari_vost.ui.windowing import Windowing, said

_CONVENTIONS = {
    "radiological": ("Radiological", "Patient right is on screen left. Click to change sides."),
    "neurological": ("Neurological", "Patient right is on screen right. Click to change sides."),
}
_PLAYING = {False: "Play  J", True: "Stop  J"}
_FIXED_SPACE = "\u00a0"
_LABEL_PX = 10  # what napari's style adds to the lines of a label
_WINDOW_TIP = (
    "Window of the display; the network sees the same in every window. Shift + left drag on the image: own one."
)


class ViewBar(QWidget):
    """Buttons and read-out over `PlaneView`, `Windowing`, `Cursor` and, for a cine, `Player`.

    Parameters
    ----------
    clip
        What is shown; its notes on what the screen cannot show stand below.
    view, windowing, cursor
        What the bar drives and reads.
    player
        For a cine; None shows no play button.
    """

    def __init__(
        self, clip: Clip, view: PlaneView, windowing: Windowing, cursor: Cursor, player: Player | None = None
    ) -> None:
        super().__init__()
        self._clip, self._view, self._windowing, self._cursor, self._player = clip, view, windowing, cursor, player
        self._planes = {name: _button(name, view.titled(name)) for name in view.planes}
        self._convention = _button("")
        self._presets = QComboBox()
        self._play = _button(_PLAYING[False], "Play at the file's frame times (J)")
        self._readout = QElidingLabel()
        self._notes = QLabel(" ".join(notes(clip)))
        self._build()
        view.changed.connect(self._show_view)
        view.reading.connect(self._show_reading)
        windowing.presets_ready.connect(self._show_presets)
        windowing.changed.connect(self._show_window)
        cursor.text_changed.connect(self._show_text)
        if player is not None:
            player.playing_changed.connect(self._show_playing)
        self._show_view()
        self._show_presets()
        self._show_text(cursor.text)

    def close(self) -> bool:
        """Close and listen no longer; the parts that it drives are closed by whoever made them."""
        self._view.changed.disconnect(self._show_view)
        self._view.reading.disconnect(self._show_reading)
        self._windowing.presets_ready.disconnect(self._show_presets)
        self._windowing.changed.disconnect(self._show_window)
        self._cursor.text_changed.disconnect(self._show_text)
        if self._player is not None:
            self._player.playing_changed.disconnect(self._show_playing)
        return super().close()

    def _build(self) -> None:
        planes = QHBoxLayout()
        planes.setSpacing(2)
        group = QButtonGroup(self)
        for name, button in self._planes.items():
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, name=name: self._ask(name))
            group.addButton(button)
            planes.addWidget(button)
        self._convention.clicked.connect(self._turn)
        self._presets.setToolTip(_WINDOW_TIP)
        self._presets.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._presets.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._presets.activated.connect(self._choose)
        second = QHBoxLayout()
        second.setSpacing(2)
        second.addWidget(self._convention, 1)
        second.addWidget(self._presets, 1)
        if self._player is not None:
            self._play.clicked.connect(self._player.toggle)
            second.addWidget(self._play)
        self._convention.setVisible(self._clip.geometry.oriented)
        self._presets.setVisible(self._windowing.available)
        self._notes.setWordWrap(True)
        self._notes.setVisible(bool(self._notes.text()))
        self._readout.setElideMode(Qt.TextElideMode.ElideRight)
        self._readout.setWordWrap(True)
        self._readout.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        if len(self._planes) > 1:
            column.addLayout(planes)
        column.addLayout(second)
        column.addWidget(self._readout)
        column.addWidget(self._notes)

    def _ask(self, plane: str) -> None:
        self._show_text(self._cursor.text)
        self._view.show(plane)
        self._show_planes()  # the plane may come later, or not at all

    def _turn(self) -> None:
        self._view.set_convention("neurological" if self._view.convention == "radiological" else "radiological")

    def _choose(self, row: int) -> None:
        window = self._presets.itemData(row)
        if window is not None:
            self._windowing.apply(window)

    def _show_view(self) -> None:
        self._show_planes()
        text, tip = _CONVENTIONS[self._view.convention]
        self._convention.setText(text)
        self._convention.setToolTip(tip)
        self._show_text(self._cursor.text)

    def _show_planes(self) -> None:
        self._planes[self._view.plane].setChecked(True)

    def _show_reading(self, count: int, of: int) -> None:
        self._readout.setText(f"Reading frames: {count} of {of} …")

    def _show_text(self, text: str) -> None:
        self._readout.setFixedHeight(2 * self._readout.fontMetrics().lineSpacing() + _LABEL_PX)  # nothing below jumps
        self._readout.setText(text.replace(" ", _FIXED_SPACE).replace(f"·{_FIXED_SPACE}", "· "))  # breaks after a dot
        self._readout.setToolTip(text)

    def _show_presets(self, _presets: Any = None) -> None:
        self._presets.clear()
        for window in self._windowing.presets:
            self._presets.addItem(window.name, window)
            self._presets.setItemData(self._presets.count() - 1, said(window), Qt.ItemDataRole.ToolTipRole)
        self._show_window()

    def _show_window(self, _window: Window | None = None) -> None:
        if not self._windowing.available:
            return
        window = self._windowing.window
        self._presets.setPlaceholderText(said(window))  # shows where the window is no preset
        self._presets.setCurrentIndex(self._presets.findText(window.name) if window.name else -1)

    def _show_playing(self, playing: bool) -> None:
        self._play.setText(_PLAYING[playing])


def _button(text: str, tip: str = "") -> QPushButton:
    """A button that takes the keyboard only by Tab, so that keys stay with the canvas."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setMinimumWidth(30)
    return button
