"""Marking with a real mouse on a real canvas: what presses, strokes, wheel and keys do, and what they leave alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.geometry import Geometry, Grid
from napari_vost.session import Session
from napari_vost.types import BoxPrompt, PointPrompt, ScribblePrompt, Source

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui

Qt = pytest.importorskip("qtpy.QtCore").Qt
hands_of = pytest.importorskip("tests.ui.hands")
LEFT, RIGHT, MIDDLE = hands_of.LEFT, hands_of.RIGHT, hands_of.MIDDLE
CONTROL, SHIFT = hands_of.CONTROL, hands_of.SHIFT

Lay = Callable[..., Any]


@pytest.fixture
def hands(lay_desk: Lay, volume: Clip) -> Any:
    hands = lay_desk(volume)
    hands.desk.view.go_to(12)
    hands.desk.tools.arm("point")
    return hands


def points(hands: Any) -> list[tuple[int, int, float, float, bool]]:
    return [(one.object_id, one.frame_index, round(one.y), round(one.x), one.positive)
            for one in hands.desk.studio.session.prompts if isinstance(one, PointPrompt)]  # fmt: skip


def test_a_left_click_adds_and_the_mask_is_there(hands: Any) -> None:
    hands.click(30, 40)
    hands.settle()
    assert points(hands) == [(1, 12, 30, 40, True)]
    mask = hands.desk.studio.session.preview(12)[1]
    assert mask[30, 40] and not mask[2, 2]
    assert np.array_equal(hands.desk.scene.masks.data[12] == 1, mask)


@pytest.mark.parametrize("how", ["right", "control", "swapped"])
def test_a_right_click_a_control_click_and_a_swapped_one_remove(hands: Any, how: str) -> None:
    hands.click(30, 40)
    hands.settle()
    if how == "swapped":
        hands.key(Qt.Key.Key_T)
    hands.click(34, 46, RIGHT if how == "right" else LEFT, CONTROL if how == "control" else hands_of.NONE)
    hands.settle()
    assert points(hands)[1] == (1, 12, 34, 46, False)
    assert not hands.desk.studio.session.preview(12)[1][34, 46]


def test_a_press_that_moves_is_no_click_and_pans_with_the_point_tool(hands: Any) -> None:
    centre = hands.viewer.scene.camera.center
    hands.drag([(30, 40), (40, 50)])
    hands.settle()
    assert points(hands) == []
    assert hands.viewer.scene.camera.center != centre


def test_a_press_that_shakes_is_a_click(hands: Any) -> None:
    start = hands.place(30, 40)
    hands.press(start)
    hands.move(start + type(start)(2, 2))
    hands.release(start + type(start)(2, 2))
    hands.settle()
    assert len(points(hands)) == 1


def test_a_double_click_is_two_prompts_and_no_zoom(hands: Any) -> None:
    zoom = hands.viewer.scene.camera.zoom
    hands.double_click(30, 40)
    hands.settle()
    assert points(hands) == [(1, 12, 30, 40, True)] * 2
    assert hands.viewer.scene.camera.zoom == zoom


def test_a_click_on_a_prompt_takes_it_away(hands: Any) -> None:
    hands.click(30, 40)
    hands.settle()
    hands.click(30, 40)
    hands.settle()
    assert points(hands) == []
    assert not hands.desk.studio.session.preview(12)


def test_twenty_clicks_in_two_seconds_are_twenty_prompts_and_the_mask_of_a_session_without_a_window(
    lay_desk: Lay, volume: Clip, qtbot: Any
) -> None:
    hands = lay_desk(volume, "vost-nano")
    hands.desk.view.go_to(12)
    hands.desk.tools.arm("point")
    rng = np.random.default_rng(2)
    wanted = [(int(rng.integers(4, 60)), int(rng.integers(4, 68)), bool(rng.random() < 0.7)) for _ in range(20)]
    for y, x, positive in wanted:
        hands.click(y, x, LEFT if positive else RIGHT)
        qtbot.wait(60)
    hands.settle()
    prompts = hands.desk.studio.session.prompts
    assert len(prompts) == 20
    alone = Session(volume)
    for prompt in prompts:
        alone.add(prompt)
    assert np.array_equal(alone.preview(12)[1], hands.desk.studio.session.preview(12)[1])


def test_the_answer_belongs_to_the_frame_that_was_clicked_also_when_the_view_has_moved_on(hands: Any) -> None:
    hands.click(30, 40)
    hands.desk.view.go_to(15)
    hands.settle()
    assert points(hands) == [(1, 12, 30, 40, True)]
    assert hands.desk.view.frame_index == 15
    assert hands.desk.scene.masks.data[12].any() and not hands.desk.scene.masks.data[15].any()


def test_a_mark_is_seen_on_its_own_frame_alone(hands: Any) -> None:
    hands.click(30, 40)
    hands.settle()
    hands.desk.scene.masks.visible = False
    seen = {}
    for frame in (12, 13, 20):
        hands.desk.view.go_to(frame)
        for visible in (True, False):
            hands.desk.scene.prompts.visible = visible
            hands.qtbot.wait(60)
            seen[visible] = hands.viewer.screenshot(flash=False)
        assert np.array_equal(seen[True], seen[False]) == (frame != 12)


def test_a_tool_taken_twice_stays_in_the_hand(hands: Any) -> None:
    for _ in range(2):
        hands.key(Qt.Key.Key_B)
        assert hands.desk.tools.tool == "box" and hands.desk.marks.buttons["box"].isChecked()
    hands.desk.marks.buttons["box"].click()
    assert hands.desk.tools.tool == "box" and hands.desk.marks.buttons["box"].isChecked()


def test_a_box_is_drawn_from_corner_to_corner(hands: Any) -> None:
    hands.key(Qt.Key.Key_B)
    centre = hands.viewer.scene.camera.center
    hands.drag([(44, 56), (16, 24)])
    hands.settle()
    (box,) = hands.desk.studio.session.prompts
    assert isinstance(box, BoxPrompt)
    assert np.allclose((box.y0, box.x0, box.y1, box.x1), (16, 24, 44, 56), atol=0.6)
    assert hands.viewer.scene.camera.center == centre
    assert len(hands.desk.scene.strokes.data) == 1


def test_a_scribble_goes_through_what_the_pen_passed_and_control_removes(hands: Any) -> None:
    hands.key(Qt.Key.Key_S)
    hands.drag([(30, 34), (30, 46)])
    hands.drag([(5, 5), (5, 20)], modifier=CONTROL)
    hands.settle()
    first, second = hands.desk.studio.session.prompts
    assert isinstance(first, ScribblePrompt) and first.positive and not second.positive
    assert np.allclose(first.points_yx[0], (30, 34), atol=0.6) and np.allclose(first.points_yx[-1], (30, 46), atol=0.6)


def test_a_lasso_is_a_box_and_a_point_inside_as_one_step_and_control_cuts(hands: Any) -> None:
    hands.key(Qt.Key.Key_L)
    hands.drag([(16, 24), (16, 56), (44, 56), (44, 24), (17, 24)])
    hands.settle()
    box, point = hands.desk.studio.session.prompts
    assert isinstance(box, BoxPrompt) and isinstance(point, PointPrompt)
    assert box.y0 < point.y < box.y1 and box.x0 < point.x < box.x1
    assert hands.desk.studio.session.preview(12)[1][30, 45]
    hands.drag([(20, 42), (20, 60), (40, 60), (40, 42), (20, 42)], modifier=CONTROL)
    hands.settle()
    mask = hands.desk.studio.session.preview(12)[1]
    assert mask[30, 36] and not mask[30, 45]
    hands.key(Qt.Key.Key_Z, CONTROL)
    hands.key(Qt.Key.Key_Z, CONTROL)
    hands.settle()
    assert hands.desk.studio.session.prompts == ()


def test_escape_drops_the_stroke_then_the_tool(hands: Any) -> None:
    hands.key(Qt.Key.Key_B)
    hands.press(hands.place(20, 20))
    hands.move(hands.place(30, 30))
    assert len(hands.desk.scene.strokes.data) == 1
    hands.key(Qt.Key.Key_Escape)
    assert len(hands.desk.scene.strokes.data) == 0
    hands.move(hands.place(40, 40))
    hands.release(hands.place(40, 40))
    hands.settle()
    assert hands.desk.studio.session.prompts == () and hands.desk.tools.tool == "box"
    hands.key(Qt.Key.Key_Escape)
    assert hands.desk.tools.tool is None


def test_the_wheel_steps_frames_and_does_not_zoom(hands: Any) -> None:
    zoom = hands.viewer.scene.camera.zoom
    hands.wheel(-1)
    assert hands.desk.view.frame_index == 13
    hands.wheel(2)
    assert hands.desk.view.frame_index == 11
    assert hands.viewer.scene.camera.zoom == zoom


def test_a_trackpad_steps_once_per_thirty_pixels_and_momentum_is_ignored(hands: Any) -> None:
    for _ in range(3):
        hands.wheel(-0.3, pixels=-10)
    assert hands.desk.view.frame_index == 13
    for _ in range(10):
        hands.wheel(-0.3, pixels=-30, phase=Qt.ScrollPhase.ScrollMomentum)
    assert hands.desk.view.frame_index == 13


def test_napari_has_its_wheel_back_on_request(hands: Any) -> None:
    hands.desk.mouse.wheel_steps = False
    hands.move(hands.place(30, 40), Qt.MouseButton.NoButton)  # what is said of the place may move the window's parts
    hands.qtbot.wait(100)
    hands.qtbot.waitUntil(hands.steady)
    zoom = hands.viewer.scene.camera.zoom
    hands.wheel(1)
    hands.qtbot.waitUntil(lambda: hands.viewer.scene.camera.zoom != zoom)
    assert hands.desk.view.frame_index == 12


def test_the_middle_button_pans_with_every_tool(hands: Any) -> None:
    hands.key(Qt.Key.Key_B)
    before, under = np.array(hands.viewer.scene.camera.center), hands.place(30, 40)
    hands.drag([(30, 40), (40, 50)], MIDDLE)
    after = np.array(hands.viewer.scene.camera.center)
    assert np.allclose(before - after, (0, 10, 10), atol=0.7)  # as far as the mouse went
    assert hands.desk.studio.session.prompts == () and hands.place(20, 30) != under


def test_the_right_button_zooms_when_it_is_dragged(hands: Any) -> None:
    zoom = hands.viewer.scene.camera.zoom
    hands.drag([(30, 40), (40, 40)], RIGHT)
    hands.settle()
    assert hands.viewer.scene.camera.zoom != zoom and points(hands) == []


def test_a_click_beside_the_image_is_said_and_is_no_prompt(hands: Any) -> None:
    hands.click(-3, 40)
    hands.settle()
    assert points(hands) == [] and "inside" in hands.said[-1]


def test_putting_the_tool_down_restores_what_napari_does(hands: Any) -> None:
    hands.desk.tools.put_down()
    doubles = list(hands.viewer.mouse_double_click_callbacks)
    assert any(one.__name__ == "double_click_to_zoom" for one in doubles)
    for tool in ("point", "box", "scribble", "lasso", "brush", "eraser", "polygon", "fill"):
        hands.desk.tools.arm(tool)
        hands.desk.tools.put_down()
        assert list(hands.viewer.mouse_double_click_callbacks) == doubles
        assert hands.desk.scene.prompts.mouse_pan and hands.viewer.scene.camera.mouse_pan
        assert str(hands.desk.scene.masks.mode) == "pan_zoom"


def test_another_layer_puts_the_tool_down_and_clicks_there_are_its_own(hands: Any) -> None:
    other = hands.viewer.add_points(np.zeros((0, 3)), name="mine")
    assert hands.desk.tools.tool is None
    hands.click(30, 40)
    hands.settle()
    assert points(hands) == [] and hands.viewer.layers.selection.active == other


@pytest.mark.parametrize(("tool", "stroke", "handle"), [
    ("box", [(18, 26), (42, 54)], (18, 54)),
    ("scribble", [(24, 36), (30, 44), (36, 44)], (36, 44)),
])  # fmt: skip
def test_a_click_on_a_corner_of_a_box_or_an_end_of_a_scribble_takes_it_away(
    hands: Any, tool: str, stroke: Any, handle: tuple[int, int]
) -> None:
    hands.desk.tools.arm(tool)
    hands.drag(stroke)
    hands.settle()
    assert len(hands.desk.studio.session.prompts) == 1
    hands.desk.tools.arm("point")
    hands.click(*handle)
    hands.settle()
    assert hands.desk.studio.session.prompts == ()


@pytest.mark.parametrize("tool", ["box", "brush"])
def test_back_from_3d_the_same_tool_is_in_hand(hands: Any, tool: str) -> None:
    hands.desk.tools.arm(tool)
    hands.desk.view.show("3D")
    hands.qtbot.waitUntil(lambda: hands.desk.view.is_3d)
    assert hands.desk.tools.tool is None
    hands.desk.view.show("Frame")
    hands.qtbot.waitUntil(lambda: not hands.desk.view.is_3d)
    assert hands.desk.tools.tool == tool


def test_in_3d_there_is_no_tool(hands: Any) -> None:
    hands.viewer.dims.ndisplay = 3
    assert hands.desk.tools.tool is None
    hands.desk.tools.arm("point")
    assert hands.desk.tools.tool is None and "3D" in hands.said[-1]


def test_objects_are_made_chosen_and_marked_by_keys(hands: Any) -> None:
    hands.click(30, 40)
    hands.key(Qt.Key.Key_N)
    assert hands.desk.studio.object_id == 2
    hands.key(Qt.Key.Key_N)
    assert hands.desk.studio.object_id == 2  # it has nothing yet: no need of another one
    hands.click(34, 44)
    hands.key(Qt.Key.Key_1, CONTROL)
    assert hands.desk.studio.object_id == 1
    hands.key(Qt.Key.Key_Equal)
    assert hands.desk.studio.object_id == 2
    hands.key(Qt.Key.Key_Minus)
    hands.settle()
    assert [one[0] for one in points(hands)] == [1, 2]


def test_h_shows_the_bare_image_while_it_is_held(hands: Any) -> None:
    from qtpy.QtTest import QTest

    before = [layer.visible for layer in hands.desk.scene.layers]
    assert hands.desk.scene.masks.visible and hands.desk.scene.prompts.visible
    QTest.keyPress(hands.canvas, Qt.Key.Key_H)
    assert not any(layer.visible for layer in hands.desk.scene.layers)
    QTest.keyRelease(hands.canvas, Qt.Key.Key_H)
    assert [layer.visible for layer in hands.desk.scene.layers] == before


@pytest.mark.parametrize("plane", ["Coronal", "Sagittal"])
def test_a_point_works_in_every_plane_and_a_box_says_that_it_does_not(lay_desk: Lay, volume: Clip, plane: str) -> None:
    grid = Grid((72, 64, 24), (2, 1, 0), np.diag([1.0, 1.0, 2.0, 1.0]))
    patient = Clip(volume.frames, "depth", Geometry(grid.affine_lps), Source("array", grid))
    hands = lay_desk(patient)
    hands.desk.view.go_to(12)
    hands.desk.view.show(plane)
    hands.qtbot.waitUntil(lambda: hands.desk.view.plane == plane)
    hands.qtbot.wait(100)
    hands.desk.tools.arm("point")
    slice_in_view = hands.desk.view.place
    at = (slice_in_view, 40.0) if plane == "Coronal" else (30.0, slice_in_view)
    hands.click(*at, frame=10)
    hands.settle()
    assert points(hands) == [(1, 10, round(at[0]), round(at[1]), True)]
    assert hands.desk.scene.masks.data[10].any()
    hands.desk.tools.arm("box")
    hands.drag([at, (at[0] + 3, at[1] + 3)])
    hands.settle()
    assert len(hands.desk.studio.session.prompts) == 1 and "frames" in hands.said[-1]
