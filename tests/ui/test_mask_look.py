"""Masks are outlines while one marks and reviews; a slider fills them, and a brush."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari_vost.clip import Clip
from napari_vost.ui.mask_look import FILL_PERCENT, OUTLINE_PX
from tests.ui.test_correcting import Lay

pytestmark = pytest.mark.gui


def looks(hands: Any) -> tuple[int, float]:
    """Of the Masks layer: width of outlines, 0 for none, and opacity."""
    masks = hands.desk.scene.masks
    return masks.contour, pytest.approx(masks.opacity)


def test_masks_are_outlined_and_the_slider_fills_them(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    assert looks(hands) == (OUTLINE_PX, 1.0)
    hands.desk.look.fill.setValue(30)
    assert looks(hands) == (0, 0.3) and not hands.desk.look.outline.isChecked()
    hands.desk.look.outline.click()
    assert looks(hands) == (OUTLINE_PX, 1.0)


def test_under_a_brush_and_in_3d_masks_are_filled_and_then_outlined_again(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    hands.desk.tools.arm("brush")
    assert looks(hands) == (0, FILL_PERCENT / 100)
    hands.desk.tools.arm("point")
    assert looks(hands) == (OUTLINE_PX, 1.0)
    hands.desk.view.show("3D")
    hands.qtbot.waitUntil(lambda: hands.desk.view.is_3d)
    assert looks(hands) == (0, FILL_PERCENT / 100)
    hands.desk.view.show("Frame")
    assert looks(hands) == (OUTLINE_PX, 1.0)


def test_what_the_user_sets_in_napari_stays_from_frame_to_frame(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    hands.desk.scene.masks.opacity = 0.6
    hands.desk.view.step(1)
    assert looks(hands) == (OUTLINE_PX, 0.6)


def test_the_choice_is_remembered(lay_desk: Lay, volume: Clip) -> None:
    first = lay_desk(volume)
    first.desk.look.fill.setValue(20)
    first.desk.look.fill.sliderReleased.emit()
    again = lay_desk(volume, after=first)
    assert looks(again) == (0, 0.2)
