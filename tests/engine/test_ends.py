"""Where the user lets an object end: what goes, what following respects, and how the end is opened again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.autosave import Autosave
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.errors import InputError, PromptError
from napari_vost.legs import Plan, legs
from napari_vost.testing import BrightNetwork
from napari_vost.types import MaskPrompt


@pytest.fixture
def session(cine: Clip) -> Session:
    """Objects 1 and 2, painted on frame 5 and followed over all twelve frames."""
    session = Session(cine, BrightNetwork())
    session.add_mask(5, disc())
    session.add_mask(5, disc(60), object_id=2)
    list(session.propagate())
    return session


def disc(x: int = 35) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - 48) ** 2 + (columns - x) ** 2 < 144


def held(session: Session, object_id: int = 1) -> list[int]:
    """Frames on which an object has a mask that is not empty."""
    return sorted(place[1] for place, kept in session.ledger.kept.items() if place[0] == object_id and kept.mask.box)


def test_beyond_its_end_an_object_is_gone_away_from_its_prompt(session: Session) -> None:
    session.end_here(8)
    assert held(session) == list(range(9)) and held(session, 2) == list(range(12))
    session.end_here(2)
    assert held(session) == list(range(2, 9))
    assert session.limits == {1: (2, 8)}


def test_following_never_passes_an_end_and_other_objects_do(session: Session) -> None:
    session.end_here(8)
    session.end_here(2)
    for how in ({"exact": True}, {"direction": "forward", "exact": True}, {"frames": (1, 12), "exact": True}):
        reached = {(one, result.frame_index) for result in session.propagate(**how) for one in result.masks}  # type: ignore[arg-type]  # a dict of keywords
        assert {(2, 10), (2, 11)} <= reached and not {(1, 10), (1, 11), (1, 0)} & reached
    assert held(session) == list(range(2, 9)) and held(session, 2) == list(range(12))


def test_the_end_is_taught_by_an_empty_mask_on_the_first_frame_beyond(session: Session) -> None:
    session.end_here(8)
    mark = session.prompts[-1]
    assert isinstance(mark, MaskPrompt) and mark.frame_index == 9 and mark.mask.empty
    assert session.locks == set()
    seeds = session._follower.plan(session.engine, session.frame_view, "both", None, True).seeds[1]
    assert [(one.frame_index, one.entry.area_px > 0) for one in seeds] == [(5, True), (9, False)]
    session.end_here(0)  # nothing lies beyond the first frame
    assert session.prompts[-1] is mark and session.limits == {1: (0, 8)}


def test_an_end_is_one_step_back_and_forth(session: Session) -> None:
    before = session.ledger.settings, dict(session.ledger.kept)
    session.end_here(8)
    after = session.ledger.settings, dict(session.ledger.kept)
    assert session.undo() == "end here"
    assert (session.ledger.settings, session.ledger.kept) == before and session.limits == {}
    session.redo()
    assert (session.ledger.settings, session.ledger.kept) == after


def test_an_end_cannot_lie_before_a_prompt_or_a_lock_that_shows_the_object(session: Session) -> None:
    session.accept(9, object_id=1)
    before = session.ledger.settings
    with pytest.raises(InputError, match="frame 9, after frame 7"):
        session.end_here(7)
    with pytest.raises(InputError, match="frame 5, before frame 9"):
        session.end_here(9, side="before")
    assert session.ledger.settings == before
    session.end_here(10)
    assert session.limits == {1: (None, 10)}


def test_frames_that_are_known_to_be_empty_do_not_stand_in_the_way(session: Session) -> None:
    session.not_here(9)
    session.end_here(7)
    assert held(session) == list(range(8)) and (1, 9) in session.locks
    assert session.ledger.kept[1, 9].mask.empty
    session.not_here(8)  # said by the user too: it stays when the end goes
    session.clear_limits(1)
    assert set(session.locks) == {(1, 8), (1, 9)}


def test_the_side_is_away_from_the_prompts_or_has_to_be_said(session: Session) -> None:
    with pytest.raises(InputError, match="before or after frame 5"):
        session.end_here(5)
    session.end_here(5, side="before")
    assert session.limits == {1: (5, None)} and held(session) == list(range(5, 12))
    session.add_mask(8, disc(38), object_id=2)
    session.end_here(8, object_id=2)  # its other prompt lies before
    assert session.limits == {1: (5, None), 2: (None, 8)}
    with pytest.raises(InputError, match="side must be"):
        session.end_here(5, side="left")  # type: ignore[arg-type]  # what a user may try
    with pytest.raises(PromptError, match="Object 7"):
        session.end_here(5, object_id=7)
    with pytest.raises(InputError, match="Frame 12"):
        session.end_here(12)


def test_an_end_can_be_moved_in_and_out(session: Session) -> None:
    session.end_here(8)
    session.end_here(6)
    assert session.limits == {1: (None, 6)} and held(session) == list(range(7))
    assert [one.frame_index for one in session.prompts if one.object_id == 1] == [5, 7]
    list(session.propagate())
    session.end_here(10)
    list(session.propagate())
    assert session.limits == {1: (None, 10)} and held(session) == list(range(11))
    assert [one.frame_index for one in session.prompts if one.object_id == 1] == [5, 11]


def test_clearing_limits_lets_the_object_go_on(session: Session) -> None:
    session.end_here(8)
    session.end_here(2)
    list(session.propagate())
    session.clear_limits(1)
    assert session.limits == {} and len(session.prompts) == 2 and (1, 9) not in session.ledger.kept
    list(session.propagate())
    assert held(session) == list(range(12))
    assert session.undo() == "follow" and session.undo() == "clear limits" and session.limits == {1: (2, 8)}
    with pytest.raises(InputError, match="no limits"):
        session.clear_limits(2)


@pytest.mark.parametrize("frame", [9, 11])
def test_a_prompt_that_shows_the_object_beyond_its_end_opens_that_end(session: Session, frame: int) -> None:
    session.end_here(8)
    session.end_here(2)
    session.add_mask(frame, np.zeros((96, 80), bool))
    assert session.limits == {1: (2, 8)}
    session.undo()
    session.add_point(frame, (48, 35))
    assert session.limits == {1: (2, None)}
    assert [one.frame_index for one in session.prompts if one.object_id == 1] == [5, 1, frame]
    list(session.propagate())
    assert held(session) == list(range(2, 12))


def test_an_object_that_is_not_shown_any_more_has_no_end(session: Session) -> None:
    session.end_here(8)
    session.remove_prompts(5)
    assert session.object_ids == (2,) and session.limits == {}
    session.end_here(8, object_id=2)
    session.remove_object(2)
    assert session.limits == {} and session.ledger.kept == {}


def test_ends_are_in_the_file_and_autosave_adds_them(
    session: Session, cine: Clip, tiny_network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "case.vost"
    with Autosave(session, path) as autosave:
        session.end_here(8)
        session.clear_limits(1)
        session.end_here(7)
        session.end_here(3, object_id=2)
        session.undo()
        assert autosave.flush()
    opened = Session.load(path, source=cine)
    assert opened.limits == session.limits == {1: (None, 7)}
    while session.undo() is not None:
        opened.undo()
        assert opened.ledger.settings == session.ledger.settings and opened.ledger.kept == session.ledger.kept
    while session.redo() is not None:
        opened.redo()
        assert opened.ledger.settings == session.ledger.settings


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize(("frames", "span"), [(None, (2, 8)), ((4, 12), (4, 8)), ((10, 12), None)])
def test_no_leg_leaves_the_limits_of_its_object(
    session: Session, continuous: bool, frames: Any, span: tuple[int, int] | None
) -> None:
    seeds = session._follower.plan(session.engine, session.frame_view, "both", None, True).seeds
    limits = {1: (2, 8)}
    plan = Plan(seeds, 12, "time", "both", frames, continuous=continuous, limits=limits)
    own = [leg for leg in legs(plan) if leg.object_id == 1]
    assert all(min(leg.first, leg.last) >= span[0] and max(leg.first, leg.last) <= span[1] for leg in own if span)
    assert bool(own) == (span is not None)
    assert any(leg.last == 11 for leg in legs(plan) if leg.object_id == 2)
