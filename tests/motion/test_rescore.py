"""SAMURAI's three stages of a track, by hand."""

import torch

from napari_vost.contracts import Prediction
from napari_vost.motion.rescore import rescored

AFFINITY = torch.tensor([0.8, 0.7, 0.1])
BOXES = [(0, 0, 10, 10), (50, 50, 60, 60), None]
EXPECTED = Prediction((50.0, 50.0, 60.0, 60.0), 100.0)


def test_before_fifteen_stable_frames_motion_has_no_say() -> None:
    for stable in range(15):
        scores, count = rescored(AFFINITY, BOXES, EXPECTED, stable)
        assert torch.equal(scores, AFFINITY)
        assert count == stable + 1


def test_then_a_quarter_of_the_score_is_the_overlap_with_the_predicted_box() -> None:
    scores, count = rescored(AFFINITY, BOXES, EXPECTED, 15)
    assert torch.allclose(scores, torch.tensor([0.6, 0.775, 0.075]))
    assert int(scores.argmax()) == 1
    assert count == 16


def test_a_poor_choice_starts_the_count_again() -> None:
    assert rescored(torch.tensor([0.29]), [(0, 0, 5, 5)], EXPECTED, 7)[1] == 0
    assert rescored(torch.tensor([0.31]), [(0, 0, 5, 5)], EXPECTED, 7)[1] == 8
    poor = torch.tensor([0.29, 0.25])
    assert rescored(poor, [(0, 0, 5, 5), (50, 50, 60, 60)], EXPECTED, 40)[1] == 0


def test_the_first_frame_counts_whatever_its_score() -> None:
    assert rescored(torch.tensor([0.05]), [None], None, 0)[1] == 1


def test_without_a_prediction_the_scores_stay() -> None:
    scores, count = rescored(AFFINITY, BOXES, None, 20)
    assert torch.equal(scores, AFFINITY)
    assert count == 21


def test_the_given_affinities_are_not_changed() -> None:
    before = AFFINITY.clone()
    rescored(AFFINITY, BOXES, EXPECTED, 20, weight=1.0)
    assert torch.equal(AFFINITY, before)
