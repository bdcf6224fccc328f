"""What every memory policy owes: inherit `MemoryPolicyContract` in a test class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from napari_vost.contracts import (
    Answer,
    Choice,
    ImageFeatures,
    MemoryBank,
    MemoryEntry,
    MemoryPolicy,
    Query,
    Recall,
    Role,
    TrackRow,
    TrackState,
)
from napari_vost.types import Region, Scores


def entry(
    frame_index: int, role: Role = "recent", affinity: float = 0.9, occurrence: float = 5.0, **changes: Any
) -> MemoryEntry:
    """Make a memory of a frame, 4 tokens of 8 channels, for tests of policies; ``changes`` are fields to set."""
    generator = torch.Generator().manual_seed(frame_index)
    made = MemoryEntry(
        entry_id=frame_index,
        frame_index=frame_index,
        role=role,
        direction=1,
        region=Region.full(32, 32),
        tokens=torch.randn(4, 8, generator=generator),
        positions=torch.zeros(4, 8),
        cells_yx=torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
        pointer=torch.randn(16, generator=generator),
        scores=Scores(affinity, occurrence),
        area_px=100,
        box=(8, 8, 18, 18),
        phase=None,
        network="test",
    )
    return replace(made, **changes)


def query(frame_index: int, direction: int = 1, length: int = 100) -> Query:
    """Make a query for a frame without features, for tests of policies."""
    features = ImageFeatures((torch.zeros(1, 16, 2, 2),), torch.zeros(1, 16, 2, 2))
    return Query(frame_index, None, direction, features, 0, None, Region.full(32, 32), "time", length)


class MemoryPolicyContract:
    """What every memory policy owes; inherit it and return the policy from `policy`."""

    def policy(self) -> MemoryPolicy:
        """Return the policy under test, made for 7 slots and 16 pointers."""
        raise NotImplementedError

    def filled(self, direction: int = 1, frames: int = 40) -> MemoryBank:
        """Return the bank after a prompted frame 0 and a run of frames."""
        policy = self.policy()
        start = 0 if direction > 0 else frames
        bank = MemoryBank((entry(start, "prompted"),))
        for step in range(1, frames):
            bank = policy.admit(entry(start + direction * step), some_answer(), 0, bank)
        return bank

    def test_it_says_what_it_wants(self) -> None:
        policy = self.policy()
        assert policy.name
        assert isinstance(policy.wants_read, bool)
        assert isinstance(policy.hands_previous_mask, bool)

    def test_prompted_frames_are_never_forgotten(self) -> None:
        assert [one.frame_index for one in self.filled().prompted] == [0]

    def test_prompted_frames_are_always_read(self) -> None:
        for direction, at, prompted in ((1, 40, 0), (-1, 0, 40)):
            recall = self.policy().recall(self.filled(direction), query(at, direction))
            assert prompted in [one.entry.frame_index for one in recall.entries]

    def test_the_bank_stays_small(self) -> None:
        assert len(self.filled(frames=300)) <= 64

    def test_absent_objects_do_not_stop_it(self) -> None:
        policy, bank = self.policy(), self.filled()
        for frame_index in range(41, 80):
            gone = entry(frame_index, affinity=0.1, occurrence=-5.0, area_px=0, box=None)
            bank = policy.admit(gone, some_answer(), 0, bank)
        recall = policy.recall(bank, query(80))
        assert 0 in [one.entry.frame_index for one in recall.entries]

    def test_what_is_read_depends_on_the_bank_alone(self) -> None:
        policy, bank = self.policy(), self.filled()
        first, again = policy.recall(bank, query(40)), policy.recall(bank, query(40))
        assert [(one.entry.frame_index, one.slot) for one in first.entries] == [
            (one.entry.frame_index, one.slot) for one in again.entries
        ]
        assert [distance for _, distance in first.pointers] == [distance for _, distance in again.pointers]

    def test_what_was_read_changes_no_memory(self) -> None:
        policy, bank = self.policy(), self.filled()
        shares = {one.entry.entry_id: 0.1 for one in policy.recall(bank, query(40)).entries}
        after = policy.observe(bank, shares)
        assert after.prompted == bank.prompted
        assert after.kept == bank.kept

    def test_slots_are_those_of_the_network(self) -> None:
        for direction, at in ((1, 40), (-1, 0)):
            recall = self.policy().recall(self.filled(direction), query(at, direction))
            assert all(0 <= one.slot < 7 for one in recall.entries)

    def test_no_frame_is_read_twice(self) -> None:
        for direction, at in ((1, 40), (-1, 0)):
            recall = self.policy().recall(self.filled(direction), query(at, direction))
            frames = [one.entry.frame_index for one in recall.entries]
            assert len(frames) == len(set(frames))

    def test_pointers_are_those_of_the_past(self) -> None:
        for direction, at in ((1, 40), (-1, 0)):
            pointers = self.policy().recall(self.filled(direction), query(at, direction)).pointers
            assert len(pointers) <= 16
            assert all(distance > 0 for _, distance in pointers)

    def test_admitting_leaves_the_old_bank_as_it_was(self) -> None:
        bank = self.filled()
        before = [one.frame_index for one in bank.kept]
        self.policy().admit(entry(99), some_answer(), 0, bank)
        assert [one.frame_index for one in bank.kept] == before

    def test_choice_names_a_row_and_a_candidate(self) -> None:
        state = TrackState((TrackRow(1, self.filled(), Region.full(32, 32)),), 1)
        for choice in self.policy().choose(some_answer(), (None,), state):
            assert isinstance(choice, Choice)
            assert choice.parent == 0
            assert 0 <= choice.candidate < 3

    def test_an_empty_bank_is_read_as_nothing(self) -> None:
        recall = self.policy().recall(MemoryBank(), query(3))
        assert isinstance(recall, Recall)
        assert recall.entries == ()


def some_answer(rows: int = 1) -> Answer:
    """Make an answer of three candidates per row, for tests of policies."""
    return Answer(
        torch.zeros(rows, 3, 8, 8),
        torch.tensor([[0.5, 0.9, 0.7]]).expand(rows, 3),
        torch.full((rows,), 4.0),
        torch.zeros(rows, 3, 16),
        torch.zeros(16),
    )
