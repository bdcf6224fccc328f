"""A correction is followed at once, from its frame outward to where nothing changes any more, and is undone with it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer

from napari_vost.history import Action
from napari_vost.session import Session

if TYPE_CHECKING:
    from napari_vost.ui.studio import Studio

REST_MS = 400  # a hand that rests for so long has made its correction


class Refollow(QObject):
    """Starts a run over corrected objects once the hand rests.

    An object that was never followed waits for F, and so does one whose run was stopped before its end.

    Parameters
    ----------
    studio
        What follows.

    Attributes
    ----------
    on
        Whether corrections are followed at once.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.on = True
        self._studio = studio
        self._corrected: set[int] = set()
        self._anew: set[int] = set()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._start)
        studio.opened.connect(self.forget)

    @property
    def due(self) -> bool:
        """Whether a run will start in a moment."""
        return self._rest.isActive()

    def corrected(self, object_ids: Collection[int], anew: bool = False) -> None:
        """A prompt or a mask of these objects has been answered, or is gone; ``anew``: they had been followed."""
        again = self._to_begin(object_ids) if anew else set()
        if self.on and (again or self._settled(object_ids)):
            self._corrected.update(object_ids)
            self._anew.update(again)
            self._rest.start()

    def forget(self) -> None:
        """Start nothing: something else is wanted."""
        self._rest.stop()
        self._corrected.clear()
        self._anew.clear()

    def followed(self, object_ids: Collection[int]) -> set[int]:
        """Objects that were followed to the end of what is followed."""
        session = self._studio.session
        if session is None:
            return set()
        start, stop = self._studio.frames or (0, len(session.clip))
        standing = session.standing
        return {
            one
            for one in object_ids
            if one in standing
            and standing[one].direction == self._studio.direction
            and not any(start <= frame < stop for frame in standing[one].unreached)
        }

    def _settled(self, object_ids: Collection[int]) -> set[int]:
        """Objects that were followed, and corrected since."""
        session = self._studio.session
        standing = {} if session is None else session.standing
        return {one for one in self.followed(object_ids) if standing[one].changed}

    def _to_begin(self, object_ids: Collection[int]) -> set[int]:
        """Objects whose run has to begin anew, for a frame that it started from is prompted no longer."""
        session = self._studio.session
        if session is None:
            return set()
        prompted = {prompt.object_id for prompt in session.prompts}
        return {one for one in object_ids if one in prompted and one not in session.standing}

    def _start(self) -> None:
        objects = self._settled(self._corrected) | self._to_begin(self._anew)
        if self._studio.following or self._studio.waiting:
            self._rest.start()
            return
        self._corrected.clear()
        self._anew.clear()
        if objects:
            self._studio.follow(objects)


def undo(session: Session) -> str | None:
    """Undo a step; the frames that heard of a correction go back together with it. The name of the step, if any."""
    while session.ledger.done and _of_a_correction(session.ledger.done[-1]):
        session.undo()
    return session.undo()


def redo(session: Session) -> str | None:
    """Do a step again, and the run over its frames with it. The name of the step, if any."""
    name = session.redo()
    while name is not None and session.ledger.log.undone and _of_a_correction(session.ledger.log.undone[-1]):
        session.redo()
    return name


def _of_a_correction(action: Action) -> bool:
    return action.follow is not None and action.follow.objects is not None
