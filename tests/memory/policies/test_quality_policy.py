"""SAM 3's selection, the baseline without memory, and SAMURAI's filter, on hand-made entries."""

import math
from dataclasses import replace

import pytest

from napari_vost.contracts import MemoryBank, MemoryEntry
from napari_vost.memory.policies.motion_aware import MotionAware
from napari_vost.memory.policies.previous import Previous
from napari_vost.memory.policies.quality import Quality, worth
from napari_vost.testing import MemoryPolicyContract, entry, query, some_answer


class TestQuality(MemoryPolicyContract):
    def policy(self) -> Quality:
        return Quality()


class TestPrevious(MemoryPolicyContract):
    def policy(self) -> Previous:
        return Previous()


class TestMotionAware(MemoryPolicyContract):
    def policy(self) -> MotionAware:
        return MotionAware()


def _bank(policy: Quality, entries: list[MemoryEntry]) -> MemoryBank:
    bank = MemoryBank((entry(0, "prompted"),))
    for one in entries:
        bank = policy.admit(one, some_answer(), 0, bank)
    return bank


def _slots(policy: Quality, bank: MemoryBank, frame_index: int, direction: int = 1) -> dict[int, int]:
    recall = policy.recall(bank, query(frame_index, direction))
    return {one.entry.frame_index: one.slot for one in recall.entries}


@pytest.mark.parametrize(
    ("affinity", "occurrence", "expected"),
    [(0.9, -3.0, 0.0), (0.9, 0.0, 0.0), (0.5, 2.0, 0.5 * (2 / (1 + math.exp(-2)) - 1)), (0.8, 60.0, 0.8)],
)
def test_worth_is_occurrence_times_affinity_and_nothing_where_absent(
    affinity: float, occurrence: float, expected: float
) -> None:
    assert worth(entry(1, affinity=affinity, occurrence=occurrence)) == pytest.approx(expected)


def test_frames_without_the_object_are_forgotten_and_older_ones_take_their_place() -> None:
    policy = Quality()
    entries = [entry(frame, occurrence=-4.0 if 10 <= frame < 60 else 5.0) for frame in range(1, 61)]
    assert _slots(policy, _bank(policy, entries), 61) == {0: 6, 60: 0, 9: 1, 8: 2, 7: 3, 6: 4, 5: 5}


def test_the_frame_before_is_read_whatever_it_is_worth() -> None:
    policy = Quality()
    bank = _bank(policy, [entry(1), entry(2), entry(3, occurrence=-9.0)])
    assert _slots(policy, bank, 4) == {0: 6, 3: 0, 2: 1, 1: 2}
    assert _slots(policy, policy.admit(entry(4), some_answer(), 0, bank), 5) == {0: 6, 4: 0, 2: 1, 1: 2}


def test_the_threshold_is_one_hundredth() -> None:
    policy = Quality()
    weak = [entry(1, affinity=0.0101, occurrence=60.0), entry(2, affinity=0.0099, occurrence=60.0), entry(3)]
    assert _slots(policy, _bank(policy, weak), 4) == {0: 6, 3: 0, 1: 1}


def test_fifteen_pointers_of_good_frames_are_read_with_their_distance() -> None:
    policy = Quality()
    entries = [entry(frame, occurrence=5.0 if frame % 2 == 0 else -5.0) for frame in range(1, 41)]
    recall = policy.recall(_bank(policy, entries), query(41))
    assert [distance for _, distance in recall.pointers] == [41, *range(1, 30, 2)]


def test_backward_is_the_same_rule() -> None:
    policy = Quality()
    bank = MemoryBank((entry(40, "prompted"),))
    for frame in range(39, 29, -1):
        bank = policy.admit(entry(frame, occurrence=-1.0 if frame == 32 else 5.0), some_answer(), 0, bank)
    assert _slots(policy, bank, 29, -1) == {40: 6, 30: 0, 31: 1, 33: 2, 34: 3, 35: 4, 36: 5}


def test_a_network_without_pointers_needs_six_frames_and_gets_no_pointer() -> None:
    policy = Quality(max_pointers=0)
    bank = _bank(policy, [entry(frame) for frame in range(1, 30)])
    assert len(bank.kept) == 6
    assert policy.recall(bank, query(30)).pointers == ()


def test_previous_keeps_nothing_and_asks_for_the_mask_of_the_frame_before() -> None:
    policy = Previous()
    bank = policy.admit(entry(1), some_answer(), 0, MemoryBank((entry(0, "prompted"),)))
    assert bank.kept == ()
    assert [one.entry.frame_index for one in policy.recall(bank, query(2)).entries] == [0]
    assert policy.hands_previous_mask
    assert not Quality.hands_previous_mask


@pytest.mark.parametrize(
    ("affinity", "occurrence", "motion", "good"),
    [
        (0.51, 0.1, None, True),
        (0.50, 0.1, None, False),
        (0.51, 0.0, None, False),
        (0.51, 0.1, 0.0, False),
        (0.51, 0.1, 0.01, True),
    ],
)
def test_all_three_scores_must_pass(affinity: float, occurrence: float, motion: float | None, good: bool) -> None:
    policy = MotionAware()
    one = entry(1, affinity=affinity, occurrence=occurrence)
    bank = _bank(policy, [replace(one, scores=replace(one.scores, motion=motion)), entry(2)])
    assert (1 in _slots(policy, bank, 3)) == good


def test_pointers_of_frames_that_fail_are_left_out_too() -> None:
    policy = MotionAware()
    bank = _bank(policy, [entry(frame, affinity=0.4 if frame in (3, 4) else 0.9) for frame in range(1, 7)])
    assert [distance for _, distance in policy.recall(bank, query(7)).pointers] == [7, 1, 2, 5, 6]
