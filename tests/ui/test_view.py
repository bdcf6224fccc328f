"""Planes of a clip in a real window: the right way up and round, on the right frame, and nothing left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy

from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.ui.letters import Letters
from napari_vost.ui.view import PlaneView
from tests.display.patients import ORDERS, places, rotation, turned
from tests.ui.looking import add_clip, held_by, right_marked, seen_from

pytestmark = pytest.mark.gui

UPRIGHT = turned((2, 1, 0), (1, 1, 1))
# Where a corner of the patient's right, front and top lies: (screen side of right or front, of front or top).
SIDES = {"Axial": ("R", "A"), "Coronal": ("R", "S"), "Sagittal": ("A", "S")}


def red_centre(viewer: Any) -> tuple[float, float]:
    """Centre of the red mark on a screenshot, from (-1, -1) at the top left to (1, 1) at the bottom right."""
    shot = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    rows, columns = np.nonzero((shot[..., 0] > 150) & (shot[..., 1] < 60))
    assert len(rows) > 100, "the mark is not on the screen"
    return 2 * rows.mean() / shot.shape[0] - 1, 2 * columns.mean() / shot.shape[1] - 1


@pytest.mark.parametrize("axes", sorted({axes for axes, _ in ORDERS}))
def test_mark_letter_and_laterality_agree_in_every_plane_and_convention(
    make_napari_viewer: Any, axes: tuple[int, ...]
) -> None:
    viewer = make_napari_viewer(show=True)
    some = [(1, -1, 1), (-1, 1, 1)]  # tests of the display know all of them in every order
    for signs in [signs for one, signs in ORDERS if one == axes and (axes == (2, 1, 0) or signs in some)]:
        clip = right_marked(turned(axes, signs))
        marked = np.argwhere(np.asarray(clip.frames.array) == 200)
        assert places(clip)[tuple(marked.T)][:, 0].mean() < places(clip)[..., 0].mean()  # patient right, as exported
        image = add_clip(viewer, clip, colormap="red")
        view = PlaneView(viewer, clip, image)
        letters = Letters(viewer, clip, view)
        for convention in ("radiological", "neurological"):
            view.set_convention(convention)
            for plane, (across, upright) in SIDES.items():
                view.show(plane)
                view.world.go_to(dict(enumerate(map(round, marked.mean(axis=0)))))
                down, right = red_centre(viewer)
                side = "right" if right > 0 else "left"
                assert abs(right) > 0.1 and down < -0.1, (signs, plane, convention)
                assert viewer.canvas.overlays[f"napari-vost {side}"].text == across, (signs, plane, convention)
                assert viewer.canvas.overlays["napari-vost top"].text == upright, (signs, plane, convention)
                on_left = plane == "Sagittal" or convention == "radiological"  # the nose is left in both
                assert (side == "left") == on_left, (signs, plane, convention)
        letters.close()
        view.close()
        viewer.layers.remove(image)


def test_3d_is_seen_from_the_front_with_the_head_up(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    for axes, signs in (((2, 1, 0), (1, 1, 1)), ((0, 2, 1), (-1, 1, -1)), ((1, 2, 0), (1, -1, -1))):
        clip = right_marked(turned(axes, signs))
        image = add_clip(viewer, clip, colormap="red")
        view = PlaneView(viewer, clip, image)
        view.show("3D")
        for convention, side in (("radiological", -1), ("neurological", 1)):
            view.set_convention(convention)
            down, right = red_centre(viewer)
            assert down < -0.1 and right * side > 0.1, (axes, signs, convention)
        view.close()
        viewer.layers.remove(image)


def test_3d_and_back_keeps_frame_zoom_and_centre(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    said: list[str] = []
    view.entered_3d.connect(lambda: said.append("in"))
    view.left_3d.connect(lambda: said.append("out"))
    view.go_to(6)
    camera = viewer.scene.camera
    camera.zoom, camera.center = 17.5, (47.0, -9.0)
    qtbot.wait(50)
    before = (view.frame_index, seen_from(viewer), viewer.dims.point)
    view.show("3D")
    assert viewer.dims.ndisplay == 3 and said == ["in"] and view.frame_index == 6
    camera.zoom, camera.center, camera.angles = 3.0, (1.0, 2.0, 3.0), (20.0, 30.0, 40.0)
    qtbot.wait(50)
    view.show("Axial")
    qtbot.wait(50)
    assert said == ["in", "out"]
    assert (view.frame_index, seen_from(viewer), viewer.dims.point) == before
    view.show("3D")
    assert np.allclose((camera.zoom, *camera.angles), (3.0, 20.0, 30.0, 40.0))  # each as it was left


def test_napari_s_own_3d_button_does_the_same(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    view.go_to(6)
    camera = viewer.scene.camera
    camera.zoom, camera.center = 17.5, (47.0, -9.0)
    qtbot.wait(50)
    before = (view.frame_index, seen_from(viewer))
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: view.plane == "3D")
    camera.center = (1.0, 2.0, 3.0)
    qtbot.wait(50)
    viewer.dims.ndisplay = 2
    qtbot.waitUntil(lambda: view.plane == "Axial")
    qtbot.wait(50)
    assert (view.frame_index, seen_from(viewer)) == before


def test_rolled_or_transposed_by_napari_a_plane_stays_the_right_way_up(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    viewer.dims.roll()
    qtbot.waitUntil(lambda: view.plane == "Sagittal")
    assert viewer.dims.order == (2, 0, 1)
    viewer.dims.transpose()
    qtbot.waitUntil(lambda: viewer.dims.order == (2, 0, 1))


def test_beside_layers_with_other_steps_axes_and_units_a_step_is_one_frame(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    image = add_clip(viewer, clip)
    view = PlaneView(viewer, clip, image)
    others = {
        "finer": {"data": np.zeros((300, 9, 9)), "scale": (0.1, 1, 1), "translate": (-150, 0, 0), "units": "mm"},
        "in µm": {"data": np.zeros((30, 9, 9)), "scale": (300, 9, 9), "units": "um"},
        "4D": {"data": np.zeros((3, 9, 9, 9)), "units": "mm"},
        "no units": {"data": np.zeros((30, 9, 9)), "scale": (0.3, 1, 1)},
    }
    for name, options in others.items():
        viewer.add_image(name=name, contrast_limits=(0, 1), **options)
        view.go_to(2)
        for expected in (3, 4, 5):
            view.step(1)
            assert view.frame_index == expected, name
            shown = image._data_slice.point[0]
            assert round(float(shown)) == expected, name
        view.step(100)
        assert view.frame_index == len(clip) - 1, name
        assert viewer.dims.order[-3:] == tuple(axis + viewer.dims.ndim - 3 for axis in (0, 1, 2)), name
        viewer.layers.remove(name)
    assert view.frame_index == len(clip) - 1


def test_a_step_across_the_frames_goes_through_the_shown_plane(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    view.show("Coronal")
    frame_index, y, x = view.world.indices
    view.step(3)
    assert view.world.indices == (frame_index, y + 3, x)
    view.show("3D")
    view.step(3)
    assert view.world.indices == (frame_index, y + 3, x)


def test_changed_says_each_change_of_what_is_shown_once(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    said: list[tuple[str, int]] = []
    view.go_to(0)
    view.changed.connect(lambda: said.append((view.plane, view.frame_index)))
    view.go_to(3)
    view.go_to(3)
    viewer.dims.set_point(0, view.world._grid.world_of_frame(5))  # as the slider does
    view.show("Coronal")
    view.set_convention("neurological")
    assert said == [("Axial", 3), ("Axial", 5), ("Coronal", 5), ("Coronal", 5)]


def test_closing_gives_the_viewer_back_as_it_was(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(turned((0, 2, 1), (-1, 1, 1)))
    image = add_clip(viewer, clip)
    qtbot.wait(50)
    before = held_by(viewer)
    for last in ("Axial", "3D", "Sagittal"):
        view = PlaneView(viewer, clip, image)
        view.guard_layers([image])
        view.set_convention("neurological")
        view.show(last)
        view.close()
        qtbot.wait(50)
        after = held_by(viewer)
        assert {name: after[name] for name in after if after[name] != before[name]} == {}, last


def test_it_works_through_the_proxy_that_a_plugin_is_given(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    add_clip(viewer, clip)
    proxy = PublicOnlyProxy(viewer)
    view = PlaneView(proxy, clip, proxy.layers[0])
    letters = Letters(proxy, clip, view)
    for plane in view.planes:
        view.show(plane)
        assert view.plane == plane
    view.show("Axial")
    view.guard_layers(proxy.layers)
    view.step(1)
    letters.close()
    view.close()


def test_an_emptied_viewer_harms_nothing(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    view.go_to(4)
    viewer.layers.clear()
    view.step(1)
    assert view.frame_index == 4
    view.close()


def test_a_cine_has_one_plane_and_an_unknown_plane_is_refused(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = Clip.from_array(np.zeros((5, 6, 7), np.uint8), order="time")
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    assert view.planes == ("Frame",) and view.shows_frames
    with pytest.raises(InputError, match="this clip has Frame"):
        view.show("Coronal")
    with pytest.raises(InputError, match="radiological"):
        view.set_convention("surgical")  # type: ignore[arg-type]


def test_an_oblique_plane_says_so(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(rotation(0, 18.0) @ UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    assert view.titled("Axial") == "Axial, oblique 18°"
