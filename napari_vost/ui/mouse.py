"""The mouse on the canvas: clicks and strokes become prompts, the wheel steps through frames."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt

from napari_vost.types import BoxPrompt, PointPrompt, Prompt, ScribblePrompt
from napari_vost.ui.scene import Scene
from napari_vost.ui.tools import Tools

CLICK_PX = 3  # most that a click may move
HIT_PX = 7  # nearer than this a click is on a prompt
FRAME_PX = 30  # of a trackpad's way, for one frame
LEFT, RIGHT, MIDDLE = 1, 2, 3

Steps = Generator[None, None, None]


class Mouse:
    """Turns mouse events on our layers into prompts and frames.

    Parameters
    ----------
    scene
        Its layers are listened to.
    tools
        What the user has in hand.
    step_other
        Called with a number of steps when Shift is held over the wheel: the other axis of a 4D scan.
    """

    def __init__(self, scene: Scene, tools: Tools, step_other: Callable[[int], None] | None = None) -> None:
        self.scene, self.tools, self.studio, self.view = scene, tools, scene.studio, scene.view
        self.wheel_steps = True  # False gives napari's wheel back
        self._step_other = step_other
        self._viewer = scene.viewer
        self._turned = 0.0  # of a notch
        self._dropped = False  # Esc was pressed while a stroke was drawn
        self._drawing = False
        self.panning = False  # Space is held
        self._listeners = (
            (self._viewer.mouse_drag_callbacks, self._drag),
            (self._viewer.mouse_double_click_callbacks, self._double_click),
            (self._viewer.mouse_wheel_callbacks, self._wheel),
        )
        for callbacks, callback in self._listeners:
            callbacks.append(callback)

    def close(self) -> None:
        """Stop listening."""
        for callbacks, callback in self._listeners:
            if callback in callbacks:
                callbacks.remove(callback)

    @property
    def drawing(self) -> bool:
        """Whether a stroke is being drawn."""
        return self._drawing

    def drop_stroke(self) -> None:
        """Forget the stroke that is being drawn."""
        self._dropped = True
        self.scene.draw_stroke(None)

    # clicks and strokes -------------------------------------------------------------------------------------------

    def _drag(self, viewer: Any, event: Any) -> Steps:
        active = viewer.layers.selection.active
        if not self.scene.owns(active) or viewer.dims.ndisplay == 3:
            return
        if event.button == MIDDLE:
            yield from self._pan(event)
        elif active == self.scene.prompts and self.tools.tool is not None and "Shift" not in event.modifiers:
            yield from self._mark(event)

    def _mark(self, event: Any) -> Steps:
        """From press to release: a click, or a stroke."""
        button, removes = event.button, "Control" in event.modifiers
        start, path, far = np.array(event.pos), [self.at(event)], False
        draws = button == LEFT and self.tools.strokes and not self.panning
        if draws and not self.view.shows_frames:
            self.studio.said.emit("Box, scribble and lasso work in the plane of the frames: point and brush in every.")
            draws = False
        self._dropped, self._drawing = False, draws
        try:
            yield
            while event.type == "mouse_move":
                far = far or _apart(event, start)
                if draws and far and not self._dropped:
                    path.append(self.at(event))
                    self._show_stroke(path)
                yield
        finally:
            self._drawing = False
        if self._dropped:
            return
        if not (far or _apart(event, start)):  # moves between press and release may have been skipped
            self._click(path[0], positive=self.tools.positive and button == LEFT and not removes)
        elif draws:
            self.scene.draw_stroke(None)
            self._stroke([*path, self.at(event)], self.tools.positive and not removes)

    def _double_click(self, viewer: Any, event: Any) -> None:
        """The second of two fast clicks: napari does not call it a press."""
        if viewer.layers.selection.active == self.scene.prompts and self.tools.tool is not None:
            if event.button in (LEFT, RIGHT) and viewer.dims.ndisplay == 2:
                positive = self.tools.positive and event.button == LEFT and "Control" not in event.modifiers
                self._click(self.at(event), positive, deletes=False)
                event.handled = True

    def _click(self, at: NDArray[np.float64], positive: bool, deletes: bool = True) -> None:
        """A point prompt; on the mark of a prompt it takes that away."""
        hit = self.hit(at) if deletes else None
        point = self.point_at(at, positive)
        if hit is not None:
            self.studio.remove(hit)
        elif point is None:
            self.studio.said.emit("That is beside the image: click inside it.")
        else:
            self.studio.add(point)

    def point_at(self, at: NDArray[np.float64], positive: bool) -> PointPrompt | None:
        """What a click at ``(frame, y, x)`` asks; None beside the image."""
        if not self._inside(at):
            return None
        _, height, width = self.scene.labels.shape
        y, x = min(max(float(at[1]), 0.0), height - 1.0), min(max(float(at[2]), 0.0), width - 1.0)
        return PointPrompt(round(at[0]), self.studio.object_id, y, x, positive)

    def _stroke(self, path: list[NDArray[np.float64]], positive: bool) -> None:
        _, height, width = self.scene.labels.shape
        points = np.clip(np.array(path)[:, 1:], 0.0, (height - 1.0, width - 1.0))
        frame, object_id = round(path[0][0]), self.studio.object_id
        if self.tools.tool == "scribble":
            stroke = tuple((float(y), float(x)) for y, x in thinned(points))
            self.studio.add(ScribblePrompt(frame, object_id, stroke, positive))
        elif self.tools.tool == "lasso":
            self.studio.lasso(frame, points, positive)
        elif not positive:
            self.studio.said.emit("A box says where the object is: remove with a point, a scribble or the eraser.")
        else:
            (y0, x0), (y1, x1) = np.sort(points[[0, -1]], axis=0).tolist()
            self.studio.add(BoxPrompt(frame, object_id, y0, x0, y1, x1))

    def _show_stroke(self, path: list[NDArray[np.float64]]) -> None:
        if self.tools.tool == "box":
            (frame, y0, x0), (_, y1, x1) = path[0], path[-1]
            corners = [(frame, y0, x0), (frame, y0, x1), (frame, y1, x1), (frame, y1, x0)]
            self.scene.draw_stroke(np.array(corners), "rectangle")
        else:
            closed = [*path, path[0]] if self.tools.tool == "lasso" else path
            self.scene.draw_stroke(np.array(closed), "path")

    def at(self, event: Any) -> NDArray[np.float64]:
        """``(frame, y, x)`` of an event, between pixels too; the frame is a whole number where frames are shown."""
        at = np.array(self.view.world.pixel(event.position), np.float64)
        if self.view.shows_frames:
            at[0] = self.view.frame_index
        return at

    def _inside(self, at: NDArray[np.float64]) -> bool:
        shape = np.array(self.scene.labels.shape)
        return bool(((at >= -0.5) & (at <= shape - 0.5)).all())

    def hit(self, at: NDArray[np.float64]) -> Prompt | None:
        """The prompt of the slice in view of which a handle lies under a place, the nearest one."""
        through = self.view.through
        scale, zoom = np.array(self.scene.prompts.scale[-3:]), self._viewer.scene.camera.zoom
        found: list[tuple[float, Prompt]] = []
        for prompt in self.studio.prompts:
            for handle in handles(prompt) if self.view.shows_frames or isinstance(prompt, PointPrompt) else ():
                apart = np.array(handle) - at
                in_view = abs(round(apart[through])) == 0
                apart[through] = 0
                distance = float(np.hypot.reduce(apart * scale)) * zoom
                if in_view and distance <= HIT_PX:
                    found.append((distance, prompt))
        return min(found, key=lambda one: one[0])[1] if found else None

    # getting about ------------------------------------------------------------------------------------------------

    def _pan(self, event: Any) -> Steps:
        camera = self._viewer.scene.camera
        start, centre = np.array(event.position), np.array(camera.center)
        shown = list(event.dims_displayed)
        yield
        while event.type == "mouse_move":
            moved = np.array(event.position)[shown] - start[shown]
            centre = np.array(camera.center)
            centre[-len(shown) :] -= moved
            camera.center = tuple(centre)
            event.handled = True
            yield

    def _wheel(self, viewer: Any, event: Any) -> None:
        """One frame per notch; a trackpad sends parts of notches, of which 30 pixels make one."""
        to_other = "Shift" in event.modifiers and self._step_other is not None  # also where napari has its wheel
        ours = (self.wheel_steps or to_other) and self.scene.owns(viewer.layers.selection.active)
        if not ours or viewer.dims.ndisplay == 3 or "Control" in event.modifiers:
            return
        event.handled = True
        if event.native.phase() == Qt.ScrollPhase.ScrollMomentum:
            return
        pixels = event.native.pixelDelta()
        moved_px = pixels.y() or pixels.x()
        self._turned += moved_px / FRAME_PX if moved_px else float(event.delta[1] or event.delta[0])
        whole = int(self._turned)
        self._turned -= whole
        if whole and "Shift" in event.modifiers:
            if self._step_other is not None:
                self._step_other(-whole)
        elif whole:
            self.view.step(-whole)


def _apart(event: Any, start: NDArray[np.float64]) -> bool:
    return float(np.abs(np.array(event.pos) - start).max()) > CLICK_PX


def handles(prompt: Prompt) -> tuple[tuple[float, float, float], ...]:
    """Where a click takes a prompt away, ``(frame, y, x)``: a point, the corners of a box, the ends of a scribble."""
    frame = float(prompt.frame_index)
    if isinstance(prompt, PointPrompt):
        return ((frame, prompt.y, prompt.x),)
    if isinstance(prompt, BoxPrompt):
        return tuple((frame, y, x) for y in (prompt.y0, prompt.y1) for x in (prompt.x0, prompt.x1))
    if isinstance(prompt, ScribblePrompt):
        return tuple((frame, y, x) for y, x in (prompt.points_yx[0], prompt.points_yx[-1]))
    return ()


def thinned(points: NDArray[np.float64], least_px: float = 1.0) -> NDArray[np.float64]:
    """Points (N, 2) of a stroke without those that lie nearer than ``least_px`` to the one kept before."""
    kept = [points[0]]
    for point in points[1:]:
        if float(np.hypot(*(point - kept[-1]))) >= least_px:
            kept.append(point)
    return np.array(kept)
