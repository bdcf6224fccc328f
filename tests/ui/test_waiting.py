"""A mark whose answer takes its time says how long; nothing runs where nothing waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from napari_vost.clip import Clip
from napari_vost.contracts import ImageFeatures
from napari_vost.testing import BrightNetwork

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui

SLOW_S = 0.9


class Slow(BrightNetwork):
    """It takes its time to see."""

    def __init__(self, takes_s: float = SLOW_S) -> None:
        super().__init__()
        self._takes_s = takes_s

    def see(self, images: Tensor) -> ImageFeatures:
        time.sleep(self._takes_s)
        return super().see(images)


@pytest.fixture
def long_volume(volume: Clip) -> Clip:
    """So long that its ends are not reached while the middle is looked at."""
    return Clip.from_array(np.tile(np.asarray([volume.frame(one) for one in range(len(volume))]), (6, 1, 1)))


def words(hands: Any) -> list[str]:
    """What stands beside the marks."""
    return [str(one).strip() for one in np.atleast_1d(hands.desk.scene.prompts.text.values)]


def go_to(hands: Any, frame: int) -> None:
    hands.desk.tools.arm("point")
    hands.desk.view.go_to(frame)
    hands.qtbot.wait(20)


def test_a_mark_on_a_frame_that_is_not_encoded_counts_down_the_measured_time(
    lay_desk: Callable[..., Any], qtbot: Any, long_volume: Clip
) -> None:
    hands = lay_desk(long_volume, Slow())
    desk = hands.desk
    go_to(hands, 12)
    hands.click(30, 40)
    hands.settle()
    desk.room.answered(False, 2.0)  # what it took before
    assert desk.waiting.clock.isActive() is False and not any(words(hands))
    go_to(hands, 132)
    assert not desk.studio.session.encoded(132), desk.studio.session.engine.features.keys()
    hands.click(30, 40)
    qtbot.waitUntil(lambda: any(words(hands)), timeout=500)
    assert desk.waiting.clock.isActive()
    seen: list[str] = []
    qtbot.waitUntil(lambda: seen.append("".join(words(hands))) or not desk.studio.waiting, timeout=20_000)
    left = list(dict.fromkeys(one for one in seen if one.endswith(" s")))
    assert len(left) >= 3
    numbers = [float(one.removesuffix(" s")) for one in left]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] <= 2.0
    hands.settle()
    assert not desk.waiting.clock.isActive() and not any(words(hands))
    assert len(desk.studio.session.prompts) == 2


@pytest.mark.parametrize("tool", ["box", "scribble"])
def test_a_box_or_a_scribble_that_waits_counts_down_at_a_ring_of_its_own(
    lay_desk: Callable[..., Any], qtbot: Any, long_volume: Clip, tool: str
) -> None:
    hands = lay_desk(long_volume, Slow(2.5))  # longer than it takes to draw
    desk = hands.desk
    go_to(hands, 12)
    hands.click(30, 40)
    hands.settle()
    desk.room.answered(False, 2.0)
    go_to(hands, 132)
    desk.tools.arm(tool)
    hands.drag([(20, 20), (30, 30), (40, 44)])
    assert not desk.studio.session.encoded(132)
    qtbot.waitUntil(lambda: any(words(hands)), timeout=500)
    assert [str(one) for one in desk.scene.prompts.symbol] == ["disc", "ring"]
    assert desk.scene.prompts.data[1][0] == 132
    hands.settle()
    assert len(desk.scene.prompts.data) == 1 and not any(words(hands))
    assert len(desk.studio.session.prompts) == 2


def test_a_wait_is_measured_by_whether_the_frame_was_encoded(
    lay_desk: Callable[..., Any], qtbot: Any, long_volume: Clip
) -> None:
    hands = lay_desk(long_volume, Slow())
    room = hands.desk.room
    go_to(hands, 12)
    qtbot.waitUntil(lambda: hands.desk.studio.session.encoded(12), timeout=20_000)
    hands.click(30, 40)
    hands.settle()
    assert room.answer_s(True) is not None
    room.answered(True, 0.0)
    assert room.answer_s(False) is None or room.answer_s(False) >= SLOW_S * 0.9


def test_marks_that_wait_for_one_another_wait_longer(
    lay_desk: Callable[..., Any], qtbot: Any, long_volume: Clip
) -> None:
    hands = lay_desk(long_volume, Slow())
    go_to(hands, 12)
    hands.click(30, 40)
    hands.settle()
    hands.desk.room.answered(False, 3.0)
    first = hands.desk.room.answer_s(False)
    for frame in (100, 130):
        go_to(hands, frame)
        hands.click(30, 40)
    waits = hands.desk.waiting.left_s()
    assert len(waits) == 2 and waits[1] > waits[0] + 0.5 * first
    hands.settle()
    assert hands.desk.waiting.left_s() == ()


def test_whoever_closes_while_something_waits_counts_no_longer(
    lay_desk: Callable[..., Any], qtbot: Any, long_volume: Clip
) -> None:
    from napari_vost.ui.waiting import Waiting

    hands = lay_desk(long_volume, Slow())
    waiting = Waiting(hands.desk.room, hands.desk.scene)
    go_to(hands, 12)
    hands.click(30, 40)
    assert waiting.clock.isActive()
    waiting.close_down()
    hands.click(34, 40)
    assert not waiting.clock.isActive()
