"""The doors of a user who reviews: lock, accept, name objects; and what a window wants kept beside the masks."""

from __future__ import annotations

import json
from abc import ABC
from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import index
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.history import Follow, Ledger, Place, Review, Settings, place_of
from napari_vost.prompt_rules import check_frame
from napari_vost.types import Label

if TYPE_CHECKING:
    from napari_vost.following import Follower


@dataclass(frozen=True)
class Reviewed:
    """How far a review has come: frames that were accepted or edited, of those that hold a mask."""

    reviewed: int
    frames: int


def count_reviewed(settings: Settings, places: Iterable[Place], object_id: int | None = None) -> Reviewed:
    """Count frames of one object, or of all, given where masks are: a frame is reviewed when every object on it is.

    An empty mask counts: that an object is not there has to be looked at too.
    """
    sure = settings.accepted | {place_of(prompt) for prompt in settings.prompts}
    own = [place for place in places if object_id in (None, place[0])]
    frames = {frame for _, frame in own}
    return Reviewed(len(frames - {place[1] for place in own if place not in sure}), len(frames))


class ReviewDoors(ABC):
    """What a reviewer does, for whoever has a clip and masks."""

    locks_changed: Signal
    labels_changed: Signal
    view_changed: Signal
    clip: Clip
    labels: dict[int, Label]
    ledger: Ledger
    _follower: Follower
    _view: dict[str, Any]

    def lock(self, frames: int | Iterable[int], object_id: int | None = None) -> None:
        """Lock the masks of frames, of one object or of all: propagation never writes them and takes them as truth."""
        self._follower.check_idle()
        settings = self.ledger.settings
        self.ledger.act("lock", replace(settings, locks=settings.locks | self._places(frames, object_id)), {})
        self.locks_changed.emit()

    def unlock(self, frames: int | Iterable[int], object_id: int | None = None) -> None:
        """Let propagation write frames again; what was accepted there is open again."""
        self._follower.check_idle()
        settings, places = self.ledger.settings, self._places(frames, object_id)
        for place in places:
            self._follower.forget(place[0])
        after = replace(settings, locks=settings.locks - places, accepted=settings.accepted - places)
        self.ledger.act("unlock", after, {})
        self.locks_changed.emit()

    def accept(self, frames: int | Iterable[int], object_id: int | None = None) -> None:
        """Take the masks of frames as right, of one object or of all that have one there: they are locked too.

        One step of undo. `unlock` opens them again, and so does a prompt: the frame is edited then.

        Raises
        ------
        InputError
            No mask there, or no such frame.
        """
        self._follower.check_idle()
        settings = self.ledger.settings
        places = frozenset(place for place in self._places(frames, object_id) if place in self.ledger.kept)
        if not places:
            raise InputError("There is no mask to accept: follow the object to this frame first.")
        after = replace(settings, locks=settings.locks | places, accepted=settings.accepted | places)
        self.ledger.act("accept", after, {})
        self.locks_changed.emit()

    @property
    def locks(self) -> frozenset[Place]:
        """Locked ``(object_id, frame_index)``."""
        return self.ledger.settings.locks

    def review(self, frame_index: int, object_id: int = 1) -> Review:
        """``"accepted"``, ``"edited"`` (it has a prompt) or ``"open"``; `prompts_changed`, `locks_changed` tell."""
        return self.ledger.settings.review((index(object_id), index(frame_index)))

    def reviewed(self, object_id: int | None = None) -> Reviewed:
        """How many frames of one object, or of all, were accepted or edited."""
        return count_reviewed(self.ledger.settings, tuple(self.ledger.kept), object_id)

    @property
    def last_follow(self) -> Follow | None:
        """How frames were followed last, None where that is not known."""
        return next((one.follow for one in reversed(self.ledger.done) if one.follow is not None), None)

    def name_object(self, object_id: int, label: Label) -> None:
        """Say what an object is called; it is no step of undo."""
        self._follower.check_writable()
        self.labels = {**self.labels, index(object_id): label}
        self.labels_changed.emit()

    @property
    def view(self) -> dict[str, Any]:
        """What a window wants to find again (frame, plane, zoom, window, tool …): JSON values, no part of undo."""
        return dict(self._view)

    @view.setter
    def view(self, view: dict[str, Any]) -> None:
        try:
            self._view = json.loads(json.dumps(view, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise InputError(f"A view holds text, numbers, lists and dicts of them; this one does not: {error}.") from (
                error
            )
        self.view_changed.emit()

    @property
    def read_only(self) -> str:
        """Why nothing may be changed, in one sentence; "" where it may."""
        return self._follower.read_only

    @read_only.setter
    def read_only(self, why: str) -> None:
        self._follower.read_only = why

    def _places(self, frames: int | Iterable[int], object_id: int | None) -> frozenset[Place]:
        wanted = [index(one) for one in (frames if isinstance(frames, Iterable) else (frames,))]
        for frame_index in wanted:
            check_frame(frame_index, len(self.clip))
        objects = self.ledger.object_ids if object_id is None else (object_id,)
        return frozenset((one, frame_index) for one in objects for frame_index in wanted)
