"""Switches that are remembered: the view that goes along, napari's wheel, and who keeps a pixel."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.paths import state_folder
from napari_vost.types import PointPrompt

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui


def test_the_view_stays_while_following_unless_it_is_to_go_along(lay_desk: Any, volume: Clip) -> None:
    hands = lay_desk(volume)
    desk, studio = hands.desk, hands.desk.studio
    desk.view.go_to(12)
    studio.add(PointPrompt(12, 1, 30, 40))
    studio.follow()
    hands.settle()
    assert desk.view.frame_index == 12
    went: list[int] = []
    desk.settings.go_along.click()
    desk.view.changed.connect(lambda: went.append(desk.view.frame_index))
    studio.follow()
    hands.settle()
    assert went and set(went) - {12} and desk.view.frame_index == went[-1]


def test_napari_has_its_wheel_back_and_that_is_remembered(lay_desk: Any, volume: Clip, qtbot: Any) -> None:
    hands = lay_desk(volume)
    hands.desk.settings.wheel.click()
    frame, zoom = hands.desk.view.frame_index, hands.viewer.scene.camera.zoom
    hands.wheel(1)
    qtbot.waitUntil(lambda: hands.viewer.scene.camera.zoom != zoom)
    assert hands.desk.view.frame_index == frame
    path = state_folder() / "settings.json"
    qtbot.waitUntil(lambda: path.exists() and json.loads(path.read_text()).get("napari's wheel") is True)
    other = lay_desk(volume, after=hands).desk
    assert other.settings.wheel.isChecked() and not other.mouse.wheel_steps
    other.settings.wheel.click()
    assert other.mouse.wheel_steps


def test_one_switch_says_who_keeps_a_pixel_for_brush_and_following_alike(lay_desk: Any, volume: Clip) -> None:
    hands = lay_desk(volume)
    desk, studio = hands.desk, hands.desk.studio
    session, other = studio.session, np.zeros((64, 72), bool)
    other[20:40, 30:38] = True
    assert session.overwrite is True and not desk.scene.masks.preserve_labels  # as napari and most editors have it
    desk.settings.overwrite.click()
    hands.settle()
    assert session.overwrite is False and desk.scene.masks.preserve_labels
    hands.viewer.layers.remove(desk.scene.masks)
    hands.qtbot.wait(50)
    assert desk.scene.masks.preserve_labels  # also on the layers that were put back
    studio.paint({(2, 14): other})
    studio.add(PointPrompt(12, 1, 30, 40))
    hands.settle()
    session.unlock(14, 2)
    studio.follow()
    hands.settle()
    assert np.array_equal(session.preview(14)[2], other) and not (session.preview(14)[1] & other).any()
    desk.settings.overwrite.click()
    hands.settle()
    assert session.overwrite is True and not desk.scene.masks.preserve_labels
    studio.follow()
    hands.settle()
    assert not (session.preview(14)[2] & session.preview(14)[1]).any()


def test_a_brush_that_spares_others_paints_beside_them_and_one_that_overwrites_takes_their_pixels(
    lay_desk: Any, volume: Clip
) -> None:
    hands = lay_desk(volume)
    desk, studio = hands.desk, hands.desk.studio
    desk.view.go_to(12)
    other = np.zeros((64, 72), bool)
    other[10:30, 10:30] = True
    studio.paint({(2, 12): other})
    hands.settle()
    studio.choose(2)
    studio.toggle_lock(12)  # painted masks are locked
    for overwrites, row in ((True, 14), (False, 25)):
        assert desk.settings.overwrite.isChecked() == overwrites
        studio.choose(1)
        desk.tools.arm("brush")
        desk.scene.masks.brush_size = 4
        hands.drag([(row, 20), (row, 45)])
        hands.settle()
        first, second = (studio.session.preview(12)[one] for one in (1, 2))
        assert first[row, 40] and not (first & second).any()
        assert bool(first[row, 20]) == overwrites and bool(second[row, 20]) != overwrites
        desk.settings.overwrite.click()
        hands.settle()
