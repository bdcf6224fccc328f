"""Which tool is in the user's hand. A tool is armed only while the layer that it works on is the active one."""

from __future__ import annotations

from typing import Any, Literal

from qtpy.QtCore import QObject, Signal

from napari_vost.ui.scene import Scene

Tool = Literal["point", "box", "scribble", "lasso", "brush", "eraser", "polygon", "fill"]
STROKES: frozenset[Tool] = frozenset({"box", "scribble", "lasso"})
PROMPTING: frozenset[Tool] = STROKES | {"point"}
PAINTING: dict[Tool, str] = {"brush": "paint", "eraser": "erase", "polygon": "polygon", "fill": "fill"}
_ZOOM = "double_click_to_zoom"


class Tools(QObject):
    """Arms and puts down tools; while one is armed napari's own click behaviour that would get in its way is off.

    Parameters
    ----------
    viewer
        A napari viewer.
    scene
        Whose layers the tools work on.
    """

    changed = Signal()

    def __init__(self, viewer: Any, scene: Scene) -> None:
        super().__init__()
        self._viewer, self._scene = viewer, scene
        self.tool: Tool | None = None
        self.positive = True
        self._zooms: list[tuple[int, Any]] = []  # napari's double click, and where it stood
        self._arming = False
        self._before_3d: Tool | None = None
        viewer.layers.selection.events.active.connect(self._other_layer)
        viewer.dims.events.ndisplay.connect(self._other_view)

    def close(self) -> None:
        """Put down what is armed, and stop watching."""
        self.put_down()
        self._viewer.layers.selection.events.active.disconnect(self._other_layer)
        self._viewer.dims.events.ndisplay.disconnect(self._other_view)

    @property
    def strokes(self) -> bool:
        """Whether a left drag draws."""
        return self.tool in STROKES

    def arm(self, tool: Tool) -> None:
        """Take a tool; one that was armed is put down first. In 3D there is nothing to take: it is for review."""
        if self._viewer.dims.ndisplay == 3:
            self._scene.studio.said.emit("3D is for review: go back to a plane to mark.")
            return
        self.put_down(silent=True)
        self._arming = True
        try:
            scene = self._scene
            layer = scene.prompts if tool in PROMPTING else scene.masks
            self._viewer.layers.selection.active = layer
            self.tool = tool
            if tool in PAINTING:
                scene.masks.selected_label = scene.studio.object_id
                scene.masks.mode = PAINTING[tool]
            else:
                layer.mouse_pan = tool not in STROKES
                self._set_zoom(False)
        finally:
            self._arming = False
        self.changed.emit()

    def put_down(self, silent: bool = False) -> None:
        """Put the tool down: napari behaves as without it."""
        if self.tool is None:
            return
        tool, self.tool = self.tool, None
        if tool in PAINTING:
            self._scene.masks.mode = "pan_zoom"
        else:
            self._scene.prompts.mouse_pan = True
            self._set_zoom(True)
        if not silent:
            self.changed.emit()

    def swap(self) -> None:
        """Between adding and removing."""
        self.positive = not self.positive
        self.changed.emit()

    def _set_zoom(self, on: bool) -> None:
        callbacks = self._viewer.mouse_double_click_callbacks
        if on:
            for place, callback in self._zooms:
                callbacks.insert(place, callback)
            self._zooms = []
        else:
            found = [(place, one) for place, one in enumerate(callbacks) if getattr(one, "__name__", "") == _ZOOM]
            for _, callback in found:
                callbacks.remove(callback)
            self._zooms = found

    def _other_layer(self, event: Any = None) -> None:
        if self._arming or self.tool is None:
            return
        active = self._viewer.layers.selection.active
        wanted = self._scene.prompts if self.tool in PROMPTING else self._scene.masks
        if active is None or active != wanted:
            self.put_down()

    def _other_view(self, event: Any = None) -> None:
        if self._viewer.dims.ndisplay == 3:
            self._before_3d = self.tool
            self.put_down()

    def take_up(self) -> None:
        """Back from 3D: take the tool that was put down for it, unless another layer is in hand."""
        tool, self._before_3d = self._before_3d, None
        active = self._viewer.layers.selection.active
        if tool is not None and self.tool is None and any(active == one for one in self._scene.layers):
            self.arm(tool)
