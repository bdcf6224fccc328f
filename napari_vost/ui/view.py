"""Which plane of a clip a viewer shows, which way up, and which frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from napari.utils.notifications import show_warning
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_vost.clip import Clip
from napari_vost.display.orientation import Convention, Edges, view
from napari_vost.display.planes import Plane, frame_plane, planes
from napari_vost.errors import InputError
from napari_vost.ui.guard import LayerGuard
from napari_vost.ui.whole import WholeClip
from napari_vost.ui.world import World

_FILLED = 0.95  # part of the canvas that a fitted clip takes, as napari has it


@dataclass(frozen=True)
class _Camera:
    """Where a camera stands."""

    center: Any
    zoom: float
    angles: Any

    @classmethod
    def of(cls, viewer: Any) -> _Camera:
        camera = viewer.scene.camera
        return cls(camera.center, camera.zoom, camera.angles)

    def apply(self, viewer: Any) -> None:
        camera = viewer.scene.camera
        camera.angles, camera.zoom = self.angles, self.zoom
        camera.center = self.center[-viewer.dims.ndisplay :]  # napari keeps a depth in 2D too, now and then


class PlaneView:
    """Shows the planes of a clip as a radiologist expects them, and steps through its frames.

    Parameters
    ----------
    viewer
        The viewer; its axes and camera are turned, nothing in it is moved.
    clip
        What is looked at; it opens in the plane of its own frames.
    image
        The layer that shows it.
    """

    changed = Signal()  # another frame, slice, plane or convention is shown
    entered_3d = Signal()
    left_3d = Signal()
    reading = Signal(int, int)  # frames read of all of them, while a plane waits for the rest

    def __init__(self, viewer: Any, clip: Clip, image: Any) -> None:
        self._viewer, self._clip, self._image = viewer, clip, image
        self._world, self._whole = World(viewer, clip, image), WholeClip(image.data)
        self._planes = {plane.name: plane for plane in planes(clip)}
        self._convention: Convention = "radiological"
        self._plane = self._flat = self._planes[frame_plane(clip).name]  # shown now, and shown last in 2D
        self._cameras: dict[str, _Camera] = {}  # by plane: where each one was left
        self._guard: LayerGuard | None = None
        dims = viewer.dims
        self._before = _Camera.of(viewer)
        self._before_axes = (dims.order, dims.ndisplay, viewer.scene.camera.orientation)
        self._turning = False
        self._follow_soon = QTimer()
        self._follow_soon.setSingleShot(True)
        self._follow_soon.timeout.connect(self._follow)
        self._stay_soon = QTimer()
        self._stay_soon.setSingleShot(True)
        self._stay_soon.timeout.connect(self._stay)
        self._at = self._world.indices
        self._turn(self._plane)
        self._range = dims.range
        dims.events.point.connect(self._on_point, position="last")
        dims.events.range.connect(self._on_range)
        for emitter in self._axes_events():
            emitter.connect(self._on_axes)
        self._listen()

    def turn_to(self, clip: Clip) -> None:
        """Look at another clip of the same size and place, which the layer shows by now; nothing else changes."""
        self._whole.stop()
        self._clip, self._whole = clip, WholeClip(self._image.data)
        self._listen()

    def _listen(self) -> None:
        self._whole.progress.connect(self.reading.emit)
        self._whole.failed.connect(show_warning)

    @property
    def planes(self) -> tuple[str, ...]:
        """Names of the planes, in the order of their buttons."""
        return tuple(self._planes)

    @property
    def plane(self) -> str:
        """Name of the plane that is shown."""
        return self._plane.name

    @property
    def convention(self) -> Convention:
        """Where patient right is: on screen left (``"radiological"``) or right (``"neurological"``)."""
        return self._convention

    @property
    def edges(self) -> Edges:
        """Letters at the edges of the canvas."""
        return view(self._clip, self._plane, self._convention).edges

    @property
    def is_3d(self) -> bool:
        """Whether the volume is shown, for review."""
        return self._plane.through is None

    @property
    def shows_frames(self) -> bool:
        """Whether this is the frame plane, in which box, scribble and lasso work."""
        return self._plane.shows_frames

    @property
    def through(self) -> int | None:
        """The clip's axis (0 frame, 1 y, 2 x) that the plane cuts across; None in 3D."""
        return self._plane.through

    @property
    def place(self) -> int:
        """Index of the slice in view along `through`; of the frame in 3D."""
        return self.frame_index if self.through in (None, 0) else self._world.index(self.through)

    @property
    def world(self) -> World:
        """Between indices of the clip and places in the viewer."""
        return self._world

    @property
    def frame_index(self) -> int:
        """The frame that the viewer stands at; it is the one that is shown in the frame plane."""
        return self._world.index(0) if self._world.ready else self._at[0]

    def titled(self, plane: str) -> str:
        """Name of a plane with its tilt where it is oblique: ``"Axial, oblique 18°"``."""
        return self._planes[plane].title

    def show(self, plane: str) -> None:
        """Show a plane, each with the zoom, centre and slice it was left with.

        A plane that cuts across the frames needs them all: they are read in the background first, `reading` counts
        them, and the plane then comes up by itself unless something else was asked for.

        Raises
        ------
        InputError
            The clip has no such plane.
        """
        wanted = self._planes.get(plane)
        if wanted is None:
            raise InputError(f"Plane {plane!r} does not exist: this clip has {', '.join(self._planes)}.")
        self._whole.stop()
        if wanted == self._plane:
            return
        if not wanted.shows_frames and not self._whole.fits:
            show_warning(f"The clip is too large to be kept in memory as a whole, which {plane} needs.")
        elif wanted.shows_frames or self._whole.ready:
            self._turn(wanted)
        else:
            self.reading.emit(0, len(self._clip))
            self._whole.read(then=lambda: self._turn(wanted))

    def set_convention(self, convention: Convention) -> None:
        """Turn the camera to the other convention; frame, zoom and centre stay."""
        if convention not in ("radiological", "neurological"):
            raise InputError(f"Convention: expected 'radiological' or 'neurological', got {convention!r}.")
        if convention != self._convention:
            self._convention = convention
            with self._quietly():
                self._lay()
            self.changed.emit()

    def go_to(self, frame_index: int) -> None:
        """Show a frame, whatever else is open.

        Raises
        ------
        InputError
            No such frame.
        """
        self._settle()
        self._world.go_to({0: frame_index})

    def step(self, by: int) -> None:
        """Go so many slices further in the shown plane, frames in the frame plane; it stops at the ends. Not in 3D."""
        self._settle()
        axis = self._plane.through
        if axis is not None and self._world.ready:
            last = self._clip.shape[axis] - 1
            self._world.go_to({axis: min(max(self._world.index(axis) + by, 0), last)})

    def fit(self) -> None:
        """Show the whole of the clip, whatever else is open; in 3D from the front."""
        shown = view(self._clip, self._plane, self._convention).order
        spans = [self._world.span(axis) for axis in shown]
        lengths = [length for _, length in spans[1:]]
        box = self._viewer.canvas.viewbox_size(self._viewer.layers)
        zoom = _FILLED * min(pixels / length for pixels, length in zip(box, lengths, strict=True))
        centre = tuple(middle for middle, _ in spans)
        _Camera(centre, zoom, (0.0, 0.0, 0.0)).apply(self._viewer)

    def guard_layers(self, layers: Iterable[Any]) -> None:
        """Put these layers back, with a sentence, whenever they are moved; instead of those guarded before."""
        if self._guard is not None:
            self._guard.close()
        self._guard = LayerGuard(layers)

    def close(self) -> None:
        """Give the viewer back as it was: axes, orientation, camera, layers unguarded; the frame stays."""
        viewer, dims = self._viewer, self._viewer.dims
        dims.events.point.disconnect(self._on_point)
        dims.events.range.disconnect(self._on_range)
        self._stay_soon.stop()
        for emitter in self._axes_events():
            emitter.disconnect(self._on_axes)
        self._follow_soon.stop()
        self._whole.stop()
        self.guard_layers(())
        order, ndisplay, orientation = self._before_axes
        if len(order) != dims.ndim:  # a layer with other axes came or went
            order = tuple(range(dims.ndim))
        point = dims.point
        dims.ndisplay, dims.order = ndisplay, order
        dims.point = point
        viewer.scene.camera.orientation = orientation
        self._before.apply(viewer)

    def _axes_events(self) -> tuple[Any, ...]:
        events = self._viewer.dims.events
        return events.order, events.ndisplay, events.ndim

    def _turn(self, plane: Plane) -> None:
        """Show a plane at the frame and slice where the viewer stands."""
        dims, was_3d = self._viewer.dims, self.is_3d
        self._whole.stop()
        if plane != self._plane:
            self._cameras[self._plane.name] = _Camera.of(self._viewer)
        axes = (dims.order, dims.ndisplay)
        self._plane = plane
        if not self.is_3d:
            self._flat = plane
        with self._quietly():
            self._lay()
            self._world.go_to(dict(enumerate(self._at)))  # between 2D and 3D napari moves the slider
            if plane.name in self._cameras:
                self._cameras.pop(plane.name).apply(self._viewer)
            elif (dims.order, dims.ndisplay) != axes:
                self.fit()
        if self.is_3d != was_3d:
            (self.entered_3d if self.is_3d else self.left_3d).emit()
        self.changed.emit()

    def _lay(self) -> None:
        """Set axes and camera for the plane and the convention: in 2D only what a 2D camera uses."""
        viewer = self._viewer
        shown = view(self._clip, self._plane, self._convention)
        order = shown.dims_order(viewer.dims.ndim)
        if self.is_3d:
            viewer.dims.order = order
            viewer.dims.ndisplay = 3
            viewer.scene.camera.orientation = shown.orientation
        else:
            viewer.dims.ndisplay = 2
            viewer.dims.order = order
            viewer.scene.camera.orientation = (self._before_axes[2][0], *shown.orientation2d)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """What the viewer says meanwhile is our own doing."""
        self._turning = True
        try:
            yield
        finally:
            self._turning = False
            self._at = self._world.indices

    def _on_point(self, event: Any = None) -> None:
        if self._turning or not self._world.ready or (self._viewer.dims.ndisplay == 3) != self.is_3d:
            return
        at = self._world.indices
        if self._viewer.dims.range != self._range:  # another layer came or went: nobody has turned to another frame
            self._stay_soon.start(0)
        elif at != self._at:
            self._at = at
            self.changed.emit()

    def _settle(self) -> None:
        """Do at once what waits to be put right, before anybody moves."""
        if self._stay_soon.isActive():
            self._stay_soon.stop()
            self._stay()

    def _on_range(self, event: Any = None) -> None:
        self._stay_soon.start(0)

    def _stay(self) -> None:
        """Other layers change what the numbers of the viewer's sliders mean: stay at the frame that was in view."""
        self._range = self._viewer.dims.range
        if self._world.ready and self._world.indices != self._at:
            with self._quietly():
                self._world.go_to(dict(enumerate(self._at)))

    def _on_axes(self, event: Any = None) -> None:
        if not self._turning:
            self._follow_soon.start(0)  # what is set inside an event of the viewer, it announces and undoes later

    def _follow(self) -> None:
        """Someone else turned the view: take the plane that they mean, the right way up."""
        dims = self._viewer.dims
        if not self._world.ready:
            return
        through = dims.order[-3] - self._world.axis(0)
        meant = next((plane for plane in self._planes.values() if plane.through == through), self._plane)
        if dims.ndisplay == 3:
            if "3D" in self._planes and not self.is_3d:
                self._turn(self._planes["3D"])
        elif self.is_3d:
            self._turn(self._flat)
        elif meant != self._plane or dims.order != view(self._clip, meant, self._convention).dims_order(dims.ndim):
            self._turn(meant)
