"""Shift + left drag with real Qt events, presets from another thread, and what must not happen meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QToolTip

from napari_vost.clip import Clip, Window
from napari_vost.display.windows import presets
from napari_vost.errors import InputError
from napari_vost.ui import windowing as module
from napari_vost.ui.layers import grid_options
from napari_vost.ui.view import PlaneView
from napari_vost.ui.windowing import Windowing, moved, said
from tests.display.patients import turned
from tests.ui.looking import SHAPE, add_clip, clip_of_values, drag, held_by, middle, seen_from

SHIFT, NONE = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
VALUES = np.random.default_rng(0).integers(-900, 900, SHAPE).astype(np.int16)
OPEN = Window(-160.0, 240.0)


def ct() -> Clip:
    return clip_of_values(VALUES, turned((2, 1, 0), (1, 1, 1)), modality="CT")


def right(viewer: Any, by: float, down: float = 0.0) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = middle(viewer)
    return (x, y), (x + by, y + down)


def test_right_widens_and_up_brightens() -> None:
    assert moved(OPEN, 0, 0) == OPEN
    wide, narrow = moved(OPEN, 150, 0), moved(OPEN, -150, 0)
    assert (wide.low, wide.high) == (-360, 440) and (narrow.low, narrow.high) == (-60, 140)
    up = moved(OPEN, 0, -50)
    assert up.high - up.low == 400 and up.low < OPEN.low  # the same value is nearer to white
    far = moved(OPEN, -1e6, 0)
    assert far.low < far.high


def test_a_window_is_said_with_the_digits_it_needs() -> None:
    assert said(OPEN) == "W 400  L 40"
    assert said(Window(-0.5, 0.25)) == "W 0.750  L −0.125"


@pytest.mark.gui
@pytest.mark.parametrize("plane", ["Axial", "3D"])
def test_shift_drag_changes_the_window_and_nothing_else(make_napari_viewer: Any, qtbot: Any, plane: str) -> None:
    viewer = make_napari_viewer(show=True)
    clip = ct()
    image = add_clip(viewer, clip, OPEN)
    view = PlaneView(viewer, clip, image)
    view.show(plane)
    windowing = Windowing(viewer, clip, image)
    told: list[Window] = []
    windowing.changed.connect(told.append)
    qtbot.wait(50)
    before = seen_from(viewer), viewer.dims.point
    drag(viewer, qtbot, *right(viewer, 75, -50), SHIFT)
    assert tuple(image.contrast_limits) == pytest.approx(
        (moved(OPEN, 75, -50).low, moved(OPEN, 75, -50).high), abs=1e-3
    )
    assert (seen_from(viewer), viewer.dims.point) == before
    assert told and told[-1] == windowing.window
    windowing.close()


@pytest.mark.gui
def test_the_values_stand_beside_the_cursor_while_dragging(
    make_napari_viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = make_napari_viewer(show=True)
    clip = ct()
    windowing = Windowing(viewer, clip, add_clip(viewer, clip, OPEN))
    shown: list[str] = []
    show = QToolTip.showText
    monkeypatch.setattr(module.QToolTip, "showText", lambda place, text: (shown.append(text), show(place, text)))
    drag(viewer, qtbot, *right(viewer, 150), SHIFT)
    assert shown[-1] == "W 800  L 40"
    qtbot.waitUntil(lambda: not QToolTip.isVisible())
    windowing.close()


@pytest.mark.gui
def test_a_drag_without_shift_pans_as_before(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = ct()
    image = add_clip(viewer, clip, OPEN)
    windowing = Windowing(viewer, clip, image)
    qtbot.wait(50)
    centre = viewer.scene.camera.center
    drag(viewer, qtbot, *right(viewer, 75), NONE)
    qtbot.wait(50)
    assert viewer.scene.camera.center != centre
    assert tuple(image.contrast_limits) == (OPEN.low, OPEN.high)
    windowing.close()


@pytest.mark.gui
def test_masks_are_not_painted_and_prompts_not_added_by_it(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = ct()
    image = add_clip(viewer, clip, OPEN)
    grid = grid_options(clip)
    masks = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="Masks", **grid)
    prompts = viewer.add_points(ndim=3, name="Prompts", **grid)
    windowing = Windowing(viewer, clip, image, ours=lambda layer: layer in (image, masks, prompts))
    for layer, mode in ((masks, "paint"), (prompts, "add")):
        viewer.layers.selection.active = layer
        layer.mode = mode
        before, callbacks = tuple(image.contrast_limits), list(layer.mouse_drag_callbacks)
        marks = int(masks.data.sum()), len(prompts.data)
        drag(viewer, qtbot, *right(viewer, 40), SHIFT)
        assert tuple(image.contrast_limits) != before
        assert (int(masks.data.sum()), len(prompts.data)) == marks
        assert layer.mouse_drag_callbacks == callbacks  # and without Shift the tool goes on
        drag(viewer, qtbot, *right(viewer, 0), NONE)
    assert masks.data.max() == 1 and len(prompts.data) == 1
    windowing.close()


@pytest.mark.gui
def test_the_user_s_own_layers_keep_their_shift_drag(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = ct()
    image = add_clip(viewer, clip, OPEN)
    viewer.add_image(np.zeros((9, 9)), name="mine")
    windowing = Windowing(viewer, clip, image)
    drag(viewer, qtbot, *right(viewer, 40), SHIFT)
    assert tuple(image.contrast_limits) == (OPEN.low, OPEN.high)
    windowing.close()


@pytest.mark.gui
def test_presets_come_from_another_thread_and_name_the_window(
    make_napari_viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[Any] = []
    monkeypatch.setattr(module, "presets", lambda clip: (threads.append(threading.current_thread()), presets(clip))[1])
    viewer = make_napari_viewer(show=True)
    clip = ct()
    windowing = Windowing(viewer, clip, add_clip(viewer, clip, OPEN))
    ready: list[tuple[Window, ...]] = []
    windowing.presets_ready.connect(ready.append)
    qtbot.waitUntil(lambda: bool(ready))
    assert ready[0] == windowing.presets == presets(clip) and threads[0] is not threading.main_thread()
    windowing.apply(ready[0][1])
    assert windowing.window == ready[0][1]
    windowing.apply(Window(-5000.0, 9000.0))  # beyond what napari's slider spanned
    assert windowing.window == Window(-5000.0, 9000.0)
    with pytest.raises(InputError, match="low below high"):
        windowing.apply(Window(1.0, 1.0))
    windowing.close()


@pytest.mark.gui
def test_closed_at_any_time_it_leaves_nothing_behind(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = ct()
    image = add_clip(viewer, clip, OPEN)
    before = held_by(viewer)
    ready: list[Any] = []
    windowing = Windowing(viewer, clip, image)
    windowing.presets_ready.connect(ready.append)
    windowing.close()  # while presets are on their way
    windowing.close()
    qtbot.wait(300)
    assert not ready and held_by(viewer) == before
    drag(viewer, qtbot, *right(viewer, 40), SHIFT)
    assert tuple(image.contrast_limits) == (OPEN.low, OPEN.high)


@pytest.mark.gui
def test_colour_has_no_window(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = Clip.from_array(np.zeros((3, 8, 9, 3), np.uint8), order="time")
    before = add_clip(viewer, clip) and held_by(viewer)
    windowing = Windowing(viewer, clip, viewer.layers[0])
    assert not windowing.available and windowing.presets == () and held_by(viewer) == before
    windowing.close()
