"""MoSAM's dropped tokens, MemSAM's weighted ones and XMem's tiers, on hand-made entries."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry
from napari_vost.memory.attention import grid_cells
from napari_vost.memory.policies.region import RegionPolicy, certainty
from napari_vost.memory.policies.reinforced import Reinforced, local_contrast
from napari_vost.memory.policies.tiered import NEWEST, Tiered, mixed, prototypes
from napari_vost.testing import MemoryPolicyContract, entry, query, some_answer
from napari_vost.types import Region


class TestRegion(MemoryPolicyContract):
    def policy(self) -> RegionPolicy:
        return RegionPolicy()


class TestReinforced(MemoryPolicyContract):
    def policy(self) -> Reinforced:
        return Reinforced()


class TestTiered(MemoryPolicyContract):
    def policy(self) -> Tiered:
        return Tiered()


def _answer(logits: Tensor) -> Answer:
    """The chosen candidate is the second, of affinity .9, as `entry` has it."""
    masks = torch.stack((torch.zeros(8, 8), logits, torch.zeros(8, 8)))[None]
    return replace(some_answer(), mask_logits=masks)


def _quarters(a: float, b: float, c: float, d: float) -> Tensor:
    """Mask logits (8, 8), one value for each of the four cells."""
    return torch.tensor([[a, b], [c, d]]).repeat_interleave(4, 0).repeat_interleave(4, 1)


def test_certainty_is_that_of_the_mask_inside_and_outside_alike() -> None:
    sure = certainty(entry(1), _answer(_quarters(20.0, -20.0, 0.0, 2 * 0.5493061)), 0)
    assert sure.tolist() == pytest.approx([1.0, 1.0, 0.0, 0.5], abs=1e-5)


def test_a_cell_that_the_edge_cuts_sharply_is_certain() -> None:
    logits = torch.full((8, 8), 20.0)
    logits[:, ::2] = -20.0
    assert certainty(entry(1), _answer(logits), 0).min() > 0.99


def test_uncertain_tokens_are_dropped_with_their_positions_and_cells() -> None:
    one = entry(1)
    bank = RegionPolicy().admit(one, _answer(_quarters(9.0, -9.0, 0.3, -0.3)), 0, MemoryBank())
    kept = bank.kept[0]
    assert torch.equal(kept.tokens, one.tokens[:2])
    assert kept.cells_yx.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert kept.positions.shape == (2, 8)


def test_the_threshold_is_three_quarters() -> None:
    logits = [float(2 * torch.tensor(sure).atanh()) for sure in (0.74, 0.76, 0.3, 0.99)]
    bank = RegionPolicy().admit(entry(1), _answer(_quarters(*logits)), 0, MemoryBank())
    assert bank.kept[0].cells_yx.tolist() == [[0.0, 1.0], [1.0, 1.0]]


def test_a_frame_without_a_certain_token_keeps_all_and_frames_are_filtered_as_well() -> None:
    policy = RegionPolicy()
    bank = policy.admit(entry(1, affinity=0.4), _answer(torch.zeros(8, 8)), 0, MemoryBank())
    assert len(bank.kept[0].tokens) == 4
    bank = policy.admit(entry(2), some_answer(), 0, bank)
    assert [one.frame_index for one in bank.kept] == [2]


def test_tokens_of_uncertain_cells_have_half_a_vote_and_no_less() -> None:
    one = entry(1, tokens=torch.eye(4, 8))
    policy = Reinforced()
    bank = policy.admit(one, _answer(_quarters(20.0, -20.0, 0.0, -20.0)), 0, MemoryBank())
    assert torch.equal(bank.kept[0].tokens, one.tokens)
    (read,) = policy.recall(bank, query(2)).entries
    assert isinstance(read.logit_bias, torch.Tensor)
    votes = read.logit_bias.exp().tolist()
    assert votes == pytest.approx([1.0, 1.0, 0.5, 1.0], abs=0.2)
    assert votes[2] == pytest.approx(0.5)


def test_weights_go_with_their_frames() -> None:
    policy, bank = Reinforced(), MemoryBank()
    for frame in range(1, 30):
        bank = policy.admit(entry(frame, entry_id=frame), some_answer(), 0, bank)
    assert set(bank.notes) == {one.entry_id for one in bank.kept}


def test_contrast_is_low_where_a_token_looks_like_the_other_side() -> None:
    tokens = torch.zeros(100, 2)
    inside = torch.zeros(10, 10, dtype=torch.bool)
    inside[:, :5] = True
    tokens[:, 0] = torch.where(inside.flatten(), 1.0, -1.0)
    alike = 4 * 10 + 4  # inside, beside the edge, but with a token as outside
    tokens[alike] = torch.tensor([-1.0, 0.0])
    contrast = local_contrast(tokens, inside).reshape(10, 10)
    assert contrast[4, 4] < 0.05
    assert contrast[8, 4] > 0.9
    assert contrast[4, 0] == 1.0  # no cell of the other side within three cells


def test_a_mask_of_one_side_only_leaves_contrast_alone() -> None:
    assert torch.equal(local_contrast(torch.randn(4, 3), torch.zeros(2, 2, dtype=torch.bool)), torch.ones(4))


def _run(frames: range, direction: int = 1, start: int = 0) -> MemoryBank:
    policy, bank = Tiered(), MemoryBank((entry(start, "prompted"),))
    for number, frame in enumerate(frames, 1):
        bank = policy.admit(entry(frame, entry_id=number, direction=direction), some_answer(), 0, bank)
    return bank


def _tiers(bank: MemoryBank) -> tuple[list[int], list[int], int]:
    """Frames of long-term entries, of working ones, and of the sensory one."""
    long = [one.frame_index for one in bank.kept if one.role == "anchor"]
    work = [one.frame_index for one in bank.kept[:-1] if one.role != "anchor"]
    return long, work, bank.kept[-1].frame_index


def test_every_fifth_frame_goes_to_work_and_the_frame_before_is_sensory() -> None:
    assert _tiers(_run(range(1, 24))) == ([], [5, 10, 15, 20], 23)
    assert _tiers(_run(range(99, 76, -1), -1, 100)) == ([], [95, 90, 85, 80], 77)


def test_the_sixth_working_frame_turns_all_but_two_into_one_long_term_entry() -> None:
    bank = _run(range(1, 31))
    long, work, sensory = _tiers(bank)
    assert (len(long), work, sensory) == (1, [25, 30], 30)
    slots = {one.entry.frame_index: one.slot for one in Tiered().recall(bank, query(31)).entries}
    assert slots == {0: 6, 30: 0, 25: 1, long[0]: 5}


def test_long_term_memory_holds_eight_entries_and_the_least_read_goes() -> None:
    policy, bank = Tiered(), MemoryBank((entry(0, "prompted"),))
    first: int | None = None
    for frame in range(1, 300):
        bank = policy.admit(entry(frame), some_answer(), 0, bank)
        long = [one.entry_id for one in bank.kept if one.role == "anchor"]
        first = long[0] if long and first is None else first
        read = {one.entry_id: 0.5 if one.entry_id == first else frame * 1e-4 for one in bank.kept}
        bank = policy.observe(bank, read)
    assert len(long) == 8
    assert long[0] == first
    assert set(bank.notes) <= {one.entry_id for one in bank.kept}


def test_frames_without_the_object_do_not_go_to_work() -> None:
    policy, bank = Tiered(), MemoryBank((entry(0, "prompted"),))
    for frame in range(1, 20):
        bank = policy.admit(entry(frame, occurrence=-2.0), some_answer(), 0, bank)
    assert [one.frame_index for one in bank.kept] == [19]


def test_sensory_tokens_are_mixed_exponentially() -> None:
    ones = entry(1, tokens=torch.ones(4, 8))
    zeros = entry(2, tokens=torch.zeros(4, 8))
    once = mixed(ones, zeros)
    assert once.tokens.flatten().tolist() == pytest.approx([1 - NEWEST] * 32)
    assert mixed(once, zeros).tokens.flatten().tolist() == pytest.approx([(1 - NEWEST) ** 2] * 32)
    assert once.frame_index == 2


def test_sensory_tokens_are_mixed_where_both_lie_and_new_ones_stay_as_they_are() -> None:
    before = entry(1, tokens=torch.ones(4, 8), region=Region(0, 0, 32, 32))
    moved = entry(2, tokens=torch.zeros(4, 8), region=Region(16, 0, 32, 32))  # one cell down
    assert mixed(before, moved).tokens[:, 0].tolist() == pytest.approx([1 - NEWEST, 1 - NEWEST, 0.0, 0.0])


def _wide(frame_index: int, tokens: Tensor) -> MemoryEntry:
    cells = grid_cells(16, 16)
    return entry(frame_index, tokens=tokens, cells_yx=cells, positions=torch.zeros(256, 8))


def test_prototypes_stand_for_all_tokens_like_them_positions_too() -> None:
    tokens = torch.zeros(256, 8)
    tokens[:64, 0] = 60.0  # 64 equal tokens stand out from 192 others
    made = prototypes([_wide(1, tokens)], {})
    assert made.tokens.shape == (128, 8)
    assert made.role == "anchor"
    objects = made.tokens[:, 0] > 30
    assert int(objects.sum()) == 64
    middle = grid_cells(16, 16)[:64].mean(dim=0)
    assert made.cells_yx[objects][0].tolist() == pytest.approx(middle.tolist(), abs=1e-3)


def test_what_was_read_most_gives_the_prototypes() -> None:
    generator = torch.Generator().manual_seed(3)
    first, second = (_wide(frame, torch.randn(256, 8, generator=generator) * 20) for frame in (1, 2))
    made = prototypes([first, second], {1: (0.1, 10.0), 2: (4.0, 10.0)})
    assert made.frame_index == 2
    distance = torch.cdist(made.tokens, second.tokens).min(dim=1).values
    assert float(distance.max()) < 1.0


def test_cells_of_prototypes_are_those_of_the_newest_region() -> None:
    old = replace(_wide(1, torch.eye(256, 8) * 90), region=Region(0, 0, 32, 32))
    new = replace(_wide(2, torch.zeros(256, 8)), region=Region(2, 0, 32, 32))  # one cell of two pixels down
    made = prototypes([old, new], {1: (5.0, 1.0)})
    at = int(made.tokens[:, 3].argmax())
    assert made.region == new.region
    assert made.cells_yx[at].tolist() == pytest.approx([-1.0, 3.0], abs=1e-3)
