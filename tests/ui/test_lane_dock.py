"""A timeline that was closed or hidden has a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QPushButton

from napari_vost.clip import Clip
from tests.ui.hands import LEFT, NONE

pytestmark = pytest.mark.gui

Open = Callable[..., Any]


def dock_with(open_dock: Open, qtbot: Any, volume: Clip) -> Any:
    from napari_vost.ui.layers import image_layer

    dock = open_dock()
    data, options = image_layer(volume, "there")
    dock.viewer.add_image(data, **options)
    qtbot.waitUntil(lambda: dock.desk is not None, timeout=20_000)
    qtbot.waitUntil(dock.desk.lane.isVisible)
    return dock


def click(widget: Any) -> None:
    QTest.mouseClick(widget, LEFT, NONE, widget.rect().center())


def title_button(lane: Any, name: str) -> Any:
    """A button of the title that napari gives the timeline."""
    holder = lane.parent()
    while not isinstance(holder, QDockWidget):
        holder = holder.parent()
    return holder.titleBarWidget().findChild(QPushButton, name)


@pytest.mark.parametrize("way", ["QTitleBarCloseButton", "QTitleBarHideButton"])
def test_the_timeline_comes_back(open_dock: Open, qtbot: Any, volume: Clip, way: str) -> None:
    desk = dock_with(open_dock, qtbot, volume).desk
    back = desk.lane_dock.button
    assert not back.isVisible()
    for _ in range(3):
        click(title_button(desk.lane, way))
        qtbot.waitUntil(back.isVisible)
        assert not desk.lane.isVisible()
        qtbot.wait(20)  # what napari deletes later is deleted
        click(back)
        qtbot.waitUntil(desk.lane.isVisible)
        assert not back.isVisible() and desk.lane.height() > 20
    desk.lane.frame_chosen.emit(5)
    assert desk.view.frame_index == 5


@pytest.mark.parametrize("way", ["QTitleBarCloseButton", "QTitleBarHideButton"])
def test_a_clip_is_closed_without_its_timeline(open_dock: Open, qtbot: Any, volume: Clip, way: str) -> None:
    dock = dock_with(open_dock, qtbot, volume)
    click(title_button(dock.desk.lane, way))
    qtbot.wait(20)
    dock.close_clip()
    qtbot.wait(20)
    window = dock.window()
    assert dock.desk is None and not [
        one for one in window.findChildren(QDockWidget) if "timeline" in one.windowTitle()
    ]
