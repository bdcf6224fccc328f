"""Correcting with a real mouse: brush, obeyed clicks, ends, locks, undo across frames, clicks while following."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.phantoms.hard import hard_clip
from napari_vost.types import MaskPrompt

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui

Qt = pytest.importorskip("qtpy.QtCore").Qt
hands_of = pytest.importorskip("tests.ui.hands")
LEFT, RIGHT, CONTROL, SHIFT = hands_of.LEFT, hands_of.RIGHT, hands_of.CONTROL, hands_of.SHIFT

Lay = Callable[..., Any]


@pytest.fixture
def hands(lay_desk: Lay, volume: Clip) -> Any:
    hands = lay_desk(volume)
    hands.desk.view.go_to(12)
    hands.desk.tools.arm("point")
    return hands


def session_of(hands: Any) -> Any:
    return hands.desk.studio.session


def shown(hands: Any) -> np.ndarray[Any, Any]:
    return np.asarray(hands.desk.scene.masks.data)


def held(hands: Any) -> np.ndarray[Any, Any]:
    return np.asarray(session_of(hands).label_map(dense=True))


def test_f_follows_and_what_is_shown_is_what_the_session_holds(followed: Any) -> None:
    assert {frame for frame in range(24) if held(followed)[frame].any()} == set(range(4, 21))
    assert np.array_equal(shown(followed), held(followed))


def test_a_brush_stroke_is_kept_bit_for_bit_locked_and_one_step(followed: Any) -> None:
    before = held(followed)
    followed.desk.view.go_to(8)
    followed.desk.tools.arm("brush")
    followed.desk.scene.masks.brush_size = 5
    followed.drag([(8, 8), (8, 20)])
    followed.settle()
    painted = shown(followed)[8] == 1
    assert painted[8, 8] and painted[8, 20] and painted[30, 40]
    session = session_of(followed)
    prompt = session.prompts[-1]
    assert isinstance(prompt, MaskPrompt) and prompt.frame_index == 8
    assert np.array_equal(prompt.mask.unpack(), painted)
    assert (1, 8) in session.locks
    assert session.review(8) == "edited"
    followed.key(Qt.Key.Key_F)
    followed.settle()
    assert np.array_equal(held(followed)[8] == 1, painted)
    followed.key(Qt.Key.Key_Z, CONTROL)
    followed.key(Qt.Key.Key_Z, CONTROL)
    followed.settle()
    assert np.array_equal(held(followed), before) and np.array_equal(shown(followed), before)


def test_an_eraser_stroke_takes_away(followed: Any) -> None:
    followed.desk.tools.arm("eraser")
    followed.desk.scene.masks.brush_size = 5
    followed.drag([(30, 36), (30, 44)])
    followed.settle()
    mask = session_of(followed).preview(12)[1]
    assert not mask[30, 40] and mask[24, 40]


def test_an_unknown_label_becomes_an_object_and_the_other_one_loses_what_was_painted_over(followed: Any) -> None:
    followed.desk.tools.arm("brush")
    followed.desk.scene.masks.brush_size = 5
    followed.desk.scene.masks.selected_label = 3
    assert followed.desk.studio.object_id == 3
    followed.drag([(30, 36), (30, 44)])
    followed.settle()
    masks = session_of(followed).preview(12)
    assert set(masks) == {1, 3}
    assert masks[3][30, 40] and not masks[1][30, 40]
    assert np.array_equal(shown(followed), held(followed))


def test_with_labels_preserved_a_brush_keeps_what_belongs_to_others(followed: Any) -> None:
    followed.desk.tools.arm("brush")
    followed.desk.scene.masks.brush_size = 5
    followed.desk.scene.masks.selected_label = 2
    followed.desk.scene.masks.preserve_labels = True
    whole = session_of(followed).preview(12)[1]
    followed.drag([(30, 36), (2, 36)])
    followed.settle()
    masks = session_of(followed).preview(12)
    assert np.array_equal(masks[1], whole) and masks[2][4, 36] and not (masks[1] & masks[2]).any()


def test_fill_and_polygon_reach_the_session_too(followed: Any) -> None:
    followed.desk.studio.new_object()
    followed.desk.tools.arm("fill")
    followed.click(30, 40)
    followed.settle()
    assert session_of(followed).preview(12)[2][30, 40]
    assert not session_of(followed).preview(12)[1].any()
    followed.desk.tools.arm("polygon")
    for at in ((4, 4), (4, 14), (14, 14), (14, 4)):
        followed.click(*at)
        followed.qtbot.wait(30)
    followed.double_click(14, 4)
    followed.settle()
    assert session_of(followed).preview(12)[2][9, 9]


@pytest.mark.parametrize("plane", ["Coronal", "Sagittal"])
def test_a_brush_in_another_plane_touches_the_frames_that_it_crossed(lay_desk: Lay, volume: Clip, plane: str) -> None:
    from napari_vost.geometry import Geometry, Grid
    from napari_vost.types import Source

    grid = Grid((72, 64, 24), (2, 1, 0), np.diag([1.0, 1.0, 2.0, 1.0]))
    hands = lay_desk(Clip(volume.frames, "depth", Geometry(grid.affine_lps), Source("array", grid)))
    hands.desk.view.show(plane)
    hands.qtbot.waitUntil(lambda: hands.desk.view.plane == plane)
    hands.qtbot.wait(100)
    hands.desk.tools.arm("brush")
    hands.desk.scene.masks.brush_size = 2
    there = hands.desk.view.place
    places = [hands.place(there, 20.0, frame) if plane == "Coronal" else hands.place(20.0, there, frame)
              for frame in (6, 9)]  # fmt: skip
    hands.press(places[0])
    hands.move(places[1])
    hands.release(places[1])
    hands.settle()
    frames = {prompt.frame_index for prompt in session_of(hands).prompts}
    assert frames >= {6, 7, 8, 9} and len(session_of(hands).ledger.done) == 1
    assert np.array_equal(shown(hands), held(hands))


def test_a_painted_frame_survives_an_undo_of_something_later(followed: Any) -> None:
    followed.desk.tools.arm("brush")
    followed.drag([(8, 8), (8, 20)])
    followed.settle()
    after_brush = held(followed)
    followed.desk.tools.arm("point")
    followed.desk.view.go_to(15)
    followed.click(30, 50, RIGHT)
    followed.settle()
    followed.key(Qt.Key.Key_Z, CONTROL)
    followed.settle()
    assert np.array_equal(held(followed), after_brush)


def test_the_clicked_pixel_ends_on_the_asked_side(followed: Any) -> None:
    for y, x, button in ((34, 46, RIGHT), (4, 4, LEFT), (50, 60, LEFT), (26, 36, RIGHT)):
        followed.click(y, x, button)
        followed.settle()
        assert session_of(followed).preview(12)[1][y, x] == (button == LEFT)
    assert session_of(followed).dabbed


def test_g_ends_an_object_and_delete_says_that_it_is_not_here(followed: Any) -> None:
    followed.desk.view.go_to(16)
    followed.key(Qt.Key.Key_G)
    followed.settle()
    assert shown(followed)[16].any() and not shown(followed)[17:].any()
    followed.key(Qt.Key.Key_F)
    followed.settle()
    assert not held(followed)[17:].any()
    followed.key(Qt.Key.Key_Z, CONTROL)
    followed.key(Qt.Key.Key_Z, CONTROL)
    followed.settle()
    assert held(followed)[20].any()
    followed.desk.view.go_to(6)
    followed.key(Qt.Key.Key_Delete)
    followed.settle()
    assert not held(followed)[6].any() and (1, 6) in session_of(followed).locks


def test_k_locks_and_a_locked_frame_is_never_written(followed: Any) -> None:
    followed.desk.view.go_to(15)
    followed.key(Qt.Key.Key_K)
    followed.settle()
    assert (1, 15) in session_of(followed).locks
    locked = held(followed)[15]
    followed.desk.view.go_to(12)
    followed.click(34, 46, RIGHT)
    followed.settle()
    followed.key(Qt.Key.Key_F)
    followed.settle()
    assert np.array_equal(held(followed)[15], locked)
    followed.desk.view.go_to(15)
    followed.key(Qt.Key.Key_K)
    followed.settle()
    assert (1, 15) not in session_of(followed).locks


def test_enter_accepts_and_goes_to_the_next_weak_frame(followed: Any) -> None:
    kept = session_of(followed).ledger.kept
    for frame in (14, 16):
        kept[1, frame] = replace(kept[1, frame], confidence=0.2)
    followed.desk.refresh()
    followed.key(Qt.Key.Key_W)
    assert followed.desk.view.frame_index == 14
    followed.key(Qt.Key.Key_Return)  # what a keyboard's large key sends
    followed.settle()
    assert session_of(followed).review(14) == "accepted"
    assert followed.desk.view.frame_index == 16


def test_undo_and_redo_go_across_frames_and_objects_to_the_bit(followed: Any) -> None:
    followed.desk.view.go_to(9)
    followed.click(34, 46, RIGHT)
    followed.key(Qt.Key.Key_N)
    followed.click(10, 10)
    followed.desk.view.go_to(14)
    followed.key(Qt.Key.Key_K)
    followed.settle()
    end, steps = held(followed), len(session_of(followed).ledger.done)
    for _ in range(steps):
        followed.key(Qt.Key.Key_Z, CONTROL)
    followed.settle()
    assert not held(followed).any() and not shown(followed).any() and session_of(followed).prompts == ()
    for _ in range(steps):
        followed.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    followed.settle()
    assert np.array_equal(held(followed), end) and np.array_equal(shown(followed), end)


@pytest.fixture
def long_run(lay_desk: Lay) -> Any:
    """A clip that takes a while to follow."""
    phantom = hard_clip("long", 120, seed=1)
    hands = lay_desk(phantom.phantom.clip(), "vost-nano")
    y, x = (int(value.mean()) for value in np.nonzero(phantom.truth()[0]))
    hands.desk.view.go_to(0)
    hands.desk.tools.arm("point")
    hands.click(y, x)
    hands.settle()
    hands.centre = (y, x)  # of the prompt: a click there would take it away
    return hands


def test_stop_ends_a_run_within_a_frame_and_keeps_what_was_reached(long_run: Any) -> None:
    hands = long_run
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: len(session_of(hands).ledger.kept) > 10, timeout=60_000)
    hands.key(Qt.Key.Key_F)
    assert not hands.desk.studio.following
    reached = len(session_of(hands).ledger.kept)
    hands.settle()
    assert len(session_of(hands).ledger.kept) <= reached + 1
    assert 10 < len(session_of(hands).ledger.kept) < 120
    assert np.array_equal(shown(hands), held(hands))


def test_a_click_while_following_pauses_is_answered_and_following_goes_on(long_run: Any) -> None:
    hands = long_run
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: len(session_of(hands).ledger.kept) > 5, timeout=60_000)
    hands.click(hands.centre[0] + 3, hands.centre[1] + 3)
    assert hands.desk.studio.waiting and hands.desk.studio.following
    hands.settle()
    assert len(session_of(hands).prompts) == 2
    assert len({frame for _, frame in session_of(hands).ledger.kept}) == 120


def test_a_run_is_one_step_of_undo(long_run: Any) -> None:
    hands = long_run
    alone = held(hands)
    hands.key(Qt.Key.Key_F)
    hands.settle()
    assert held(hands)[60].any()
    hands.key(Qt.Key.Key_Z, CONTROL)
    hands.settle()
    assert np.array_equal(held(hands), alone) and np.array_equal(shown(hands), alone)


def test_the_view_stays_where_it_is_while_frames_are_followed(long_run: Any) -> None:
    hands = long_run
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: len(session_of(hands).ledger.kept) > 10, timeout=60_000)
    assert hands.desk.view.frame_index == 0
    hands.wheel(-1)
    assert hands.desk.view.frame_index == 1
    hands.key(Qt.Key.Key_Escape)
    hands.key(Qt.Key.Key_Escape)
    hands.settle()
    assert not hands.desk.studio.following


def test_enter_goes_through_the_weak_frames_of_all_objects(followed: Any) -> None:
    studio, session = followed.desk.studio, session_of(followed)
    for object_id, frames in ((1, (6, 7)), (2, (7, 9))):
        for frame in frames:
            session.ledger.kept[object_id, frame] = replace(session.ledger.kept[1, frame], confidence=0.1)
    followed.desk.refresh()
    studio.choose(1)
    followed.desk.view.go_to(6)
    for _ in range(4):
        followed.key(Qt.Key.Key_Enter)
        followed.settle()
    assert session.ledger.settings.accepted >= {(1, 6), (1, 7), (2, 7), (2, 9)}


def test_k_twice_is_as_before(followed: Any) -> None:
    followed.desk.view.go_to(8)
    followed.key(Qt.Key.Key_K)
    followed.key(Qt.Key.Key_K)
    followed.settle()
    assert session_of(followed).locks == frozenset()


def test_ends_here_on_the_only_marked_frame_says_what_to_do(followed: Any) -> None:
    followed.desk.view.go_to(12)
    followed.key(Qt.Key.Key_G)
    followed.settle()
    assert session_of(followed).limits == {} and "Not here (Delete)" in followed.said[-1]


def test_the_open_export_panel_counts_weak_frames_as_they_are_accepted(followed: Any) -> None:
    ledger, panel = session_of(followed).ledger, followed.desk.export
    ledger.kept[1, 8] = replace(ledger.kept[1, 8], confidence=0.1)
    followed.desk.refresh()
    panel.setVisible(True)
    panel.refresh()
    followed.qtbot.waitUntil(lambda: "1 frame is still weak" in panel.outlook.text())
    followed.desk.view.go_to(8)
    followed.key(Qt.Key.Key_Enter)
    followed.qtbot.waitUntil(lambda: "still weak" not in panel.outlook.text())
