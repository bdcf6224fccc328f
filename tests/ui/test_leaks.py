"""What is left when a dock is closed: napari as it was, and none of our objects, threads and timers."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari.layers import Image, Labels, Points, Shapes
from qtpy.QtCore import Qt, QTimer

from napari_vost.clip import Clip
from napari_vost.ui.layers import image_layer
from tests.ui.hands import Hands
from tests.ui.looking import held_by, our_threads
from tests.ui.test_hardness import begin

pytestmark = pytest.mark.gui

Lay = Callable[..., Any]


def keymaps(viewer: Any) -> dict[str, Any]:
    """Keys of the viewer, its layers and their classes."""
    kinds = (type(viewer), Image, Labels, Points, Shapes)
    found = {f"class {kind.__name__}": dict(kind.class_keymap) for kind in kinds}
    return {**found, "viewer": dict(viewer.keymap), **{one.name: dict(one.keymap) for one in viewer.layers}}


def everything(viewer: Any) -> dict[str, Any]:
    """What closing must give back; napari itself keeps the parts of its scale bar once that was shown."""
    shown = viewer.canvas.overlays["scale_bar"].visible
    viewer.canvas.overlays["scale_bar"].visible = True
    viewer.canvas.overlays["scale_bar"].visible = shown
    docks = sorted(viewer.window.dock_widgets)
    return {**held_by(viewer), "keys": keymaps(viewer), "docks": docks, "layers": [one.name for one in viewer.layers]}


@pytest.mark.parametrize("plane", ["Axial", "Coronal", "3D"])
def test_closing_the_dock_leaves_napari_as_it_was(
    make_napari_viewer: Any, open_dock: Lay, volume: Clip, qtbot: Any, plane: str
) -> None:
    viewer = make_napari_viewer(show=True)
    data, options = image_layer(volume, "clip")
    np.asarray(data)
    viewer.add_image(data, **options)
    viewer.add_points([[12.0, 3.0, 4.0]], name="mine", scale=options["scale"], units=options["units"])
    viewer.window.resize(1100, 800)
    qtbot.wait(50)
    point, before = viewer.dims.point, everything(viewer)
    dock = open_dock(viewer=viewer)
    qtbot.waitUntil(lambda: dock.desk is not None)
    hands = Hands(viewer, dock.desk, qtbot)
    hands.settle()
    begin(hands)
    hands.key(Qt.Key.Key_F)
    hands.settle()
    for tool in ("box", "brush", "point"):
        dock.desk.tools.arm(tool)
    dock.desk.view.set_convention("neurological")
    planes = dock.desk.view.planes
    dock.desk.view.show(plane if plane in planes else planes[("Axial", "Coronal", "3D").index(plane) % len(planes)])
    qtbot.wait(300)
    dock.parent().title.close_button.click()
    qtbot.wait(100)
    viewer.dims.point = point
    after = everything(viewer)
    for part, was in before.items():
        assert after[part] == was, part
    assert after.keys() == before.keys()


def active_timers() -> list[Any]:
    found = []
    for one in gc.get_objects():
        if isinstance(one, QTimer):
            try:
                if one.isActive():
                    found.append(one)
            except RuntimeError:  # deleted in C++
                continue
    return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_twenty_rounds_of_open_and_close_leave_nothing_behind(
    make_napari_viewer: Any, volume: Clip, qtbot: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_vost.case_names import set_reader_name

    set_reader_name("Doe^Jo")
    viewer = make_napari_viewer(show=True)
    data, options = image_layer(volume, "clip")
    viewer.add_image(data, **options)
    qtbot.wait(100)
    held: list[Any] = []
    before, timers = everything(viewer), {id(one) for one in active_timers()}

    def one_round() -> None:
        _, dock = viewer.window.add_plugin_dock_widget("napari-vost")
        qtbot.waitUntil(lambda: dock.desk is not None)
        hands = Hands(viewer, dock.desk, qtbot)
        hands.settle()
        begin(hands)
        qtbot.waitUntil(lambda: dock.studio.autosave is not None)
        desk, studio = dock.desk, dock.studio
        parts = (dock, studio, studio.jobs, studio.session, studio.autosave, desk, desk.scene, desk.lane, desk.view,
                 desk.tools, desk.mouse, *desk.scene.layers)  # fmt: skip
        held.extend((type(one).__name__, weakref.ref(one)) for one in parts)
        dock.parent().title.close_button.click()

    for _ in range(20):
        one_round()
        qtbot.wait(30)
    for _ in range(3):
        gc.collect()
        qtbot.wait(20)
    assert sorted({name for name, reference in held if reference() is not None}) == []
    assert our_threads() == []
    assert [one for one in active_timers() if id(one) not in timers] == []
    after = everything(viewer)
    assert after["dims callbacks"] == before["dims callbacks"] and after["clip"] == before["clip"]
    assert after["viewer mouse"] == before["viewer mouse"]
