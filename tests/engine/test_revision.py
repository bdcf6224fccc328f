"""A change of mind is told for the frames before, once, and only where the hypotheses differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_vost import Session
from napari_vost.confidence import Evidence
from napari_vost.contracts import MemoryBank, Trace, TrackRow
from napari_vost.model.loading import load_network
from napari_vost.phantoms.hard import hard_clip
from napari_vost.revision import Shown, answer_of
from napari_vost.types import Region, Scores

HERE = Region(0.0, 0.0, 8.0, 8.0)


def trace(frame_index: int, side: int = 2, occurrence: float = 3.0) -> Trace:
    logits = torch.full((8, 8), -5.0)
    logits[:side, :side] = 5.0
    return Trace(frame_index, HERE, logits.half(), Scores(0.9, occurrence), Evidence(0.9, occurrence))


def row(score: float, *trail: Trace, object_id: int = 1) -> TrackRow:
    return TrackRow(object_id, MemoryBank(), HERE, log_score=score, trail=trail)


def test_nothing_is_shown_anew_while_the_best_hypothesis_stays() -> None:
    shown, first, second = Shown(), (trace(1), trace(2)), (trace(1), trace(2))
    assert shown.update([row(-1, first[0]), row(-2, second[0])])[1] == ()
    assert shown.update([row(-1, *first), row(-2, *second)])[1] == ()


def test_another_hypothesis_that_overtakes_shows_its_frames_anew() -> None:
    shown, first, second = Shown(), (trace(1), trace(2)), (trace(1), trace(2), trace(3))
    shown.update([row(-1, first[0]), row(-2, second[0])])
    shown.update([row(-1, *first), row(-2, *second[:2])])
    rows, again = shown.update([row(-9, *first, trace(3)), row(-3, *second)])
    assert again == ((1, second[0]), (1, second[1]))
    assert [len(one.trail) for one in rows] == [3, 3]
    assert shown.update([row(-9, *first, trace(3), trace(4)), row(-3, *second, trace(4))])[1] == ()


def test_what_all_hypotheses_agree_on_is_forgotten_after_it_was_shown_anew() -> None:
    """The best path dies; both that are left have the same past, which nobody has seen yet."""
    shown, common = Shown(), trace(1)
    shown.update([row(-1, trace(1)), row(-2, common)])
    rows, again = shown.update([row(-2, common, trace(2)), row(-3, common, trace(2))])
    assert again == ((1, common),)
    assert [len(one.trail) for one in rows] == [1, 1]


def test_a_single_hypothesis_has_no_trail() -> None:
    rows, again = Shown().update([row(-1, trace(1), trace(2))])
    assert (rows[0].trail, again) == ((), ())


def test_objects_change_their_minds_on_their_own() -> None:
    shown, other = Shown(), trace(1)
    shown.update([row(-1, trace(1)), row(-2, other), row(-1, trace(1), object_id=2)])
    _, again = shown.update([row(-5, trace(1)), row(-2, other), row(-1, trace(1), object_id=2)])
    assert [object_id for object_id, _ in again] == [1]


def test_an_answer_comes_back_from_its_trace() -> None:
    found = answer_of(7, trace(3), (8, 12))
    assert (found.object_id, int(found.mask.sum()), found.mask.shape) == (7, 4, (8, 12))
    assert not answer_of(7, trace(3, occurrence=-1.0), (8, 12)).mask.any()
    assert replace(found, object_id=7).scores.affinity == pytest.approx(0.9)


def test_frames_that_come_again_are_what_the_session_keeps() -> None:
    hard = hard_clip("fast", 24, seed=1)
    session = Session(hard.phantom.clip(), load_network("vost-nano", "cpu"), memory="tree", motion="none")
    session.add_mask(0, hard.truth()[0])
    last: dict[int, np.ndarray] = {}
    order = []
    for result in session.propagate():
        order.append(result.frame_index)
        last[result.frame_index] = np.asarray(result.masks[1])
    assert len(order) > len(set(order)), "this clip is meant to change the tree's mind"
    kept = session.label_map()
    assert all(np.array_equal(kept[frame] == 1, mask) for frame, mask in last.items())
