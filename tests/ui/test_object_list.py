"""The list of objects: names are edited in it, and the keyboard is given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui

Qt = pytest.importorskip("qtpy.QtCore").Qt
widgets = pytest.importorskip("qtpy.QtWidgets")


def test_a_name_is_edited_by_a_double_click_and_the_keyboard_goes_back_to_where_it_was(qtbot: Any) -> None:
    from napari_vost.ui.name_list import NameList
    from napari_vost.ui.object_list import ObjectList
    from napari_vost.ui.remembered import Remembered
    from napari_vost.ui.studio import Studio

    studio = Studio()
    studio.open(Session(Clip.from_array(np.zeros((4, 16, 16), np.uint8)), BrightNetwork()))
    names = NameList(studio, Remembered("settings"))
    window, canvas, objects = widgets.QWidget(), widgets.QTextEdit(), ObjectList(studio, names)
    layout = widgets.QVBoxLayout(window)
    layout.addWidget(canvas)
    layout.addWidget(objects)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus)
    place = objects.visualItemRect(objects.topLevelItem(0)).center()
    qtbot.mouseClick(objects.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(objects.viewport(), Qt.MouseButton.LeftButton, pos=place)
    line = objects.findChild(widgets.QLineEdit)
    assert line.hasFocus()
    qtbot.keyClicks(line, "Liver")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: studio.label(1).name == "Liver")
    assert canvas.hasFocus()
    studio.close()
    studio.end()
