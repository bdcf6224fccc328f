"""From what napari's own brush, eraser, polygon and fill have painted to masks of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from napari_vost.ui.painting import Patch

if TYPE_CHECKING:
    from napari_vost.ui.scene import Scene


class Brush:
    """Watches the Masks layer: what was painted in the plane in view goes to the session as one step.

    Parameters
    ----------
    scene
        Whose layer is painted on.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene, self.masks = scene, scene.masks
        self.painting = False  # a stroke or a polygon is going on: what it lies on must not be drawn anew
        self._down = self._dropped = False  # the button; and the stroke, by the user
        self._before: NDArray[Any] | None = None  # the plane in view before it was painted on
        self._plane: tuple[Any, ...] = ()
        self._callbacks = scene.viewer.mouse_drag_callbacks
        self._callbacks.insert(0, self._pressed)  # before napari's own paints
        self.masks.events.paint.connect(self._painted)
        self.masks.events.mode.connect(self._other_tool)
        self.masks.events.n_edit_dimensions.connect(self._one_plane)
        self.masks.events.selected_label.connect(self._chosen)
        scene.view.changed.connect(self._turned)

    def close(self) -> None:
        """Stop watching."""
        self._before = None
        if self._pressed in self._callbacks:
            self._callbacks.remove(self._pressed)
        self.masks.events.paint.disconnect(self._painted)
        self.masks.events.mode.disconnect(self._other_tool)
        self.masks.events.n_edit_dimensions.disconnect(self._one_plane)
        self.masks.events.selected_label.disconnect(self._chosen)
        self.scene.view.changed.disconnect(self._turned)

    @property
    def armed(self) -> bool:
        """Whether napari's tools paint on the Masks layer now."""
        active = self.scene.viewer.layers.selection.active
        return active is not None and active == self.masks and self.masks.mode in ("paint", "erase", "fill", "polygon")

    def drop(self) -> bool:
        """Forget the stroke, or the corners of a polygon; whether there was one."""
        if not self.painting:
            return False
        if self.masks.mode == "polygon":
            self._drop_corners()
        self._dropped = True
        self._take()
        return True

    def _pressed(self, viewer: Any, event: Any) -> Any:
        if not self.armed or self.scene.view.through is None:
            return
        if self._before is None:
            self._begin()
        self._down = True
        yield
        while event.type == "mouse_move":
            yield
        self._down = False
        QTimer.singleShot(0, self._end)  # when napari is done with the stroke

    def _begin(self) -> None:
        """Note the plane in view; from now on nothing is drawn anew."""
        self._plane = self._plane_in_view()
        self._before = self.scene.labels[self._plane].copy()
        self.painting = True

    def _plane_in_view(self) -> tuple[Any, ...]:
        through = self.scene.view.through
        places: list[Any] = [slice(None)] * 3
        places[through] = self.scene.view.place
        return tuple(places)

    def _painted(self) -> None:
        QTimer.singleShot(0, self._end)  # a polygon is closed by a double click, which is no press

    def _turned(self) -> None:
        """Another plane is in view: corners do not go along, and a stroke goes on there as another one."""
        if not self.painting:
            return
        if self.masks.mode == "polygon":
            self.drop()
            self.scene.studio.said.emit("The polygon was dropped: its corners belong on one slice.")
        else:
            self._take()
            if self._down and self.scene.view.through is not None:
                self._begin()

    def _other_tool(self) -> None:
        """Corners of a polygon that was begun do not wait for the next time."""
        if self.painting and not self._down:
            self._drop_corners()
            self._dropped = True
            self._take()

    def _drop_corners(self) -> None:
        """As napari does at Escape, which is ours on this layer."""
        for key, drop in self.masks.class_keymap.items():
            if str(key) == "Escape":
                drop(self.masks)

    def _end(self) -> None:
        """Take what was painted; with the next stroke, where that has begun already."""
        if not self._down:
            self._take()

    def _take(self) -> None:
        """Hand what differs from before to the session."""
        before, plane, dropped = self._before, self._plane, self._dropped
        if before is None:
            return
        patches = [] if dropped else self._patches(before, plane)
        if not (patches or dropped) and self.masks.mode == "polygon":
            return  # its corners come one by one
        self._before, self.painting = None, False
        self._dropped = dropped and self._down  # what napari still paints before the button is let go
        if dropped:
            self.scene.labels[plane] = before
            self.scene.redraw()
            if self._down:
                self._begin()
        elif patches:
            self.scene.studio.paint_over(patches)
        self.scene.draw(())

    def _patches(self, before: NDArray[Any], plane: tuple[Any, ...]) -> list[Patch]:
        """Frames that differ from before."""
        now = self.scene.labels[plane]
        if isinstance(plane[0], int):
            return [Patch(plane[0], before, now.copy())] if (before != now).any() else []
        found = []
        for frame_index in np.flatnonzero((before != now).any(axis=1)).tolist():
            whole = self.scene.labels[frame_index].copy()
            old = whole.copy()
            old[plane[1:]] = before[frame_index]
            found.append(Patch(frame_index, old, whole))
        return found

    def _one_plane(self) -> None:
        if self.masks.n_edit_dimensions != 2:
            self.masks.n_edit_dimensions = 2
            self.scene.studio.said.emit("Masks are painted plane by plane: following fills what lies between.")

    def _chosen(self) -> None:
        chosen = int(self.masks.selected_label)
        if chosen not in (0, self.scene.studio.object_id):
            self.scene.studio.choose(chosen)
