"""What ``"auto"`` goes by: what is known of a clip before anything is followed, and rules in an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from napari_vost.types import Order


@dataclass(frozen=True)
class Facts:
    """What is known of a clip and its network; None where nobody knows.

    Attributes
    ----------
    order
        ``"time"`` or ``"depth"``.
    frames
        Of the clip.
    frame_time_s, heart_rate_hz
        Seconds per frame; cycles per second.
    candidates
        Masks per answer of the network.
    look_alikes
        Whether other things of the same look are about.
    tells_phase
        Whether the motion prior tells the place in a cycle.
    """

    order: Order
    frames: int = 1
    frame_time_s: float | None = None
    heart_rate_hz: float | None = None
    candidates: int = 1
    look_alikes: bool | None = None
    tells_phase: bool = False

    @property
    def cycles(self) -> float | None:
        """Cycles that the clip lasts; None where its rate is unknown, or above half the frame rate."""
        if self.order != "time" or self.frame_time_s is None or self.heart_rate_hz is None:
            return None
        per_frame = self.heart_rate_hz * self.frame_time_s
        return self.frames * per_frame if 0 < per_frame <= 0.5 else None


@dataclass(frozen=True)
class Rule:
    """One line of a table: the name that is taken where the facts are such.

    Attributes
    ----------
    name
        What is taken.
    applies
        Asked with the facts.
    reason
        One sentence for the user; ``{0.frames}`` and the like stand for facts.
    """

    name: str
    applies: Callable[[Facts], bool]
    reason: str


def first_that_applies(rules: Sequence[Rule], facts: Facts) -> tuple[str, str]:
    """Name and reason of the first rule that applies; the last rule of a table applies to everything."""
    rule = next((one for one in rules if one.applies(facts)), rules[-1])
    return rule.name, rule.reason.format(facts)


@dataclass(frozen=True)
class Chosen:
    """What an engine runs with, and why.

    Attributes
    ----------
    memory, motion
        Names of the memory policy and of the motion prior (``"none"`` for none).
    memory_reason, motion_reason
        One sentence each, "" where the user named it.
    """

    memory: str = ""
    motion: str = "none"
    memory_reason: str = ""
    motion_reason: str = ""
