"""What stands at the edges of the canvas, by plane and by what the file says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vost.ui.letters import UNKNOWN, UNSPACED, Letters, ScaleBar
from napari_vost.ui.view import PlaneView
from tests.display.patients import clip_at, rotation, turned
from tests.ui.looking import add_clip, held_by, right_marked

pytestmark = pytest.mark.gui

UPRIGHT = turned((2, 1, 0), (1, 1, 1))


def seen(viewer: Any) -> dict[str, str]:
    """Our texts that are visible, by name."""
    overlays = viewer.canvas.overlays
    return {
        name.removeprefix("napari-vost "): overlay.text
        for name, overlay in overlays.items()
        if name.startswith("napari-vost") and overlay.visible
    }


def test_letters_follow_plane_and_convention(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    letters = Letters(viewer, clip, view)
    assert seen(viewer) == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    view.set_convention("neurological")
    assert seen(viewer) == {"left": "L", "right": "R", "top": "A", "bottom": "P"}
    view.show("Sagittal")
    assert seen(viewer) == {"left": "A", "right": "P", "top": "S", "bottom": "I"}
    view.show("3D")
    assert seen(viewer) == {}
    view.show("Axial")
    assert seen(viewer)["left"] == "L"
    letters.close()
    assert seen(viewer) == {}


def test_each_letter_is_drawn_at_its_edge(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip, opacity=0.0))
    bare = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    letters = Letters(viewer, clip, view)
    shot = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    height, width = shot.shape[:2]
    drawn = np.abs(shot - bare).max(axis=-1) > 40
    parts = {
        "left": drawn[height // 3 : -height // 3, : width // 8],
        "right": drawn[height // 3 : -height // 3, -width // 8 :],
        "top": drawn[: height // 8, width // 3 : -width // 3],
        "bottom": drawn[-height // 8 :, width // 3 : -width // 3],
    }
    assert all(part.sum() > 20 for part in parts.values())
    assert sum(part.sum() for part in parts.values()) == drawn.sum()
    letters.close()


def test_an_oblique_plane_has_two_letters(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(rotation(0, 18.0) @ UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    letters = Letters(viewer, clip, view)
    assert {len(seen(viewer)[edge]) for edge in ("top", "bottom")} == {2}
    assert seen(viewer)["left"] == "R"
    letters.close()


@pytest.mark.parametrize("modality", ["US", "ES"])
def test_pictures_without_sides_have_no_letters(make_napari_viewer: Any, modality: str) -> None:
    viewer = make_napari_viewer(show=True)
    clip = clip_at(np.eye(4), order="time", modality=modality, oriented=False)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    letters = Letters(viewer, clip, view)
    assert seen(viewer) == {}
    letters.close()


def test_an_unknown_orientation_is_a_question_mark_and_a_line(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = clip_at(np.eye(4), modality="CT", oriented=False)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    letters = Letters(viewer, clip, view)
    assert seen(viewer) == {"left": "?", "right": "?", "top": "?", "bottom": "?", "line": UNKNOWN}
    letters.close()


def test_the_scale_bar_is_napari_s_where_there_is_a_spacing(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    for spaced in (True, False):
        clip = clip_at(np.eye(4), spaced=spaced)
        image = add_clip(viewer, clip)
        bar = ScaleBar(viewer, clip)
        assert viewer.canvas.overlays["scale_bar"].visible == spaced
        assert seen(viewer) == ({} if spaced else {"scale": UNSPACED})
        bar.close()
        assert not viewer.canvas.overlays["scale_bar"].visible and not seen(viewer)
        viewer.layers.remove(image)


def test_closed_they_leave_nothing_behind(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = right_marked(UPRIGHT)
    view = PlaneView(viewer, clip, add_clip(viewer, clip))
    for visible in (True, False):  # napari draws its bar from the first time on, and listens for that
        viewer.canvas.overlays["scale_bar"].visible = visible
    before = held_by(viewer)
    letters, bar = Letters(viewer, clip, view), ScaleBar(viewer, clip)
    letters.close()
    bar.close()
    view.show("Coronal")
    view.show("Axial")
    assert held_by(viewer) == before
