"""What a window knows of its engine: what it is made of, how fast it is, and what happens where memory runs out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_vost.clip import Clip, Window
from napari_vost.contracts import ImageFeatures
from napari_vost.paths import state_folder
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork
from napari_vost.types import PointPrompt

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui


class Counting(BrightNetwork):
    """It counts the images that it has seen; on another device than the CPU it has no memory."""

    def __init__(self) -> None:
        super().__init__()
        self.seen, self.place = 0, torch.device("cpu")
        owner = self

        class Module(nn.Module):
            def to(self, device: Any) -> Module:  # type: ignore[override]  # the one form that is used
                owner.place = torch.device(device)
                return self

        self._moved = Module()

    @property
    def device(self) -> torch.device:
        return self.place

    def module(self) -> nn.Module:
        return self._moved

    def see(self, images: Tensor) -> ImageFeatures:
        if self.place.type != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        self.seen += len(images)
        return super().see(images)


@pytest.fixture
def enter(qtbot: Any) -> Iterator[Callable[[Clip, Any], Any]]:
    """A function from a clip and a network to the room of a studio."""
    from napari_vost.ui.engine_room import EngineRoom
    from napari_vost.ui.studio import Studio

    rooms = []

    def enter(clip: Clip, network: Any) -> Any:
        studio = Studio()
        studio.open(Session(clip, network))
        room = EngineRoom(studio)
        room.said = []
        studio.said.connect(room.said.append)
        studio.failed.connect(room.said.append)
        rooms.append(room)
        qtbot.waitUntil(lambda: room.facts is not None and not studio.jobs.busy, timeout=30_000)
        return room

    yield enter
    for room in rooms:
        room.close_down()
        room.studio.end()


def settle(room: Any, qtbot: Any) -> None:
    studio = room.studio
    qtbot.waitUntil(lambda: not (studio.jobs.busy or studio.waiting or studio.following), timeout=30_000)
    qtbot.wait(30)


def test_it_tells_what_the_engine_is_made_of_and_why(enter: Any, volume: Clip) -> None:
    facts = enter(volume, BrightNetwork()).facts
    assert facts.model == "bright" and facts.device.startswith("cpu")
    assert (facts.chosen.memory, facts.chosen.motion) == ("quality", "none")
    assert "volume" in facts.chosen.memory_reason and facts.problem == ""
    assert facts.policies[0] == facts.priors[0] == "auto" and "cpu" in facts.devices


def test_without_an_engine_it_says_why(enter: Any, volume: Clip, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("NAPARI_VOST_CACHE", str(tmp_path))
    facts = enter(volume, "sam2.1-tiny").facts
    assert facts.model == "sam2.1-tiny" and "was not accepted" in facts.problem and facts.device == ""


def test_a_speed_is_measured_while_frames_are_followed_and_known_the_next_time(
    enter: Any, volume: Clip, qtbot: Any
) -> None:
    room = enter(volume, BrightNetwork())
    assert room.follow_ms("bright") is None and room.follow_s(24) is None
    room.studio.add(PointPrompt(12, 1, 30, 40))
    room.studio.follow()
    settle(room, qtbot)
    ms = room.follow_ms("bright")
    assert ms is not None and 0 < ms < 5000
    assert room.follow_s(200) == pytest.approx(ms / 5)
    qtbot.waitUntil(lambda: (state_folder() / "speeds.json").exists())
    table = json.loads((state_folder() / "speeds.json").read_text())
    assert table[f"bright on {room.facts.device}"]["follow_ms"] == ms
    assert enter(volume, BrightNetwork()).follow_ms("bright") == ms


def test_frames_that_were_seen_ahead_say_what_seeing_costs(enter: Any, volume: Clip, qtbot: Any) -> None:
    network = Counting()
    room = enter(volume, network)
    qtbot.waitUntil(lambda: network.seen == len(volume), timeout=30_000)
    assert room.see_s(24) > 0
    assert room.see_s(240) == pytest.approx(10 * room.see_s(24))


def test_other_parts_keep_marks_and_masks_and_tell_that_one_may_follow_again(
    enter: Any, volume: Clip, qtbot: Any
) -> None:
    room = enter(volume, BrightNetwork())
    room.studio.add(PointPrompt(12, 1, 30, 40))
    settle(room, qtbot)
    mask = room.studio.session.preview(12)[1]
    room.use({"memory": "tiered"}, "One moment …")
    settle(room, qtbot)
    assert room.facts.chosen.memory == "tiered" and "follow again" in room.said[-1]
    assert np.array_equal(room.studio.session.preview(12)[1], mask)


def test_what_cannot_be_used_is_one_sentence_and_nothing_changes(enter: Any, volume: Clip, qtbot: Any) -> None:
    room = enter(volume, BrightNetwork())
    busy: list[str] = []
    room.busy_changed.connect(busy.append)
    room.use({"memory": "tree"}, "One moment …")
    settle(room, qtbot)
    assert "needs 2 or more" in room.said[-1] and room.facts.options.memory == "auto"
    assert busy == ["One moment …", ""]


def test_a_click_and_a_run_on_a_device_without_memory_go_on_on_the_cpu(enter: Any, volume: Clip, qtbot: Any) -> None:
    network = Counting()
    room = enter(volume, network)
    studio = room.studio
    studio.add(PointPrompt(12, 1, 30, 40))
    settle(room, qtbot)
    for work in (studio.follow, lambda: studio.add(PointPrompt(8, 1, 30, 40))):
        network.place = torch.device("meta")
        room.use({"window": "0:200" if room.facts.options.window == "auto" else "auto"}, "")  # nothing is seen yet
        settle(room, qtbot)
        room.said.clear()
        work()
        settle(room, qtbot)
        assert [words for words in room.said if "ran out of memory" in words and "CPU" in words] == room.said
        assert network.place.type == "cpu"
    assert len(studio.session.prompts) == 2 and studio.session.preview(8)[1][30, 40]
    assert all(studio.session.preview(frame)[1].any() for frame in range(5, 20))


class RunsOut(Counting):
    """Its device has no memory left after so many images."""

    left = -1

    def see(self, images: Tensor) -> ImageFeatures:
        if self.left == 0:
            self.place = torch.device("meta")
        self.left -= 1
        return super().see(images)


def test_a_run_that_goes_on_on_the_cpu_is_one_step_of_undo(enter: Any, volume: Clip, qtbot: Any) -> None:
    network = RunsOut()
    room = enter(volume, network)
    studio = room.studio
    studio.add(PointPrompt(12, 1, 30, 40))
    settle(room, qtbot)
    clicked = dict(studio.session.ledger.kept)
    studio.jobs.submit(lambda: (studio.session.use(window="0:200"), setattr(network, "left", 6)))  # nothing is seen yet
    studio.follow()
    settle(room, qtbot)
    session = studio.session
    assert any("ran out of memory" in words for words in room.said)
    assert [one.name for one in session.ledger.done].count("follow") == 1
    followed = {place: kept.mask for place, kept in session.ledger.kept.items()}
    assert all((1, frame) in followed for frame in range(5, 20))
    studio.undo()
    settle(room, qtbot)
    assert {place: one.mask for place, one in session.ledger.kept.items()} == {
        place: one.mask for place, one in clicked.items()
    }
    studio.redo()
    settle(room, qtbot)
    assert {place: one.mask for place, one in session.ledger.kept.items()} == followed


def test_the_display_never_changes_what_the_network_sees_and_the_button_does(
    lay_desk: Any, volume: Clip, qtbot: Any
) -> None:
    network = Counting()
    hands = lay_desk(volume, network)
    desk = hands.desk
    qtbot.waitUntil(lambda: network.seen == len(volume) and bool(desk.windowing.presets), timeout=30_000)
    for low, high in ((0, 100), (50, 60), (-10, 300)):
        desk.scene.image.contrast_limits = (low, high)
        hands.click(30, 40)
        hands.settle()
    assert network.seen == len(volume)
    desk.windowing.apply(Window(20.0, 180.0))
    assert desk.seen.button.isEnabled() and desk.seen.line.text().startswith("24 frames are seen anew: about ")
    qtbot.mouseClick(desk.seen.button, hands_button())
    hands.settle()
    assert desk.studio.session.engine.window == Window(20.0, 180.0, "20.0:180.0")
    qtbot.waitUntil(lambda: network.seen == 2 * len(volume), timeout=30_000)
    assert not desk.seen.button.isEnabled() and desk.seen.automatic.isVisible()
    qtbot.mouseClick(desk.seen.automatic, hands_button())
    hands.settle()
    assert desk.studio.session.engine.window is None and not desk.seen.automatic.isVisible()


def hands_button() -> Any:
    from qtpy.QtCore import Qt

    return Qt.MouseButton.LeftButton
