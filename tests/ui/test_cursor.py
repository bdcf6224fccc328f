"""The line under a real mouse on a real canvas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.display.readout import readout
from napari_vost.ui.cursor import Cursor
from napari_vost.ui.view import PlaneView
from tests.display.patients import turned
from tests.ui.looking import SHAPE, add_clip, canvas_of, clip_of_values, held_by, hover, middle

pytestmark = pytest.mark.gui

VALUES = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


def no_object(frame_index: int, y: int, x: int) -> str:
    return ""


def centred(view: PlaneView, viewer: Any, qtbot: Any, frame_index: int, y: int, x: int) -> None:
    """Bring a pixel into the middle of the canvas."""
    view.world.go_to({0: frame_index, 1: y, 2: x})
    viewer.scene.camera.center = tuple(viewer.dims.point[axis] for axis in viewer.dims.displayed)
    qtbot.wait(50)


@pytest.mark.parametrize("plane", ["Axial", "Coronal", "Sagittal"])
@pytest.mark.parametrize("affine", [((2, 1, 0), (1, 1, 1)), ((0, 2, 1), (-1, 1, -1))], ids=["upright", "turned"])
def test_it_says_the_pixel_in_the_middle_in_every_plane(
    make_napari_viewer: Any, qtbot: Any, plane: str, affine: tuple[Any, Any]
) -> None:
    viewer = make_napari_viewer(show=True)
    clip = clip_of_values(VALUES, turned(*affine), modality="CT")
    image = add_clip(viewer, clip)
    view = PlaneView(viewer, clip, image)
    asked: list[tuple[int, int, int]] = []
    cursor = Cursor(viewer, clip, image, view, lambda *place: asked.append(place) or "Pancreas")
    view.show(plane)
    centred(view, viewer, qtbot, 5, 7, 9)
    hover(viewer, qtbot, middle(viewer))
    qtbot.wait(100)
    said = readout(clip, 5, (7, 9), VALUES[5, 7, 9], "Pancreas")
    parts, expected = cursor.text.split(" · "), said.split(" · ")
    assert (parts[0], parts[3], parts[4]) == (expected[0], expected[3], expected[4]), plane
    assert f"{VALUES[5, 7, 9]} HU" == parts[3] and asked[-1] == (5, 7, 9)
    for written, true in zip(parts[1:3], expected[1:3], strict=True):  # within a pixel of the canvas
        numbers = [np.array([float(word) for word in words.replace("−", "-").split() if word[-1].isdigit()])
                   for words in (written, true)]  # fmt: skip
        assert np.abs(numbers[0] - numbers[1]).max() < 0.5, (plane, written, true)
    cursor.close()


def test_beside_the_image_it_says_the_frame_alone(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = clip_of_values(VALUES, turned((2, 1, 0), (1, 1, 1)))
    image = add_clip(viewer, clip)
    view = PlaneView(viewer, clip, image)
    cursor = Cursor(viewer, clip, image, view, no_object)
    assert cursor.text == readout(clip, view.frame_index)  # before the mouse was anywhere
    hover(viewer, qtbot, (3, 3))
    view.show("Coronal")
    view.step(1)
    qtbot.wait(100)
    assert cursor.text == readout(clip, view.frame_index)
    view.show("3D")
    hover(viewer, qtbot, middle(viewer))
    qtbot.wait(100)
    assert cursor.text == readout(clip, view.frame_index)
    cursor.close()


def test_it_follows_the_frame_under_a_resting_mouse(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = clip_of_values(VALUES, turned((2, 1, 0), (1, 1, 1)), modality="CT")
    image = add_clip(viewer, clip)
    view = PlaneView(viewer, clip, image)
    cursor = Cursor(viewer, clip, image, view, no_object)
    said: list[str] = []
    cursor.text_changed.connect(said.append)
    centred(view, viewer, qtbot, 2, 7, 9)
    hover(viewer, qtbot, middle(viewer))
    view.step(1)
    qtbot.waitUntil(lambda: f"{VALUES[3, 7, 9]} HU" in cursor.text)
    assert cursor.text.startswith("Image 4/8") and said[-1] == cursor.text
    cursor.close()


def test_no_frame_is_read_for_it(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = clip_of_values(VALUES, turned((2, 1, 0), (1, 1, 1)), modality="CT")
    image = add_clip(viewer, clip)
    view = PlaneView(viewer, clip, image)
    cursor = Cursor(viewer, clip, image, view, no_object)
    centred(view, viewer, qtbot, 5, 7, 9)
    hover(viewer, qtbot, middle(viewer))
    image.data._kept.clear()
    cursor.refresh()
    assert not image.data.holds(5)
    assert "HU" not in cursor.text and cursor.text.count(" · ") == 2  # image, z and position
    cursor.close()


def test_colour_says_three_numbers_and_a_cine_its_time(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    film = np.full((4, 20, 24, 3), (10, 20, 30), np.uint8)
    clip = Clip.from_array(film, order="time", frame_times_s=(0.0, 0.1, 0.2, 0.3))
    image = add_clip(viewer, clip)
    view = PlaneView(viewer, clip, image)
    cursor = Cursor(viewer, clip, image, view, no_object)
    view.go_to(2)
    hover(viewer, qtbot, middle(viewer))
    qtbot.waitUntil(lambda: "10 20 30" in cursor.text)
    assert cursor.text.startswith("Image 3/4 · 200 ms")
    cursor.close()


def test_closed_it_leaves_nothing_behind(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = clip_of_values(VALUES, turned((2, 1, 0), (1, 1, 1)))
    image = add_clip(viewer, clip)
    view = PlaneView(viewer, clip, image)
    before = held_by(viewer)
    cursor = Cursor(viewer, clip, image, view, no_object)
    view.step(1)
    cursor.close()
    text = cursor.text
    view.step(-1)
    assert held_by(viewer) == before
    hover(viewer, qtbot, middle(viewer))
    qtbot.wait(100)
    assert cursor.text == text and canvas_of(viewer).isVisible()
