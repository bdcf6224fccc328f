"""Corrections and late objects against SAM 2's rules (docs/sam2.md 5); here corrections are permanent."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.clip import Clip
from napari_vost.contracts import MemoryBank, Query, Recall
from napari_vost.memory.policies.fifo import Fifo
from napari_vost.testing import BrightNetwork


class Recording(Fifo):
    """FIFO that writes down what every row reads: frame, slots by frame read."""

    def __init__(self) -> None:
        super().__init__(max_pointers=0)
        self.reads: list[tuple[int, int, dict[int, int]]] = []

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        recall = super().recall(bank, query)
        slots = {one.entry.frame_index: one.slot for one in recall.entries}
        self.reads.append((query.frame_index, query.direction, slots))
        return recall


def _session(frames: int = 40) -> tuple[Session, Recording]:
    y, x = np.mgrid[0:64, 0:64]
    stack = np.stack([255 * ((y - 30) ** 2 + (x - 25 - t // 4) ** 2 < 80) for t in range(frames)]).astype(np.uint8)
    session = Session(Clip.from_array(stack, order="time"), BrightNetwork())
    policy = Recording()
    session._engine = replace(session.engine, policy=policy)
    return session, policy


def _mask(session: Session, frame: int) -> np.ndarray:
    return np.asarray(session.clip.frame(frame)) > 0


def test_a_tracked_frame_reads_the_six_before_it_and_its_prompted_frame() -> None:
    session, policy = _session()
    session.add_mask(5, _mask(session, 5))
    list(session.propagate())
    reads = {(frame, direction): slots for frame, direction, slots in policy.reads}
    assert reads[20, 1] == {5: 6, 19: 0, 18: 1, 17: 2, 16: 3, 15: 4, 14: 5}
    assert reads[6, 1] == {5: 6}
    assert reads[0, -1] == {5: 6, 1: 0, 2: 1, 3: 2, 4: 3}


def test_a_sweep_starts_with_prompted_frames_only_whatever_the_other_sweep_saw() -> None:
    session, policy = _session()
    session.add_mask(20, _mask(session, 20))
    list(session.propagate())
    first_backward = next(slots for frame, direction, slots in policy.reads if direction < 0)
    assert first_backward == {20: 6}


def test_a_correction_stays_in_memory_for_ever() -> None:
    session, policy = _session()
    session.add_mask(0, _mask(session, 0))
    list(session.propagate())
    session.add_mask(10, _mask(session, 10))  # SAM 2 forgets a correction after six frames; here it is permanent
    policy.reads.clear()
    list(session.propagate(exact=True))
    reads = {(frame, direction): slots for frame, direction, slots in policy.reads}
    assert reads[39, 1][10] == 6
    assert reads[39, 1][0] == 6


def test_a_late_object_has_a_memory_of_its_own() -> None:
    session, policy = _session()
    session.add_mask(0, _mask(session, 0), object_id=1)
    session.add_mask(30, _mask(session, 30), object_id=2)
    list(session.propagate())
    at_35 = [slots for frame, direction, slots in policy.reads if frame == 35 and direction > 0]
    assert sorted(at_35, key=str) == sorted(
        [{0: 6, 34: 0, 33: 1, 32: 2, 31: 3, 30: 4, 29: 5}, {30: 6, 34: 0, 33: 1, 32: 2, 31: 3}], key=str
    )


@pytest.mark.parametrize("sam2", [False, True])
def test_sam2_semantics_read_every_prompted_frame_and_ours_the_four_that_matter(sam2: bool) -> None:
    session, _ = _session()
    recording = Recording()
    if sam2:
        recording._max_prompted = None
    session._engine = replace(session.engine, policy=recording)
    for frame in (0, 5, 10, 15, 20, 25):
        session.add_mask(frame, _mask(session, frame))
    list(session.propagate())
    slots = next(slots for frame, direction, slots in recording.reads if frame == 39 and direction > 0)
    permanent = sorted(frame for frame, slot in slots.items() if slot == 6)
    assert permanent == ([0, 5, 10, 15, 20, 25] if sam2 else [0, 15, 20, 25])


class Watching(Fifo):
    """FIFO that is told what was read."""

    wants_read = True

    def __init__(self) -> None:
        super().__init__(max_pointers=0)
        self.seen: list[set[int]] = []

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        self.seen.append(set(read))
        return bank


def test_a_policy_that_wants_it_is_told_what_was_read() -> None:
    session, _ = _session(frames=10)
    policy = Watching()
    session._engine = replace(session.engine, policy=policy)
    session.add_mask(0, _mask(session, 0))
    list(session.propagate())
    assert [len(ids) for ids in policy.seen] == [1, 2, 3, 4, 5, 6, 7, 7, 7]
