"""A clip read as a whole outside the GUI thread, and the plane that waits for it."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.ui import view as view_module
from napari_vost.ui.frames import FrameArray
from napari_vost.ui.view import PlaneView
from napari_vost.ui.whole import WholeClip
from tests.display.patients import turned
from tests.ui.looking import add_clip, clip_of_values

VALUES = np.random.default_rng(0).integers(0, 255, (9, 6, 7)).astype(np.uint8)


class Slow:
    """Frames that take their time, and say in which thread they were read."""

    def __init__(self, fails: bool = False) -> None:
        self.shape, self.fails, self.threads = VALUES.shape, fails, set[Any]()

    def read(self, frame_index: int) -> Any:
        if frame_index == 0:
            return VALUES[0]
        time.sleep(0.04)
        self.threads.add(threading.current_thread())
        if self.fails and frame_index == 5:
            raise OSError("the disk is gone")
        return VALUES[frame_index]


def slow_clip(fails: bool = False) -> Clip:
    clip = clip_of_values(VALUES, turned((2, 1, 0), (1, 1, 1)))
    object.__setattr__(clip, "frames", Slow(fails))
    return clip


def test_frames_are_read_elsewhere_and_the_rest_happens_here(qtbot: Any) -> None:
    clip = slow_clip()
    whole, done, counts = WholeClip(FrameArray(clip)), [], []
    assert not whole.ready and whole.fits
    whole.progress.connect(lambda count, of: counts.append((count, of)))
    whole.read(then=lambda: done.append(threading.current_thread()))
    qtbot.waitUntil(lambda: bool(done))
    assert done == [threading.main_thread()] and whole.ready
    assert threading.main_thread() not in clip.frames.threads
    assert counts and counts == sorted(counts) and all(of == 9 for _, of in counts)


def test_a_dropped_read_calls_nothing(qtbot: Any) -> None:
    whole, done = WholeClip(FrameArray(slow_clip())), []
    whole.progress.connect(lambda *_: done.append("progress"))
    whole.read(then=lambda: done.append("then"))
    whole.stop()
    qtbot.wait(500)
    assert not done


def test_a_failed_read_is_said_in_one_sentence(qtbot: Any) -> None:
    whole, said, done = WholeClip(FrameArray(slow_clip(fails=True))), [], []
    whole.failed.connect(said.append)
    whole.read(then=lambda: done.append("then"))
    qtbot.waitUntil(lambda: bool(said))
    assert said == ["The frames could not all be read: the disk is gone"] and not done


def test_an_array_in_memory_is_ready() -> None:
    whole = WholeClip(VALUES)
    assert whole.ready and whole.fits


@pytest.mark.gui
def test_a_plane_across_the_frames_comes_when_they_are_read(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = slow_clip()
    view = PlaneView(viewer, clip, add_clip(viewer, clip, read=False))
    counts: list[int] = []
    view.reading.connect(lambda count, of: counts.append(count))
    view.show("Coronal")
    assert view.plane == "Axial"  # which is still shown meanwhile, and may be stepped
    view.go_to(3)
    qtbot.waitUntil(lambda: view.plane == "Coronal")
    assert counts[0] == 0 and len(counts) > 1 and view.frame_index == 3
    view.close()


@pytest.mark.gui
def test_asked_back_or_closed_the_plane_does_not_come(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    clip = slow_clip()
    image = add_clip(viewer, clip, read=False)
    view = PlaneView(viewer, clip, image)
    view.show("Coronal")
    view.show("Axial")
    qtbot.wait(600)
    assert view.plane == "Axial"
    view.close()
    clip = slow_clip()
    viewer.layers.clear()
    view = PlaneView(viewer, clip, add_clip(viewer, clip, read=False))
    view.show("Coronal")
    view.close()
    qtbot.wait(600)
    assert viewer.dims.order == (0, 1, 2)


@pytest.mark.gui
def test_a_clip_beyond_memory_stays_in_its_frame_plane_with_a_sentence(
    make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(view_module, "show_warning", said.append)
    viewer = make_napari_viewer(show=True)
    clip = slow_clip()
    image = viewer.add_image(FrameArray(clip, kept_bytes=3 * VALUES[0].nbytes), contrast_limits=(0, 255))
    view = PlaneView(viewer, clip, image)
    view.show("3D")
    assert view.plane == "Axial" and viewer.dims.ndisplay == 2
    assert len(said) == 1 and "too large" in said[0]
