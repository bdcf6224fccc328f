"""A window with a desk, for tests that open one."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.testing import BrightNetwork
from tests.ui.looking import our_threads


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases and names of a test stay in the test."""
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NAPARI_VOST_CASES", str(tmp_path / "cases"))


@pytest.fixture(scope="session", autouse=True)
def _light_collections() -> Iterator[None]:
    """What is imported stays, and garbage is collected between tests: on an engine's thread a widget must not die."""
    pytest.importorskip("napari", reason="napari is not installed")
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(0, *before[1:])  # to disable them does not last: dask enables them
    yield
    gc.set_threshold(*before)


@pytest.fixture
def qtbot(qtbot: Any) -> Any:
    """With patience: a machine may be busy with another test."""
    qtbot.waitUntil = partial(qtbot.waitUntil, timeout=30_000)
    return qtbot


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    """No test leaves a thread of ours to the next one."""
    before = set(our_threads())
    yield
    gc.collect()
    gc.freeze()  # napari collects whenever a layer is removed: what has stayed is not walked through each time
    end = time.monotonic() + 5
    while (left := set(our_threads()) - before) and time.monotonic() < end:
        time.sleep(0.01)
    assert not left, f"threads that go on after the test: {sorted(one.name for one in left)}"


@pytest.fixture(autouse=True)
def closing(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the user answers to the question about unexported masks, the next answer last; "close" without one."""
    answers: list[bool] = []
    dock = pytest.importorskip("napari_vost.ui.dock", reason="napari is not installed").Dock
    monkeypatch.setattr(dock, "asks_to_close", lambda self: answers.pop() if answers else True)
    return answers


@pytest.fixture
def volume() -> Clip:
    """A bright ball in the dark, 24 slices of 64 x 72; it lies on slices 4 to 20."""
    z, y, x = np.mgrid[0:24, 0:64, 0:72]
    ball = ((z - 12) / 8.5) ** 2 + ((y - 30) / 12) ** 2 + ((x - 40) / 14) ** 2 < 1
    noise = np.random.default_rng(4).integers(0, 20, ball.shape)
    return Clip.from_array((ball * 180 + noise).astype(np.uint8), (2.0, 1.0, 1.0))


@pytest.fixture
def nifti(tmp_path: Path, volume: Clip) -> Path:
    """The bright ball as a file, patient axes and all."""
    nibabel = pytest.importorskip("nibabel")
    values = np.moveaxis(np.stack([volume.frame(one) for one in range(len(volume))]), 0, 2)
    path = tmp_path / "ball.nii.gz"
    nibabel.Nifti1Image(np.ascontiguousarray(values.swapaxes(0, 1)), np.diag([1.0, 1.0, 2.0, 1.0])).to_filename(path)
    return path


@pytest.fixture
def lay_desk(make_napari_viewer: Any, qtbot: Any) -> Iterator[Callable[..., Any]]:
    """A function from a clip (and a network) to the hands of a user at its desk."""
    from napari.layers import Image

    from napari_vost.session import Session
    from napari_vost.ui.desk import Desk
    from napari_vost.ui.layers import image_layer
    from napari_vost.ui.studio import Studio
    from tests.ui.hands import Hands

    laid: list[tuple[Any, Any]] = []

    def end(desk: Any, studio: Any) -> None:
        studio.close()
        desk.close_down()
        studio.end()

    def lay(clip: Clip, network: Network | str | None = None, after: Any = None) -> Hands:
        if after is not None:  # one window at a time: two share what OpenGL is up to
            end(after.desk, after.desk.studio)
            laid.remove((after.desk, after.desk.studio))
            after.viewer.close()
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1100, 800)
        data, options = image_layer(clip, "clip")
        image = viewer.add_layer(Image(data, **options))
        studio = Studio()
        studio.open(Session(clip, network or BrightNetwork()))
        desk = Desk(viewer, studio, clip, image)
        viewer.window.add_dock_widget(desk, area="right", name="desk")
        viewer.window.add_dock_widget(desk.lane, area="bottom", name="lane")
        hands = Hands(viewer, desk, qtbot)
        hands.said = []
        studio.said.connect(hands.said.append)
        studio.failed.connect(hands.said.append)
        laid.append((desk, studio))
        hands.settle()
        return hands

    yield lay
    for desk, studio in laid:
        end(desk, studio)


@pytest.fixture
def followed(lay_desk: Callable[..., Any], volume: Clip) -> Any:
    """The hands of a user who has clicked the ball on frame 12 and followed it; the point tool is in hand."""
    from qtpy.QtCore import Qt

    hands = lay_desk(volume)
    hands.desk.view.go_to(12)
    hands.desk.tools.arm("point")
    hands.click(30, 40)
    hands.settle()
    hands.key(Qt.Key.Key_F)
    hands.settle()
    return hands


@pytest.fixture
def open_dock(make_napari_viewer: Any, qtbot: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens the plugin in a window, as napari's menu does, for a reader who has said their name."""
    from napari_vost.case_names import set_reader_name

    opened: list[Any] = []

    def open_dock(reader: str = "Doe^Jo", viewer: Any = None) -> Any:
        set_reader_name(reader)
        viewer = viewer or make_napari_viewer(show=True)
        viewer.window.resize(1100, 800)
        _, dock = viewer.window.add_plugin_dock_widget("napari-vost")
        opened.append((viewer, dock))
        qtbot.waitUntil(dock.isVisible)
        return dock

    yield open_dock
    while opened:
        viewer, dock = opened.pop()
        dock.end()
        viewer.close()
    del viewer, dock
    for _ in range(2):  # what is to be deleted later is deleted now, and with PyQt what hangs on that in the next round
        qtbot.wait(20)
        gc.collect()
