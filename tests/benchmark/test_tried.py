"""Numbers that are gathered beside the evidence, where they are known by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_vost import Session
from napari_vost.benchmark.tried import Looker
from napari_vost.clip import Clip
from napari_vost.confidence import Evidence, Signs
from napari_vost.masks import Mask, PackedMask
from napari_vost.seeding import Before, seed
from napari_vost.step import RowAnswer
from napari_vost.testing.networks import BrightNetwork
from napari_vost.types import MaskPrompt, Scores

SPACING = (5.0, 2.0, 2.0)
SIGNS = Signs(0.9, 0.9, 5.0, 0.5, 0.0)


def square(side: int) -> Mask:
    mask = np.zeros((64, 64), np.bool_)
    mask[32 - side // 2 : 32 + side // 2, 32 - side // 2 : 32 + side // 2] = True
    return mask


def answered(mask: Mask, distance: int) -> RowAnswer:
    evidence = Evidence(0.9, 5.0, SIGNS if mask.any() else None, SIGNS, distance, start=1.0)
    return RowAnswer(1, mask, Scores(0.9, 5.0), torch.zeros(64, 64), evidence)


@pytest.fixture
def session() -> Session:
    image = np.stack([np.where(square(20), 220, 20).astype(np.uint8)] * 4)
    return Session(Clip.from_array(image, SPACING, order="depth"), BrightNetwork())


@pytest.fixture
def looker(session: Session) -> Looker:
    prompt = MaskPrompt(0, 1, PackedMask.pack(square(20)))
    one = seed(session.engine, session.frame_view(0), (prompt,), Before(), 1)
    return Looker(session.engine, {1: one}, SPACING)


def test_distance_is_told_in_sizes_of_the_prompted_mask(session: Session, looker: Looker) -> None:
    found = looker.look(answered(square(20), 3), session.frame_view(3))
    assert found["in own sizes"] == pytest.approx(-math.log1p(3 * 5 / (20 * 2)))


def test_area_and_shape_are_compared_along_the_way(session: Session, looker: Looker) -> None:
    sides = (20, 16, 12)
    found = [looker.look(answered(square(side), at), session.frame_view(at)) for at, side in enumerate(sides, start=1)]
    assert "trend of area" not in found[0]
    assert found[2]["trend of area"] == pytest.approx(-math.log(144 / ((400 + 256) / 2)))
    assert [one["drift of shape"] for one in found] == pytest.approx([math.log(0.5) * count for count in (1, 2, 3)])


def test_tone_is_told_in_deviations_of_the_prompted_mask() -> None:
    image = np.full((2, 64, 64), 20, np.uint8)
    image[:, square(20)] = 200
    image[0, 32:, 22:42][:10] = 220  # half of the prompted mask: a mean of 210, a deviation of 10
    session = Session(Clip.from_array(image, SPACING, order="depth"), BrightNetwork())
    one = seed(session.engine, session.frame_view(0), (MaskPrompt(0, 1, PackedMask.pack(square(20))),), Before(), 1)
    found = Looker(session.engine, {1: one}, SPACING).look(answered(square(20), 1), session.frame_view(1))
    assert found["tone"] == pytest.approx(-1.0)


def test_a_second_opinion_agrees_with_what_is_seen_there_and_not_with_a_leak(session: Session, looker: Looker) -> None:
    right = looker.look(answered(square(20), 1), session.frame_view(1))["second opinion"]
    leak = looker.look(answered(square(40), 2), session.frame_view(2))["second opinion"]
    assert right > 0.5
    assert leak == pytest.approx(right / 4, rel=0.1)  # IoU of a square of 20 in one of 40


def test_an_empty_slice_has_none_of_them(session: Session, looker: Looker) -> None:
    empty = replace(answered(square(20), 1), mask=square(0))
    assert looker.look(empty, session.frame_view(1)) == {}
