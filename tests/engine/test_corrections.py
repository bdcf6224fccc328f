"""Correcting: what a brush left, "not here", one prompt taken away, and clicks that are always obeyed."""

from pathlib import Path

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.cleanup import Cleanup
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.engine import EngineOptions
from napari_vost.errors import Cancelled, InputError, PromptError
from napari_vost.testing import BrightNetwork
from napari_vost.types import PointPrompt

DARK = (10.0, 70.0)  # a pixel that `BrightNetwork` never takes


@pytest.fixture
def session(cine: Clip) -> Session:
    """Its network takes the bright disc, whatever is clicked."""
    return Session(cine, BrightNetwork())


def disc(y: int = 48, x: int = 35, radius: int = 12) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


def mask(session: Session, frame: int = 5, object_id: int = 1) -> np.ndarray:
    return session.preview(frame)[object_id]


def test_what_a_brush_left_is_kept_bit_for_bit_and_locked_in_one_step(session: Session) -> None:
    session.add_point(5, (48, 35))
    list(session.propagate())
    before = session.ledger.settings, dict(session.ledger.kept)
    brushed = {(1, 6): disc(50, 30), (1, 7): disc(radius=20), (9, 6): disc(80, 70, 4), (1, 8): np.zeros((96, 80), bool)}
    told: list[tuple[int, ...]] = []
    session.masks_changed.connect(told.append)
    session.paint(brushed)
    assert told == [(6, 7, 8)]
    assert all(np.array_equal(mask(session, frame, one), painted) for (one, frame), painted in brushed.items())
    assert session.locks == set(brushed) and session.object_ids == (1, 9)
    assert session.review(7) == "edited"
    assert session.undo() == "paint" and (session.ledger.settings, session.ledger.kept) == before
    session.redo()
    list(session.propagate(exact=True))
    assert all(np.array_equal(mask(session, frame, one), painted) for (one, frame), painted in brushed.items())


def test_paint_is_not_taken_where_one_of_its_masks_does_not_fit(session: Session) -> None:
    for wrong in ({(1, 5): disc(), (1, 12): disc()}, {(1, 5): disc(), (1, 6): disc()[1:]}, {(0, 5): disc()}):
        with pytest.raises(PromptError):
            session.paint(wrong)
    session.paint({})
    assert session.ledger.done == ()


def test_paint_wins_over_earlier_clicks_and_later_clicks_refine_it(session: Session) -> None:
    session.add_point(5, DARK)
    session.paint({(1, 5): disc(20, 20)})
    assert np.array_equal(mask(session), disc(20, 20)) and session.dabbed == set()
    session.add_point(5, (20, 20), positive=False)  # the network takes its bright disc, as ever
    assert not np.array_equal(mask(session), disc(20, 20)) and not mask(session)[20, 20]
    assert not mask(session)[10, 70]
    assert session.locks == {(1, 5)}


def test_a_click_on_a_locked_frame_changes_it_and_following_does_not(session: Session) -> None:
    session.add_point(5, (48, 35))
    list(session.propagate())
    session.accept(8)
    session.add_point(8, DARK)
    assert mask(session, 8)[10, 70] and session.locks == {(1, 8)} and session.review(8) == "edited"
    corrected = mask(session, 8)
    list(session.propagate(exact=True))
    assert np.array_equal(mask(session, 8), corrected)


def test_painting_asks_no_network_and_its_memory_is_made_when_it_is_needed_unless_cancelled(session: Session) -> None:
    session.paint({(1, frame): disc(x=30 + frame) for frame in range(12)})
    assert session._engine is None
    looks = 0
    answer = session.engine.network.answer

    def counting(*args: object) -> object:
        nonlocal looks
        looks += 1
        if looks == 4:
            session.cancel()
        return answer(*args)  # type: ignore[arg-type]  # passes on what it gets

    session.engine.network.answer = counting  # type: ignore[method-assign]  # a spy
    with pytest.raises(Cancelled):
        list(session.propagate())
    assert looks == 4
    assert len(list(session.propagate())) == 12 and looks == 12


def test_who_gets_a_pixel_that_two_objects_want_is_one_switch(cine: Clip, tmp_path: Path) -> None:
    for overwrite in (None, False, True):
        session = Session(cine, BrightNetwork())
        session.overwrite = overwrite
        session.add_point(5, (48, 35))
        list(session.propagate())
        session.paint({(1, 8): mask(session, 8)})
        list(session.propagate())
        alone = {frame: mask(session, frame) for frame in range(12)}
        session.add_mask(5, disc(48, 25), object_id=2)
        before = dict(session.ledger.kept)
        list(session.propagate())  # the network takes the same bright disc for it
        other = {frame: session.preview(frame)[2] for frame in range(12)}
        for frame in set(range(12)) - {5}:
            wins, keeps = other[frame].any(), mask(session, frame).any()
            assert (wins, keeps) == {None: (True, True), False: (False, True), True: (frame != 8, frame == 8)}[
                overwrite
            ]
        assert np.array_equal(mask(session, 8), alone[8]) and np.array_equal(mask(session, 5), alone[5])
        session.undo()
        assert session.ledger.kept == before
        list(session.propagate())  # all of them together now
        assert overwrite is None or not any(np.logical_and(*session.preview(frame).values()).any() for frame in (0, 11))
        session.save(tmp_path / "case.vost")
        assert Session.load(tmp_path / "case.vost", source=cine).overwrite is overwrite


