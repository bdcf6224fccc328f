"""What a session holds, and how it is undone: a log of what each action replaced, never of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from napari_vost.masks import PackedMask
from napari_vost.propagation import Stored
from napari_vost.types import FrameResult, Prompt, Scores

Place = tuple[int, int]  # (object_id, frame_index)


def place_of(prompt: Prompt) -> Place:
    """Object and frame of a prompt."""
    return prompt.object_id, prompt.frame_index


@dataclass(frozen=True)
class Kept:
    """What a session keeps of one object on one frame; confidence is 0 to 1."""

    mask: PackedMask
    scores: Scores
    confidence: float


def frame_result(frame_index: int, here: Mapping[int, Kept]) -> FrameResult:
    """What a frame shows, from what is kept of it by object id."""
    return FrameResult(
        frame_index,
        {object_id: kept.mask.unpack() for object_id, kept in here.items()},
        {object_id: kept.scores for object_id, kept in here.items()},
        {object_id: kept.confidence for object_id, kept in here.items()},
    )


@dataclass(frozen=True)
class Settings:
    """Everything of a session that is not a mask.

    Attributes
    ----------
    prompts
        In the order in which they were given.
    bases
        The tracked mask that the first prompt on a frame corrected, by place.
    locks
        Places that propagation may not write.
    """

    prompts: tuple[Prompt, ...] = ()
    bases: Mapping[Place, PackedMask] = field(default_factory=dict)
    locks: frozenset[Place] = frozenset()

    def prompts_at(self, place: Place) -> tuple[Prompt, ...]:
        """Prompts of one object on one frame, in order."""
        return tuple(prompt for prompt in self.prompts if place_of(prompt) == place)

    def prompted_frames(self, object_id: int) -> tuple[int, ...]:
        """Frames on which an object has a prompt, rising."""
        return tuple(sorted({prompt.frame_index for prompt in self.prompts if prompt.object_id == object_id}))


@dataclass(frozen=True)
class Action:
    """One step of the user: what stood before and after; masks only where they differ, None where there was none."""

    name: str
    before: Settings
    after: Settings
    masks_before: Mapping[Place, Kept | None]
    masks_after: Mapping[Place, Kept | None]


class Ledger:
    """Settings, masks and the log of actions that made them.

    Parameters
    ----------
    size
        ``(H, W)`` of the frames.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.settings = Settings()
        self.kept: dict[Place, Kept] = {}
        self.done: list[Action] = []
        self.undone: list[Action] = []

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Objects that have a prompt or a mask, rising."""
        places = tuple(self.kept)  # at once: another thread may be writing masks
        return tuple(sorted({prompt.object_id for prompt in self.settings.prompts} | {place[0] for place in places}))

    def shown(self, place: Place) -> Kept:
        """What is kept at a place, as it is told: a locked mask is vouched for, so its confidence is 1."""
        kept = self.kept[place]
        return replace(kept, confidence=1.0) if place in self.settings.locks else kept

    def take(self, other: Ledger) -> None:
        """Become what another ledger is; who holds this one sees it."""
        self.settings, self.kept = other.settings, other.kept
        self.done, self.undone = other.done, other.undone

    def act(self, name: str, after: Settings, masks: Mapping[Place, Kept | None]) -> None:
        """Do an action: new settings, and masks to set (None removes one)."""
        before = {place: self.kept.get(place) for place in masks}
        action = Action(name, self.settings, after, before, dict(masks))
        self._apply(action.after, action.masks_after)
        self._log(action)

    def stored(self, object_id: int, frame_index: int) -> Stored | None:
        """What stands at a place, as propagation asks for it; None where nothing does, locked or not."""
        place = (object_id, frame_index)
        kept = self.kept.get(place)
        if kept is None:
            return None
        return Stored(kept.mask, kept.scores.occurrence > 0, place in self.settings.locks)

    def write(self, place: Place, kept: Kept | None, before: dict[Place, Kept | None]) -> None:
        """Set or remove a mask outside of an action; what stood there first goes into ``before``, for `note`."""
        before.setdefault(place, self.kept.get(place))
        if kept is None:
            self.kept.pop(place, None)
        else:
            self.kept[place] = kept

    def note(self, name: str, masks_before: Mapping[Place, Kept | None]) -> None:
        """Log as one action what was written to `kept` bit by bit; ``masks_before`` is what stood there."""
        if masks_before:
            after = {place: self.kept.get(place) for place in masks_before}
            self._log(Action(name, self.settings, self.settings, dict(masks_before), after))

    def undo(self) -> Action | None:
        """Take the last action back."""
        if not self.done:
            return None
        action = self.done.pop()
        self._apply(action.before, action.masks_before)
        self.undone.append(action)
        return action

    def redo(self) -> Action | None:
        """Do the last undone action again."""
        if not self.undone:
            return None
        action = self.undone.pop()
        self._apply(action.after, action.masks_after)
        self.done.append(action)
        return action

    def _log(self, action: Action) -> None:
        self.done.append(action)
        self.undone.clear()

    def _apply(self, settings: Settings, masks: Mapping[Place, Kept | None]) -> None:
        self.settings = settings
        for place, kept in masks.items():
            if kept is None:
                self.kept.pop(place, None)
            else:
                self.kept[place] = kept
