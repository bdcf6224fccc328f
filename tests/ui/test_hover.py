"""Where the cursor rests, a click is answered before it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from napari_vost.clip import Clip
from napari_vost.contracts import Answer, ImageFeatures, PromptTensors
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui


class Counting(BrightNetwork):
    """It counts the clicks that it is asked about, and may take its time."""

    asked = 0
    takes_s = 0.0

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        self.asked += bool(prompts.points_xy.shape[1])
        time.sleep(self.takes_s)
        return super().answer(features, conditioned, prompts, image_row)


@pytest.fixture
def network() -> Counting:
    return Counting()


@pytest.fixture
def hands(lay_desk: Callable[..., Any], volume: Clip, network: Counting) -> Any:
    hands = lay_desk(volume, network)
    hands.desk.tools.arm("point")
    hands.desk.view.go_to(12)
    hands.settle()
    return hands


def rest(hands: Any, y: float, x: float) -> None:
    """Move there, and stay until nothing is done any more."""
    hands.point_at(y, x)
    hands.qtbot.wait(150)
    hands.settle()
    hands.qtbot.wait(500)


def test_where_the_cursor_rests_a_click_is_answered_before_it_comes(
    hands: Any, network: Counting, volume: Clip
) -> None:
    rest(hands, 30, 40)
    asked = network.asked
    assert asked == 1 and hands.desk.studio.prompts == ()
    hands.click(30, 40)
    hands.settle()
    assert network.asked == asked
    (prompt,) = hands.desk.studio.prompts
    alone = Session(volume, BrightNetwork())
    alone.add(prompt)
    assert np.array_equal(hands.desk.studio.session.preview(12)[1], alone.preview(12)[1])


def test_while_frames_are_followed_a_click_is_answered_before_it_comes_too(hands: Any, network: Counting) -> None:
    from tests.ui.hands import RIGHT, Qt

    studio = hands.desk.studio
    hands.click(30, 40)
    hands.settle()
    network.takes_s = 0.15
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: studio.session.following is not None)
    hands.point_at(30, 46)
    hands.qtbot.waitUntil(lambda: network.asked == 2)
    hands.qtbot.wait(300)
    assert studio.following and len(studio.prompts) == 1
    hands.click(30, 46, RIGHT)
    hands.qtbot.waitUntil(lambda: not studio.waiting)
    assert network.asked == 2 and not studio.session.preview(12)[1][30, 46]
    assert studio.following  # it goes on from there
    network.takes_s = 0.0
    hands.settle()


def test_a_click_elsewhere_is_answered_for_its_own_place(hands: Any, network: Counting) -> None:
    rest(hands, 30, 40)
    asked = network.asked
    hands.click(33, 44)
    hands.settle()
    (prompt,) = hands.desk.studio.prompts
    assert network.asked == asked + 1 and round(prompt.y) == 33 and round(prompt.x) == 44


def test_inside_the_mask_a_click_that_removes_is_expected(hands: Any, network: Counting) -> None:
    from tests.ui.hands import RIGHT

    hands.click(30, 40)
    hands.settle()
    rest(hands, 30, 46)
    asked = network.asked
    hands.click(30, 46, RIGHT)
    hands.settle()
    assert network.asked == asked and not hands.desk.studio.session.preview(12)[1][30, 46]


def test_a_cursor_that_stays_while_the_wheel_turns_points_at_the_new_frame(hands: Any, network: Counting) -> None:
    rest(hands, 30, 40)
    hands.desk.view.step(1)
    hands.qtbot.wait(800)
    asked = network.asked
    hands.click(30, 40)
    hands.settle()
    assert network.asked == asked and hands.desk.studio.prompts[0].frame_index == 13


@pytest.mark.parametrize("where", ["beside the image", "on a mark", "with another tool"])
def test_nothing_is_answered_where_no_click_would_ask(hands: Any, network: Counting, where: str) -> None:
    at = (30.0, 40.0)
    if where == "beside the image":
        at = (30.0, -8.0)
    elif where == "on a mark":
        hands.click(*at)
        hands.settle()
    else:
        hands.desk.tools.arm("box")
    hands.qtbot.wait(400)
    asked = network.asked
    rest(hands, *at)
    assert network.asked == asked


def test_a_slow_network_is_asked_ahead_twice_and_then_left_alone(lay_desk: Callable[..., Any], volume: Clip) -> None:
    from napari_vost.ui import ahead

    slow = Counting()
    slow.takes_s = ahead.MOST_S + 0.1
    hands = lay_desk(volume, slow)
    hands.desk.tools.arm("point")
    for x in (36, 40, 44, 48):
        rest(hands, 30, x)
        hands.qtbot.wait(700)
    assert slow.asked == ahead.SLOW
    hands.click(30, 44)
    hands.settle()
    assert slow.asked == ahead.SLOW + 1 and len(hands.desk.studio.prompts) == 1


def test_a_click_that_was_answered_ahead_does_not_count_as_the_time_of_an_answer(hands: Any) -> None:
    room = hands.desk.room
    room.answered(True, 5.0)
    before = room.answer_s(True)
    rest(hands, 30, 40)
    hands.click(30, 40)
    hands.settle()
    assert room.answer_s(True) == before


def test_when_the_desk_is_cleared_nobody_watches_the_cursor(hands: Any) -> None:
    hover, viewer = hands.desk.hover, hands.viewer
    watching = len(viewer.mouse_move_callbacks)
    rest(hands, 30, 40)
    hover.close()
    assert len(viewer.mouse_move_callbacks) == watching - 1 and not hover.clock.isActive()
    hands.desk.view.step(1)
    assert not hover.clock.isActive()
