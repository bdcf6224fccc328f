"""The dock: a first screen, then the desk of the clip that is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QCloseEvent, QShowEvent
from qtpy.QtWidgets import QFrame, QMessageBox, QScrollArea, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from napari_vost.clip import Clip
from napari_vost.errors import VostError
from napari_vost.ui.head import Head
from napari_vost.ui.layers import clip_of
from napari_vost.ui.look import look_again, look_of
from napari_vost.ui.message import Message
from napari_vost.ui.opening import Opened, Opening, open_in_background, ready
from napari_vost.ui.parts import Parts, turn_desk
from napari_vost.ui.reader_name import ask_alias, ask_reader
from napari_vost.ui.samples import sample_path
from napari_vost.ui.say import in_window
from napari_vost.ui.start import Start
from napari_vost.ui.studio import Studio
from napari_vost.ui.tidy import Tidy

if TYPE_CHECKING:
    from napari_vost.cases import OpenCase
    from napari_vost.session import Session
    from napari_vost.ui.desk import Desk

LEAST_PX = 300  # of width: narrower, and keys on the buttons are cut off
REMEMBER_MS = 1000  # between two looks at how the clip is looked at, for the next time


class Dock(QWidget):
    """The plugin's widget.

    Parameters
    ----------
    napari_viewer
        The viewer; napari gives it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.studio = Studio()
        self._tidy = Tidy(self, lambda: self.studio.following or self.studio.jobs.busy)
        self._parts = Parts(self, self.studio, self._turn_to, self._refused, lambda: self._asking or self._hand_is_busy)
        self.desk: Desk | None = None
        self._case: OpenCase | None = None
        self._image: Any = None  # of the clip that is worked on
        self._added: Any = None  # the same where the dock itself has added it
        self._opening: Opening | None = None
        self._asked = self._ended = self._docked = self._window_closes = False
        self._window: QWidget | None = None
        self._asks_reader = True  # until nobody wants to say it
        self._asking = False
        self._case_soon = QTimer(self, interval=0, singleShot=True)  # never inside a click, whose mask must not wait
        self._case_soon.timeout.connect(self._start_case)
        self._looking = QTimer(self, interval=REMEMBER_MS)
        self._looking.timeout.connect(self._remember)
        self._build()
        self.studio.said.connect(self.message.say)
        self.studio.failed.connect(self.message.warn)
        self.studio.saved.connect(self._show_saved)
        self.studio.prompts_changed.connect(self._case_soon.start)
        self.viewer.layers.events.inserted.connect(self._inserted)
        QTimer.singleShot(0, self._take_what_is_there)

    # parts --------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.start = Start()
        self.start.case_chosen.connect(self.open_case)
        self.start.path_chosen.connect(self.open_path)
        self.start.sample_chosen.connect(lambda key: self.open_path(sample_path(key)))
        self.start.layer_chosen.connect(self._open_selected)
        self._head = Head()
        self._head.close_asked.connect(self._ask_to_close)
        self._head.mine_asked.connect(self._make_mine)
        self._head.name_asked.connect(self._name_case)
        self._place = QScrollArea()
        self._place.setWidgetResizable(True)
        self._place.setFrameShape(QFrame.Shape.NoFrame)
        self._place.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.pages.addWidget(self._place)
        fills = QSizePolicy.Policy.Expanding
        for part in (self, self._place, self.pages):
            part.setSizePolicy(fills, fills)  # else napari keeps the lower half of the dock empty
        self.setMinimumWidth(LEAST_PX)
        layout = QVBoxLayout(self)
        layout.addWidget(self._head)
        layout.addWidget(self.pages)
        self.message = Message(self)
        layout.addWidget(self.message)
        self._head.hide()

    def _open_selected(self) -> None:
        layer = self.viewer.layers.selection.active
        if layer is None:
            self.message.warn("No layer is selected: select an image layer, or open a scan above.")
        else:
            self.open_layer(layer)

    # opening ------------------------------------------------------------------------------------------------------

    def open_path(self, path: Path) -> None:
        """Open a file or a folder, ask where something must be chosen, and show it."""
        self._wait("Opening …")
        self._opening = open_in_background(Path(path), self._show_opened, self._refused, self)

    def open_case(self, path: Path) -> None:
        """Go on with a case."""
        from napari_vost import cases

        reader = ask_reader(self)
        if not reader or self._ended:
            return
        self._wait("Opening …")

        def load() -> tuple[OpenCase, Opened]:
            case = cases.open_case(Path(path), reader)
            return case, ready(case.session.clip, case.case.alias)

        def show(found: tuple[OpenCase, Opened]) -> None:
            case, opened = found
            self._case = case
            self._show_opened(opened)

        self.studio.jobs.submit(load, show, self._refused)

    def open_layer(self, layer: Any) -> None:
        """Work on an image layer of the viewer, whoever made it."""
        from napari_vost.ui.adopt import adopt

        try:
            clip = adopt(layer)
        except VostError as error:
            self._refused(error)
            return
        if layer.ndim < 3:  # one picture: it gets the axis that frames run along
            layer.visible = False
            self._show_opened(ready(clip, layer.name))
        else:
            self._work_on(clip, layer)

    def _show_opened(self, opened: Opened) -> None:
        self._opening = None
        image = Image(opened.data, **opened.options)
        self._image = image  # so that its arrival is not taken for somebody else's
        self.viewer.add_layer(image)
        self._work_on(opened.clip, image)
        self._added = image  # by the dock, so it goes with the clip

    def _fit(self) -> None:
        """Show all of a clip that was just opened: its timeline has taken a part of the canvas."""
        if self.desk is not None:
            self.desk.view.fit()

    def _refused(self, why: object) -> None:
        self._opening = None
        self._wait("")
        self.message.warn(in_window(str(why)))

    def _wait(self, words: str) -> None:
        self.start.setEnabled(not words)
        self._head.say(words)
        self._head.setVisible(bool(words) or self.desk is not None)

    def _take_what_is_there(self) -> None:
        """The dock was opened beside a clip of ours: that is what it is for."""
        if self.desk is None and not self._ended:
            active = self.viewer.layers.selection.active
            ours = [layer for layer in self.viewer.layers if isinstance(layer, Image) and clip_of(layer) is not None]
            chosen = active if active in ours else ours[-1] if ours else None
            if chosen is not None:
                self.open_layer(chosen)

    def _inserted(self, event: Any) -> None:
        layer = event.value
        if self.desk is None and layer != self._image and clip_of(layer) is not None:
            QTimer.singleShot(0, self._take_what_is_there)

    # work ---------------------------------------------------------------------------------------------------------

    def _work_on(self, clip: Clip, image: Any) -> None:
        """Lay the desk for a clip."""
        from napari_vost.session import Session
        from napari_vost.ui.desk import Desk

        case, self._case = self._case, None
        self.close_clip()
        self._case, self._image, self._asked = case, image, False
        self.studio.open(Session(clip) if case is None else case.session, None if case is None else case.autosave)
        self.desk = desk = Desk(self.viewer, self.studio, clip, image)
        desk.scene.layer_lost.connect(self.close_clip)
        desk.other.work_asked.connect(self._work_on_other)
        self._place.setWidget(desk)
        self.pages.setCurrentWidget(self._place)
        desk.lane_dock.show()
        self._parts.begin(desk, case)
        self._head.show_case(case, self._parts.alias)
        if case is not None and case.read_only:
            self.message.warn(case.read_only)
        if case is None and image.source.reader_plugin != "napari-vost":  # our reader has said it already
            self.message.note(clip.notices)
        if case is not None and case.session.view:
            look_again(desk, case.session.view)
        else:
            QTimer.singleShot(0, self._fit)
        if case is None or not (case.read_only or case.session.view):
            desk.tools.arm("point")  # the first click marks
        self._looking.start()

    def _work_on_other(self, layer: Any) -> None:
        if self._may_close():
            self.open_layer(layer)

    def _turn_to(self, opened: Opened, session: Session, case: OpenCase | None) -> None:
        """Go on with another time point or slice of the scan, at the same desk."""
        if self.desk is None:
            return
        self._remember()
        self._parts.leave(self._case, self.desk.unexported)
        self._case = case
        turn_desk(self.desk, opened, session, None if case is None else case.autosave)
        self._head.show_case(case, self._parts.alias)
        self._case_soon.start()  # what nothing saves may be saved by now

    @property
    def _hand_is_busy(self) -> bool:
        """Whether something is being drawn or painted."""
        return self.desk is not None and (self.desk.mouse.drawing or self.desk.scene.brush.painting)

    def _ask_to_close(self) -> None:
        if self._may_close():
            self.close_clip()

    def _may_close(self) -> bool:
        """Ask once about masks that were not exported since they changed; they are saved all the same."""
        session, desk = self.studio.session, self.desk
        if session is None or desk is None or self._asked or not (desk.unexported or self._parts.unexported):
            return True
        self._asked = True
        return self.asks_to_close()

    def asks_to_close(self) -> bool:
        """Whether the user wants to close with masks that no file holds but the case."""
        lost = self._parts.unsaved or (self.desk is not None and self.desk.unexported and not self.studio.autosave)
        kept = "Nobody has saved them." if lost else "They are saved and wait under Continue."
        box = QMessageBox(self)
        box.setText(f"The masks of this clip have not been exported. {kept}")
        close = box.addButton("Close", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return bool(box.clickedButton() == close)

    def close_clip(self) -> None:
        """Clear the desk; the work is in its file, the image stays."""
        self._looking.stop()
        self._remember()
        self._parts.end()
        desk, self.desk = self.desk, None
        if desk is not None:
            self.studio.close()
            desk.close_down()
            if self._added is not None and self._added in self.viewer.layers:
                self.viewer.layers.remove(self._added)
            self._place.takeWidget()
            desk.lane.deleteLater()
            desk.deleteLater()
        self._case = self._image = self._added = None
        if not self._ended:
            self.pages.setCurrentIndex(0)
            self.start.refresh()
            self._wait("")

    def event(self, event: QEvent) -> bool:
        """End where napari takes the dock away: its close button leaves a widget without a parent."""
        if event.type() == QEvent.Type.ParentChange:
            if self._docked and self.parent() is None:
                self.end()
                self.deleteLater()
            self._docked = self.parent() is not None
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Watch the window that it is shown in, for closing that tells the docks nothing."""
        if self.window() is not self and self.window() is not self._window:
            self._window = self.window()
            self._window.installEventFilter(self)
        super().showEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A window that closes is hidden next; one that the user keeps after all is not."""
        if watched is self._window and event.type() == QEvent.Type.Close:
            if not self._may_close():
                event.ignore()
                return True
            self._window_closes = True
        elif watched is self._window and event.type() == QEvent.Type.Hide and self._window_closes:
            self.end()
        elif watched is self._window and event.type() == QEvent.Type.Enter:
            self._window_closes = False
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End everything: layers, overlays, timers, the thread."""
        self.end()
        super().closeEvent(event)

    def end(self) -> None:
        """Close the clip and end the engine's thread."""
        if self._ended:
            return
        self._ended = True
        if self._opening is not None:
            self._opening.cancel()
        self.viewer.layers.events.inserted.disconnect(self._inserted)
        if self._window is not None:
            self._window.removeEventFilter(self)
        self.close_clip()
        self.studio.end()
        self._tidy.end()

    # cases --------------------------------------------------------------------------------------------------------

    def _start_case(self) -> None:
        """With the first prompt a clip becomes a case, which saves itself."""
        session = self.studio.session
        if session is None or self.studio.autosave is not None or not self.studio.prompts or session.read_only:
            return
        from napari_vost import cases

        reader = self._ask_reader()
        if not reader or self.studio.session is not session:  # it may have been closed while the question stood
            return
        try:
            self._case = cases.start_case(session, self._parts.name(session.clip, cases.next_alias()), reader)
        except VostError as error:
            self.message.warn(str(error))
            return
        if self._case.autosave is not None:
            self.studio.keep(self._case.autosave)
        self._head.show_case(self._case)

    def _name_case(self) -> None:
        """Ask what the new case shall be called."""
        reader = self._ask_reader()
        alias = ask_alias(reader, parent=self) if reader else ""
        if alias and self._case is None and self.desk is not None:
            self._parts.call(alias)
            self._head.show_case(None, alias)

    def _ask_reader(self) -> str:
        """The reader's name; "" where nobody says it, which is told once, or while the question stands already."""
        if self._asking or not self._asks_reader:
            return ""
        self._asking = True
        reader = ask_reader(self)
        self._asking = False
        if not reader and not self._ended:
            self._asks_reader = False
            self.message.warn("Nothing is saved by itself, for nobody said who reads: export before you close.")
        return reader

    def _make_mine(self) -> None:
        """Go on in a copy of another reader's case."""
        from napari_vost import cases

        reader = self._ask_reader()
        if self._case is None or not reader:
            return
        try:
            self.open_case(cases.make_mine(self._case.case.path, reader))
        except VostError as error:
            self._refused(error)

    def _show_saved(self, problem: str) -> None:
        self._head.show_problem(problem)
        if problem:
            self.message.warn(problem)

    def _remember(self) -> None:
        """Keep how the clip is looked at, for the next time."""
        session, desk = self.studio.session, self.desk
        if session is None or desk is None or session.read_only or self.studio.autosave is None:
            return
        if self._image not in self.viewer.layers or desk.scene.prompts not in self.viewer.layers:
            return  # napari is being closed, layer by layer: nobody looks at anything any more
        look = look_of(desk)
        if look != session.view:
            session.view = look
