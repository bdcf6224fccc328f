"""Everything that lies on the table while a clip is worked on: its view, layers, tools, keys, timeline and buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from napari.layers import Image
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from napari_vost.clip import Clip
from napari_vost.ui.buttons import button
from napari_vost.ui.cursor import Cursor
from napari_vost.ui.export_panel import ExportPanel
from napari_vost.ui.follow_bar import FollowBar
from napari_vost.ui.keys import bind
from napari_vost.ui.lane import Lane
from napari_vost.ui.lane_data import LaneData, changed_frames, lane_data, next_weak, reviewed, reviewed_text, updated
from napari_vost.ui.letters import Letters, ScaleBar
from napari_vost.ui.mark_bar import MarkBar
from napari_vost.ui.mouse import Mouse
from napari_vost.ui.object_list import ObjectList
from napari_vost.ui.playing import Player
from napari_vost.ui.review_bar import ReviewBar
from napari_vost.ui.run import Progress
from napari_vost.ui.scene import Scene
from napari_vost.ui.studio import Studio
from napari_vost.ui.tools import Tool, Tools
from napari_vost.ui.view import PlaneView
from napari_vost.ui.view_bar import ViewBar
from napari_vost.ui.windowing import Windowing


class Desk(QWidget):
    """The working part of the dock, for one clip; `close_down` takes everything away again.

    Parameters
    ----------
    viewer
        The viewer.
    studio
        It has a session of the clip.
    clip
        What is worked on.
    image
        The layer that shows it.
    """

    def __init__(self, viewer: Any, studio: Studio, clip: Clip, image: Image) -> None:
        super().__init__()
        self.viewer, self.studio, self.clip = viewer, studio, clip
        self.view = PlaneView(viewer, clip, image)
        self.scene = Scene(viewer, studio, self.view, image)
        self.tools = Tools(viewer, self.scene)
        self.mouse = Mouse(self.scene, self.tools)
        self.windowing = Windowing(viewer, clip, image, self.scene.owns)
        self.readout = Cursor(viewer, clip, image, self.view, self._label_at)
        self.letters, self.scale_bar = Letters(viewer, clip, self.view), ScaleBar(viewer, clip)
        self.player = Player(self.view, clip) if clip.order == "time" else None
        self.lane = Lane()
        self._data: LaneData = lane_data(self._session)
        self._before: LaneData | None = None  # what stood when following began
        self.actions_by_name = self._actions()
        self._take_layers()
        self.scene.remade.connect(self._take_layers)
        self._build()
        self._soon = QTimer(self, interval=0, singleShot=True)  # many changes are one redraw
        self._soon.timeout.connect(self.refresh)
        self._connect()
        self.refresh()

    @property
    def _session(self) -> Any:
        session = self.studio.session
        if session is None:
            raise RuntimeError("a desk needs a session")
        return session

    # what it is made of -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.objects = ObjectList(self.studio)
        self.marks = MarkBar(self.tools, self.actions_by_name)
        self.follow_bar = FollowBar(self.studio, self.actions_by_name)
        self.review = ReviewBar(self.actions_by_name)
        self.export = ExportPanel()
        self.export.show_session(self.studio.session)
        self.view_bar = ViewBar(self.clip, self.view, self.windowing, self.readout, self.player)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setAccessibleName("What to do next")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.view_bar, self.hint, self.objects, self._object_row(), self.marks, self._look_row(),
                     self.follow_bar, self.review, *self._folded("Export", self.export)):  # fmt: skip
            layout.addWidget(part)
        layout.addStretch(1)

    def _object_row(self) -> QWidget:
        return _row(
            button("New", "new_object", self.studio.new_object, "Mark another structure"),
            button("Delete", "", lambda: self.studio.remove_object(self.studio.object_id),
                   "Take the chosen object away, all of it; undo brings it back"),
        )  # fmt: skip

    def _look_row(self) -> QWidget:
        self.fill = QSlider(Qt.Orientation.Horizontal)
        self.fill.setRange(0, 100)
        self.fill.setValue(round(100 * float(self.scene.masks.opacity)))
        self.fill.setToolTip("How strongly masks cover the image")
        self.fill.setAccessibleName("Strength of masks")
        self.fill.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fill.valueChanged.connect(lambda value: setattr(self.scene.masks, "opacity", value / 100))
        self.outline = button("Outline", "", self._show_outline, "Masks as outlines, or filled", checkable=True)
        return _row(self.outline, self.fill)

    def _folded(self, title: str, part: QWidget) -> tuple[QWidget, QWidget]:
        """A title that unfolds a part of the dock."""
        head = QToolButton()
        head.setText(title)
        head.setToolTip("Show or hide")
        head.setCheckable(True)
        head.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        head.setArrowType(Qt.ArrowType.RightArrow)

        def fold(shown: bool) -> None:
            head.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
            part.setVisible(shown)
            if shown:
                self.export.refresh()

        head.toggled.connect(fold)
        part.setVisible(False)
        return head, part

    def _connect(self) -> None:
        studio = self.studio
        studio.masks_changed.connect(self._masks_changed)
        for signal in (studio.prompts_changed, studio.locks_changed, studio.objects_changed):
            signal.connect(self._soon.start)
        studio.following_changed.connect(self._following_changed)
        studio.progressed.connect(self._progressed)
        self.tools.changed.connect(self._hint)
        self.view.changed.connect(self._looked)
        self.lane.frame_chosen.connect(self.view.go_to)
        self.lane.object_chosen.connect(studio.choose)
        self.lane.range_changed.connect(self._choose_range)

    def close_down(self) -> None:
        """Take away layers, overlays, callbacks and the timeline: napari is as before."""
        self._soon.stop()
        studio = self.studio
        studio.masks_changed.disconnect(self._masks_changed)
        for signal in (studio.prompts_changed, studio.locks_changed, studio.objects_changed):
            signal.disconnect(self._soon.start)
        studio.following_changed.disconnect(self._following_changed)
        studio.progressed.disconnect(self._progressed)
        self.view.changed.disconnect(self._looked)
        self.tools.close()
        self.mouse.close()
        if self.player is not None:
            self.player.close()
        self.view_bar.close()
        for part in (self.readout, self.windowing, self.letters, self.scale_bar, self.scene, self.view):
            part.close()

    # keys ---------------------------------------------------------------------------------------------------------

    def _actions(self) -> dict[str, Callable[[], None]]:
        studio = self.studio

        def here() -> int:
            return self.view.frame_index

        armed = {tool: self._armer(tool) for tool in get_args(Tool)}
        numbered = {f"object_{number}": self._chooser(number) for number in range(1, 10)}
        return {
            **armed, **numbered, "swap": self.tools.swap, "new_object": lambda: _none(studio.new_object()),
            "previous_object": lambda: studio.step_object(-1), "next_object": lambda: studio.step_object(1),
            "follow": studio.toggle_following, "escape": self._escape,
            "next_weak": lambda: self._go_weak(1), "previous_weak": lambda: self._go_weak(-1),
            "accept": self._accept, "lock": lambda: studio.toggle_lock(here()),
            "end_here": lambda: studio.end_here(here()), "not_here": lambda: studio.not_here(here()),
            "previous_prompted": lambda: self._go_prompted(-1), "next_prompted": lambda: self._go_prompted(1),
            "back_10": lambda: self.view.step(-10), "on_10": lambda: self.view.step(10),
            "first_frame": lambda: self._go_extent(0), "last_frame": lambda: self._go_extent(1),
            "previous_frame": lambda: self.view.step(-1), "next_frame": lambda: self.view.step(1),
            "play": self._play, "undo": studio.undo, "redo": studio.redo,
        }  # fmt: skip

    def _take_layers(self) -> None:
        """Keep our layers where they belong, and bind the keys on them."""
        self.view.guard_layers((self.scene.image, *self.scene.layers))
        held = {"hide": self.scene.bare, "pan": self._hold_pan}
        bind((self.scene.prompts, self.scene.strokes), self.actions_by_name, held)
        bind((self.scene.masks,), self.actions_by_name, {"hide": self.scene.bare})  # Space is napari's own there

    def _armer(self, tool: Tool) -> Callable[[], None]:
        return lambda: self.tools.put_down() if self.tools.tool == tool else self.tools.arm(tool)

    def _chooser(self, number: int) -> Callable[[], None]:
        return lambda: self.studio.choose(number)

    def _escape(self) -> None:
        if self.mouse.drawing:
            self.mouse.drop_stroke()
        elif self.tools.tool is not None:
            self.tools.put_down()
        else:
            self.studio.stop()

    def _hold_pan(self, down: bool) -> None:
        self.mouse.panning = down
        if self.tools.strokes:
            self.scene.prompts.mouse_pan = down

    def _play(self) -> None:
        if self.player is not None:
            self.player.toggle()

    def _show_outline(self) -> None:
        self.tools.show_outline(self.outline.isChecked())

    # getting about ------------------------------------------------------------------------------------------------

    def _go_weak(self, step: int) -> None:
        found = next_weak(self._data, None, self.view.frame_index, step)
        if found is None:
            self.studio.said.emit("No weak frame that way.")
        else:
            self.studio.choose(found[0])
            self.view.go_to(found[1])

    def _accept(self) -> None:
        here = self.view.frame_index
        lane = self._data.find(self.studio.object_id)
        if lane is None or lane.masks[here] is None:
            self.studio.said.emit("There is no mask of this object here to accept.")
            return
        self.studio.accept(here)
        found = next_weak(self._data, None, here, 1)
        if found is not None and found[1] != here:
            self.view.go_to(found[1])

    def _go_prompted(self, step: int) -> None:
        here = self.view.frame_index
        frames = sorted({one.frame_index for one in self.studio.prompts}, reverse=step < 0)
        beyond = [frame for frame in frames if (frame - here) * step > 0]
        if beyond:
            self.view.go_to(beyond[0])

    def _go_extent(self, end: int) -> None:
        lane = self._data.find(self.studio.object_id)
        if lane is not None and lane.extent is not None:
            self.view.go_to(lane.extent[end])

    def _choose_range(self, frames: tuple[int, int] | None) -> None:
        self.studio.frames = frames

    def _label_at(self, frame_index: int, y: int, x: int) -> str:
        object_id = int(self.scene.labels[frame_index, y, x])
        return self.studio.label(object_id).name if object_id else ""

    # what is shown ------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show everything anew that is read off the session."""
        limits = {
            object_id: (first or 0, len(self.clip) if last is None else last + 1)
            for object_id, (first, last) in self._session.limits.items()
        }
        self._show(lane_data(self._session, limits))

    def _masks_changed(self, frames: frozenset[int]) -> None:
        if self.studio.following and {one.object_id for one in self._data.objects} >= set(self._session.object_ids):
            self._show(updated(self._data, self._session, frames))
        else:
            self._soon.start()

    def _show(self, data: LaneData) -> None:
        self._data = data
        self.lane.set_data(data)
        self.lane.set_active(self.studio.object_id)
        self.lane.set_frame(self.view.frame_index)
        self.objects.show_data(data)
        self.review.say(reviewed_text(reviewed(data)))
        self._hint()

    def _looked(self) -> None:
        self.lane.set_frame(self.view.frame_index)

    def _progressed(self, progress: Progress) -> None:
        self.lane.set_progress(progress.done / max(progress.total, 1))

    def _following_changed(self, following: bool) -> None:
        if following:
            self._before = self._data
            return
        self.lane.set_progress(None)
        self.refresh()
        if self._before is not None and self._before.objects:
            self.lane.flash(changed_frames(self._before, self._data))
        self._before = None

    def _hint(self) -> None:
        """One sentence: what to do next."""
        self.hint.setText(next_action(self._data, bool(self.studio.prompts), self.tools.tool, self.studio.following))


def next_action(data: LaneData, prompted: bool, tool: str | None, following: bool) -> str:
    """What one would do next, in one sentence."""
    if following:
        return "Masks follow; scroll along, and click where they go wrong."
    if not prompted:
        return "Click a structure in the image." if tool else "Take a tool (P for point) and mark a structure."
    count = reviewed(data)
    if not any(lane.kept.sum() > lane.prompted.sum() for lane in data.objects):
        return "Right? Then follow it through the clip (F). If not, click what is missing or too much."
    if any(lane.weak.any() for lane in data.objects):
        return "Go through the weak frames (W): accept them (Enter) or correct them."
    return "All frames are reviewed." if count.reviewed == count.frames else "No weak frame is left: look, then export."


def _none(_: object) -> None:
    return None


def _row(*parts: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)
    for part in parts:
        layout.addWidget(part, 1)
    return row
