"""The second slider: it says what is shown, asks for others, and is not there where there are none."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtCore import Qt

from napari_vost.geometry import Part
from napari_vost.ui.part_bar import PartBar

pytestmark = pytest.mark.gui


def bar_of(qtbot: Any, part: Part) -> tuple[PartBar, list[int]]:
    """A bar, and what it asks for."""
    bar, asked = PartBar(part), []
    qtbot.addWidget(bar)
    bar.resize(300, 40)
    bar.asked.connect(asked.append)
    bar.show_part(part)
    bar.show()
    return bar, asked


def test_it_says_what_is_shown_and_showing_asks_for_nothing(qtbot: Any) -> None:
    bar, asked = bar_of(qtbot, Part("slice", 3, 10))
    assert bar.label.text() == "Slice 4/10" and bar.slider.value() == 3
    bar.show_part(Part("slice", 6, 10), waits=True)
    assert bar.label.text() == "Slice 7/10 …" and bar.slider.value() == 6 and asked == []


def test_steps_are_counted_from_what_was_asked_for_and_stop_at_the_ends(qtbot: Any) -> None:
    bar, asked = bar_of(qtbot, Part("time", 1, 4))
    bar.step(1)
    bar.step(5)
    bar.step(1)
    bar.step(-9)
    assert asked == [2, 3, 0]


def test_keys_work_once_it_has_the_keyboard_which_a_click_does_not_give(qtbot: Any) -> None:
    bar, asked = bar_of(qtbot, Part("time", 1, 4))
    assert bar.slider.focusPolicy() == Qt.FocusPolicy.TabFocus and bar.slider.accessibleName() == "Time"
    qtbot.keyClick(bar.slider, Qt.Key.Key_Right)
    assert asked == [2]


def test_the_slider_stays_where_it_is_whatever_the_label_says(qtbot: Any) -> None:
    bar, _ = bar_of(qtbot, Part("slice", 0, 100))
    before = bar.slider.x()
    bar.show_part(Part("slice", 99, 100), waits=True)
    qtbot.wait(20)
    assert bar.slider.x() == before


def test_a_whole_scan_has_none(qtbot: Any) -> None:
    bar = PartBar(None)
    qtbot.addWidget(bar)
    bar.step(1)
    assert bar.isHidden()
