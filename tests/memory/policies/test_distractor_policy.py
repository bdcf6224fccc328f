"""DAM4SAM's two memories on hand-made candidates: a disc, and a look-alike beside it."""

from typing import Any

import numpy as np
import pytest
import torch

from napari_vost.contracts import Answer, MemoryBank
from napari_vost.memory.policies.distractor import Distractor, likeness_box_iou
from napari_vost.testing import MemoryPolicyContract, entry, query, some_answer


class TestDistractor(MemoryPolicyContract):
    def policy(self) -> Distractor:
        return Distractor()


def _squares(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((32, 32), dtype=bool)
    for y0, x0, y1, x1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


OBJECT, TWIN = (4, 4, 14, 14), (4, 18, 14, 28)


def _answer(*others: np.ndarray) -> Answer:
    """Candidates, the object first, with affinities .9, .6, .5."""
    masks = np.stack([_squares(OBJECT), *others])
    logits = torch.from_numpy(np.where(masks, 8.0, -8.0)).float()[None]
    affinity = torch.tensor([[0.9, 0.6, 0.5]])[:, : len(masks)]
    return Answer(logits, affinity, torch.tensor([5.0]), torch.zeros(1, len(masks), 16), torch.zeros(16))


ALONE = _answer(_squares(OBJECT), _squares((4, 4, 15, 14)))
BESIDE_TWIN = _answer(_squares(OBJECT, TWIN), _squares(OBJECT))


def _anchors(bank: MemoryBank) -> list[int]:
    return [one.frame_index for one in bank.kept if one.role == "anchor"]


def _run(frames: range, answers: dict[int, Answer], prompted: tuple[int, ...] = (0,), **changes: object) -> MemoryBank:
    bank = MemoryBank(tuple(entry(frame, "prompted") for frame in prompted))
    for frame in frames:
        extra: dict[str, Any] = changes if frame in answers else {}
        bank = Distractor().admit(entry(frame, **extra), answers.get(frame, ALONE), 0, bank)
    return bank


def test_a_candidate_that_adds_a_twin_counts_and_one_that_adds_a_rim_does_not() -> None:
    chosen = _squares(OBJECT)
    assert likeness_box_iou(np.stack([chosen, _squares(OBJECT, TWIN)]), 0) == pytest.approx(100 / 240)
    assert likeness_box_iou(np.stack([chosen, _squares((4, 4, 15, 14))]), 0) == pytest.approx(100 / 110)
    assert likeness_box_iou(np.stack([chosen, chosen]), 0) == 1.0


def test_only_the_largest_part_of_what_is_added_counts_and_corners_connect() -> None:
    far_speck = _squares(OBJECT, (14, 4, 17, 14), (31, 31, 32, 32))
    assert likeness_box_iou(np.stack([_squares(OBJECT), far_speck]), 0) == pytest.approx(100 / 130)
    by_corner = _squares(OBJECT, (14, 4, 16, 6), (16, 6, 20, 8), (24, 24, 26, 27))  # 4 + 8 pixels against 6
    assert likeness_box_iou(np.stack([_squares(OBJECT), by_corner]), 0) == pytest.approx(100 / 160)


def test_a_well_seen_frame_with_a_look_alike_becomes_an_anchor_in_the_last_slot() -> None:
    bank = _run(range(1, 40), {12: BESIDE_TWIN})
    assert _anchors(bank) == [12]
    slots = {one.entry.frame_index: one.slot for one in Distractor().recall(bank, query(40)).entries}
    assert slots == {0: 6, 12: 6, 39: 0, 35: 1, 30: 2, 25: 3, 20: 4}


def test_without_a_look_alike_there_is_no_anchor_and_six_recent_frames() -> None:
    bank = _run(range(1, 40), {})
    slots = {one.entry.frame_index: one.slot for one in Distractor().recall(bank, query(40)).entries}
    assert slots == {0: 6, 39: 0, 35: 1, 30: 2, 25: 3, 20: 4, 15: 5}


@pytest.mark.parametrize(
    "changes",
    [{"affinity": 0.8}, {"area_px": 79}, {"area_px": 121}, {"area_px": 0}, {"occurrence": -1.0}],
    ids=lambda changes: str(*changes.items()),
)
def test_an_anchor_must_be_seen_well_and_have_the_usual_area(changes: dict[str, float]) -> None:
    assert _anchors(_run(range(1, 20), {12: BESIDE_TWIN}, **changes)) == []


@pytest.mark.parametrize("area", [80, 120])
def test_a_fifth_more_or_less_than_the_usual_area_passes(area: int) -> None:
    assert _anchors(_run(range(1, 20), {12: BESIDE_TWIN}, area_px=area)) == [12]


def test_anchors_lie_more_than_five_frames_apart_from_each_other_and_from_prompted_frames() -> None:
    assert _anchors(_run(range(1, 14), dict.fromkeys(range(1, 14), BESIDE_TWIN))) == [6, 12]


def test_there_are_three_anchors_and_the_oldest_goes_first() -> None:
    bank = _run(range(1, 60), dict.fromkeys((10, 20, 30, 40), BESIDE_TWIN))
    assert _anchors(bank) == [20, 30, 40]


def test_prompted_frames_take_the_places_of_anchors() -> None:
    bank = _run(range(51, 99), dict.fromkeys((60, 70, 80), BESIDE_TWIN), prompted=(0, 30, 50))
    slots = {one.entry.frame_index: one.slot for one in Distractor().recall(bank, query(99)).entries}
    assert [frame for frame, slot in slots.items() if slot == 6] == [0, 30, 50, 80]
    assert [frame for frame, slot in slots.items() if slot < 6] == [98, 95, 90]


def test_backward_finds_the_same_anchors() -> None:
    policy, bank = Distractor(), MemoryBank((entry(40, "prompted"),))
    for frame in range(39, 10, -1):
        answer = BESIDE_TWIN if frame == 28 else ALONE
        bank = policy.admit(entry(frame, entry_id=100 - frame), answer, 0, bank)
    slots = {one.entry.frame_index: one.slot for one in policy.recall(bank, query(10, -1)).entries}
    assert slots == {40: 6, 28: 6, 11: 0, 15: 1, 20: 2, 25: 3, 30: 4}


def test_frames_without_the_object_are_not_recent_memory() -> None:
    policy, bank = Distractor(), MemoryBank((entry(0, "prompted"),))
    for frame in range(1, 40):
        gone: dict[str, Any] = {"area_px": 0, "occurrence": -2.0} if 18 <= frame <= 32 else {}
        bank = policy.admit(entry(frame, **gone), some_answer(), 0, bank)
    recall = policy.recall(bank, query(40))
    assert [one.entry.frame_index for one in recall.entries] == [0, 39, 35, 15, 10, 5]
    assert not {40 - frame for frame in range(18, 33)} & {distance for _, distance in recall.pointers}
