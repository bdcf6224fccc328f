"""Undo and redo: a log of what each action replaced, never of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_vost.masks import PackedMask
from napari_vost.types import Prompt, Scores

Place = tuple[int, int]  # (object_id, frame_index)


@dataclass(frozen=True)
class Kept:
    """What a session keeps of one object on one frame."""

    mask: PackedMask
    scores: Scores
    confidence: float


@dataclass(frozen=True)
class Settings:
    """Everything of a session that is not a mask: prompts in order, corrected masks, locks.

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


@dataclass(frozen=True)
class Action:
    """One step of the user: what stood before and after, masks only where they differ."""

    name: str
    before: Settings
    after: Settings
    masks_before: Mapping[Place, Kept | None]
    masks_after: Mapping[Place, Kept | None]


@dataclass(frozen=True)
class History:
    """Actions that were done and actions that were undone; both immutable tuples, the newest last."""

    done: tuple[Action, ...] = ()
    undone: tuple[Action, ...] = ()

    def with_action(self, action: Action) -> History:
        """Add an action; what was undone before it is forgotten."""
        return History((*self.done, action), ())

    def undo(self) -> tuple[Action | None, History]:
        """The action to take back, and the log without it; None when there is nothing to undo."""
        if not self.done:
            return None, self
        return self.done[-1], History(self.done[:-1], (*self.undone, self.done[-1]))

    def redo(self) -> tuple[Action | None, History]:
        """The action to do again, and the log with it; None when there is nothing to redo."""
        if not self.undone:
            return None, self
        return self.undone[-1], History((*self.done, self.undone[-1]), self.undone[:-1])
