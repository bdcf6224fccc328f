"""Everything that lies on the table while a clip is worked on: its view, layers, tools, keys, timeline and buttons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_vost.clip import Clip
from napari_vost.history import Log
from napari_vost.io.atomic import atomic_file
from napari_vost.ui.actions import Actions
from napari_vost.ui.background import Running
from napari_vost.ui.buttons import button
from napari_vost.ui.cursor import Cursor
from napari_vost.ui.engine_room import EngineRoom
from napari_vost.ui.export_panel import ExportPanel
from napari_vost.ui.folding import Fold
from napari_vost.ui.follow_bar import FollowBar, left_text
from napari_vost.ui.go_bar import GoBar
from napari_vost.ui.hover import Hover
from napari_vost.ui.jobs import sentence_of
from napari_vost.ui.keys import bind
from napari_vost.ui.lane import Lane
from napari_vost.ui.lane_csv import curve_csv, volume_ml
from napari_vost.ui.lane_data import LaneData, changed_frames, lane_data, reviewed, reviewed_text, updated
from napari_vost.ui.lane_dock import LaneDock
from napari_vost.ui.letters import Letters, ScaleBar
from napari_vost.ui.mark_bar import MarkBar
from napari_vost.ui.mask_look import MaskLook
from napari_vost.ui.model_bar import ModelBar
from napari_vost.ui.mouse import Mouse
from napari_vost.ui.name_list import NameList
from napari_vost.ui.object_list import ObjectList
from napari_vost.ui.other_scan import OtherScan
from napari_vost.ui.part_bar import PartBar
from napari_vost.ui.playing import Player
from napari_vost.ui.remembered import Remembered
from napari_vost.ui.review_bar import ReviewBar
from napari_vost.ui.run import Progress
from napari_vost.ui.save_key import SaveKey
from napari_vost.ui.scene import Scene
from napari_vost.ui.seen_bar import SeenBar
from napari_vost.ui.settings_bar import SettingsBar
from napari_vost.ui.start_masks import StartMasks
from napari_vost.ui.studio import Studio
from napari_vost.ui.tools import Tools
from napari_vost.ui.view import PlaneView
from napari_vost.ui.view_bar import ViewBar
from napari_vost.ui.waiting import Waiting
from napari_vost.ui.windowing import Windowing

_PADDING, _SLIDER = 4, 16  # letters that a button is wider than its words, and that a slider is wide


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
        part = clip.source.grid.part
        self.part_bar = PartBar(part)
        self.mouse = Mouse(self.scene, self.tools, self.part_bar.step if part else None)
        self.hover = Hover(self.mouse)
        self.windowing = Windowing(viewer, clip, image, self.scene.owns)
        self.readout = Cursor(viewer, clip, image, self.view, self._label_at)
        self.letters, self.scale_bar = Letters(viewer, clip, self.view), ScaleBar(viewer, clip)
        self.player = Player(self.view, clip) if clip.order == "time" else None
        self.lane = Lane()
        self.lane_dock = LaneDock(viewer, self.lane)
        self.data: LaneData = lane_data(self._session)
        self.exported: Log = self._session.ledger.log  # what stood when masks left last, or when the clip was opened
        self._reached: frozenset[int] = (
            frozenset()
        )  # frames whose masks changed, and which the timeline does not show yet
        self._before: LaneData | None = None  # what stood when following began
        self.acts = Actions(self)
        self.actions_by_name = self.acts.table()
        self._bind()
        self.scene.made.connect(self._bind)
        self._build()
        self._soon = QTimer(self, interval=0, singleShot=True)  # many changes are one redraw
        self._soon.timeout.connect(self.refresh)
        self._connect()
        self.refresh()

    def event(self, event: QEvent) -> bool:
        """Marks are as large on every screen, also when the window is moved to another one."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.DevicePixelRatioChange):
            self.scene.scale_marks(self.devicePixelRatioF())
        return super().event(event)

    @property
    def _session(self) -> Any:
        session = self.studio.session
        if session is None:
            raise RuntimeError("a desk needs a session")
        return session

    def _bind(self) -> None:
        """Keys and a guard for our layers."""
        held = {"hide": self.acts.hide, "pan": self.acts.hold_pan}
        bind((self.scene.prompts, self.scene.strokes), self.actions_by_name, held)
        bind((self.scene.masks,), self.actions_by_name, {"hide": self.acts.hide})  # Space is napari's own there
        self.view.guard_layers((self.scene.image, *self.scene.layers))

    # what it is made of -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        remembered = Remembered("settings")
        self.names = NameList(self.studio, remembered)
        self.start = StartMasks(self.scene)
        self.objects = ObjectList(self.studio, self.names)
        self.look = MaskLook(self.scene, self.tools, remembered)
        self.marks = MarkBar(self.tools, self.actions_by_name)
        self.follow_bar = FollowBar(self.studio, self.actions_by_name)
        self.review = ReviewBar(self.actions_by_name)
        self.going = GoBar(self.actions_by_name, self.acts.hide)
        self.export = ExportPanel()
        self.export.show_session(self.studio.session)
        self.save_key = SaveKey(self.viewer, self.export.ask, self)
        self.view_bar = ViewBar(self.clip, self.view, self.windowing, self.readout, self.player)
        self.room = EngineRoom(self.studio)
        self.waiting = Waiting(self.room, self.scene)
        self.seen = SeenBar(self.room, self.windowing, self.clip)
        self.other = OtherScan(self.scene, self.tools, self.clip)
        self.model = ModelBar(self.room)
        self.settings = SettingsBar(self.scene, self.mouse, remembered)
        self.room.changed.connect(self._show_engine)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setAccessibleName("What to do next")
        self.hint.setMinimumHeight(2 * self.hint.fontMetrics().lineSpacing() + 10)  # nothing below jumps
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.view_bar, self.part_bar, self.seen, self.other, self.hint, self.objects, self._object_row(),
                     self.marks, self.look, self.follow_bar, self.review, self.lane_dock.button,
                     button("Save areas", "", self._save_curve, "The area of every object on every frame, as a table"),
                     *_folded("Go to", self.going), *_folded("Export", self.export, self.export.refresh),
                     *_folded("Model", self.model), *_folded("Settings", self.settings)):  # fmt: skip
            layout.addWidget(part)
        layout.addStretch(1)

    def _object_row(self) -> QWidget:
        return _row(
            button("New", "new_object", self.studio.new_object, "Mark another structure"),
            self.names.button,
            self.start.button,
            button("Delete", "", lambda: self.studio.remove_object(self.studio.object_id),
                   "Take the chosen object away, all of it; undo brings it back"),
        )  # fmt: skip

    def _connect(self) -> None:
        studio = self.studio
        studio.masks_changed.connect(self._masks_changed)
        for signal in (studio.prompts_changed, studio.locks_changed, studio.objects_changed):
            signal.connect(self._soon.start)
        studio.following_changed.connect(self._following_changed)
        studio.suggested.connect(self._show_suggestion)
        self.export.exported.connect(self._left)
        studio.progressed.connect(self._progressed)
        self.tools.changed.connect(self._hint)
        self.view.changed.connect(self._looked)
        self.view.left_3d.connect(self.tools.take_up)
        self.lane.frame_chosen.connect(self.view.go_to)
        self.lane.object_chosen.connect(studio.choose)
        self.lane.range_changed.connect(self._choose_range)

    def start_over(self, clip: Clip) -> None:
        """Show another session, of a clip that the image shows by now; what is in hand and in view stays."""
        self.clip = clip
        for one in (self.scene, self.room, self.settings):
            one.start_over()
        self.other.turn_to(clip)
        self.export.show_session(self._session)
        self.exported, self._before = self._session.ledger.log, None
        self.lane.set_range(None)
        self.lane.set_suggestion(None)
        self.lane.flash({})  # what has changed there is no news here
        self.refresh()

    @property
    def unexported(self) -> bool:
        """Whether there are masks that have not been exported since they changed."""
        ledger = self._session.ledger
        return self.exported != ledger.log and any(not kept.mask.empty for kept in list(ledger.kept.values()))

    def close_down(self) -> None:
        """Take away layers, overlays, callbacks and the timeline: napari is as before."""
        self._soon.stop()
        studio = self.studio
        studio.masks_changed.disconnect(self._masks_changed)
        for signal in (studio.prompts_changed, studio.locks_changed, studio.objects_changed):
            signal.disconnect(self._soon.start)
        studio.following_changed.disconnect(self._following_changed)
        studio.suggested.disconnect(self._show_suggestion)
        studio.progressed.disconnect(self._progressed)
        self.view.changed.disconnect(self._looked)
        self.lane_dock.close_down()
        self.save_key.close_down()
        for one in (self.look, self.seen, self.other, self.model, self.settings, self.waiting, self.room):
            one.close_down()
        self.tools.close()
        self.hover.close()
        self.mouse.close()
        if self.player is not None:
            self.player.close()
        self.view_bar.close()
        for part in (self.readout, self.windowing, self.letters, self.scale_bar, self.scene, self.view):
            part.close()

    def _choose_range(self, frames: tuple[int, int] | None) -> None:
        self.studio.frames = frames

    def _label_at(self, frame_index: int, y: int, x: int) -> str:
        object_id = int(self.scene.labels[frame_index, y, x])
        return self.studio.label(object_id).name if object_id else ""

    def _show_engine(self) -> None:
        """What runs where, and how long it will take."""
        facts, frames = self.room.facts, len(self.clip)
        if facts is not None:
            seconds = self.room.follow_s(frames)
            time = "" if seconds is None else f" · {frames} frames ≈ {left_text(seconds)}"
            self.follow_bar.show_idle(f"{facts.model} on {facts.device.partition(' ')[0]}{time}")

    # what is shown ------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show everything anew that is read off the session."""
        self._reached = frozenset()
        self.export.changed()
        limits = {
            object_id: (first or 0, len(self.clip) if last is None else last + 1)
            for object_id, (first, last) in self._session.limits.items()
        }
        self._show(lane_data(self._session, limits))

    def _masks_changed(self, frames: frozenset[int]) -> None:
        if self.studio.following and {one.object_id for one in self.data.objects} >= set(self._session.object_ids):
            self._reached |= frames  # shown with the next news of progress
        else:
            self._soon.start()

    def _show(self, data: LaneData) -> None:
        self.data = data
        self.lane.set_data(data)
        self.lane.set_active(self.studio.object_id)
        self.lane.set_frame(self.view.frame_index)
        self.objects.show_data(data)
        self.review.say(" · ".join(part for part in (reviewed_text(reviewed(data)), self._volume(data)) if part))
        self._hint()

    def _volume(self, data: LaneData) -> str:
        """Volume of the chosen object as it stands."""
        lane = data.find(self.studio.object_id)
        volume = None if lane is None else volume_ml(lane, self.clip)
        return f"{lane.name} {volume:.1f} ml" if lane is not None and volume else ""

    def _save_curve(self) -> None:
        """Write the area curves as CSV where the user says."""
        found, _ = QFileDialog.getSaveFileName(self, "Save the area curves", "areas.csv", "Table (*.csv)")
        if found:
            text = curve_csv(self.data, self.clip)
            Running(partial(_write, Path(found), text), lambda _: None, self._not_written, self)

    def _not_written(self, error: Exception) -> None:
        self.studio.failed.emit(sentence_of(error))

    def _left(self, _: object) -> None:
        self.exported = self._session.ledger.log

    def _looked(self) -> None:
        self.lane.set_frame(self.view.frame_index)

    def _progressed(self, progress: Progress) -> None:
        reached, self._reached = self._reached, frozenset()
        if reached and {one.object_id for one in self.data.objects} >= set(self._session.object_ids):
            self._show(updated(self.data, self._session, reached))
        self.lane.set_progress(None if progress.total is None else min(progress.done / max(progress.total, 1), 1.0))

    def _following_changed(self, following: bool) -> None:
        if following:
            self._before = self.data
            return
        self.lane.set_progress(None)
        self.refresh()
        if self._before is not None and self._before.objects:
            self.lane.flash(changed_frames(self._before, self.data))
        self._before = None
        self.studio.suggest()

    def _show_suggestion(self, suggestion: Any) -> None:
        self.lane.set_suggestion(None if suggestion is None else suggestion.frame_index)

    def _hint(self) -> None:
        """One sentence: what to do next."""
        waits = self._corrected and not self.studio.refollow.due
        words = next_action(self.data, bool(self.studio.prompts), self.tools.tool, waits)
        self.hint.setText(_FOLLOWING if self.studio.following else words)

    @property
    def _corrected(self) -> bool:
        """Whether something was marked since frames were followed last."""
        done = () if self.studio.session is None else self.studio.session.ledger.done
        return any(one.follow for one in done) and done[-1].follow is None and done[-1].name in _MARKING


