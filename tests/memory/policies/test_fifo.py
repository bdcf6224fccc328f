"""SAM 2.1's own memory, against docs/sam2.md 5."""

import pytest

from napari_vost.contracts import MemoryBank
from napari_vost.memory.policies.base import nearest_prompted
from napari_vost.memory.policies.fifo import Fifo, recent_frame
from napari_vost.testing import MemoryPolicyContract, entry, query, some_answer


class TestFifo(MemoryPolicyContract):
    def policy(self) -> Fifo:
        return Fifo()


def _slots(policy: Fifo, bank: MemoryBank, frame_index: int, direction: int = 1) -> dict[int, int]:
    recall = policy.recall(bank, query(frame_index, direction))
    return {one.entry.frame_index: one.slot for one in recall.entries}


def _run(policy: Fifo, frames: range, prompted: int = 0) -> MemoryBank:
    bank = MemoryBank((entry(prompted, "prompted"),))
    for frame_index in frames:
        bank = policy.admit(entry(frame_index), some_answer(), 0, bank)
    return bank


def test_stride_one_reads_the_six_frames_before_and_the_prompted_one() -> None:
    policy = Fifo()
    assert _slots(policy, _run(policy, range(1, 10)), 10) == {9: 0, 8: 1, 7: 2, 6: 3, 5: 4, 4: 5, 0: 6}


def test_stride_two_skips_every_other_frame_and_does_not_repeat_the_prompted_one() -> None:
    policy = Fifo(stride=2)
    assert _slots(policy, _run(policy, range(1, 10)), 10) == {9: 0, 8: 1, 6: 2, 4: 3, 2: 4, 0: 6}


@pytest.mark.parametrize(("slot", "expected"), [(0, 11), (1, 12), (2, 14), (3, 16)])
def test_backward_mirrors_the_rule(slot: int, expected: int) -> None:
    assert recent_frame(10, slot, 2, -1) == expected


def test_backward_reads_the_frames_after() -> None:
    policy = Fifo()
    assert _slots(policy, _run(policy, range(19, 10, -1), prompted=20), 10, -1) == {
        11: 0, 12: 1, 13: 2, 14: 3, 15: 4, 16: 5, 20: 6,
    }  # fmt: skip


def test_pointers_are_those_of_the_past_with_their_signed_distance() -> None:
    policy = Fifo()
    bank = MemoryBank((entry(0, "prompted"), entry(30, "prompted")))
    for frame_index in range(1, 20):
        bank = policy.admit(entry(frame_index), some_answer(), 0, bank)
    distances = [distance for _, distance in policy.recall(bank, query(20)).pointers]
    assert distances == [20, *range(1, 16)]


def test_a_short_clip_shortens_the_span_of_pointers() -> None:
    policy = Fifo()
    recall = policy.recall(_run(policy, range(1, 10)), query(10, length=12))
    assert recall.pointer_span == 11
    assert [distance for _, distance in recall.pointers] == [10, *range(1, 10)]


def test_at_most_four_prompted_frames_are_read_unless_all_are_asked_for() -> None:
    prompted = [entry(frame, "prompted") for frame in (0, 10, 20, 30, 40, 50)]
    assert [one.frame_index for one in nearest_prompted(prompted, 33)] == [0, 20, 30, 40]
    assert len(nearest_prompted(prompted, 33, None)) == 6


def test_a_prompted_frame_that_was_not_chosen_may_stand_in_as_a_recent_one() -> None:
    policy = Fifo(max_prompted=1)
    bank = MemoryBank((entry(0, "prompted"), entry(9, "prompted")))
    assert _slots(policy, bank, 10) == {0: 6, 9: 0}
