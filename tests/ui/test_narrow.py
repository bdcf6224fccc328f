"""The dock at its least width, 300 pixels, with everything unfolded: no words are cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QCheckBox, QDockWidget, QPushButton, QToolButton

from napari_vost.clip import Clip
from napari_vost.ui.dock import LEAST_PX
from napari_vost.ui.folding import Fold
from napari_vost.ui.layers import image_layer

pytestmark = pytest.mark.gui

PADDING = {QPushButton: 4, QToolButton: 4, QCheckBox: 20}  # least pixels beside the words


def cut_off(dock: Any) -> list[str]:
    """What stands on buttons that are too narrow for it, or that reach beyond the dock."""
    found = []
    for one in dock.findChildren(QAbstractButton):
        if one.isVisible() and one.text():
            wanted = one.fontMetrics().horizontalAdvance(one.text()) + PADDING.get(type(one), 4)
            right = one.mapTo(dock, one.rect().topRight()).x()
            if one.width() < wanted or right > dock.width():
                found.append(f"{one.text()}: {one.width()} of {wanted}, ends at {right} of {dock.width()}")
    return found


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_words_are_cut_off(open_dock: Callable[..., Any], qtbot: Any, volume: Clip, theme: str) -> None:
    dock = open_dock()
    viewer = dock.viewer
    viewer.theme = theme
    window = dock.window()
    holder = next(one for one in window.findChildren(QDockWidget) if one.isAncestorOf(dock))
    window.resizeDocks([holder], [LEAST_PX], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: dock.width() <= LEAST_PX + 2)
    assert cut_off(dock.start) == []
    data, options = image_layer(volume, "there")
    viewer.add_image(data, **options)
    qtbot.waitUntil(lambda: dock.desk is not None, timeout=20_000)
    window.resizeDocks([holder], [LEAST_PX], Qt.Orientation.Horizontal)
    for fold in dock.desk.findChildren(Fold):
        fold.head.click()
    qtbot.wait(200)
    assert dock.width() <= LEAST_PX + 2
    assert cut_off(dock) == []