def test_not_here_is_an_empty_locked_mask_and_one_step(session: Session) -> None:
    session.add_point(5, (48, 35))
    list(session.propagate())
    session.not_here(8)
    assert not mask(session, 8).any() and session.locks == {(1, 8)}
    list(session.propagate(exact=True))
    assert not mask(session, 8).any() and mask(session, 9).any()
    session.undo(), session.undo()
    assert mask(session, 8).any() and session.locks == set()
    with pytest.raises(PromptError, match="Object 4 does not exist"):
        session.not_here(8, object_id=4)
    with pytest.raises(InputError, match="Frame 12"):
        session.not_here(12)


def test_removing_one_prompt_answers_the_others_again_as_if_it_had_never_been(
    cine: Clip, tiny_network: Network
) -> None:
    clicks = [PointPrompt(5, 1, 48, 35), PointPrompt(5, 1, 20, 60, False), PointPrompt(5, 1, 60, 40)]
    session, never = Session(cine, tiny_network), Session(cine, tiny_network)
    session.add(*clicks)
    never.add(clicks[0], clicks[2])
    before = dict(session.ledger.kept)
    session.remove(clicks[1])
    assert session.prompts == never.prompts and session.ledger.kept == never.ledger.kept
    assert session.undo() == "remove prompt" and session.ledger.kept == before
    assert session.prompts == tuple(clicks)


def test_removing_the_last_prompt_of_a_frame_takes_its_mask(session: Session) -> None:
    session.add_point(5, (48, 35))
    session.add_point(8, (48, 38))
    session.remove(session.prompts[1])
    assert set(session.ledger.kept) == {(1, 5)} and session.ledger.done[-1].name == "remove prompts"
    with pytest.raises(PromptError, match="not there"):
        session.remove(PointPrompt(8, 1, 48, 38))


def test_a_painted_mask_stands_again_when_the_click_on_it_is_removed(session: Session) -> None:
    session.paint({(1, 5): disc(20, 20)})
    session.add_point(5, DARK)
    session.remove(session.prompts[-1])
    assert np.array_equal(mask(session), disc(20, 20)) and session.dabbed == set()


def test_a_click_that_only_takes_away_is_not_left_alone(session: Session) -> None:
    session.add(PointPrompt(5, 1, 48, 35), PointPrompt(5, 1, 10, 10, False))
    with pytest.raises(PromptError, match="takes something away"):
        session.remove(session.prompts[0])
    assert len(session.prompts) == 2
    session.add_point(5, (48, 35))
    session.remove(PointPrompt(5, 1, 48, 35))
    assert [one.positive for one in session.prompts] == [True, False]  # type: ignore[union-attr]  # clicks only


def test_where_the_network_refuses_a_click_a_dab_obeys_and_the_session_tells(session: Session) -> None:
    session.add_point(5, (48, 35))
    assert session.dabbed == set()
    session.add_point(5, DARK)
    session.add_point(5, (48, 30), positive=False)
    assert mask(session)[10, 70] and not mask(session)[48, 30] and mask(session)[48, 36]
    assert session.dabbed == {(1, 5)}
    session.undo(), session.undo()
    assert session.dabbed == set()
    session.redo()
    assert session.dabbed == {(1, 5)}


def test_repairs_leave_the_dabs_of_clicks(cine: Clip) -> None:
    options = EngineOptions(cleanup=Cleanup(fill_holes_px=50, largest_component=True))
    session = Session(cine, BrightNetwork(), options=options)
    session.add(PointPrompt(5, 1, *DARK), PointPrompt(5, 1, 48, 35, False))
    assert mask(session)[10, 70] and not mask(session)[48, 35]
    assert session.dabbed == {(1, 5)}


def test_memory_and_the_next_click_know_of_a_dab(session: Session) -> None:
    session.add(PointPrompt(5, 1, 48, 35), PointPrompt(5, 1, *DARK))
    seed = session._seeds.answer(session.engine, session.frame_view, 1, session.ledger.settings)[5]
    assert seed.refused == (PointPrompt(5, 1, *DARK),)
    assert seed.mask.unpack()[10, 70] and seed.entry.area_px == int(mask(session).sum())
    size = seed.mask_logits.shape[-1]
    assert float(seed.mask_logits[0, round(10.5 / 96 * size - 0.5), round(70.5 / 80 * size - 0.5)]) == 10.0


def test_clicks_are_obeyed_by_any_network_and_the_same_after_saving_and_undoing(
    cine: Clip, tiny_network: Network, tmp_path: Path
) -> None:
    session = Session(cine, tiny_network)
    draw = np.random.default_rng(2)
    session.add_box(5, (30, 20, 66, 50))
    list(session.propagate())
    for number in range(12):
        frame, y, x = (5, 5, 7, 8)[number % 4], *draw.uniform(0, 79, 2).round(1)
        positive = bool(number % 2) or not session.preview(frame)[1].any()
        session.add_point(frame, (float(y), float(x)), positive=positive)
        assert mask(session, frame)[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))] == positive
    assert session.dabbed
    session.save(tmp_path / "case.vost")
    loaded = Session.load(tmp_path / "case.vost", source=cine, model=tiny_network)
    assert loaded.ledger.kept == session.ledger.kept and loaded.dabbed == session.dabbed
    for one in (session, loaded):
        one.undo(), one.redo()
        one.add_point(5, (70, 60))
        list(one.propagate(exact=True))
    assert loaded.ledger.kept == session.ledger.kept


def test_sam2_semantics_know_no_dabs(cine: Clip) -> None:
    session = Session(cine, BrightNetwork(), options=EngineOptions(sam2=True))
    session.add_point(5, DARK)
    assert not mask(session)[10, 70] and session.dabbed == set()
