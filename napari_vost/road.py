"""How far runs have come: which frames of an object have been reached under which prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_vost.legs import Plan, legs
from napari_vost.propagation import Reached
from napari_vost.types import Direction, Prompt

Known = Mapping[int, tuple[Prompt, ...]]  # what is certain of an object, by frame


@dataclass(frozen=True)
class Standing:
    """How far an object that was followed has come.

    Attributes
    ----------
    changed
        Prompted frames that have still to be followed from.
    unreached
        Frames that no run has come to.
    direction
        In which it was followed.
    """

    changed: frozenset[int] = frozenset()
    unreached: frozenset[int] = frozenset()
    direction: Direction = "both"


@dataclass(frozen=True)
class Followed:
    """What the runs over an object knew, by frame, the frames that they have not come to, and their direction."""

    known: Known
    unreached: frozenset[int] = frozenset()
    direction: Direction = "both"


class Road:
    """What one run has before it and behind it.

    Parameters
    ----------
    plan
        Of the run.
    known
        What is certain of each of its objects.
    followed
        Of the runs before; an object that is not in ``plan.changed`` starts anew.
    """

    def __init__(self, plan: Plan, known: Mapping[int, Known], followed: Mapping[int, Followed]) -> None:
        self._known = known
        start, stop = plan.frames or (0, plan.length)
        outside = {*range(start), *range(stop, plan.length)}
        self._left = {one: {*followed[one].unreached} if one in plan.changed else {*outside} for one in plan.seeds}
        self._checked = []  # legs of a re-run: what they do not come to keeps the result of the run before
        for leg in legs(plan):
            if leg.object_id in plan.changed and leg.unreached is None:
                self._checked.append(leg)
            else:
                self._left[leg.object_id].update(leg.frames)
        self._passed: dict[int, set[int]] = {one: set() for one in plan.seeds}
        self._plan = plan

    def pass_by(self, reached: Reached) -> None:
        """Take note of a frame."""
        for answer in reached.answers:
            self._passed[answer.object_id].add(reached.frame_index)
        for object_id, first, last in (*reached.ended, *reached.settled):
            self._passed[object_id].update(range(min(first, last), max(first, last) + 1))

    def arrive(self) -> None:
        """The run has come to its end: nothing is left inside its frames."""
        start, stop = self._plan.frames or (0, self._plan.length)
        for passed in self._passed.values():
            passed.update(range(start, stop))

    def followed(self) -> dict[int, Followed]:
        """How far each object has come; a prompt whose re-run did not end is one that has still to be followed."""
        open_frames: dict[int, set[int]] = {one: set() for one in self._known}
        for leg in self._checked:
            if not self._passed[leg.object_id].issuperset(leg.frames):
                open_frames[leg.object_id].add(leg.seed_frame)
        return {
            one: Followed(
                {frame: prompts for frame, prompts in known.items() if frame not in open_frames[one]},
                frozenset(self._left[one] - self._passed[one]),
                self._plan.direction,
            )
            for one, known in self._known.items()
        }