_FOLLOWING = "Masks follow; scroll along, and click where they go wrong."
_MARKING = ("prompt", "paint", "remove prompt", "remove prompts", "not here")  # steps that other frames should hear of


def next_action(data: LaneData, prompted: bool, tool: str | None, corrected: bool) -> str:
    """What one would do next, in one sentence."""
    if not prompted:
        return "Click a structure in the image." if tool else "Take a tool (P for point) and mark a structure."
    count = reviewed(data)
    if not any(lane.kept.sum() > lane.prompted.sum() for lane in data.objects):
        return "Right? Follow it (F). If not, click (add) or right click (remove)."
    if corrected:
        return "Follow again (F), so that the other frames hear of the correction."
    if any(lane.weak.any() for lane in data.objects):
        return "Go through the weak frames (W): accept them (Enter) or correct them."
    return "All frames are reviewed." if count.reviewed == count.frames else "No weak frame is left: look, then export."


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8")


def _letters(part: QWidget) -> int:
    """About how many letters wide a part of a row wants to be."""
    if not isinstance(part, QPushButton):
        return _SLIDER
    return len(part.text()) + (_PADDING if part.menu() is None else 2 * _PADDING)


def _folded(title: str, part: QWidget, unfolds: Callable[[], object] | None = None) -> tuple[QWidget, QWidget]:
    return Fold(title, part, unfolds).head, part


def _row(*parts: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)
    for part in parts:
        layout.addWidget(part, _letters(part))  # as wide as what stands on it
    return row
