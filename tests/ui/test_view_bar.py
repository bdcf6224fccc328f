"""The strip of buttons: what it shows is what is shown, it fits 300 px and takes the keyboard by Tab alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox, QWidget

from napari_vost.clip import Clip, Window
from napari_vost.ui.cursor import Cursor
from napari_vost.ui.playing import Player
from napari_vost.ui.view import PlaneView
from napari_vost.ui.view_bar import ViewBar
from napari_vost.ui.windowing import Windowing
from tests.display.patients import rotation, turned
from tests.ui.looking import SHAPE, add_clip, clip_of_values, drag, hover, middle

pytestmark = pytest.mark.gui

UPRIGHT = turned((2, 1, 0), (1, 1, 1))
VALUES = np.random.default_rng(0).integers(-900, 900, SHAPE).astype(np.int16)


class Dock:
    """All parts over one clip, as the dock makes them."""

    def __init__(self, viewer: Any, qtbot: Any, clip: Clip, window: Window | None = None) -> None:
        image = add_clip(viewer, clip, window)
        self.view = PlaneView(viewer, clip, image)
        self.windowing = Windowing(viewer, clip, image)
        self.cursor = Cursor(viewer, clip, image, self.view, lambda *_: "Pancreas")
        self.player = Player(self.view, clip) if clip.order == "time" else None
        self.bar = ViewBar(clip, self.view, self.windowing, self.cursor, self.player)
        qtbot.addWidget(self.bar)
        self.bar.show()
        if not clip.colour:
            qtbot.waitUntil(lambda: bool(self.windowing.presets))

    def button(self, text: str) -> Any:
        return next(one for one in self.bar.findChildren(QAbstractButton) if one.text() == text)

    @property
    def presets(self) -> Any:
        return self.bar.findChild(QComboBox)


def ct() -> Clip:
    return clip_of_values(VALUES, UPRIGHT, modality="CT")


def test_buttons_show_and_set_plane_and_convention(make_napari_viewer: Any, qtbot: Any) -> None:
    dock = Dock(make_napari_viewer(show=True), qtbot, ct())
    assert dock.button("Axial").isChecked()
    qtbot.mouseClick(dock.button("Coronal"), Qt.MouseButton.LeftButton)
    assert dock.view.plane == "Coronal" and dock.button("Coronal").isChecked()
    dock.view.show("3D")
    assert dock.button("3D").isChecked() and not dock.button("Coronal").isChecked()
    qtbot.mouseClick(dock.button("Radiological"), Qt.MouseButton.LeftButton)
    assert dock.view.convention == "neurological" and "screen right" in dock.button("Neurological").toolTip()
    dock.bar.close()


def test_a_preset_is_applied_and_another_window_is_said_in_numbers(make_napari_viewer: Any, qtbot: Any) -> None:
    dock = Dock(make_napari_viewer(show=True), qtbot, ct(), Window(0.0, 100.0))
    assert dock.presets.currentIndex() == -1 and dock.presets.placeholderText() == "W 100  L 50"
    names = [dock.presets.itemText(row) for row in range(dock.presets.count())]
    assert names == [window.name for window in dock.windowing.presets]
    dock.presets.setCurrentIndex(1)
    dock.presets.activated.emit(1)
    assert dock.windowing.window == dock.windowing.presets[1]
    dock.windowing.apply(dock.windowing.presets[0])
    assert dock.presets.currentText() == names[0]
    dock.bar.close()


def test_the_read_out_is_shown_whole_in_the_tooltip(make_napari_viewer: Any, qtbot: Any) -> None:
    dock = Dock(make_napari_viewer(show=True), qtbot, ct())
    dock.view.go_to(3)
    qtbot.waitUntil(lambda: dock.cursor.text.startswith("Image 4/8"))
    label = next(one for one in dock.bar.findChildren(QWidget) if one.toolTip() == dock.cursor.text)
    assert label.text().replace("\u00a0", " ") == dock.cursor.text
    dock.bar.close()


def test_a_cine_has_a_play_button_and_one_plane_needs_no_buttons(make_napari_viewer: Any, qtbot: Any) -> None:
    film = np.zeros((9, 8, 9), np.uint8)
    dock = Dock(make_napari_viewer(show=True), qtbot, Clip.from_array(film, order="time"))
    assert "Frame" not in [one.text() for one in dock.bar.findChildren(QAbstractButton) if one.isVisible()]
    qtbot.mouseClick(dock.button("Play  J"), Qt.MouseButton.LeftButton)
    assert dock.player is not None and dock.player.playing
    qtbot.mouseClick(dock.button("Stop  J"), Qt.MouseButton.LeftButton)
    assert not dock.player.playing and dock.button("Play  J")
    dock.bar.close()


def test_it_fits_300_px_has_tooltips_and_takes_the_keyboard_by_tab_alone(make_napari_viewer: Any, qtbot: Any) -> None:
    clip = clip_of_values(VALUES, rotation(0, 18.0) @ UPRIGHT, modality="CT")
    dock = Dock(make_napari_viewer(show=True), qtbot, clip)
    dock.cursor.text_changed.emit("a very long line " * 20)
    assert dock.bar.minimumSizeHint().width() <= 300
    assert dock.button("Axial").toolTip() == "Axial, oblique 18°"
    for one in [*dock.bar.findChildren(QAbstractButton), dock.presets]:
        if one.isVisible():
            assert one.toolTip() and one.focusPolicy() == Qt.FocusPolicy.TabFocus
    dock.bar.close()


def test_closed_it_listens_no_longer(make_napari_viewer: Any, qtbot: Any) -> None:
    dock = Dock(make_napari_viewer(show=True), qtbot, ct())
    dock.bar.close()
    dock.view.show("Coronal")
    assert dock.button("Axial").isChecked()
    listening = [dock.view.changed, dock.view.reading, dock.windowing.presets_ready, dock.windowing.changed,
                 dock.cursor.text_changed]  # fmt: skip
    assert [len(signal) for signal in listening] == [1, 0, 0, 0, 0]  # the cursor's own


def test_all_of_it_works_through_the_proxy_that_a_plugin_is_given(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    dock = Dock(PublicOnlyProxy(viewer), qtbot, ct(), Window(0.0, 100.0))
    hover(viewer, qtbot, middle(viewer))
    qtbot.waitUntil(lambda: "HU" in dock.cursor.text)
    x, y = middle(viewer)
    drag(viewer, qtbot, (x, y), (x + 150, y), Qt.KeyboardModifier.ShiftModifier)
    assert dock.windowing.window == Window(-50.0, 150.0)
    dock.view.show("Coronal")
    assert viewer.dims.order[0] == 1
    for part in (dock.bar, dock.cursor, dock.windowing, dock.view):
        part.close()
    assert viewer.dims.order == (0, 1, 2)
