"""Watched sessions: the same masks as any session, and what is kept is weighed."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.benchmark.watch import follow_hard, state_bytes
from napari_vost.errors import UnknownName
from napari_vost.phantoms import moving_disc_cine
from napari_vost.phantoms.hard import Events, HardClip
from napari_vost.session import Session
from napari_vost.testing.networks import BrightNetwork


@dataclass(frozen=True)
class Holder:
    tensor: torch.Tensor
    array: np.ndarray
    number: float = 1.0
    name: str = "not weighed"


def discs(frames: int = 24) -> HardClip:
    return HardClip(moving_disc_cine(frames=frames), 1, Events())


def test_shared_memory_is_weighed_once_and_numbers_as_eight_bytes() -> None:
    whole = torch.zeros(100)
    held = Holder(whole[:10], np.zeros(5))
    assert state_bytes(held) == 400 + 40 + 8
    assert state_bytes(held, [whole[50:]], {3: held}) == 400 + 40 + 8 + 8


def test_a_watched_session_finds_what_any_session_finds() -> None:
    hard = discs()
    plain = Session(hard.phantom.clip(), BrightNetwork(), memory="fifo", motion="none")
    plain.add(prompt_from_truth("mask", hard.phantom.mask(1, 0), 0, 1))
    for _ in plain.propagate():
        pass
    run = follow_hard(hard, BrightNetwork(), "fifo", "none")
    assert np.array_equal(run.found, plain.segmentation().volume(1))
    assert (run.policy, run.prior) == ("fifo", "none")
    assert len(run.frame_ms) == 23


def test_what_fifo_keeps_grows_until_its_bank_is_full_and_then_no_more() -> None:
    kept = follow_hard(discs(40), BrightNetwork(), "fifo", "none", block=3).kept_bytes
    assert len(kept) == 13
    assert kept[0] < kept[1]
    assert kept[6] == kept[-1]


def test_an_odd_end_is_weighed_too() -> None:
    assert len(follow_hard(discs(12), BrightNetwork(), "fifo", "none", block=5).kept_bytes) == 3


def test_the_state_of_a_prior_is_weighed_with_the_banks() -> None:
    with_prior = follow_hard(discs(60), BrightNetwork(), "fifo", "kalman")
    without = follow_hard(discs(60), BrightNetwork(), "fifo", "none")
    assert with_prior.prior == "kalman"
    assert with_prior.kept_bytes[-1] > without.kept_bytes[-1]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownName, match="fifo"):
        follow_hard(discs(4), BrightNetwork(), "fifi", "none")
