"""Our files where napari is told to open them with somebody else's reader: nothing is lost without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari.settings import get_settings
from npe2 import DynamicPlugin
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from napari_vost.clip import Clip
from napari_vost.ui.layers import clip_of
from tests.ui.test_dock import button, desk_of, press

pytestmark = pytest.mark.gui

THEIRS = "reader-of-others"


@pytest.fixture
def other_reader() -> Iterator[None]:
    """Another plugin reads NIfTI, as numbers alone."""

    def get_reader(path: Any) -> Callable[[Any], Any]:
        return lambda path: [(np.asarray(nibabel.load(path).dataobj).T, {"name": "theirs"}, "image")]

    with DynamicPlugin(THEIRS) as plugin:
        plugin.contribute.reader(get_reader, filename_patterns=["*.nii.gz"])
        yield


@pytest.fixture
def viewer(other_reader: None, make_napari_viewer: Any) -> Any:
    """One whose user prefers it."""
    viewer = make_napari_viewer(show=True)  # with settings of its own
    get_settings().plugins.extension2reader = {"*.nii.gz": THEIRS}
    return viewer


def drop(viewer: Any, path: Path) -> None:
    """Let a file fall onto the window."""
    data, target = QMimeData(), viewer.window._qt_viewer
    data.setUrls([QUrl.fromLocalFile(str(path))])
    held = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    middle = target.rect().center()
    QApplication.sendEvent(target, QDragEnterEvent(middle, *held))
    QApplication.sendEvent(target, QDropEvent(QPointF(middle), *held))


@pytest.mark.parametrize("how", ["opened", "dropped"])
def test_a_layer_of_another_reader_is_worked_on_with_one_sentence_about_what_it_lost(
    viewer: Any, open_dock: Callable[..., Any], qtbot: Any, nifti: Path, how: str
) -> None:
    dock = open_dock(viewer=viewer)
    if how == "opened":
        viewer.open(nifti, plugin=None)  # as napari's menu does
    else:
        drop(viewer, nifti)
    (theirs,) = viewer.layers
    assert theirs.source.reader_plugin == THEIRS and clip_of(theirs) is None
    qtbot.wait(100)
    assert dock.desk is None  # what is not ours is not taken unasked
    press(button(dock.start, "Selected layer"))
    hands = desk_of(dock, qtbot)
    said = dock.message.text()
    assert dock.message.isVisible() and said.count("Another reader opened this image") == said.count(".") == 1
    dock.desk.view.go_to(12)
    hands.click(30, 40)
    hands.settle()
    assert dock.desk.scene.masks.data[12][30, 40] == 1


def test_opened_with_ours_all_the_same_the_file_has_its_geometry(
    viewer: Any, open_dock: Callable[..., Any], qtbot: Any, nifti: Path, volume: Clip
) -> None:
    dock = open_dock(viewer=viewer)
    (ours,) = viewer.open(nifti, plugin="napari-vost")
    hands = desk_of(dock, qtbot)
    assert hands.desk.scene.image == ours and not dock.message.isVisible()
    clip = clip_of(ours)
    assert clip is not None and clip.geometry.spaced and clip.spacing_mm_zyx == pytest.approx((2.0, 1.0, 1.0))
    assert clip.geometry.affine_lps[:3, :3] == pytest.approx(np.diag([-1.0, -1.0, 2.0]))
    assert np.array_equal(np.asarray(ours.data), [volume.frame(one) for one in range(len(volume))])
