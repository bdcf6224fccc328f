"""What a session holds, and how it is undone: a log of what each action replaced, never of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from psygnal import Signal

from napari_vost.legs import Limits, Stored
from napari_vost.masks import PackedMask
from napari_vost.types import Direction, FrameResult, Prompt, Scores

Place = tuple[int, int]  # (object_id, frame_index)
Review = Literal["open", "edited", "accepted"]
K = TypeVar("K")
V = TypeVar("V")


def place_of(prompt: Prompt) -> Place:
    """Object and frame of a prompt."""
    return prompt.object_id, prompt.frame_index


@dataclass(frozen=True)
class Kept:
    """What a session keeps of one object on one frame.

    Attributes
    ----------
    mask, scores
        The answer.
    confidence
        0 to 1.
    dabbed
        Whether it took a dab to obey a click (see `dab`).
    """

    mask: PackedMask
    scores: Scores
    confidence: float
    dabbed: bool = False


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
    accepted
        Places whose mask the user has looked at and taken as right; all of them are locked.
    limits
        First and last frame of objects that the user has ended; propagation follows them no further.
    """

    prompts: tuple[Prompt, ...] = ()
    bases: Mapping[Place, PackedMask] = field(default_factory=dict)
    locks: frozenset[Place] = frozenset()
    accepted: frozenset[Place] = frozenset()
    limits: Mapping[int, Limits] = field(default_factory=dict)

    def prompts_at(self, place: Place) -> tuple[Prompt, ...]:
        """Prompts of one object on one frame, in order."""
        return tuple(prompt for prompt in self.prompts if place_of(prompt) == place)

    def review(self, place: Place) -> Review:
        """Whether the user has accepted a mask, has had a hand in it, or has still to look at it."""
        if place in self.accepted:
            return "accepted"
        return "edited" if any(place_of(prompt) == place for prompt in self.prompts) else "open"

    def prompted_frames(self, object_id: int) -> tuple[int, ...]:
        """Frames on which an object has a prompt, rising."""
        return tuple(sorted({prompt.frame_index for prompt in self.prompts if prompt.object_id == object_id}))


@dataclass(frozen=True)
class Change:
    """What differs between two settings; the log holds these, so that its size follows what was done.

    Attributes
    ----------
    kept
        How many prompts from the front are the same.
    gone, added
        The prompts behind them, before and after.
    bases
        Corrected masks before and after, by place, where they differ; None where there is none.
    locks, accepted
        Places that entered or left.
    limits
        Limits before and after, by object, where they differ; None where there are none.
    """

    kept: int = 0
    gone: tuple[Prompt, ...] = ()
    added: tuple[Prompt, ...] = ()
    bases: Mapping[Place, tuple[PackedMask | None, PackedMask | None]] = field(default_factory=dict)
    locks: frozenset[Place] = frozenset()
    accepted: frozenset[Place] = frozenset()
    limits: Mapping[int, tuple[Limits | None, Limits | None]] = field(default_factory=dict)

    @classmethod
    def between(cls, before: Settings, after: Settings) -> Change:
        """What has to be done to ``before`` to get ``after``."""
        pairs = enumerate(zip(before.prompts, after.prompts, strict=False))
        shorter = min(len(before.prompts), len(after.prompts))
        kept = next((index for index, (old, new) in pairs if old is not new and old != new), shorter)
        return cls(
            kept,
            before.prompts[kept:],
            after.prompts[kept:],
            _differing(before.bases, after.bases),
            before.locks ^ after.locks,
            before.accepted ^ after.accepted,
            _differing(before.limits, after.limits),
        )

    def apply(self, settings: Settings, back: bool = False) -> Settings:
        """Settings after the change; with ``back=True`` those before it."""
        prompts = settings.prompts[: self.kept] + (self.gone if back else self.added)
        locks = settings.locks ^ self.locks if self.locks else settings.locks
        accepted = settings.accepted ^ self.accepted if self.accepted else settings.accepted
        bases = _changed(settings.bases, self.bases, back)
        return Settings(prompts, bases, locks, accepted, _changed(settings.limits, self.limits, back))


