"""SAM2Long's tree: which candidates live on, and what a path remembers."""

import math

import pytest
import torch

from napari_vost.contracts import Answer, Choice, MemoryBank, TrackRow, TrackState
from napari_vost.memory.policies.tree import Tree
from napari_vost.testing import MemoryPolicyContract, entry, query, some_answer
from napari_vost.types import Region


class TestTree(MemoryPolicyContract):
    def policy(self) -> Tree:
        return Tree()


def _row(object_id: int = 1, log_score: float = 0.0, started: bool = True) -> TrackRow:
    kept = (entry(1),) if started else ()
    return TrackRow(object_id, MemoryBank((entry(0, "prompted"),), kept), Region.full(32, 32), log_score=log_score)


def _answer(affinity: list[list[float]], occurrence: list[float]) -> Answer:
    rows = len(affinity)
    return Answer(
        torch.zeros(rows, 3, 8, 8),
        torch.tensor(affinity),
        torch.tensor(occurrence),
        torch.zeros(rows, 3, 16),
        torch.zeros(16),
    )


def _choose(rows: list[TrackRow], affinity: list[list[float]], occurrence: list[float]) -> list[tuple[int, int]]:
    chosen = Tree().choose(_answer(affinity, occurrence), (None,) * len(rows), TrackState(tuple(rows), 1))
    return [(one.parent, one.candidate) for one in chosen]


def test_the_first_tracked_frame_has_one_path_and_the_next_three() -> None:
    affinity = [[0.5, 0.9, 0.7]]
    assert _choose([_row(started=False)], affinity, [5.0]) == [(0, 1)]
    assert _choose([_row()], affinity, [5.0]) == [(0, 1), (0, 2), (0, 0)]


def test_scores_are_logarithms_of_affinity_that_add_up_along_a_path() -> None:
    chosen = Tree().choose(_answer([[0.5, 0.9, 0.7]], [5.0]), (None,), TrackState((_row(),), 1))
    assert chosen[0] == Choice(0, 1, pytest.approx(math.log(0.9 + 1e-5)))


def test_in_certain_frames_the_three_best_of_all_paths_live_on() -> None:
    rows = [_row(log_score=-0.1), _row(log_score=-0.2), _row(log_score=-3.0)]
    affinity = [[0.9, 0.89, 0.2], [0.95, 0.3, 0.2], [0.99, 0.98, 0.97]]
    assert _choose(rows, affinity, [5.0, 1.0, 1.0]) == [(0, 0), (0, 1), (1, 0)]


def test_in_doubt_paths_must_differ_in_affinity() -> None:
    rows = [_row(log_score=-0.1), _row(log_score=-0.2), _row(log_score=-3.0)]
    affinity = [[0.90, 0.901, 0.2], [0.899, 0.5, 0.2], [0.4, 0.4, 0.4]]
    assert _choose(rows, affinity, [1.9, -0.1, 1.0]) == [(0, 1), (1, 0), (1, 1)]  # row 1 says absent
    assert _choose(rows, affinity, [1.9, 1.0, 1.0]) == [(0, 1), (1, 1), (0, 2)]


def test_in_doubt_places_that_are_left_go_to_paths_without_one() -> None:
    rows = [_row(log_score=-0.1), _row(log_score=-0.2), _row(log_score=-3.0)]
    alike = [[0.6, 0.6, 0.6]] * 3
    assert _choose(rows, alike, [1.0, 1.0, 1.0]) == [(0, 0), (1, 0), (2, 0)]


def test_objects_do_not_compete() -> None:
    rows = [_row(1), _row(2, -50.0), _row(2, -60.0)]
    chosen = _choose(rows, [[0.9, 0.8, 0.7], [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [5.0, 5.0, 5.0])
    assert [parent for parent, _ in chosen] == [0, 0, 0, 1, 1, 1]


def test_a_path_remembers_frames_above_a_tenth_with_the_object() -> None:
    policy, bank = Tree(), MemoryBank((entry(0, "prompted"),))
    entries = [entry(1, affinity=0.11), entry(2, affinity=0.09), entry(3, occurrence=-0.1), entry(4), entry(5)]
    for one in entries:
        bank = policy.admit(one, some_answer(), 0, bank)
    recall = policy.recall(bank, query(6))
    assert [one.entry.frame_index for one in recall.entries] == [0, 5, 4, 1]
    assert [distance for _, distance in recall.pointers] == [6, 1, 2, 5]


def test_keys_are_scaled_by_rank_of_occurrence_prompted_frames_as_ten() -> None:
    policy, bank = Tree(), MemoryBank((entry(0, "prompted", occurrence=1.0),))
    for frame, occurrence in ((1, 3.0), (2, 11.0), (3, 0.5), (4, 4.0)):
        bank = policy.admit(entry(frame, occurrence=occurrence), some_answer(), 0, bank)
    scales = {one.entry.frame_index: one.key_scale for one in policy.recall(bank, query(5)).entries}
    assert scales == pytest.approx({3: 0.95, 1: 0.975, 4: 1.0, 0: 1.025, 2: 1.05})


def test_one_entry_is_read_as_it_is() -> None:
    assert Tree().recall(MemoryBank((entry(0, "prompted"),)), query(1)).entries[0].key_scale == 1.0
