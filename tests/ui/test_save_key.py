"""Ctrl+S on our masks is ours, on every other layer napari's, and napari's alone once it is given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.ui.layers import SESSION
from tests.ui.made import session_on

pytestmark = pytest.mark.gui


def test_the_save_key_is_ours_on_our_masks_only(
    make_napari_viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication, QFileDialog, QMainWindow

    from napari_vost.ui.save_key import SaveKey

    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (asked.append("napari"), ("", ""))[1])
    viewer = make_napari_viewer(show=True)
    window = next(one for one in QApplication.topLevelWidgets() if isinstance(one, QMainWindow) and one.isVisible())
    clip = Clip.from_array(np.zeros((4, 8, 8), np.uint8))
    masks = viewer.add_labels(np.zeros(clip.shape, int), metadata={SESSION: session_on(clip)})
    other = viewer.add_labels(np.zeros(clip.shape, int))
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    key = SaveKey(viewer, lambda: asked.append("ours"))

    def press(*selected: Any) -> list[str]:
        asked.clear()
        viewer.layers.selection = set(selected)
        qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        qtbot.wait(50)
        return list(asked)

    assert press(masks) == ["ours"]
    assert press(other) == ["napari"]
    assert press(masks, other) == ["napari"]
    key.close_down()
    assert press(masks) == ["napari"]


def test_the_menu_entry_is_ours_on_our_masks_only(
    make_napari_viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtWidgets import QFileDialog

    from napari_vost.ui.save_key import SaveKey

    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (asked.append("napari"), ("", ""))[1])
    viewer = make_napari_viewer(show=True)
    clip = Clip.from_array(np.zeros((4, 8, 8), np.uint8))
    masks = viewer.add_labels(np.zeros(clip.shape, int), metadata={SESSION: session_on(clip)})
    other = viewer.add_labels(np.zeros(clip.shape, int))
    menu = viewer.window.file_menu
    before = [(one.text(), one.isVisible()) for one in menu.actions()]
    key = SaveKey(viewer, lambda: asked.append("ours"))

    def save(*selected: Any) -> tuple[list[str], list[str]]:
        """Names of the entries that save one selection, and who was asked by a click on it."""
        asked.clear()
        viewer.layers.selection = set(selected)
        menu.popup(QPoint(50, 50))
        qtbot.waitUntil(menu.isVisible)
        shown = [one for one in menu.actions() if one.isVisible() and one.text().startswith(("Save Sel", "Save Masks"))]
        qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(shown[0]).center())
        qtbot.waitUntil(lambda: not menu.isVisible())
        qtbot.wait(50)
        return [one.text().partition("\t")[0] for one in shown], list(asked)

    assert save(masks) == (["Save Masks..."], ["ours"])
    assert save(other) == (["Save Selected Layers..."], ["napari"])
    assert save(masks, other) == (["Save Selected Layers..."], ["napari"])
    assert save(masks) == (["Save Masks..."], ["ours"])
    key.close_down()
    assert [(one.text(), one.isVisible()) for one in menu.actions()] == before
    assert save(masks) == (["Save Selected Layers..."], ["napari"])
