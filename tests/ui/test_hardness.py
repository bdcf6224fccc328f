"""What a window has to stand: being stopped, closed and robbed of layers in the middle, storms of keys, many rounds."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari.layers import Labels, Points, Shapes
from qtpy.QtCore import Qt, QTimer

from napari_vost.clip import Clip
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork
from napari_vost.ui.layers import image_layer
from napari_vost.ui.run import Progress
from napari_vost.ui.scene import SIDE_PLANE_MS
from tests.ui.hands import CONTROL, SHIFT, Hands
from tests.ui.looking import our_threads

pytestmark = pytest.mark.gui

Lay = Callable[..., Any]
MOST_FRAMES, MORE_WORK = 5, 2.5  # between two beats of the window; as against scrolling alone
FRAME_S = 0.04


class SlowNetwork(BrightNetwork):
    """It takes its time, so that there is a middle of a run to do things in."""

    def answer(self, *given: Any, **named: Any) -> Any:
        time.sleep(FRAME_S)
        return super().answer(*given, **named)


@pytest.fixture
def hands(lay_desk: Lay, volume: Clip) -> Any:
    hands = lay_desk(volume, SlowNetwork())
    begin(hands)
    return hands


def begin(hands: Any) -> None:
    """One click on the ball."""
    hands.desk.view.go_to(12)
    hands.desk.tools.arm("point")
    hands.click(30, 40)
    hands.settle()


def follow_some(hands: Any, frames: int = 3) -> None:
    """Follow, and come back in the middle of it."""
    ledger = hands.desk.studio.session.ledger
    before = len(ledger.kept)
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: len(ledger.kept) >= before + frames)
    assert hands.desk.studio.following


def is_shown(hands: Any) -> None:
    """The Masks layer holds what the session does, bit for bit."""
    hands.settle()
    desk = hands.desk
    assert np.array_equal(np.asarray(desk.scene.masks.data), desk.studio.session.label_map(dense=True))


# stopping --------------------------------------------------------------------------------------------------------


def test_stop_keeps_what_was_reached_and_following_goes_on_from_there(hands: Any) -> None:
    follow_some(hands)
    hands.key(Qt.Key.Key_F)
    assert not hands.desk.studio.following and "Follow" in hands.desk.follow_bar.button.text()
    reached = len(hands.desk.studio.session.ledger.kept)
    is_shown(hands)
    assert reached <= len(hands.desk.studio.session.ledger.kept) <= reached + 1  # the frame that was being looked at
    hands.key(Qt.Key.Key_F)
    is_shown(hands)
    areas = [frame.any() for frame in hands.desk.scene.labels]
    assert all(areas[5:20])


def test_f_pressed_again_and_again_ends_in_a_state_that_is_true(hands: Any) -> None:
    for _ in range(15):
        hands.key(Qt.Key.Key_F)
        hands.qtbot.wait(15)
    following = hands.desk.studio.following
    assert following == ("Stop" in hands.desk.follow_bar.button.text())
    is_shown(hands)
    assert not hands.desk.studio.following


def test_a_click_while_following_is_answered_and_the_run_goes_on_without_a_word_of_stopping(hands: Any) -> None:
    heard: list[bool] = []
    hands.desk.studio.following_changed.connect(heard.append)
    follow_some(hands)
    frame = hands.desk.view.frame_index
    hands.click(33, 45)
    hands.qtbot.waitUntil(lambda: not hands.desk.studio.waiting)
    assert hands.desk.studio.following and heard == [True]
    assert hands.desk.studio.session.preview(frame)[1][33, 45]
    is_shown(hands)
    assert heard == [True, False] and all(frame.any() for frame in hands.desk.scene.labels[5:20])


def test_3d_is_drawn_when_nothing_follows_any_more(hands: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, studio, drawn = hands.desk.scene, hands.desk.studio, list[bool]()
    hands.desk.view.show("3D")
    hands.qtbot.waitUntil(lambda: hands.desk.view.is_3d)
    hands.qtbot.wait(2 * SIDE_PLANE_MS)
    redraw = scene.redraw
    monkeypatch.setattr(scene, "redraw", lambda: (drawn.append(studio.following), redraw()))
    studio.follow()
    hands.settle()
    hands.qtbot.waitUntil(lambda: bool(drawn))
    assert drawn == [False] and all(frame.any() for frame in scene.labels[5:20])


# closing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def at_work(
    open_dock: Lay, make_napari_viewer: Any, volume: Clip, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """A function that opens the plugin beside a clip, on which it goes to work; what it returns nobody else holds."""
    monkeypatch.setattr("napari_vost.session.Session", partial(Session, model=SlowNetwork()))

    def at_work() -> Any:
        viewer = make_napari_viewer(show=True)
        data, options = image_layer(volume, "clip")
        viewer.add_image(data, **options)
        dock = open_dock(viewer=viewer)
        qtbot.waitUntil(lambda: dock.desk is not None)
        return dock

    return at_work


@pytest.mark.parametrize("how", ["cross", "removed", "window", "viewer"])
def test_closing_in_the_middle_of_a_run_ends_every_thread_and_loses_nothing(at_work: Lay, qtbot: Any, how: str) -> None:
    dock = at_work()
    hands = Hands(dock.viewer, dock.desk, qtbot)
    begin(hands)
    qtbot.waitUntil(lambda: dock.studio.autosave is not None)
    path = dock.studio.autosave.path
    follow_some(hands)
    viewer, session = dock.viewer, dock.studio.session
    if how == "cross":
        dock.parent().title.close_button.click()
    elif how == "removed":
        viewer.window.remove_dock_widget(dock)
    elif how == "window":
        viewer.window.close()
    else:
        viewer.close()
    qtbot.waitUntil(lambda: not our_threads(), timeout=5000)
    saved = Session.load(path, source=session.clip, model=BrightNetwork())
    assert dict(saved.ledger.kept) == dict(session.ledger.kept) and len(saved.ledger.kept) >= 4
    assert saved.prompts == session.prompts
    if how in ("cross", "removed"):
        assert [one.name for one in viewer.layers] == ["clip"]
        hands.key(Qt.Key.Key_F)  # nobody listens any more
        viewer.dims.set_point(0, 10.0)


def test_the_image_is_deleted_in_the_middle_of_a_run(at_work: Lay, qtbot: Any) -> None:
    dock = at_work()
    hands = Hands(dock.viewer, dock.desk, qtbot)
    begin(hands)
    follow_some(hands)
    session = dock.studio.session
    dock.viewer.layers.remove(dock.desk.scene.image)
    assert dock.desk is None and dock.studio.session is None and dock.pages.currentWidget() is dock.start
    qtbot.waitUntil(lambda: session.following is None)
    qtbot.wait(100)
    assert len(dock.viewer.layers) == 0


@pytest.mark.parametrize("kind", [Labels, Shapes, Points, None])
def test_a_layer_of_ours_is_deleted_in_the_middle_of_a_run_and_is_back(hands: Any, kind: type | None) -> None:
    """None: all of them at once, as Ctrl+A and Delete in the layer list do."""
    follow_some(hands)
    hands.desk.look.fill.setValue(77)
    for layer in list(hands.desk.scene.layers):
        if kind is None or isinstance(layer, kind):
            hands.viewer.layers.remove(layer)
    hands.qtbot.waitUntil(lambda: all(layer in hands.viewer.layers for layer in hands.desk.scene.layers))
    assert sum(isinstance(layer, (Labels, Shapes, Points)) for layer in hands.viewer.layers) == 3
    assert len(hands.desk.scene.prompts.data) == 1 and "put back" in " ".join(hands.said)
    assert hands.desk.studio.following
    is_shown(hands)
    assert hands.desk.scene.masks.opacity == pytest.approx(0.77)
    hands.viewer.layers.selection.active = hands.desk.scene.prompts
    hands.key(Qt.Key.Key_P)
    hands.click(34, 46)
    hands.settle()
    assert len(hands.desk.studio.session.prompts) == 2  # keys and clicks work on the layers that came back
    hands.desk.scene.masks.scale = (9.0, 9.0, 9.0)
    assert tuple(hands.desk.scene.masks.scale) == (2.0, 1.0, 1.0)  # and these lie where they belong, too


# other clips -----------------------------------------------------------------------------------------------------


def test_a_second_clip_of_another_geometry_leaves_frames_clicks_and_masks_where_they_are(hands: Any) -> None:
    other = hands.viewer.add_image(np.zeros((7, 33, 90), np.uint8), scale=(0.7, 3.0, 0.5), translate=(-9.0, 4.0, 2.0))
    assert hands.desk.tools.tool is None and hands.desk.view.frame_index == 12
    hands.viewer.layers.selection.active = hands.desk.scene.prompts
    hands.desk.tools.arm("point")
    seen = []
    for _ in range(4):
        hands.wheel(-1)
        seen.append(hands.desk.view.frame_index)
    assert seen == [13, 14, 15, 16]
    hands.desk.view.fit()
    hands.qtbot.wait(30)
    hands.click(33, 44)
    hands.settle()
    second = hands.desk.studio.session.prompts[1]
    assert (second.frame_index, round(second.y), round(second.x)) == (16, 33, 44)
    follow_some(hands)
    hands.viewer.layers.remove(other)
    is_shown(hands)


def test_a_4d_image_and_a_flat_one_beside_the_clip(hands: Any) -> None:
    hands.viewer.add_image(np.zeros((3, 24, 64, 72), np.uint8), scale=(1, 2.0, 1.0, 1.0))
    hands.viewer.add_image(np.zeros((50, 50), np.uint8))
    hands.viewer.layers.selection.active = hands.desk.scene.prompts
    hands.desk.tools.arm("point")
    hands.desk.view.go_to(14)
    hands.click(33, 44)
    hands.settle()
    second = hands.desk.studio.session.prompts[1]
    assert (second.frame_index, round(second.y), round(second.x)) == (14, 33, 44)
    hands.key(Qt.Key.Key_F)
    is_shown(hands)


@pytest.mark.parametrize("shape", [(100, 64, 72), (4, 30, 64, 72)])
def test_the_frame_stays_when_a_layer_in_pixels_comes_and_goes(hands: Any, shape: tuple[int, ...]) -> None:
    for frame in (12, 5):
        hands.desk.view.go_to(frame)
        other = hands.viewer.add_image(np.zeros(shape, np.uint8))
        hands.qtbot.wait(50)
        assert hands.desk.view.frame_index == frame
        hands.viewer.layers.remove(other)
        hands.qtbot.wait(50)
        assert hands.desk.view.frame_index == frame
        hands.viewer.layers.selection.active = hands.desk.scene.prompts
        hands.wheel(-1)
        assert hands.desk.view.frame_index == frame + 1


# storms ----------------------------------------------------------------------------------------------------------


def test_storms_of_undos_and_redos_are_the_same_label_map(hands: Any) -> None:
    rng = np.random.default_rng(0)
    for number in range(50):
        hands.desk.view.go_to(int(rng.integers(6, 18)))
        hands.click(int(rng.integers(22, 38)), int(rng.integers(30, 50)))
        if number % 20 == 10:
            hands.key(Qt.Key.Key_F)
    is_shown(hands)
    before = hands.desk.studio.session.label_map(dense=True)
    prompts = hands.desk.studio.session.prompts
    steps = len(hands.desk.studio.session.ledger.done)
    assert steps > 50
    for _ in range(steps):  # more than there are to take: what a click changed elsewhere goes with it
        hands.key(Qt.Key.Key_Z, CONTROL)
    is_shown(hands)
    assert not hands.desk.studio.session.ledger.done and not hands.desk.scene.masks.data.any()
    for _ in range(steps):
        hands.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    is_shown(hands)
    assert np.array_equal(hands.desk.studio.session.label_map(dense=True), before)
    assert hands.desk.studio.session.prompts == prompts


def test_undo_redo_follow_and_clicks_all_at_once_end_in_what_the_session_holds(hands: Any) -> None:
    rng = np.random.default_rng(3)
    keys = [(Qt.Key.Key_Z, CONTROL)] * 4 + [(Qt.Key.Key_Z, CONTROL | SHIFT)] * 3 + [(Qt.Key.Key_F,)] * 2
    for _ in range(100):
        if rng.random() < 0.3:
            hands.click(int(rng.integers(22, 38)), int(rng.integers(30, 50)))
        else:
            hands.key(*keys[rng.integers(len(keys))])
        if rng.random() < 0.3:
            hands.wheel(float(rng.choice([-1, 1])))
        if rng.random() < 0.2:
            hands.qtbot.wait(60)
    is_shown(hands)
    studio = hands.desk.studio
    assert studio.waiting == () and not studio.following
    assert not [one for one in hands.said if "went wrong" in one]
    assert len(hands.desk.scene.prompts.data) == len(studio.session.prompts)


# the GUI thread --------------------------------------------------------------------------------------------------


class Beats:
    """What the window does between two beats of a timer of 5 ms: how much it works, and how far the engine gets.

    Neither is a time by the clock, which depends on what else a machine has to do.
    """

    def __init__(self, frames: Callable[[], int]) -> None:
        self._frames, self._before = frames, (time.thread_time(), frames())
        self.work_s: list[float] = []
        self.frames: list[int] = []
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=5)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.thread_time(), self._frames()
        self.work_s.append(now[0] - self._before[0])
        self.frames.append(now[1] - self._before[1])
        self._before = now

    def stop(self) -> None:
        self._timer.stop()


def test_nothing_blocks_the_window_while_frames_are_followed_and_one_scrolls(lay_desk: Lay, qtbot: Any) -> None:
    frames = np.zeros((120, 256, 256), np.uint8)
    y, x = np.mgrid[0:256, 0:256]
    frames[:] = ((y - 128) ** 2 + (x - 128) ** 2 < 2500) * 200
    hands = lay_desk(Clip.from_array(frames, (2.0, 1.0, 1.0)), "vost-nano")
    hands.desk.view.go_to(20)
    hands.desk.tools.arm("point")
    hands.click(128, 128)
    hands.settle()
    kept = hands.desk.studio.session.ledger.kept

    def scroll(go_on: Callable[[int], bool]) -> Beats:
        beats, step = Beats(lambda: len(kept)), 0
        while go_on(step):
            hands.wheel(-1 if step // 50 % 2 else 1)
            qtbot.wait(30)
            step += 1
        beats.stop()
        return beats

    at_rest = scroll(lambda step: step < 40)
    hands.key(Qt.Key.Key_F)
    while_following = scroll(lambda _: hands.desk.studio.following)
    assert sum(while_following.frames) > 20
    assert max(while_following.frames) <= MOST_FRAMES  # a window that waits for a run hears of all of them at once
    assert max(while_following.work_s) < MORE_WORK * max(at_rest.work_s)
    is_shown(hands)


def test_twenty_thousand_news_of_progress_cost_no_reference_of_none(hands: Any) -> None:
    studio, heard = hands.desk.studio, 0

    def hear(_: Progress) -> None:
        nonlocal heard
        heard += 1

    def news(count: int) -> None:
        for done in range(count):
            studio.jobs.tell(partial(studio.progressed.emit, Progress(done % 24, 24, 1.0)))

    def tell(count: int) -> int:
        """Have another thread tell the news, as the engine's does; references of None afterwards."""
        nonlocal heard
        heard = 0
        teller = threading.Thread(target=news, args=(count,))
        teller.start()
        hands.qtbot.waitUntil(lambda: heard == count, timeout=120_000)
        teller.join()
        gc.collect()
        return sys.getrefcount(None)

    studio.progressed.connect(hear)
    tell(500)
    before = sys.getrefcount(None)
    after = tell(20_000)
    studio.progressed.disconnect(hear)
    assert abs(after - before) < 2000, f"{before} references of None became {after}"
