"""SurgSAM2's pruning, RMem's eviction, SAM-I2V's selection: which frames stay, on hand-made entries."""

import math

import pytest
import torch

from napari_vost.contracts import ImageFeatures, MemoryBank, MemoryEntry, Query
from napari_vost.memory.attention import grid_cells
from napari_vost.memory.policies.restricted import Restricted
from napari_vost.memory.policies.selective import Selective
from napari_vost.memory.policies.similarity import Similarity, likeness
from napari_vost.testing import MemoryPolicyContract, entry, query, some_answer
from napari_vost.types import Region


class TestSimilarity(MemoryPolicyContract):
    def policy(self) -> Similarity:
        return Similarity()


class TestRestricted(MemoryPolicyContract):
    def policy(self) -> Restricted:
        return Restricted()


class TestSelective(MemoryPolicyContract):
    def policy(self) -> Selective:
        return Selective()


def _turned(degrees: float) -> torch.Tensor:
    """Four tokens whose cosine with those of 0 degrees is known."""
    angle = math.radians(degrees)
    return torch.tensor([math.cos(angle), math.sin(angle), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).expand(4, -1)


def _similar(angles: dict[int, float]) -> MemoryBank:
    bank = MemoryBank((entry(0, "prompted", tokens=_turned(0)),))
    for frame, degrees in angles.items():
        bank = Similarity().admit(entry(frame, tokens=_turned(degrees)), some_answer(), 0, bank)
    return bank


def test_of_seven_frames_the_two_most_like_the_last_are_left_out_and_slots_stay() -> None:
    bank = _similar({1: 80, 2: 10, 3: 60, 4: 20, 5: 40, 6: 0})
    slots = {one.entry.frame_index: one.slot for one in Similarity().recall(bank, query(7)).entries}
    assert slots == {0: 6, 6: 0, 5: 1, 3: 3, 1: 5}


def test_fewer_than_seven_frames_are_all_read_and_pointers_are_never_pruned() -> None:
    recall = Similarity().recall(_similar({2: 0, 3: 0, 4: 0, 5: 0, 6: 0}), query(7))
    assert len(recall.entries) == 6
    pruned = Similarity().recall(_similar(dict.fromkeys(range(1, 7), 0.0)), query(7))
    assert len(pruned.entries) == 5
    assert [distance for _, distance in pruned.pointers] == [7, 1, 2, 3, 4, 5, 6]


def test_of_equals_the_newer_is_left_out() -> None:
    read = Similarity().recall(_similar(dict.fromkeys(range(1, 7), 0.0)), query(7)).entries
    assert [one.entry.frame_index for one in read] == [0, 1, 2, 3, 6]


def _tiled(corner: float) -> MemoryEntry:
    """A 4 x 4 memory whose tokens are drawn for every cell of the frame, 8 pixels wide, so that a shift can be told."""
    cells = grid_cells(4, 4)
    ground = torch.randn(8, 8, 8, generator=torch.Generator().manual_seed(1))
    at = (cells + corner / 8).long()
    return entry(1, region=Region(corner, corner, 32, 32), cells_yx=cells, tokens=ground[at[:, 0], at[:, 1]])


def test_tokens_are_compared_where_they_lie_in_the_frame() -> None:
    assert likeness(_tiled(0), _tiled(8)) == pytest.approx(1.0)
    assert likeness(_tiled(8), _tiled(0)) == pytest.approx(1.0)
    assert likeness(_tiled(0), _tiled(32)) == -1.0


def test_the_frame_that_is_worth_least_goes_and_the_one_before_never() -> None:
    policy, bank = Restricted(), MemoryBank((entry(0, "prompted"),))
    for frame in range(1, 9):
        bank = policy.admit(entry(frame), some_answer(), 0, bank)
    for _ in range(20):
        bank = policy.observe(bank, {frame: 0.01 if frame == 5 else 0.1 for frame in range(9)})
    bank = policy.admit(entry(9), some_answer(), 0, bank)
    assert [one.frame_index for one in bank.kept] == [1, 2, 3, 4, 6, 7, 8, 9]
    for _ in range(20):
        bank = policy.observe(bank, {frame: 0.0 if frame == 9 else 0.1 for frame in range(10)})
    assert [one.frame_index for one in policy.admit(entry(10), some_answer(), 0, bank).kept][-1] == 10


def test_shares_are_a_running_mean_with_four_fifths_on_the_newest() -> None:
    policy, bank = Restricted(), MemoryBank(kept=(entry(1),))
    for share in (0.5, 0.1):
        bank = policy.observe(bank, {1: share})
    assert bank.notes[1] == pytest.approx((0.8 * 0.1 + 0.2 * 0.5, 2.0))


def test_a_frame_that_was_read_little_gets_the_benefit_of_the_doubt() -> None:
    policy = Restricted()
    notes = dict.fromkeys(range(1, 9), (0.1, 30.0)) | {3: (0.05, 2.0)}  # 3 is read less, but it was read twice
    bank = MemoryBank(kept=tuple(entry(frame) for frame in range(1, 9)), notes=notes)
    kept = [one.frame_index for one in policy.admit(entry(9), some_answer(), 0, bank).kept]
    assert 3 in kept
    assert kept == [2, 3, 4, 5, 6, 7, 8, 9]
    assert set(policy.admit(entry(9), some_answer(), 0, bank).notes) == set(range(2, 9))


def test_eight_frames_share_the_six_slots_by_rank() -> None:
    policy, bank = Restricted(), MemoryBank((entry(0, "prompted"),))
    for frame in range(1, 9):
        bank = policy.admit(entry(frame), some_answer(), 0, bank)
    slots = [one.slot for one in policy.recall(bank, query(9)).entries]
    assert slots == [6, 0, 1, 1, 2, 3, 4, 4, 5]


def _looking(frame_index: int, likeness_to_now: float) -> MemoryEntry:
    """An entry whose look has a given cosine with that of the features of `_query`."""
    look = torch.zeros(16 * 2)
    look[0], look[1] = likeness_to_now, math.sqrt(1 - likeness_to_now**2)
    return entry(frame_index, look=look)


def _query(frame_index: int) -> Query:
    level = torch.zeros(1, 2, 4, 4)
    level[0, 0, 0, 0] = 3.0
    features = ImageFeatures((level,), torch.zeros(1, 2, 4, 4))
    return Query(frame_index, None, 1, features, 0, None, Region.full(32, 32), "time", 100)


def test_the_most_similar_of_the_last_four_and_of_the_sixteen_before_are_read_newest_first() -> None:
    alike = {3: 0.9, 7: 0.8, 12: 0.99, 15: 0.7, 18: 0.6, 20: 0.95}
    policy, bank = Selective(), MemoryBank((entry(0, "prompted"),))
    for frame in range(1, 21):
        bank = policy.admit(_looking(frame, alike.get(frame, 0.1)), some_answer(), 0, bank)
    slots = {one.entry.frame_index: one.slot for one in policy.recall(bank, _query(21)).entries}
    assert slots == {0: 6, 20: 0, 18: 1, 15: 2, 12: 3, 7: 4, 3: 5}


def test_frames_more_than_twenty_back_are_forgotten() -> None:
    policy, bank = Selective(), MemoryBank((entry(0, "prompted"),))
    for frame in range(1, 31):
        bank = policy.admit(_looking(frame, 0.99 if frame <= 10 else 0.1), some_answer(), 0, bank)
    read = [one.entry.frame_index for one in policy.recall(bank, _query(31)).entries]
    assert read == [0, 30, 29, 26, 25, 24, 23]
