"""Every key is learned from a button, and the button does the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from napari_vost.clip import Clip
from napari_vost.ui.keys import HELD, KEYS, key_of
from tests.ui.test_correcting import Lay

pytestmark = pytest.mark.gui

WITHOUT = ("escape", "pan", "previous_frame", "next_frame")  # the mouse's own: a wheel, a middle button


def test_every_key_stands_on_a_button(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(replace(volume, order="time"))
    shown = {one.text().split("  ")[-1] for one in hands.desk.findChildren(QPushButton)}
    wanted = {key_of(one.action) for one in (*KEYS, *HELD) if one.action not in WITHOUT}
    assert wanted - shown == {f"Ctrl+{number}" for number in range(1, 10)}
    assert "Ctrl+1 to Ctrl+9" in hands.desk.going.buttons["next_object"].toolTip()


def test_its_buttons_go_where_their_keys_go(followed: Any) -> None:
    desk, buttons = followed.desk, followed.desk.going.buttons
    went = []
    for action in ("first_frame", "last_frame", "previous_prompted", "back_10", "on_10"):
        buttons[action].click()
        went.append(desk.view.frame_index)
    assert went == [4, 20, 12, 2, 12]


def test_the_image_is_bare_as_long_as_its_button_is_held(followed: Any) -> None:
    bare, masks = followed.desk.going.bare, followed.desk.scene.masks
    QTest.mousePress(bare, Qt.MouseButton.LeftButton)
    assert not masks.visible
    QTest.mouseRelease(bare, Qt.MouseButton.LeftButton)
    assert masks.visible
