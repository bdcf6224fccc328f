"""Motion guides an answer: region, mask before, candidates, memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from napari_vost import Session
from napari_vost.contracts import MemoryBank, Observation, Prediction, Recall, TrackRow, TrackState
from napari_vost.guidance import candidate_boxes, expected_box, observe_motion, predict, rescore, tracking_prompts
from napari_vost.motion.priors import make_prior
from napari_vost.phantoms.simple import moving_disc_cine
from napari_vost.sight import FrameView
from napari_vost.step import look_at
from napari_vost.testing.networks import BrightNetwork
from napari_vost.types import Region

SIZE = (64, 64)
HERE = Region(16.0, 16.0, 32.0, 32.0)


def row(**changes: Any) -> TrackRow:
    logits = torch.full((1, 8, 8), -10.0)
    logits[:, 2:4, 2:4] = 10.0  # frame pixels 24 to 32
    return replace(TrackRow(1, MemoryBank(), HERE, mask_logits=logits, box=(24, 24, 32, 32)), **changes)


def at(y0: float, x0: float, side: float = 8.0, **more: Any) -> Prediction:
    return Prediction((y0, x0, y0 + side, x0 + side), side * side, **more)


def test_without_motion_an_object_is_looked_for_where_it_was() -> None:
    assert expected_box(row(), None, SIZE) == (24, 24, 32, 32)
    assert expected_box(row(box=None), None, SIZE) is None


def test_a_lost_object_is_looked_for_where_motion_expects_it() -> None:
    assert expected_box(row(box=None), at(40, 8), SIZE) == (40, 8, 48, 16)


def test_a_prediction_that_left_the_frame_says_nothing() -> None:
    assert expected_box(row(), at(70, 8), SIZE) == (24, 24, 32, 32)


def test_candidates_are_measured_in_frame_pixels() -> None:
    logits = torch.full((2, 8, 8), -1.0)
    logits[0, 2:4, 2:5] = 1.0
    assert candidate_boxes(logits, HERE) == [(24, 24, 32, 36), None]


def test_motion_decides_between_candidates_once_the_track_is_stable() -> None:
    logits = torch.full((1, 2, 8, 8), -1.0)
    logits[0, 0, 0:2, 0:2] = logits[0, 1, 2:4, 2:4] = 1.0
    affinity = torch.tensor([[0.8, 0.7]])
    for stable, best in ((5, 0), (15, 1)):
        scores, counts = rescore(affinity, logits, [row(stable=stable)], [at(24, 24)], [HERE])
        assert int(scores.argmax()) == best
        assert counts == (stable + 1,)
    scores, counts = rescore(affinity, logits, [row(stable=15)], [None], [HERE])
    assert torch.equal(scores, affinity)


@pytest.mark.parametrize("shift", [0, 4, -4])
def test_the_mask_before_moves_with_the_prediction(shift: int) -> None:
    traits = replace(BrightNetwork().traits, previous_mask_prompt=True, input_size=32, mask_stride=4)
    prompts = tracking_prompts(traits, [row()], [Recall()], [HERE], [at(24 + shift, 24)], torch.device("cpu"))
    assert prompts.mask_logits is not None
    inside = (prompts.mask_logits[0, 0] > 0).nonzero()
    assert inside[:, 0].tolist() == [2 + shift // 4, 2 + shift // 4, 3 + shift // 4, 3 + shift // 4]
    assert inside[:, 1].tolist() == [2, 3, 2, 3]


def test_a_predicted_mask_takes_the_place_of_the_one_before() -> None:
    traits = replace(BrightNetwork().traits, previous_mask_prompt=True, input_size=32, mask_stride=4)
    mask = torch.zeros(64, 64)
    mask[32:40, 32:40] = 1.0
    prompts = tracking_prompts(traits, [row()], [Recall()], [HERE], [at(32, 32, mask_prior=mask)], torch.device("cpu"))
    assert prompts.mask_logits is not None
    assert candidate_boxes(prompts.mask_logits[0], HERE) == [(32, 32, 40, 40)]


def test_points_that_motion_followed_are_positive_prompts() -> None:
    traits = replace(BrightNetwork().traits, input_size=32)
    followed = at(24, 24, points_yx=((27.5, 25.5), (2.0, 2.0)))
    prompts = tracking_prompts(traits, [row()], [Recall()], [HERE], [followed], torch.device("cpu"))
    assert prompts.points_xy[0].tolist() == [[9.5, 11.5]]
    assert prompts.point_labels[0].tolist() == [1]


def test_a_leap_is_shown_but_not_believed() -> None:
    prior = make_prior("kalman")
    assert prior is not None
    mask = torch.ones(1, 1, dtype=torch.bool)

    def seen(frame_index: int, y: int) -> Observation:
        return Observation(frame_index, None, mask, (y, 20, y + 10, 30), 100, 0.9, np.zeros((64, 64)))

    state, passed = observe_motion(prior, row(motion=None), None, seen(0, 10))
    for frame_index in range(1, 12):
        here = row(motion=state, stable=frame_index)
        (prediction,) = predict(prior, [here], frame_index, np.zeros((64, 64)))
        state, passed = observe_motion(prior, here, prediction, seen(frame_index, 10 + frame_index))
        assert passed
    (prediction,) = predict(prior, [row(motion=state)], 12, np.zeros((64, 64)))
    assert observe_motion(prior, row(motion=state, stable=14), prediction, seen(12, 50))[1]
    here = row(motion=state, stable=15)
    after, passed = observe_motion(prior, here, prediction, seen(12, 50))
    assert not passed
    (unmoved,) = predict(prior, [row(motion=after)], 13, np.zeros((64, 64)))
    assert unmoved is not None
    assert abs(unmoved.box[0] - 23) < 2


def test_the_best_hypothesis_of_an_object_leads_its_region() -> None:
    phantom = moving_disc_cine(size=128, frames=4)
    engine = Session(phantom.clip(), BrightNetwork(32, native_region="auto")).engine
    good, leaking = row(log_score=-0.1), row(log_score=-3.0, box=(0, 0, 100, 100))
    view = FrameView(1, phantom.image[1], "time", 4)
    alone = look_at(engine, TrackState((good,), 1), view, [None])
    together = look_at(engine, TrackState((leaking, good), 1), view, [None, None])
    assert together == [*alone, *alone]
    led = look_at(engine, TrackState((row(log_score=0.0, box=(0, 0, 100, 100)), good), 1), view, [None, None])
    assert led[0] == led[1] != alone[0]
