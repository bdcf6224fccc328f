"""A progress bar leaves the painting to the window: nothing is painted before its turn, and then it is right."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vost.ui.progress_bar import ProgressBar

pytestmark = pytest.mark.gui


class Paintings(QObject):
    """Counts how often a widget was painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        self.count += event is not None and event.type() == QEvent.Type.Paint
        return False


def test_a_value_is_painted_in_its_turn_and_many_at_once(qtbot: Any) -> None:
    window, bar = QWidget(), ProgressBar()
    QVBoxLayout(window).addWidget(bar)
    qtbot.addWidget(window)
    window.show()
    bar.show()
    paintings = Paintings(bar)
    qtbot.waitUntil(lambda: paintings.count > 0)
    qtbot.wait(50)
    before = paintings.count
    for done in range(1, 20):
        bar.show_share(done, 24)
    assert paintings.count == before and bar.value() == 19
    qtbot.waitUntil(lambda: paintings.count > before)
    qtbot.wait(50)
    assert paintings.count <= before + 2


def test_more_than_all_is_all(qtbot: Any) -> None:
    bar = ProgressBar()
    qtbot.addWidget(bar)
    bar.show_share(30, 24)
    assert (bar.value(), bar.maximum()) == (24, 24)
