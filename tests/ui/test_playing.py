"""A cine plays at the file's frame times, in a loop, and leaves frames out rather than slow down."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.ui.playing import Player
from napari_vost.ui.view import PlaneView
from tests.ui.looking import add_clip

pytestmark = pytest.mark.gui

STEP_S = 0.05


def playing(viewer: Any, frames: int = 12) -> tuple[PlaneView, Player]:
    film = np.zeros((frames, 8, 9), np.uint8)
    clip = Clip.from_array(film, order="time", frame_times_s=tuple(np.arange(frames) * STEP_S))
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    view.go_to(0)
    return view, Player(view, clip)


def test_the_frame_shown_is_the_one_that_is_due_whatever_it_costs(make_napari_viewer: Any, qtbot: Any) -> None:
    view, player = playing(make_napari_viewer(show=True))
    late: list[int] = []
    began = time.perf_counter()

    def costly() -> None:
        due = int((time.perf_counter() - began) / STEP_S) % 12
        late.append((due - view.frame_index) % 12)
        time.sleep(2.5 * STEP_S)  # drawing takes longer than a frame stays

    view.changed.connect(costly)
    player.toggle()
    assert player.playing
    qtbot.waitUntil(lambda: len(late) > 8, timeout=10000)  # more than once round
    player.toggle()
    assert not player.playing and max(late) <= 1


def test_it_plays_round_and_stops_where_it_is(make_napari_viewer: Any, qtbot: Any) -> None:
    view, player = playing(make_napari_viewer(show=True), frames=3)
    seen: list[int] = []
    said: list[bool] = []
    view.changed.connect(lambda: seen.append(view.frame_index))
    player.playing_changed.connect(said.append)
    player.toggle()
    qtbot.waitUntil(lambda: seen.count(0) >= 2)
    player.toggle()
    at = view.frame_index
    qtbot.wait(200)
    assert view.frame_index == at and said == [True, False] and set(seen) == {0, 1, 2}


def test_stepping_by_hand_stops_it(make_napari_viewer: Any, qtbot: Any) -> None:
    view, player = playing(make_napari_viewer(show=True))
    player.toggle()
    qtbot.waitUntil(lambda: view.frame_index == 2)
    view.go_to(9)
    qtbot.waitUntil(lambda: not player.playing)
    assert view.frame_index == 9


def test_closed_it_plays_no_more(make_napari_viewer: Any, qtbot: Any) -> None:
    view, player = playing(make_napari_viewer(show=True))
    player.toggle()
    player.close()
    at = view.frame_index
    qtbot.wait(200)
    assert view.frame_index == at and not player.playing


def test_what_shows_no_frames_does_not_play(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = Clip.from_array(np.zeros((4, 8, 9), np.uint8))
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    view.show("3D")
    player = Player(view, clip)
    player.toggle()
    assert not player.playing
