"""From one time point or slice of a 4D scan to another: each is a clip with a session and a case of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_vost.case_names import case_path, part_alias, reader_name, scan_alias
from napari_vost.clip import Clip
from napari_vost.geometry import Part
from napari_vost.history import Log
from napari_vost.ui.background import Running
from napari_vost.ui.layers import CLIP
from napari_vost.ui.opening import Opened, other_part, ready
from napari_vost.ui.studio import Studio

if TYPE_CHECKING:
    from napari_vost.autosave import Autosave
    from napari_vost.cases import OpenCase
    from napari_vost.session import Session
    from napari_vost.ui.desk import Desk

AGAIN_MS = 50  # until a hand that is drawing is looked at again

Turn = Callable[[Opened, "Session", "OpenCase | None"], None]


class Parts:
    """Opens the part that is asked for in the background, with what was done on it, and hands it over.

    One is opened at a time, and then the one that was asked for last: who turns the wheel fast sees some of them.
    What was done on a part is in its case. Where nothing saves it, its session is kept here until the scan is closed.

    Parameters
    ----------
    owner
        Once it is deleted, nothing is handed over any more.
    studio
        Whose session is that of the part that is shown.
    turn
        Takes over another part: what is shown, its session, its case if it has one.
    refuse
        Told why it cannot be had.
    busy
        Whether a hand is in the middle of something: what came then waits.
    """

    def __init__(
        self, owner: QWidget, studio: Studio, turn: Turn, refuse: Callable[[object], None], busy: Callable[[], bool]
    ) -> None:
        self._owner, self._studio, self._turn, self._refuse, self._busy = owner, studio, turn, refuse, busy
        self._desk: Desk | None = None
        self._alias = ""  # that the cases of this scan begin with; "" as long as there is none
        self._wanted = 0
        self._running: Running | None = None
        self._loading = False  # a part is on its way, from here or from the engine's thread
        self._came: tuple[Opened, Session, OpenCase | None] | None = None
        self._again = QTimer(owner, interval=AGAIN_MS, singleShot=True)
        self._again.timeout.connect(self._hand_over)
        self._cases: dict[int, Path] = {}  # of parts that were left
        self._kept: dict[int, Session] = {}  # of parts that were left, and that nothing saves
        self._unexported: set[int] = set()

    def begin(self, desk: Desk, case: OpenCase | None) -> None:
        """Another scan is worked on."""
        self.end()
        self._desk, part = desk, desk.clip.source.grid.part
        if part is not None:
            self._wanted = part.index
            self._alias = "" if case is None else scan_alias(case.case.alias, part)
            desk.part_bar.asked.connect(self.go)

    def end(self) -> None:
        """The scan was closed."""
        if self._running is not None:
            self._running.forget()
        if self._came is not None:
            _drop(self._came[2])
        self._desk, self._running, self._came, self._loading, self._alias = None, None, None, False, ""
        self._again.stop()
        for one in (self._cases, self._kept, self._unexported):
            one.clear()

    @property
    def unexported(self) -> bool:
        """Whether a part that is not shown holds masks that were not exported since they changed."""
        return bool(self._unexported)

    @property
    def unsaved(self) -> bool:
        """Whether nothing saves what was done on a part that is not shown."""
        return bool(self._kept)

    @property
    def alias(self) -> str:
        """What cases of this scan are called, "" as long as none is."""
        return self._alias

    def call(self, alias: str) -> None:
        """Choose what cases of this scan are called."""
        self._alias = alias

    def name(self, clip: Clip, otherwise: str) -> str:
        """Alias for a new case of a clip: that of its scan and its part; ``otherwise`` names a scan that has none."""
        self._alias = self._alias or otherwise
        return part_alias(self._alias, clip.source.grid.part)

    def leave(self, case: OpenCase | None, unexported: bool) -> None:
        """The part that is shown is left; call it before its session is closed."""
        part, session = self._part, self._studio.session
        if part is None or session is None:
            return
        self._unexported -= {part.index}
        if unexported:
            self._unexported |= {part.index}
        if case is not None:
            self._alias = scan_alias(case.case.alias, part)
            self._cases[part.index] = case.case.path
        elif self._stays:
            self._kept[part.index] = session

    @property
    def _part(self) -> Part | None:
        return None if self._desk is None else self._desk.clip.source.grid.part

    @property
    def _stays(self) -> bool:
        """Whether the session in hand holds something that nothing saves."""
        session = self._studio.session
        done = session is not None and (session.ledger.log.actions or self._studio.prompts)
        return self._studio.autosave is None and bool(done)

    # on the way ---------------------------------------------------------------------------------------------------

    def go(self, at: int) -> None:
        """Ask for a part, from 0."""
        part = self._part
        if part is None or self._desk is None:
            return
        why = self._why_not(part)
        if why:
            self._studio.said.emit(why)
            self._desk.part_bar.show_part(part)
            self._wanted = part.index
            return
        self._wanted = at
        self._desk.part_bar.show_part(replace(part, index=at), waits=at != part.index)
        if not self._loading and at != part.index:
            self._load()

    def _why_not(self, part: Part) -> str:
        """Why the part that is shown cannot be left now, in one sentence."""
        autosave = self._studio.autosave
        if self._studio.following:
            return f"Masks are being followed: stop (F) before you go to another {_WORDS[part.kind]}."
        if autosave is not None and autosave.problem:
            return f"{autosave.problem} Until it is saved, this {_WORDS[part.kind]} stays open: export its masks."
        return ""

    def _load(self) -> None:
        desk = self._desk
        if desk is None:
            return
        self._loading = True
        view, kept = desk.view, self._kept.get(self._wanted)
        frames = (view.frame_index,) if view.shows_frames else tuple(range(len(desk.clip)))
        clip = desk.clip if kept is None else kept.clip
        call = partial(_opened, clip, None if kept is not None else self._wanted, frames)
        self._running = Running(call, partial(self._find_session, desk), self._failed, self._owner)

    def _find_session(self, desk: Desk, opened: Opened) -> None:
        """The picture is there: look for what was done on it."""
        self._running = None
        left, part = self._studio.session, opened.clip.source.grid.part
        if left is None or part is None or desk is not self._desk:
            return
        kept, path = self._kept.get(part.index), self._case_of(part)
        if kept is not None:
            self._ready(opened, kept, None)
        elif path is None:
            self._ready(opened, _fresh(opened.clip, left, share=not self._stays), None)
        else:
            share = not self._stays

            def load() -> OpenCase | None:  # on the engine's thread: what was left there is written before
                case = _go_on(path, opened.clip, left, share)
                if desk is not self._desk:
                    _drop(case)
                    return None
                return case

            def show(case: OpenCase | None) -> None:
                if case is not None and desk is self._desk:
                    self._ready(opened, case.session, case)
                else:
                    _drop(case)

            self._studio.jobs.submit(load, show, self._failed)

    def _case_of(self, part: Part) -> Path | None:
        """The case of a part: one's own, else that of whoever's is being looked at."""
        known, reader = self._cases.get(part.index), reader_name()
        if known is not None or not self._alias or not reader:
            return known
        session = self._studio.session
        readers = (reader, session.reader if session is not None and session.reader else reader)
        paths = (case_path(part_alias(self._alias, part), one) for one in readers)
        return next((path for path in paths if path.exists()), None)

    def _ready(self, opened: Opened, session: Session, case: OpenCase | None) -> None:
        self._came = (opened, session, case)
        self._hand_over()

    def _hand_over(self) -> None:
        """Hand over what came, unless it must not be now."""
        part = self._part
        if self._came is None or part is None or self._desk is None:
            return
        if self._busy():
            self._again.start()
            return
        (opened, session, case), self._came, self._loading = self._came, None, False
        if self._wanted == part.index or self._why_not(part):  # back again, or a run was started meanwhile
            _drop(case)
            self.go(self._wanted)
            return
        self._turn(opened, session, case)
        shown = self._part
        if shown is not None:
            self._kept.pop(shown.index, None)
            if shown.index in self._unexported:
                self._unexported.remove(shown.index)
                self._desk.exported = Log()
            self.go(self._wanted)

    def _failed(self, why: object) -> None:
        part, self._running, self._loading = self._part, None, False
        if part is not None and self._desk is not None:
            self._wanted = part.index
            self._desk.part_bar.show_part(part)
        self._refuse(why)


def turn_desk(desk: Desk, opened: Opened, session: Session, autosave: Autosave | None) -> None:
    """Have a desk work on another part of its scan; what is in hand, and how it is looked at, stays."""
    studio, image, clip = desk.studio, desk.scene.image, opened.clip
    in_hand, hidden, way = studio.object_id, studio.hidden, studio.direction
    studio.open(session, autosave)
    studio.choose(in_hand)
    studio.hidden, studio.direction = hidden, way
    image.data, image.metadata = opened.data, {**image.metadata, CLIP: clip}
    image.name = session.alias or opened.options["name"]
    desk.view.turn_to(clip)
    desk.windowing.turn_to(opened.windows)
    if desk.player is not None:
        desk.player.turn_to(clip)
    desk.start_over(clip)
    desk.readout.turn_to(clip)


_WORDS = {"time": "time point", "slice": "slice"}


def _opened(clip: Clip, at: int | None, frames: tuple[int, ...]) -> Opened:
    """A clip, or another part of its scan, ready to be shown with these frames read."""
    opened = ready(clip if at is None else other_part(clip, at))
    for frame_index in frames:
        opened.data.frame(frame_index)
    return opened


def _fresh(clip: Clip, left: Session, share: bool) -> Session:
    """A session of a part that has none: with the model, the choices and the names of the one that is left."""
    from napari_vost import session

    network = left.loaded if share else None
    named = network is not None and network.traits.name == left.model
    made = session.Session(clip, model=network if named and network is not None else left.model, options=left.options)
    made.labels.update(left.labels)
    made.overwrite = left.overwrite
    return made


def _drop(case: OpenCase | None) -> None:
    """Nobody wants it any more: nothing was done on it."""
    if case is not None and case.autosave is not None:
        case.autosave.close()


def _go_on(path: Path, clip: Clip, left: Session, share: bool) -> OpenCase:
    """Go on with the case of a part; a network that is loaded is not loaded again."""
    from napari_vost import cases

    network, known = left.loaded if share else None, cases.describe_case(path).model
    same = network is not None and network.traits.name == known == left.model
    return cases.open_case(path, reader_name(), clip, left.options.device, network if same else None)
