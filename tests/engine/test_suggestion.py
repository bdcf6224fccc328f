"""The frame to annotate next is doubtful and unlike those annotated already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.errors import InputError
from napari_vost.phantoms.simple import moving_disc_cine
from napari_vost.suggestion import rank
from napari_vost.testing.networks import BrightNetwork

EAST, NORTH, WEST = np.eye(2)[0], np.eye(2)[1], -np.eye(2)[0]


def test_of_frames_that_look_alike_the_most_doubtful_comes_first() -> None:
    found = rank([3, 5, 9], [0.1, 0.6, 0.3], np.stack([NORTH] * 3), np.stack([EAST]), 3)
    assert [one.frame_index for one in found] == [5, 9, 3]


def test_of_frames_equally_doubtful_the_one_unlike_the_annotated_comes_first() -> None:
    found = rank([3, 5, 9], [0.2] * 3, np.stack([EAST, WEST, NORTH]), np.stack([EAST]), 1)
    assert found[0].frame_index == 5
    assert (found[0].doubt, found[0].novelty, found[0].score) == (0.2, 1.0, 1.2)


def test_the_second_suggestion_differs_from_the_first() -> None:
    alike = np.stack([WEST, WEST, NORTH])
    found = rank([3, 5, 9], [0.3, 0.29, 0.2], alike, np.stack([EAST]), 2)
    assert [one.frame_index for one in found] == [3, 9]
    assert found[1].novelty == 0.5


def test_a_session_suggests_the_frame_it_doubts() -> None:
    phantom = moving_disc_cine(frames=12)
    session = Session(phantom.clip(), BrightNetwork())
    session.add_mask(0, phantom.mask(1, 0))
    for _ in session.propagate():
        pass
    kept = session.ledger.kept[1, 7]
    session.ledger.kept[1, 7] = replace(kept, confidence=0.0)
    (found,) = session.suggest()
    assert found.frame_index == 7
    assert found.doubt == 1.0
    session.lock(7)
    assert session.suggest()[0].frame_index != 7
    assert 0 not in [one.frame_index for one in session.suggest(20)]
    assert len(session.suggest(20)) == 10


def test_nothing_followed_means_nothing_to_suggest() -> None:
    phantom = moving_disc_cine(frames=4)
    session = Session(phantom.clip(), BrightNetwork())
    session.add_mask(0, phantom.mask(1, 0))
    with pytest.raises(InputError, match="follow an object first"):
        session.suggest()
    with pytest.raises(InputError, match="At least one"):
        session.suggest(0)
