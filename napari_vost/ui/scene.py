"""The layers of a session: its masks, its prompts, and how both are kept as the session has them.

The image has its own layer, made by the reader or the dock. Masks are drawn frame by frame, the frame in view first
and the others when there is time; nothing is ever read back from them but what a brush has just painted.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Points, Shapes
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtGui import QGuiApplication

from napari_vost.types import BoxPrompt, MaskPrompt, PointPrompt, Prompt, ScribblePrompt
from napari_vost.ui.adopt import place_options
from napari_vost.ui.brush import Brush
from napari_vost.ui.layers import SESSION
from napari_vost.ui.studio import Studio

# Outlines come back with the plane: nothing that a user would want to be told of.
warnings.filterwarnings("ignore", "Contours are not displayed during 3D rendering")

MASKS, PROMPTS, STROKES = "Masks", "Prompts", "Strokes"
SLICE_S = 0.008  # seconds of drawing at a time, so that the window stays awake
SIDE_PLANE_MS = 120  # between two redraws of a plane that cuts all frames
MARKER, MARKER_PX = 24, 11  # pixels of the clip, at most logical ones of the screen; a least shows napari's dummy
MOST_SMALL = 255  # largest object id that a small label map holds


class Scene(QObject):
    """Keeps three layers as a session is.

    Parameters
    ----------
    viewer
        A napari viewer, or its model.
    studio
        Whose session is shown; it has one.
    view
        What is looked at: ``frame_index``, ``through`` (axis that the plane cuts, None in 3D) and ``changed``.
    image
        The layer of the clip.
    """

    made = Signal()  # the layers were made again
    layer_lost = Signal()  # the image's layer was removed: there is nothing to work on any more

    def __init__(self, viewer: Any, studio: Studio, view: Any, image: Image) -> None:
        super().__init__()
        self.viewer, self.studio, self.view, self.image = viewer, studio, view, image
        self._dirty: set[int] = set()
        self._closing = False
        self._marker_px: float = MARKER_PX
        self._stroke: NDArray[np.float64] | None = None
        self._stroke_kind = "path"
        self._bared: list[Any] = []  # layers that are hidden while a key is held
        self._more = QTimer(self, interval=0)
        self._more.timeout.connect(self._draw_some)
        self._side = QTimer(self, interval=SIDE_PLANE_MS, singleShot=True)
        self._side.timeout.connect(self._redraw_side)
        self._back = QTimer(self, interval=0, singleShot=True)
        self._back.timeout.connect(self._put_back)
        self._make_layers()
        viewer.layers.events.removed.connect(self._removed)
        studio.masks_changed.connect(self.draw)
        studio.prompts_changed.connect(self.draw_prompts)
        studio.objects_changed.connect(self._draw_objects)
        view.changed.connect(self._looked)

    # layers -------------------------------------------------------------------------------------------------------

    def _make_layers(self) -> None:
        """Add what is missing of our layers, above the image."""
        session = self.studio.session
        if session is None:
            return
        options = {**place_options(self.image), "metadata": {SESSION: session}}
        active = self.viewer.layers.selection.active
        kind = np.uint8 if max(self.studio.object_ids, default=0) <= MOST_SMALL else np.uint16  # small ones draw faster
        self.labels: NDArray[np.uint8 | np.uint16] = np.zeros(session.clip.shape, kind)  # untouched it takes no memory
        self.masks = Labels(self.labels, name=MASKS, **options)
        self.strokes = Shapes(ndim=3, name=STROKES, face_color="transparent", edge_width=1, **options)
        self.prompts = Points(
            ndim=3, name=PROMPTS, size=MARKER, border_width=0.15, border_color="white",
            canvas_size_limits=(0, self._marker_px), **options,
        )  # fmt: skip
        self._colours: dict[int | None, Any] = {}  # as they are drawn now, and so are these
        self._places: NDArray[np.float64] = np.zeros((0, 3))
        self.marks: list[Prompt] = []  # what the points of the layer stand for, in their order
        self._marks: tuple[list[str], list[str]] = [], []  # their symbols and colours
        self._newest = "", ""  # those with which a point begins
        self._drawn: list[tuple[NDArray[np.float64], str, str]] = []
        self._put_away = False  # the layer of strokes is hidden as long as it would show none: it is slow to draw
        for layer in self.layers:
            self.viewer.add_layer(layer)
        self.strokes.editable = self.prompts.editable = False
        self.brush = Brush(self)
        elsewhere = active in self.viewer.layers and active != self.image  # the keys are those of our layers
        self.viewer.layers.selection.active = active if elsewhere else self.prompts
        self._draw_objects()
        self.draw_prompts()
        self._put_strokes_away()
        self.draw(frozenset(frame for _, frame in list(session.ledger.kept)))

    @property
    def layers(self) -> tuple[Labels, Shapes, Points]:
        """Ours, from below."""
        return self.masks, self.strokes, self.prompts

    def owns(self, layer: Any) -> bool:
        """Whether a layer is one of ours, or the image that they lie on."""
        return layer is not None and any(layer == one for one in (*self.layers, self.image))

    def scale_marks(self, ratio: float) -> None:
        """Show marks as large on a screen of more pixels per logical one; napari counts those of the screen."""
        self._marker_px = MARKER_PX * ratio
        self.prompts.canvas_size_limits = 0, self._marker_px

    def close(self) -> None:
        """Take our layers away and let everything go; the image stays."""
        self._closing = True
        for timer in (self._more, self._side, self._back):
            timer.stop()
        self.brush.close()
        self.viewer.layers.events.removed.disconnect(self._removed)
        self.view.changed.disconnect(self._looked)
        self.studio.masks_changed.disconnect(self.draw)
        self.studio.prompts_changed.disconnect(self.draw_prompts)
        self.studio.objects_changed.disconnect(self._draw_objects)
        with self.viewer.layers.batched_update():  # napari draws anew, and collects garbage, once for all of them
            for layer in self.layers:
                if layer in self.viewer.layers:
                    self.viewer.layers.remove(layer)

    def _removed(self, event: Any) -> None:
        if self._closing:
            return
        if event.value == self.image:
            self.layer_lost.emit()
        elif event.value in self.layers:
            self._back.start()

    def _put_back(self) -> None:
        """A layer of ours was deleted: it holds nothing of its own, so all of them are made again."""
        if self._closing or self.studio.session is None:
            return
        self.studio.said.emit("The layers Masks, Strokes and Prompts belong to the open clip and were put back.")
        self._make_again()

    def _make_again(self) -> None:
        self._closing = True
        self.brush.close()
        for layer in self.layers:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._closing = False
        self._make_layers()
        self.made.emit()

    def start_over(self) -> None:
        """Show another session, of a clip of the same size; the layers stay."""
        session = self.studio.session
        if session is None:
            return
        for layer in self.layers:
            layer.metadata = {SESSION: session}
        for frame in self.labels:
            if frame.any():
                frame[:] = 0
        self._dirty.clear()
        self._draw_objects()
        self.draw(frozenset(frame for _, frame in list(session.ledger.kept)))
        self.redraw()

    # masks --------------------------------------------------------------------------------------------------------

    def draw(self, frames: Iterable[int]) -> None:
        """Show what the session holds of some frames: the one in view at once, the others when there is time."""
        self._dirty.update(frames)
        if self.view.frame_index in self._dirty and not self.brush.painting:
            self._compose(self.view.frame_index, self._ids)
            if self.view.through == 0:
                self.redraw()
        if self._dirty:
            self._more.start()

    @property
    def drawing(self) -> bool:
        """Whether masks of some frames are still to be shown."""
        return bool(self._dirty)

    def _draw_some(self) -> None:
        if self.brush.painting:
            return
        end, ids, viewed = time.monotonic() + SLICE_S, self._ids, self.view.frame_index
        for frame_index in sorted(self._dirty, key=lambda one: abs(one - viewed)):
            self._compose(frame_index, ids)
            if time.monotonic() > end:
                break
        if not self._dirty:
            self._more.stop()
        if self.view.through != 0 and not self._side.isActive():
            self._side.start()

    def _looked(self) -> None:
        """Another frame or plane is in view."""
        self.studio.viewed_frame = self.view.frame_index
        self.studio.jobs.wake()
        self._put_strokes_away()
        if self.view.frame_index in self._dirty and not self.brush.painting:
            self._compose(self.view.frame_index, self._ids)
            if self.view.through == 0:
                self.redraw()

    def _redraw_side(self) -> None:
        """Show a plane across the frames anew; 3D, which takes long, at rest: nothing follows, no button is held."""
        moves = self.studio.following or QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        if self.view.through is None and moves:
            self._side.start()
        else:
            self.redraw()

    def redraw(self) -> None:
        """Show the plane in view as the label maps are now."""
        if not self._closing:
            self.masks.refresh(extent=False, thumbnail=False)

    @property
    def _ids(self) -> tuple[int, ...]:
        session = self.studio.session
        return () if session is None else session.object_ids

    def _compose(self, frame_index: int, object_ids: tuple[int, ...]) -> None:
        """Write the label map of a frame; where objects overlap the smaller id is on top."""
        self._dirty.discard(frame_index)
        session = self.studio.session
        if session is None:
            return
        frame = np.zeros(session.clip.shape[1:], self.labels.dtype)
        for object_id in reversed(object_ids):
            kept = session.ledger.kept.get((object_id, frame_index))
            if kept is not None and not kept.mask.empty:
                frame[kept.mask.unpack()] = object_id
        if frame.any() or self.labels[frame_index].any():
            self.labels[frame_index] = frame

    def _draw_objects(self) -> None:
        """Colours, which objects are shown, and which one a brush paints."""
        if max(self.studio.object_ids, default=0) > np.iinfo(self.labels.dtype).max:
            self._make_again()
            return
        clear = (0.0, 0.0, 0.0, 0.0)
        colours: dict[int | None, Any] = {None: clear, 0: clear}
        for object_id in self.studio.object_ids:
            red, green, blue = self.studio.colour(object_id)
            shown = object_id not in self.studio.hidden
            colours[object_id] = (red / 255, green / 255, blue / 255, 1.0) if shown else clear
        for object_id in range(1, max(self.studio.object_ids, default=0) + 20):  # what a brush may paint next
            red, green, blue = self.studio.colour(object_id)
            colours.setdefault(object_id, (red / 255, green / 255, blue / 255, 1.0))
        if self.masks.selected_label not in (0, self.studio.object_id):
            self.masks.selected_label = self.studio.object_id
        if colours != self._colours:
            self._colours = colours
            self.masks.colormap = DirectLabelColormap(color_dict=colours)  # says the selected label again: it is right
        self.draw_prompts()

    def bare(self, bare: bool) -> None:
        """Hide our layers for a moment, and show those again that were shown."""
        if bare:
            self._bared = [layer for layer in self.layers if layer.visible]
        for layer in self._bared:
            layer.visible = not bare
        if not bare:
            self._bared = []
            self._put_strokes_away()

    # prompts ------------------------------------------------------------------------------------------------------

    def draw_prompts(self) -> None:
        """Show all prompts; those without an answer yet as rings, or with a ring at their last corner."""
        if self._closing:
            return
        waiting = self.studio.waiting
        self.marks = []
        places, symbols, colours = [], [], []
        shapes: list[tuple[NDArray[np.float64], str, str]] = []
        for prompt in self.studio.prompts:
            colour = "#{:02x}{:02x}{:02x}".format(*self.studio.colour(prompt.object_id))
            ring = any(prompt is one for one in waiting)
            if isinstance(prompt, MaskPrompt):
                continue
            if isinstance(prompt, PointPrompt):
                place, symbol = (prompt.frame_index, prompt.y, prompt.x), "disc" if prompt.positive else "x"
            else:
                line = outline(prompt)
                place, symbol = tuple(line[-1]), "ring"
                shapes.append((line, "rectangle" if isinstance(prompt, BoxPrompt) else "path", colour))
            if ring or isinstance(prompt, PointPrompt):
                self.marks.append(prompt)
                places.append(place)
                symbols.append("ring" if ring else symbol)
                colours.append(colour)
        if self._stroke is not None and len(self._stroke) > 1:
            shapes.append((self._stroke, self._stroke_kind, "white"))
        self._draw_points(np.array(places, np.float64).reshape(-1, 3), symbols, colours)
        self._draw_shapes(shapes)

    def _draw_points(self, places: NDArray[np.float64], symbols: list[str], colours: list[str]) -> None:
        """Each change of the layer takes time: what is as it was is left, and what is new begins as it shall be."""
        if not np.array_equal(places, self._places):
            added, left = max(len(places) - len(self._places), 0), len(places)
            if added and self._newest != (symbols[-1], colours[-1]):
                self._newest = symbols[-1], colours[-1]
                self.prompts.current_symbol, self.prompts.current_face_color = self._newest
            self._places = places
            self.prompts.data = places
            had = self._marks
            self._marks = had[0][:left] + added * [self._newest[0]], had[1][:left] + added * [self._newest[1]]
        if symbols != self._marks[0]:
            self.prompts.symbol = symbols
        if colours != self._marks[1]:
            self.prompts.face_color = colours
        self._marks = symbols, colours

    def _draw_shapes(self, shapes: list[tuple[NDArray[np.float64], str, str]]) -> None:
        same = len(shapes) == len(self._drawn) and all(
            one[1:] == other[1:] and np.array_equal(one[0], other[0])
            for one, other in zip(shapes, self._drawn, strict=True)
        )
        if same:
            return
        self._drawn = shapes
        self.strokes.data = []
        if shapes:
            data, kinds, edges = map(list, zip(*shapes, strict=True))
            self.strokes.add(data, shape_type=kinds, edge_color=edges, face_color="transparent", edge_width=1)
        self._put_strokes_away()

    def _put_strokes_away(self) -> None:
        """Show the layer of strokes only where it has one to show."""
        here = self.view.frame_index if self.view.through == 0 else None
        any_here = any(here is None or (data[:, 0] == here).any() for data, _, _ in self._drawn)
        if self._bared or any_here != self._put_away:
            return
        if any_here or self.strokes.visible:
            self.strokes.visible, self._put_away = any_here, not any_here

    def draw_stroke(self, stroke: NDArray[np.float64] | None, kind: str = "path") -> None:
        """Show a stroke that is being drawn, (N, 3) as ``(frame, y, x)``; None when it is over."""
        self._stroke, self._stroke_kind = stroke, kind
        self.draw_prompts()


def outline(prompt: Prompt) -> NDArray[np.float64]:
    """Corners (N, 3) of a box or a scribble, as ``(frame, y, x)``."""
    if isinstance(prompt, BoxPrompt):
        y0, x0, y1, x1 = prompt.y0, prompt.x0, prompt.y1, prompt.x1
        points = [(y0, x0), (y0, x1), (y1, x1), (y1, x0)]
    elif isinstance(prompt, ScribblePrompt):
        points = list(prompt.points_yx) if len(prompt.points_yx) > 1 else list(prompt.points_yx) * 2
    else:
        raise TypeError(f"{type(prompt).__name__} has no outline")
    return np.array([(prompt.frame_index, y, x) for y, x in points], np.float64)
