"""Nearest phase first, on a beat of ten frames."""

from dataclasses import replace
from typing import Any

import pytest

from napari_vost.contracts import MemoryBank, Prediction, Query
from napari_vost.memory.policies.fifo import Fifo
from napari_vost.memory.policies.phase import Phase, phase_distance
from napari_vost.testing import MemoryPolicyContract, entry, query, some_answer


class TestPhase(MemoryPolicyContract):
    def policy(self) -> Phase:
        return Phase()


def _beating(frame_index: int, phase: float | None, direction: int = 1) -> Query:
    prediction = Prediction((8.0, 8.0, 18.0, 18.0), 100.0, phase=phase)
    return replace(query(frame_index, direction), prediction=prediction)


def _bank(frames: range, period: float | None, prompted: int = 0, absent: range = range(0)) -> MemoryBank:
    bank = MemoryBank((entry(prompted, "prompted"),))
    for frame in frames:
        phase = None if period is None else (frame + 0.55) / period % 1.0
        gone: dict[str, Any] = {"occurrence": -3.0} if frame in absent else {}
        bank = Phase().admit(entry(frame, phase=phase, **gone), some_answer(), 0, bank)
    return bank


@pytest.mark.parametrize(("first", "second", "apart"), [(0.1, 0.3, 0.2), (0.95, 0.05, 0.1), (0.0, 0.5, 0.5)])
def test_phases_are_compared_around_the_cycle(first: float, second: float, apart: float) -> None:
    assert phase_distance(first, second) == pytest.approx(apart)
    assert phase_distance(second, first) == pytest.approx(apart)


def test_after_the_frame_before_come_the_frames_of_the_same_phase() -> None:
    recall = Phase().recall(_bank(range(1, 50), 10.0), _beating(50, 0.055))
    read = {one.entry.frame_index: one.slot for one in recall.entries}
    assert read == {0: 6, 49: 0, 40: 1, 30: 2, 41: 3, 39: 4, 31: 5}


def test_the_newest_frame_of_every_part_of_a_long_cycle_stays() -> None:
    bank = _bank(range(1, 145), 40.0)
    recall = Phase().recall(bank, _beating(145, 145.55 / 40 % 1.0))
    nearest = [one.entry.frame_index for one in recall.entries if one.slot not in (0, 6)]
    assert nearest == [105, 106, 104, 143, 107]  # around the same place a beat ago, of equals the newest
    assert len(bank.kept) == 15 + 40


def test_backward_is_the_same_rule() -> None:
    bank = _bank(range(99, 50, -1), 10.0, prompted=100)
    read = {one.entry.frame_index: one.slot for one in Phase().recall(bank, _beating(50, 0.055, -1)).entries}
    assert (read[100], read[51], read[60]) == (6, 0, 1)


@pytest.mark.parametrize(("period", "now"), [(None, None), (None, 0.3), (10.0, None)])
def test_without_phases_it_reads_what_fifo_reads(period: float | None, now: float | None) -> None:
    fifo = MemoryBank((entry(0, "prompted"),))
    for frame in range(1, 60):
        fifo = Fifo().admit(entry(frame), some_answer(), 0, fifo)
    expected, found = Fifo().recall(fifo, query(60)), Phase().recall(_bank(range(1, 60), period), _beating(60, now))
    assert [(one.entry.frame_index, one.slot) for one in found.entries] == [
        (one.entry.frame_index, one.slot) for one in expected.entries
    ]
    assert [distance for _, distance in found.pointers] == [distance for _, distance in expected.pointers]


def test_frames_without_the_object_are_not_kept_for_their_phase() -> None:
    bank = _bank(range(1, 60), 30.0, absent=range(20, 40))
    assert not set(range(20, 40)) & {one.frame_index for one in bank.kept}