def _differing(before: Mapping[K, V], after: Mapping[K, V]) -> dict[K, tuple[V | None, V | None]]:
    """Values before and after where they differ; None where there is none."""
    if before is after:
        return {}
    pairs = {key: (before.get(key), after.get(key)) for key in before.keys() | after.keys()}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _changed(values: Mapping[K, V], pairs: Mapping[K, tuple[V | None, V | None]], back: bool) -> Mapping[K, V]:
    """Values after a change, or with ``back=True`` before it."""
    if not pairs:
        return values
    told = {key: pair[0 if back else 1] for key, pair in pairs.items()}
    return {key: value for key, value in {**values, **told}.items() if value is not None}


@dataclass(frozen=True)
class Follow:
    """How frames were followed: direction, the half-open range not left, whether everything ran, the only objects."""

    direction: Direction = "both"
    frames: tuple[int, int] | None = None
    exact: bool = False
    objects: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Action:
    """One step of the user: what it changed; masks only where they differ, None where there was none."""

    name: str
    change: Change
    masks_before: Mapping[Place, Kept | None]
    masks_after: Mapping[Place, Kept | None]
    follow: Follow | None = None


@dataclass(frozen=True)
class Log:
    """Actions that stand, in order, and those that were undone, the next one to redo last."""

    done: tuple[Action, ...] = ()
    undone: tuple[Action, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions in the order in which they were first done; undo and redo do not change it."""
        return (*self.done, *reversed(self.undone))


class Ledger:
    """Settings, masks and the log of actions that made them.

    Parameters
    ----------
    size
        ``(H, W)`` of the frames.
    """

    logged = Signal()  # an action was done, undone or done again

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.settings = Settings()
        self.kept: dict[Place, Kept] = {}
        self.log = Log()

    @property
    def done(self) -> tuple[Action, ...]:
        """Actions that stand, in order."""
        return self.log.done

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
        self.settings, self.kept, self.log = other.settings, other.kept, other.log

    def act(self, name: str, after: Settings, masks: Mapping[Place, Kept | None]) -> None:
        """Do an action: new settings, and masks to set (None removes one)."""
        self.do(name, Change.between(self.settings, after), masks)

    def do(self, name: str, change: Change, masks: Mapping[Place, Kept | None], follow: Follow | None = None) -> None:
        """Do an action whose change is known."""
        before = {place: self.kept.get(place) for place in masks}
        self._apply(change.apply(self.settings), masks)
        self._add(Action(name, change, before, dict(masks), follow))

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

    def note(self, name: str, masks_before: Mapping[Place, Kept | None], follow: Follow | None = None) -> None:
        """Log as one action what was written to `kept` bit by bit; ``masks_before`` is what stood there."""
        if masks_before:
            after = {place: self.kept.get(place) for place in masks_before}
            self._add(Action(name, Change(len(self.settings.prompts)), dict(masks_before), after, follow))

    def join(self) -> None:
        """Make one action of the last two, which write masks only: what was broken off, and gone on with."""
        *done, first, second = self.log.done
        before = {**second.masks_before, **first.masks_before}
        after = {**first.masks_after, **second.masks_after}
        self._set(Log((*done, Action(second.name, second.change, before, after, second.follow))))

    def undo(self) -> Action | None:
        """Take the last action back."""
        if not self.log.done:
            return None
        *done, action = self.log.done
        self._apply(action.change.apply(self.settings, back=True), action.masks_before)
        self._set(Log(tuple(done), (*self.log.undone, action)))
        return action

    def redo(self) -> Action | None:
        """Do the last undone action again."""
        if not self.log.undone:
            return None
        *undone, action = self.log.undone
        self._apply(action.change.apply(self.settings), action.masks_after)
        self._set(Log((*self.log.done, action), tuple(undone)))
        return action

    def _add(self, action: Action) -> None:
        self._set(Log((*self.log.done, action)))

    def _set(self, log: Log) -> None:
        """The log changes in one piece, so that another thread sees all of an action or nothing."""
        self.log = log
        self.logged.emit()

    def _apply(self, settings: Settings, masks: Mapping[Place, Kept | None]) -> None:
        self.settings = settings
        for place, kept in masks.items():
            if kept is None:
                self.kept.pop(place, None)
            else:
                self.kept[place] = kept
