"""Memory cards: what one clip taught finds the structure in another, or is refused with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_vost import Session
from napari_vost.card import load_card, search_frames
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError, PromptError, ReadError
from napari_vost.phantoms.simple import ball_volume, moving_disc_cine
from napari_vost.testing.networks import BrightNetwork
from napari_vost.types import Label


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card of a disc of radius 9, painted on two frames."""
    phantom = moving_disc_cine(frames=8)
    session = Session(phantom.clip(), BrightNetwork())
    session.labels[1] = Label("Disc")
    for frame in (1, 5):
        session.add_mask(frame, phantom.mask(1, frame))
    path = tmp_path / "disc.card"
    session.save_card(path)
    return path


def test_a_card_keeps_every_memory_of_its_structure(card: Path) -> None:
    found = load_card(card)
    assert (found.name, found.spacing_mm_yx, len(found.entries)) == ("Disc", (1.0, 1.0), 2)
    phantom = moving_disc_cine(frames=8)
    session = Session(phantom.clip(), BrightNetwork())
    session.add_mask(1, phantom.mask(1, 1))
    (seed,) = session._seeds.seeds(session.engine, session.frame_view, 1)
    torch.testing.assert_close(found.entries[0].tokens, seed.entry.tokens, atol=1e-2, rtol=1e-2)
    assert found.entries[0].region == seed.entry.region
    assert found.entries[0].area_px == int(phantom.mask(1, 1).sum())


def test_entries_that_share_what_they_hold_are_written_too(tmp_path: Path) -> None:
    phantom = moving_disc_cine(frames=8)
    session = Session(phantom.clip())  # vost-nano keeps one map of positions for all
    for frame in (1, 5):
        session.add_mask(frame, phantom.mask(1, frame))
    session.save_card(tmp_path / "disc.card")
    first, second = load_card(tmp_path / "disc.card").entries
    assert torch.equal(first.positions, second.positions) and not torch.equal(first.tokens, second.tokens)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_card_can_be_read_by_whoever_may_read_other_files(card: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    assert card.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_card_holds_no_name_and_no_frame_of_its_scan(card: Path) -> None:
    assert b"patient" not in card.read_bytes().lower()
    assert [one.frame_index for one in load_card(card).entries] == [0, 1]


def test_a_card_finds_the_structure_in_another_clip(card: Path) -> None:
    other = moving_disc_cine(frames=8, seed=3)
    session = Session(other.clip(), BrightNetwork())
    found = session.use_card(card, frame_index=6)
    assert found.frame_index == 6
    np.testing.assert_array_equal(session.preview(6)[1], found.mask)
    truth = other.mask(1, 6)
    assert 2 * (found.mask & truth).sum() / (found.mask.sum() + truth.sum()) > 0.95
    assert session.labels[1].name == "Disc"
    assert len(list(session.propagate())) == 8
    session.undo()  # the run
    session.undo()  # the mask
    assert session.preview(6) == {}


def test_without_a_frame_the_clip_is_searched(card: Path) -> None:
    volume = ball_volume(frames=24, radius_px=9.0)
    session = Session(volume.clip(), BrightNetwork())
    found = session.use_card(card)
    assert volume.mask(1, found.frame_index).any()


def test_a_clip_without_anything_like_it_says_so(card: Path) -> None:
    empty = moving_disc_cine(frames=4, hidden=(0, 4))
    session = Session(empty.clip(), BrightNetwork())
    with pytest.raises(InputError, match="Nothing like 'Disc'"):
        session.use_card(card)
    assert session.object_ids == ()


def test_cards_of_another_network_or_window_are_refused(card: Path) -> None:
    class Other(BrightNetwork):
        fingerprint = "other"

    clip = moving_disc_cine(frames=4).clip()
    with pytest.raises(InputError, match="another network"):
        Session(clip, Other()).use_card(card)
    with pytest.raises(InputError, match=r"intensity window 'percentiles'.*'lung'"):
        Session(clip, BrightNetwork(), options=EngineOptions(window="lung")).use_card(card)


def test_a_file_that_is_no_card_is_refused(tmp_path: Path, card: Path) -> None:
    session = Session(moving_disc_cine(frames=4).clip(), BrightNetwork())
    broken = tmp_path / "broken.card"
    broken.write_bytes(card.read_bytes()[:200])
    for path in (broken, tmp_path / "missing.card"):
        with pytest.raises(ReadError, match="is no memory card"):
            session.use_card(path)


def test_a_card_of_a_later_version_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: Path) -> None:
    monkeypatch.setattr("napari_vost.card.VERSION", 0)
    with pytest.raises(ReadError, match="a card of version 1, this program reads up to 0"):
        load_card(card)


def test_nothing_is_saved_of_an_object_that_was_never_seen(tmp_path: Path) -> None:
    session = Session(moving_disc_cine(frames=4).clip(), BrightNetwork())
    with pytest.raises(PromptError, match="does not exist"):
        session.save_card(tmp_path / "x.card")
    session.add_mask(0, np.zeros((64, 64), bool))
    with pytest.raises(InputError, match="nothing to put on a card"):
        session.save_card(tmp_path / "x.card")
    assert list(tmp_path.iterdir()) == []


def test_the_search_goes_from_the_middle_outwards() -> None:
    assert search_frames(1) == (0,)
    assert sorted(search_frames(9)) == list(range(9))
    found = search_frames(101)
    assert (found[0], len(found)) == (50, 9)
    assert all(0 < frame < 100 for frame in found)
