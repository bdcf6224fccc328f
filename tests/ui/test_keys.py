"""The keys of the window against napari's own: what ours hide on our layers is listed, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari.layers import Image, Labels, Points, Shapes
from napari.utils.key_bindings import coerce_keybinding
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_vost.clip import Clip
from napari_vost.ui.keys import HELD, KEYS
from tests.ui.hands import CONTROL, NONE, SHIFT

pytestmark = pytest.mark.gui

Lay = Callable[..., Any]
OURS = frozenset(str(coerce_keybinding(one.key)) for one in (*KEYS, *HELD))
SHADOWED = {  # napari's own meaning that is hidden, and only while a layer of ours is active
    Points: {
        "P": "adds points of the user's own: a prompt is no such point",
        "S": "selects points",
        "Delete": "deletes selected points: a click on a prompt does",
    },
    Labels: {
        "P": "paint: from our button",
        "F": "fill: from our button",
        "L": "picker",
        "B": "preserve labels",
        "-": "label before: our object before",
        "=": "next label: our next object",
        "Enter": "ends a polygon: a double click does",
        "Escape": "drops a polygon: putting the tool down does",
        "Ctrl+Z": "undo of one layer and slice: our undo goes across all",
        "Ctrl+Shift+Z": "redo likewise",
    },
    Shapes: {
        "P": "polygon of the user's own", "B": "to the back", "F": "to the front", "S": "select", "L": "line",
        "T": "path", "Delete": "deletes shapes", "Enter": "ends a shape", "Escape": "ends a shape",
    },
    "viewer": {
        "Left": "slider back: our frame back, whatever else is open",
        "Right": "slider on: our frame on",
        "Space": "hold to pan: ours pans with every tool",
    },
}  # fmt: skip
QT_KEYS = {"Escape": "Escape", "Enter": "Return", "-": "Minus", "=": "Equal", ",": "Comma", ".": "Period"}


def of_class(kind: type) -> set[str]:
    """Keys that napari itself binds for every layer of a kind, or for every viewer."""
    return {str(key) for one in kind.__mro__ for key in getattr(one, "class_keymap", {})}


def shadows(layer: Any, kind: type) -> set[str]:
    return {str(key) for key in layer.keymap} & of_class(kind)


def test_our_keys_hide_of_napari_what_is_listed_and_no_more(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    scene, viewer = hands.desk.scene, type(hands.viewer)
    for layer, kind in ((scene.prompts, Points), (scene.masks, Labels), (scene.strokes, Shapes)):
        assert shadows(layer, kind) == set(SHADOWED[kind]), kind.__name__
        assert shadows(layer, viewer) <= set(SHADOWED["viewer"]), kind.__name__
    assert shadows(scene.prompts, viewer) == set(SHADOWED["viewer"])
    assert shadows(scene.masks, viewer) == {"Left", "Right"}  # Space held pans there by napari itself


def test_no_other_key_of_the_shortcut_table_is_ours() -> None:
    about = {"points": Points, "labels": Labels, "shapes": Shapes}
    kinds: dict[str, Any] = {key: kind for kind in about.values() for key in of_class(kind)}
    listed = {key for keys in SHADOWED.values() for key in keys}
    for action, bindings in default_shortcuts.items():
        for key in map(str, bindings):
            assert key not in OURS or key in listed, f"{key} is napari's {action}"
    assert kinds.keys() & OURS <= listed


def test_no_key_of_ours_is_a_shortcut_of_the_window(lay_desk: Lay, volume: Clip) -> None:
    """Those of menus come before any key of a layer: ours would never arrive."""
    hands = lay_desk(volume)
    taken = set()
    for menu in menus(hands.viewer.window._qt_window.menuBar()):
        taken |= {one.toString() for action in menu.actions() for one in action.shortcuts()}
    assert "Ctrl+S" in taken, "the menus have no shortcuts any more: look for them anew"
    assert not taken & OURS


def menus(bar: Any) -> Iterator[Any]:
    """All menus below a bar or a menu; those of napari fill themselves when they are about to be shown."""
    for action in bar.actions():
        menu = action.menu()
        if menu is not None:
            menu.aboutToShow.emit()
            yield menu
            yield from menus(menu)


def test_nothing_is_bound_on_classes_or_on_the_viewer(make_napari_viewer: Any, lay_desk: Lay, volume: Clip) -> None:
    kinds = (Points, Labels, Shapes, Image, type(make_napari_viewer()))
    before = [{(str(key), call) for one in kind.__mro__ for key, call in getattr(one, "class_keymap", {}).items()}
              for kind in kinds]  # fmt: skip
    hands = lay_desk(volume)
    after = [{(str(key), call) for one in kind.__mro__ for key, call in getattr(one, "class_keymap", {}).items()}
             for kind in kinds]  # fmt: skip
    assert after == before
    assert not hands.viewer.keymap and not hands.desk.scene.image.keymap


def add_own(viewer: Any, kind: str) -> Any:
    shape, options = (24, 64, 72), {"name": "mine", "scale": (2.0, 1.0, 1.0)}
    if kind == "Image":
        return viewer.add_image(np.zeros(shape, np.uint8), **options)
    if kind == "Labels":
        return viewer.add_labels(np.ones(shape, np.uint8), **options)
    if kind == "Points":
        return viewer.add_points([[12.0, 30.0, 40.0], [12.0, 35.0, 44.0]], **options)
    return viewer.add_shapes([np.array([[12, 10, 10], [12, 10, 20], [12, 20, 20], [12, 20, 10]])], **options)


def state(viewer: Any, layer: Any) -> dict[str, Any]:
    """What a key may change in plain napari."""
    own = ("selected_label", "preserve_labels", "brush_size", "contour")
    return {
        "mode": str(layer.mode),
        "visible": layer.visible,
        "data": len(layer.data),
        "selected": len(getattr(layer, "selected_data", ())),
        "step": viewer.dims.current_step,
        "ndisplay": viewer.dims.ndisplay,
        "order": viewer.dims.order,
        "active": viewer.layers.selection.active.name,
        **{name: getattr(layer, name) for name in own if hasattr(layer, name)},
    }


def typed(viewer: Any, layer: Any, canvas: Any, qtbot: Any) -> list[tuple[str, dict[str, Any]]]:
    """What the state is after each of our keys, pressed one after the other on a layer that is not ours."""
    viewer.layers.selection.active = layer
    viewer.dims.set_point(0, 24.0)  # slice 12
    found = []
    for one in (*KEYS, *HELD):
        name = one.key.rpartition("-")[2] or "-"
        modifier = CONTROL if "Control" in one.key else NONE
        modifier |= SHIFT if "Shift" in one.key else NONE
        key = getattr(Qt.Key, "Key_" + QT_KEYS.get(name, name))
        QTest.keyClick(canvas, key, modifier)
        found.append((one.key, state(viewer, layer)))
    qtbot.wait(20)
    return found


@pytest.mark.parametrize("kind", ["Labels", "Points", "Shapes", "Image"])
def test_a_layer_of_the_users_own_answers_every_key_as_in_plain_napari(
    make_napari_viewer: Any, lay_desk: Lay, volume: Clip, qtbot: Any, kind: str
) -> None:
    plain = make_napari_viewer(show=True)
    plain.add_image(np.zeros((24, 64, 72), np.uint8), name="clip", scale=(2.0, 1.0, 1.0))
    expected = typed(plain, add_own(plain, kind), plain.window._qt_viewer.canvas.native, qtbot)
    assert kind == "Image" or len({repr(after) for _, after in expected}) > 2, "no key reached napari"
    hands = lay_desk(volume)
    hands.desk.tools.arm("point")
    own = add_own(hands.viewer, kind)
    assert typed(hands.viewer, own, hands.canvas, qtbot) == expected
    studio = hands.desk.studio
    assert studio.session.prompts == () and studio.object_id == 1 and not studio.following
    assert hands.desk.tools.tool is None and hands.said == []
