"""A clip in a napari window, the mouse on its canvas, and a dump of what a viewer holds."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vost.clip import ArrayStack, Clip, Window
from napari_vost.ui.layers import image_layer
from tests.display.patients import clip_at, places

SHAPE = (8, 20, 24)


def our_threads() -> list[threading.Thread]:
    """Threads of the engine, of autosave and of calls in the background."""
    return [one for one in threading.enumerate() if one.name.startswith("napari-vost")]


def add_clip(viewer: Any, clip: Clip, window: Window | None = None, read: bool = True, **options: Any) -> Any:
    """The image layer of a clip, added as the window adds it; all frames read, or the first alone."""
    data, given = image_layer(clip, "clip", window)
    if read:
        np.asarray(data)
    return viewer.add_image(data, **{**given, **options})


def clip_of_values(values: np.ndarray, affine_lps: np.ndarray, **facts: Any) -> Clip:
    """A clip with a geometry and these frames."""
    clip = clip_at(affine_lps, shape=values.shape, **facts)
    object.__setattr__(clip, "frames", ArrayStack(values))
    return clip


def right_marked(affine_lps: np.ndarray) -> Clip:
    """A dark volume with one bright corner: the patient's right, front and top."""
    clip = clip_at(affine_lps, shape=SHAPE)
    where = places(clip)
    low, high = where.reshape(-1, 3).min(axis=0), where.reshape(-1, 3).max(axis=0)
    right, front, top = np.moveaxis((where - low) / (high - low), -1, 0)
    marked = (right < 0.3) & (front < 0.3) & (top > 0.7)
    return clip_of_values(np.where(marked, 200, 20).astype(np.uint8), affine_lps)


def canvas_of(viewer: Any) -> Any:
    """The Qt widget of the canvas; private, for tests alone."""
    return viewer.window._qt_viewer.canvas.native


def send(widget: Any, kind: QEvent.Type, at: tuple[float, float], buttons: Any, keys: Any) -> None:
    """One real mouse event of the left button, or of none for a move without."""
    point = QPointF(*at)
    moving = kind == QEvent.Type.MouseMove
    button = Qt.MouseButton.NoButton if moving else Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, point, QPointF(widget.mapToGlobal(point)), button, buttons, keys)
    QApplication.sendEvent(widget, event)


def hover(viewer: Any, qtbot: Any, at: tuple[float, float]) -> None:
    """Move the mouse over the canvas, no button held."""
    keys = Qt.KeyboardModifier.NoModifier
    for place in ((at[0] - 1, at[1]), at):
        send(canvas_of(viewer), QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, keys)
        qtbot.wait(30)


def drag(viewer: Any, qtbot: Any, start: tuple[float, float], end: tuple[float, float], keys: Any) -> None:
    """Press, move in steps and release the left button, as a hand does."""
    widget, held = canvas_of(viewer), Qt.MouseButton.LeftButton
    send(widget, QEvent.Type.MouseButtonPress, start, held, keys)
    for share in (0.25, 0.5, 0.75, 1.0):
        qtbot.wait(30)
        place = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
        send(widget, QEvent.Type.MouseMove, place, held, keys)
    qtbot.wait(30)
    send(widget, QEvent.Type.MouseButtonRelease, end, Qt.MouseButton.NoButton, keys)
    qtbot.wait(10)


def middle(viewer: Any) -> tuple[float, float]:
    """Middle of the canvas, Qt pixels (x, y)."""
    widget = canvas_of(viewer)
    return widget.width() / 2, widget.height() / 2


def seen_from(viewer: Any) -> tuple[float, ...]:
    """Zoom, centre and angles of the camera, rounded as far as drawing rounds them."""
    camera = viewer.scene.camera
    return tuple(round(float(one), 4) for one in (camera.zoom, *camera.center, *camera.angles))


def held_by(viewer: Any) -> dict[str, Any]:
    """What a viewer holds that ours might leave changed: model, overlays, callbacks of viewer and layers."""
    camera, dims = viewer.scene.camera, viewer.dims
    found: dict[str, Any] = {
        "order": dims.order,
        "ndisplay": dims.ndisplay,
        "point": dims.point,
        "orientation": tuple(map(str, camera.orientation)),
        "camera": seen_from(viewer),
        "interactive": (camera.mouse_pan, camera.mouse_zoom),
        "overlays": {name: one.visible for name, one in viewer.canvas.overlays.items()},
        "dims callbacks": {name: len(one.callbacks) for name, one in dims.events.emitters.items()},
        "viewer mouse": _mouse(viewer),
    }
    for layer in viewer.layers:
        found[layer.name] = {name: len(one.callbacks) for name, one in layer.events.emitters.items()}
        found[layer.name + " mouse"] = _mouse(layer)
        found[layer.name + " place"] = (tuple(layer.scale), tuple(layer.translate), layer.mode, layer.units)
    return found


def _mouse(owner: Any) -> list[list[Any]]:
    return [
        list(owner.mouse_move_callbacks),
        list(owner.mouse_drag_callbacks),
        list(owner.mouse_wheel_callbacks),
        list(owner.mouse_double_click_callbacks),
    ]
