"""What is unfolded is seen."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("qtpy", reason="Qt is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_vost.ui.folding import Fold

pytestmark = pytest.mark.gui


def laid(qtbot: Any, height: int) -> tuple[QScrollArea, Fold, QWidget]:
    """A part of some height below a long column, in a small scroll area."""
    above, part, area, column = QLabel("above"), QWidget(), QScrollArea(), QWidget()
    above.setMinimumHeight(700)
    part.setMinimumHeight(height)
    fold = Fold("Export", part)
    layout = QVBoxLayout(column)
    for one in (above, fold.head, part):
        layout.addWidget(one)
    layout.addStretch(1)
    area.setWidgetResizable(True)
    area.setWidget(column)
    area.resize(320, 400)
    qtbot.addWidget(area)
    area.show()
    qtbot.waitUntil(area.isVisible)
    return area, fold, part


def seen(area: QScrollArea, one: QWidget) -> tuple[int, int]:
    """First and last row of a widget in what is seen of the scroll area."""
    top = one.mapTo(area.viewport(), one.rect().topLeft()).y()
    return top, top + one.height()


def test_a_part_is_scrolled_to_when_it_unfolds_and_when_it_grows(qtbot: Any) -> None:
    area, fold, part = laid(qtbot, 150)
    assert area.verticalScrollBar().value() == 0 and part.isHidden()
    fold.head.click()
    qtbot.waitUntil(lambda: seen(area, part)[1] <= area.viewport().height())
    part.setMinimumHeight(260)
    qtbot.waitUntil(lambda: part.height() == 260 and seen(area, part)[1] <= area.viewport().height())
    fold.head.click()
    assert part.isHidden()


def test_a_part_that_is_too_tall_shows_its_title(qtbot: Any) -> None:
    area, fold, _ = laid(qtbot, 900)
    fold.head.click()
    qtbot.waitUntil(lambda: area.verticalScrollBar().value() > 0)
    qtbot.wait(20)
    assert 0 <= seen(area, fold.head)[0] < 5


def test_what_is_in_view_already_stays_where_it_is(qtbot: Any) -> None:
    area, fold, part = laid(qtbot, 100)
    area.resize(320, 1000)
    fold.head.click()
    qtbot.wait(50)
    assert part.isVisible() and area.verticalScrollBar().value() == 0
