"""Scores of hard clips on masks made by hand."""

import numpy as np
import pytest

from napari_vost.benchmark.hard import score_hard
from napari_vost.errors import InputError
from napari_vost.phantoms.base import Phantom
from napari_vost.phantoms.hard import Events, HardClip
from napari_vost.types import Order

FRAMES = 20


def clip(events: Events, order: Order = "time") -> HardClip:
    """Object 1 on the left, its twin 2 on the right; the object is away on frames 4 to 7."""
    labels = np.zeros((FRAMES, 16, 16), dtype=np.uint8)
    labels[:, 4:8, 2:6] = 1
    labels[:, 4:8, 10:14] = 2
    labels[4:8][labels[4:8] == 1] = 0
    image = np.zeros(labels.shape, dtype=np.uint8)
    return HardClip(Phantom(image, labels, {1: "One", 2: "Two"}, (1.0, 1.0, 1.0), order), 1, events)


AWAY = Events(gaps=((4, 8),), twin_id=2)


def test_the_truth_scores_one_and_loses_nothing() -> None:
    found = score_hard(clip(AWAY), clip(AWAY).truth())
    assert (found.j_and_f, found.recovered, found.wait, found.switches, found.leaked) == (1.0, 1.0, 0.0, 0, 0.0)


def test_frames_without_the_object_count_as_right_where_nothing_is_painted() -> None:
    nothing = np.zeros((FRAMES, 16, 16), dtype=bool)
    assert score_hard(clip(AWAY), nothing).j_and_f == pytest.approx(4 / 19)  # frame 0 is prompted


def test_recovery_counts_the_ten_frames_after_a_gap_and_those_until_the_first_good_one() -> None:
    hard = clip(AWAY)
    found = hard.truth().copy()
    found[8:11] = False  # three frames late
    found[13] = False  # and lost once more
    scores = score_hard(hard, found)
    assert scores.recovered == pytest.approx(6 / 10)
    assert scores.wait == 3


def test_an_overlap_below_a_half_has_not_found_it() -> None:
    hard = clip(AWAY)
    found = hard.truth().copy()
    found[8:, :, 4:] = False  # half of it, IoU .5
    assert score_hard(hard, found).recovered == 1.0
    found[8:, 4:6] = False  # a quarter
    assert score_hard(hard, found).recovered == 0.0


def test_who_is_never_found_again_waits_for_all_that_is_left() -> None:
    hard = clip(AWAY)
    found = hard.truth().copy()
    found[8:] = False
    assert score_hard(hard, found).wait == FRAMES - 8


def test_a_gap_without_an_end_has_no_recovery_and_a_clip_without_a_twin_no_switches() -> None:
    scores = score_hard(clip(Events(gaps=((4, FRAMES),))), clip(AWAY).truth())
    assert (scores.recovered, scores.wait, scores.switches) == (None, None, None)


def test_a_switch_is_a_frame_that_covers_more_of_the_twin() -> None:
    hard = clip(AWAY)
    found = hard.truth() | (hard.phantom.labels == 2)  # as much of both: a switch only where the object is away
    assert score_hard(hard, found).switches == 4
    found[:4] = hard.phantom.labels[:4] == 2
    assert score_hard(hard, found).switches == 8


def test_leak_is_the_share_of_empty_frames_with_paint() -> None:
    hard = clip(AWAY)
    found = hard.truth().copy()
    found[5, 0, 0] = True
    assert score_hard(hard, found).leaked == 0.25


def test_the_middle_slice_of_a_volume_is_the_one_that_is_not_judged() -> None:
    hard = clip(AWAY, "depth")
    assert hard.prompted_frame == 12
    found = hard.truth().copy()
    found[12] = False
    assert score_hard(hard, found).j_and_f == 1.0


def test_masks_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="one mask for every frame"):
        score_hard(clip(AWAY), np.zeros((3, 16, 16), dtype=bool))
