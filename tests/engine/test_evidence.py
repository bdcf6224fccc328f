"""Evidence read off logits with known answers, and confidence where following goes right and where it goes wrong."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_vost import Session
from napari_vost.benchmark.witness import Exam, witness
from napari_vost.clip import Clip
from napari_vost.confidence import GOOD_DICE
from napari_vost.contracts import MemoryBank, Network, TrackRow
from napari_vost.evidence import evidence_of, prompted_evidence, signs_of
from napari_vost.masks import Mask, box_of
from napari_vost.metrics.overlap import dice
from napari_vost.phantoms.hard import hard_clip
from napari_vost.phantoms.simple import moving_disc_cine
from napari_vost.testing.networks import BrightNetwork
from napari_vost.testing.policies import entry
from napari_vost.types import Order, Region, Scores

REGION = Region(10.0, 20.0, 32.0, 32.0)  # two frame pixels per logit
THERE = Scores(0.8, 3.0)


def square(y: int, x: int, side: int = 4, inside: float = 5.0, outside: float = -5.0) -> torch.Tensor:
    logits = torch.full((1, 16, 16), outside)
    logits[0, y : y + side, x : x + side] = inside
    return logits


def test_a_mask_with_sure_pixels_is_sharp_and_firm() -> None:
    signs = signs_of(square(4, 4, inside=30, outside=-30), 0.8, None, REGION)
    assert signs is not None
    assert (signs.affinity, signs.sharpness, signs.firmness, signs.overlap) == pytest.approx((0.8, 1.0, 30.0, 1.0))


def test_sharpness_is_the_dice_that_its_probabilities_promise() -> None:
    p, q = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(4))
    signs = signs_of(square(4, 4, inside=1, outside=-4), 0.8, None, REGION)
    assert signs is not None
    assert signs.sharpness == pytest.approx(2 * 16 * p / (16 + 16 * p + 240 * q), abs=1e-5)


def test_a_shape_that_only_moves_is_kept_and_one_that_changes_is_not() -> None:
    moved = signs_of(square(4, 4), 0.8, square(9, 2), REGION)
    halved = signs_of(square(4, 4, 4), 0.8, square(4, 4, 8), REGION)
    assert moved is not None
    assert halved is not None
    assert moved.overlap == 1.0
    assert halved.overlap == pytest.approx(16 / 64)


def test_size_is_measured_in_frame_pixels_against_the_prompted_mask() -> None:
    signs = signs_of(square(4, 4), 0.8, None, REGION, reference_px=16.0)
    assert signs is not None
    assert signs.size == pytest.approx(math.log(64 / 16))  # 16 logits of 2 x 2 pixels


def test_an_empty_mask_has_no_signs() -> None:
    assert signs_of(torch.full((1, 16, 16), -3.0), 0.8, None, REGION) is None
    assert prompted_evidence(torch.full((1, 16, 16), -3.0), REGION, THERE).kind == "prompted"


def test_lowest_remembers_the_worst_frame_since_the_prompt() -> None:
    bank = MemoryBank((replace(entry(2, "prompted"), area_px=64),))
    row = TrackRow(1, bank, REGION, mask_logits=square(4, 4))
    blurred = evidence_of(row, 3, "depth", REGION, square(4, 4, inside=0.2), THERE)
    after = evidence_of(replace(row, lowest=blurred.lowest), 4, "depth", REGION, square(4, 4), THERE)
    gone = evidence_of(replace(row, lowest=after.lowest), 5, "depth", REGION, square(4, 4), Scores(0.8, -3.0))
    assert (blurred.distance, after.distance, gone.distance) == (1, 2, 3)
    assert after.signs is not None
    assert after.lowest is not None
    assert after.lowest.firmness == pytest.approx(0.2)
    assert after.signs.firmness == pytest.approx(5)
    assert (gone.kind, gone.signs, gone.lowest) == ("slice", None, after.lowest)


def test_a_track_knows_how_sharp_the_answer_was_that_it_began_with() -> None:
    phantom = moving_disc_cine(frames=4)
    truth = phantom.labels == 1
    orders: tuple[Order, ...] = ("time", "depth")
    for order in orders:
        for prompt in ("mask", "box"):
            session = Session(Clip.from_array(phantom.image, order=order), BrightNetwork())
            found = [one.evidence for one in witness(session, Exam({1: truth}, {1: 0}, range(1, 4), prompt))]
            if prompt == "mask":
                assert [one.start for one in found] == [1.0] * 3
                continue
            asked, *followed = found
            assert asked.signs is not None
            assert asked.start == asked.signs.sharpness
            assert 0.5 < asked.signs.sharpness < 1
            assert [one.start for one in followed] == [asked.start] * 3


def test_a_locked_mask_is_vouched_for_until_it_is_unlocked() -> None:
    phantom = moving_disc_cine(frames=4)
    session = Session(phantom.clip(), BrightNetwork())
    y0, x0, y1, x1 = box_of(phantom.mask(1, 0)) or (0, 0, 0, 0)
    session.add_box(0, (y0, x0, y1 - 1, x1 - 1))
    before = next(session.propagate()).confidence[1]
    session.lock(0)
    assert before < 1.0
    assert next(session.propagate(exact=True)).confidence[1] == 1.0
    session.unlock(0)
    assert next(session.propagate(exact=True)).confidence[1] == before


def test_every_answer_has_a_confidence_with_and_without_a_motion_prior() -> None:
    phantom = moving_disc_cine(frames=8)
    for motion in ("none", "kalman"):
        session = Session(phantom.clip(), BrightNetwork(), motion=motion)
        session.add_mask(0, phantom.mask(1, 0))
        found = [result.confidence[1] for result in session.propagate()]
        assert len(found) == 8
        assert found[0] == 1.0
        assert all(0 < one <= 1 for one in found)


def test_evidence_knows_a_cine_from_a_volume() -> None:
    orders: tuple[Order, ...] = ("time", "depth")
    for order in orders:
        cine = Clip.from_array(moving_disc_cine(frames=4).image, order=order)
        session = Session(cine, BrightNetwork())
        exam = Exam({1: moving_disc_cine(frames=4).labels == 1}, {1: 0}, range(4), "mask")
        assert [one.evidence.order for one in witness(session, exam)] == [order] * 3


def test_a_network_without_calibration_keeps_affinity_times_occurrence(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_box(0, (30, 20, 66, 50))
    for _ in session.propagate():
        pass
    for kept in session.ledger.kept.values():
        there = 1 / (1 + math.exp(-kept.scores.occurrence))
        wanted = kept.scores.affinity * there if kept.scores.occurrence > 0 else 1 - there
        assert kept.confidence == pytest.approx(wanted)


def followed(name: str, seed: int) -> tuple[list[float], list[float]]:
    """Confidence and true Dice of a hard clip's frames."""
    hard = hard_clip(name, seed=seed)
    truth: Mask = hard.truth()
    session = Session(hard.phantom.clip())
    session.add_mask(0, truth[0])
    sure, right = [], []
    for result in session.propagate():
        if result.frame_index:
            sure.append(result.confidence[1])
            right.append(dice(result.masks[1], truth[result.frame_index]))
    return sure, right


@pytest.mark.slow
@pytest.mark.parametrize("name", ["leave", "occlusion-30"])
def test_where_following_goes_wrong_confidence_is_lower_than_where_it_goes_right(name: str) -> None:
    sure, scores = followed(name, 3)
    right = np.array(scores) >= GOOD_DICE
    assert 0.2 < right.mean() < 0.9
    assert np.mean(np.array(sure)[right]) > np.mean(np.array(sure)[~right]) + 0.2
