"""A session whose memory and motion can be weighed while it follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, cast

import numpy as np
from torch import Tensor

from napari_vost.benchmark.clock import Clock
from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.clip import Clip
from napari_vost.contracts import (
    Answer,
    MemoryBank,
    MemoryEntry,
    MemoryPolicy,
    MotionPrior,
    MotionState,
    Network,
    Observation,
)
from napari_vost.engine import EngineOptions
from napari_vost.masks import Mask
from napari_vost.phantoms.hard import HardClip
from napari_vost.session import Session
from napari_vost.sight import Engine

FEATURE_BYTES = 32 << 20  # no frame of one run is looked at twice


class _Seen:
    """What was handed out last: all states of the newest frame."""

    def __init__(self) -> None:
        self._frame: int | None = None
        self.states: list[object] = []

    def take(self, frame_index: int, state: object) -> None:
        if frame_index != self._frame:
            self._frame, self.states = frame_index, []
        self.states.append(state)


class _WatchedPolicy:
    """A memory policy whose banks are seen; all else is the other's."""

    def __init__(self, policy: MemoryPolicy, seen: _Seen) -> None:
        self._policy, self._seen = policy, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        after = self._policy.admit(entry, answer, row, bank)
        self._seen.take(entry.frame_index, after)
        return after


class _WatchedPrior:
    """A motion prior whose states are seen; all else is the other's."""

    def __init__(self, prior: MotionPrior, seen: _Seen) -> None:
        self._prior, self._seen = prior, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._prior, name)

    def update(self, state: MotionState, seen: Observation) -> MotionState:
        after = self._prior.update(state, seen)
        self._seen.take(seen.frame_index, after)
        return after


class WatchedSession(Session):
    """A session that can say what its objects keep alive; parameters as in `Session`."""

    def __init__(self, clip: Clip, network: Network, memory: str, motion: str) -> None:
        self._banks, self._motions = _Seen(), _Seen()
        options = EngineOptions(feature_bytes=FEATURE_BYTES)
        super().__init__(clip, network, memory=memory, motion=motion, options=options)

    @property
    def engine(self) -> Engine:
        """The engine, its policy and its prior watched."""
        engine = super().engine
        if isinstance(engine.policy, _WatchedPolicy):
            return engine
        prior = None if engine.prior is None else cast(MotionPrior, _WatchedPrior(engine.prior, self._motions))
        return replace(engine, policy=cast(MemoryPolicy, _WatchedPolicy(engine.policy, self._banks)), prior=prior)

    @property
    def kept_bytes(self) -> int:
        """Bytes of banks and motion states after the newest frame."""
        return state_bytes(self._banks.states, self._motions.states)


@dataclass(frozen=True, eq=False)
class Run:
    """One hard clip, followed.

    Attributes
    ----------
    found
        (T, H, W) bool.
    policy, prior
        Names of what ran: what ``"auto"`` chose.
    frame_ms
        Milliseconds of every followed frame, in the order in which they were.
    kept_bytes
        What memory and motion kept, at the end of every block of frames; the last one after the clip.
    """

    found: Mask
    policy: str
    prior: str
    frame_ms: tuple[float, ...]
    kept_bytes: tuple[int, ...]


def follow_hard(hard: HardClip, network: Network, memory: str, motion: str, block: int | None = None) -> Run:
    """Prompt the object of a hard clip with its true mask and follow it.

    Parameters
    ----------
    hard
        The clip.
    network
        Any.
    memory, motion
        Names of a policy and a prior.
    block
        Frames after which what is kept is weighed, again and again; only after the clip if left out.

    Raises
    ------
    VostError
        Names that nobody knows, or a policy that asks for what the network lacks.
    """
    session = WatchedSession(hard.phantom.clip(), network, memory, motion)
    prompted, clock = hard.prompted_frame, Clock(network.device)
    session.add(prompt_from_truth("mask", hard.phantom.mask(hard.object_id, prompted), prompted, hard.object_id))
    times: list[float] = []
    kept: list[int] = []
    seen = {prompted}
    before = clock.now()
    for result in session.propagate():
        now = clock.now()
        if result.frame_index not in seen:  # a frame that is shown anew comes with the one after it
            seen.add(result.frame_index)
            times.append(1000 * (now - before))
            if block is not None and len(times) % block == 0:
                kept.append(session.kept_bytes)
        before = clock.now()
    if not kept or block is None or len(times) % block:
        kept.append(session.kept_bytes)
    found = session.segmentation().volume(hard.object_id)
    engine = session.engine
    prior = "none" if engine.prior is None else engine.prior.name
    return Run(found, engine.policy.name, prior, tuple(times), tuple(kept))


def state_bytes(*roots: object) -> int:
    """Bytes of all tensors, arrays and numbers that containers and dataclasses hold; shared memory counts once."""
    arrays: dict[int, int] = {}
    numbers = 0
    left: list[object] = list(roots)
    visited: dict[int, object] = {}
    while left:
        value = left.pop()
        if isinstance(value, Tensor):
            storage = value.untyped_storage()
            arrays[storage.data_ptr()] = storage.nbytes()
        elif isinstance(value, np.ndarray):
            arrays[id(value)] = value.nbytes
        elif isinstance(value, int | float | np.generic):
            numbers += 8
        elif id(value) not in visited:
            visited[id(value)] = value
            if isinstance(value, Mapping):
                left += [*value.keys(), *value.values()]
            elif isinstance(value, list | tuple | set | frozenset):
                left += value
            elif is_dataclass(value):
                left += [getattr(value, part.name) for part in fields(value)]
    return sum(arrays.values()) + numbers
