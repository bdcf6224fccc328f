"""Brush, eraser and polygon while other things go on: no stroke is lost, nothing is shown that the session lacks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtCore import Qt

from tests.ui.test_correcting import held, session_of, shown

pytestmark = pytest.mark.gui


def test_a_stroke_on_a_frame_whose_mask_changes_meanwhile_is_kept_bit_for_bit(followed: Any) -> None:
    session = session_of(followed)
    followed.desk.view.go_to(8)
    followed.desk.tools.arm("brush")
    followed.desk.scene.masks.brush_size = 5
    followed.press(followed.place(8, 8))
    followed.move(followed.place(8, 20))
    followed.desk.scene.draw({8})  # as news of a run do
    followed.release(followed.place(8, 20))
    followed.drag([(50, 8), (50, 20)])  # and another one before the first has been taken
    followed.settle()
    mask = session.ledger.kept[1, 8].mask.unpack()
    assert mask[8, 8] and mask[8, 20] and mask[50, 8] and mask[50, 20] and mask[30, 40]
    assert np.array_equal(shown(followed), held(followed))


@pytest.mark.parametrize("how", ["locked", "hidden"])
@pytest.mark.parametrize("tool", ["brush", "eraser"])
def test_brush_and_eraser_spare_another_object_that_is_locked_or_hidden(followed: Any, how: str, tool: str) -> None:
    studio, session = followed.desk.studio, session_of(followed)
    followed.desk.view.go_to(8)
    if how == "locked":
        followed.key(Qt.Key.Key_K)
    else:
        studio.set_hidden(1, True)
    studio.new_object()
    before = session.ledger.kept[1, 8].mask.unpack()
    followed.desk.tools.arm(tool)
    followed.desk.scene.masks.brush_size = 5
    followed.drag([(30, 40), (8, 8)])
    followed.settle()
    assert np.array_equal(session.ledger.kept[1, 8].mask.unpack(), before)
    assert ((2, 8) in session.ledger.kept) == (tool == "brush")
    assert any("was left as it is" in line for line in followed.said), followed.said
    assert np.array_equal(shown(followed), held(followed))


def test_a_wheel_step_in_a_stroke_leaves_nothing_that_the_session_does_not_hold(followed: Any) -> None:
    followed.desk.view.go_to(8)
    followed.desk.tools.arm("brush")
    followed.desk.scene.masks.brush_size = 5
    followed.press(followed.place(8, 8))
    followed.move(followed.place(8, 20))
    followed.wheel(-1)
    followed.move(followed.place(8, 30))
    followed.release(followed.place(8, 30))
    followed.settle()
    assert held(followed)[8][8, 8] == 1 and held(followed)[9][8, 30] == 1
    assert np.array_equal(shown(followed), held(followed))


def test_escape_drops_a_brush_stroke_and_keeps_the_tool(followed: Any) -> None:
    before, tools = held(followed), followed.desk.tools
    followed.desk.view.go_to(8)
    tools.arm("brush")
    followed.press(followed.place(8, 8))
    followed.move(followed.place(8, 20))
    followed.key(Qt.Key.Key_Escape)
    followed.move(followed.place(8, 30))
    followed.release(followed.place(8, 30))
    followed.settle()
    assert tools.tool == "brush" and np.array_equal(held(followed), before)
    assert np.array_equal(shown(followed), before)
    followed.drag([(8, 8), (8, 20)])
    followed.settle()
    assert held(followed)[8][8, 12] == 1  # the next one counts


@pytest.mark.parametrize("way", ["escape", "another slice", "another tool"])
def test_corners_of_a_polygon_do_not_wait_for_the_next_one(followed: Any, way: str) -> None:
    before, desk = held(followed), followed.desk
    desk.view.go_to(8)
    desk.tools.arm("polygon")
    for corner in ((5, 5), (5, 25), (15, 25)):
        followed.click(*corner)
    if way == "escape":
        followed.key(Qt.Key.Key_Escape)
        assert desk.tools.tool == "polygon"
    elif way == "another slice":
        desk.view.step(1)
    else:
        desk.tools.arm("brush")
        desk.tools.arm("polygon")
    for corner in ((50, 5), (50, 25), (60, 25), (60, 5)):
        followed.click(*corner)
    followed.double_click(60, 5)
    followed.settle()
    here = desk.view.frame_index
    changed = held(followed) != before
    assert changed[here][52:58, 8:22].all() and not changed[:, :45].any()
    assert np.array_equal(shown(followed), held(followed))
