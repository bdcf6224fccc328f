"""A scan on another grid is not drawn where it does not lie: it is hidden, laid over on request, or taken in hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari_vost.clip import Clip
from napari_vost.io.readers import open_clip
from napari_vost.ui.layers import image_layer
from napari_vost.ui.other_scan import OtherScan
from tests.ui.hands import Hands
from tests.ui.test_correcting import Lay
from tests.ui.test_dock import desk_of

pytestmark = pytest.mark.gui

STEPS = np.diag([-1.5, -1.5, 3.0, 1.0])


def ball(path: Path, shape: tuple[int, int, int], affine: np.ndarray[Any, Any]) -> Path:
    """A scan (x, y, z) of a bright ball around the middle of the patient, 12 mm in radius."""
    places = np.stack([*np.indices(shape), np.ones(shape)], axis=-1) @ affine.T
    bright = (np.linalg.norm(places[..., :3], axis=-1) < 12) * 200
    nibabel.save(nibabel.Nifti1Image(bright.astype(np.int16), affine), path)
    return path


def centred(steps: np.ndarray[Any, Any], shape: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    affine = steps.copy()
    affine[:3, 3] = -steps[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    shape = (40, 44, 16)
    return ball(tmp_path / "first.nii.gz", shape, centred(STEPS, shape))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The same patient in sagittal slices, turned by 20 degrees."""
    shape = (50, 52, 24)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.35), -np.sin(0.35)], [np.sin(0.35), np.cos(0.35)]]
    steps = turn @ np.array([[0, 0, 2.0, 0], [1.1, 0, 0, 0], [0, 1.2, 0, 0], [0, 0, 0, 1]])
    return ball(tmp_path / "second.nii.gz", shape, centred(steps, shape))


def drop(hands: Hands, path: Path) -> Any:
    """As a file that is dropped on the window."""
    (layer,) = hands.viewer.open(path, plugin="napari-vost")
    hands.qtbot.wait(50)
    return layer


def test_it_is_hidden_and_the_strip_says_so(lay_desk: Lay, scan: Path, other: Path) -> None:
    hands = lay_desk(open_clip(scan))
    assert not hands.desk.other.isVisible()
    hands.desk.tools.arm("box")
    layer = drop(hands, other)
    assert hands.desk.tools.tool == "box"  # work goes on with the scan in hand, and so does its wheel
    before = hands.desk.view.frame_index
    hands.wheel(-1)
    assert hands.desk.view.frame_index == before + 1
    assert not layer.visible and hands.desk.other.isVisible() and layer.name in hands.desk.other.line.text()
    hands.viewer.layers.remove(layer)
    assert not hands.desk.other.isVisible()


def test_on_request_it_is_laid_over_where_it_lies_and_its_name_says_resampled(
    lay_desk: Lay, scan: Path, other: Path
) -> None:
    hands = lay_desk(open_clip(scan))
    drop(hands, other)
    hands.desk.tools.arm("point")
    layers = list(hands.viewer.layers)
    hands.desk.other.show_button.click()
    hands.qtbot.waitUntil(lambda: len(hands.viewer.layers) > len(layers))
    (laid,) = [layer for layer in hands.viewer.layers if layer not in layers]
    own = np.stack(list(hands.desk.clip))
    assert laid.name.endswith("(resampled)") and laid.data.shape == own.shape
    assert ((np.asarray(laid.data) > 100) != (own > 100)).mean() < 0.005  # the ball lies on the ball
    assert tuple(laid.scale) == tuple(hands.desk.scene.image.scale)
    where = [hands.viewer.layers.index(one) for one in (hands.desk.scene.image, laid, hands.desk.scene.masks)]
    assert where == sorted(where)
    assert hands.desk.tools.tool == "point" and not hands.desk.other.isVisible()
    assert "landmark" in hands.said[-1]


def test_a_cine_cannot_be_laid_over_and_that_is_said(lay_desk: Lay, scan: Path, volume: Clip) -> None:
    hands = lay_desk(open_clip(scan))
    data, options = image_layer(replace(volume, order="time"), "loop")
    hands.viewer.add_image(data, **options)
    hands.qtbot.waitUntil(hands.desk.other.isVisible)
    hands.desk.other.show_button.click()
    hands.qtbot.waitUntil(lambda: bool(hands.said))
    assert "no volume" in hands.said[-1] and hands.desk.other.show_button.isEnabled()


def test_a_scan_on_the_same_grid_is_shown_below_the_masks(lay_desk: Lay, scan: Path) -> None:
    hands = lay_desk(open_clip(scan))
    layer = drop(hands, scan)
    assert layer.visible and not hands.desk.other.isVisible()
    assert hands.viewer.layers.index(layer) < hands.viewer.layers.index(hands.desk.scene.masks)
    assert layer.opacity == 0.5
    hands.desk.other.close_down()
    assert layer.opacity == 1 and layer.blending == "opaque"
    hands.desk.other = OtherScan(hands.desk.scene, hands.desk.tools, hands.desk.clip)  # the desk closes one down again


def test_it_can_be_taken_in_hand_and_the_first_one_is_then_the_other(
    open_dock: Lay, qtbot: Any, scan: Path, other: Path
) -> None:
    dock = open_dock()
    (first,) = dock.viewer.open(scan, plugin="napari-vost")
    hands = desk_of(dock, qtbot)
    second = drop(hands, other)
    dock.desk.other.work_button.click()
    qtbot.waitUntil(lambda: dock.desk is not None and dock.desk.scene.image == second)
    assert second.visible and not first.visible and dock.desk.other.isVisible()
    dock.close_clip()
    assert first.visible and second.visible  # as they were found
