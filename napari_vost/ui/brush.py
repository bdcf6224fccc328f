"""From what napari's own brush, eraser, polygon and fill have painted to masks of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from napari_vost.history import Place
from napari_vost.masks import Mask

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
        self.painting = False  # a stroke is going on: what it paints on must not be drawn anew
        self._before: NDArray[Any] | None = None  # the plane in view before it was painted on
        self._plane: tuple[Any, ...] = ()
        self._callbacks = scene.viewer.mouse_drag_callbacks
        self._callbacks.insert(0, self._pressed)  # before napari's own paints
        self.masks.events.paint.connect(self._painted)
        self.masks.events.n_edit_dimensions.connect(self._one_plane)
        self.masks.events.selected_label.connect(self._chosen)
        scene.view.changed.connect(self._turned)

    def close(self) -> None:
        """Stop watching."""
        if self._pressed in self._callbacks:
            self._callbacks.remove(self._pressed)
        self.masks.events.paint.disconnect(self._painted)
        self.masks.events.n_edit_dimensions.disconnect(self._one_plane)
        self.masks.events.selected_label.disconnect(self._chosen)
        self.scene.view.changed.disconnect(self._turned)

    @property
    def armed(self) -> bool:
        """Whether napari's tools paint on the Masks layer now."""
        active = self.scene.viewer.layers.selection.active
        return active is not None and active == self.masks and self.masks.mode in ("paint", "erase", "fill", "polygon")

    def _pressed(self, viewer: Any, event: Any) -> Any:
        if not self.armed or self.scene.view.through is None:
            return
        if self._before is None:
            self._plane = self._plane_in_view()
            self._before = self.scene.labels[self._plane].copy()
        self.painting = True
        yield
        while event.type == "mouse_move":
            yield
        self.painting = False
        self.scene.draw(())

    def _plane_in_view(self) -> tuple[Any, ...]:
        through = self.scene.view.through
        places: list[Any] = [slice(None)] * 3
        places[through] = self.scene.view.place
        return tuple(places)

    def _painted(self) -> None:
        QTimer.singleShot(0, self._take)  # when napari is done with the stroke

    def _turned(self) -> None:
        if not self.painting:
            self._before = None

    def _take(self) -> None:
        """Hand what differs from before to the session."""
        before, plane = self._before, self._plane
        self._before = None
        if before is None:
            return
        now = self.scene.labels[plane]
        if self.scene.view.through == 0:
            changed = [(int(plane[0]), before, now)] if (before != now).any() else []
        else:
            changed = []
            for frame_index in np.flatnonzero((before != now).any(axis=1)).tolist():
                whole = self.scene.labels[frame_index]
                old = whole.copy()
                old[plane[1:]] = before[frame_index]
                changed.append((frame_index, old, whole))
        masks: dict[Place, Mask] = {}
        for frame_index, old, new in changed:
            masks |= self._masks_of(frame_index, old, new)
        self.scene.studio.paint(masks)

    def _masks_of(self, frame_index: int, old: NDArray[Any], new: NDArray[np.uint16]) -> dict[Place, Mask]:
        """New masks (H, W) of the objects that gained or lost pixels on a frame."""
        session = self.scene.studio.session
        differs = old != new
        found: dict[Place, Mask] = {}
        for object_id in np.union1d(old[differs], new[differs]).tolist():
            if object_id == 0 or session is None:
                continue
            kept = session.ledger.kept.get((object_id, frame_index))
            mask = np.zeros(new.shape, np.bool_) if kept is None else kept.mask.unpack()
            mask[differs] = new[differs] == object_id
            found[object_id, frame_index] = mask
        return found

    def _one_plane(self) -> None:
        if self.masks.n_edit_dimensions != 2:
            self.masks.n_edit_dimensions = 2
            self.scene.studio.said.emit("Masks are painted plane by plane: following fills what lies between.")

    def _chosen(self) -> None:
        chosen = int(self.masks.selected_label)
        if chosen not in (0, self.scene.studio.object_id):
            self.scene.studio.choose(chosen)
