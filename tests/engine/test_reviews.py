"""Reviewing: what was accepted or edited, how undo covers it, and what a session keeps beside masks."""

from pathlib import Path

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.history import Change, Follow, Settings
from napari_vost.masks import PackedMask
from napari_vost.review_doors import Reviewed
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label, PointPrompt


@pytest.fixture
def session(cine: Clip) -> Session:
    """Frames 3 to 8 hold object 1, painted on frame 5, and frame 5 object 2."""
    session = Session(cine, BrightNetwork())
    session.add_mask(5, disc())
    session.add_mask(5, disc(60), object_id=2)
    for frame in (3, 4, 6, 7, 8):
        session.ledger.write((1, frame), session.ledger.kept[1, 5], {})
    return session


def disc(x: int = 35) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - 48) ** 2 + (columns - x) ** 2 < 144


def test_a_frame_is_open_until_it_is_accepted_and_edited_where_a_prompt_is(session: Session) -> None:
    assert [session.review(frame) for frame in (4, 5, 6)] == ["open", "edited", "open"]
    session.accept(4)
    assert session.review(4) == "accepted" and (1, 4) in session.locks
    assert session.reviewed(1) == Reviewed(2, 6)
    session.unlock(4)
    assert session.review(4) == "open" and (1, 4) not in session.locks


def test_a_prompt_on_an_accepted_frame_makes_it_edited(session: Session) -> None:
    session.accept((4, 5))
    session.add_mask(4, disc(40))
    assert session.review(4) == "edited" and session.review(5) == "accepted"
    session.undo()
    assert session.review(4) == "accepted"


def test_accepting_is_one_step_of_undo_for_all_objects_on_a_frame(session: Session) -> None:
    before = session.ledger.settings
    session.accept((4, 5))
    assert session.ledger.settings.accepted == session.locks == {(1, 4), (1, 5), (2, 5)}
    assert session.undo() == "accept"
    assert session.ledger.settings == before
    assert session.redo() == "accept"
    assert session.review(5, object_id=2) == "accepted"


def test_a_frame_counts_as_reviewed_when_every_object_on_it_is(session: Session) -> None:
    assert session.reviewed() == Reviewed(1, 6)
    session.accept(range(6), object_id=1)
    assert session.reviewed() == Reviewed(3, 6)
    session.ledger.write((2, 4), session.ledger.kept[2, 5], {})
    assert session.reviewed() == Reviewed(2, 6)
    assert session.reviewed(1) == Reviewed(3, 6)


def test_there_must_be_something_to_accept(session: Session) -> None:
    with pytest.raises(InputError, match="no mask to accept"):
        session.accept(11)
    with pytest.raises(InputError, match="Frame 12"):
        session.accept(12)


def test_reviews_are_in_the_file_and_so_is_how_frames_were_followed(
    session: Session, cine: Clip, tmp_path: Path
) -> None:
    list(session.propagate(direction="backward", frames=(2, 12), exact=True))
    session.accept((3, 5))
    session.unlock(3)
    session.undo()
    session.save(tmp_path / "case.vost")
    opened = Session.load(tmp_path / "case.vost", source=cine)
    assert opened.ledger.settings == session.ledger.settings
    assert opened.last_follow == session.last_follow == Follow("backward", (2, 12), True)
    opened.redo()
    assert opened.review(3) == "open" and opened.review(5) == "accepted"


def test_a_read_only_session_refuses_every_change_with_its_reason(session: Session) -> None:
    session.read_only = "This case is Jane's."
    before = session.ledger.log
    for change in (
        lambda: session.add_mask(2, disc()),
        lambda: session.accept(5),
        lambda: session.lock(5),
        lambda: session.unlock(5),
        lambda: session.remove_object(2),
        lambda: session.paint({(1, 5): disc()}),
        lambda: session.not_here(5),
        lambda: session.end_here(6),
        lambda: session.clear_limits(1),
        lambda: session.remove(session.prompts[0]),
        lambda: session.name_object(1, Label("Liver")),
        lambda: list(session.propagate()),
        session.undo,
        session.redo,
        session.adapt,
    ):
        with pytest.raises(InputError, match="Jane's"):
            change()
    assert session.ledger.log is before and session.labels == {}
    session.view = {"frame": 3}  # looking is allowed
    assert session.preview(5)[1].any()


def test_a_view_holds_json_only_and_is_a_copy(session: Session) -> None:
    given = {"frame": 3, "window": [40.0, 400.0]}
    session.view = given
    given["frame"] = 9
    assert session.view == {"frame": 3, "window": [40.0, 400.0]}
    for wrong in ({"mask": np.zeros(3)}, {"zoom": float("nan")}, {"path": Path()}):
        with pytest.raises(InputError, match="A view holds"):
            session.view = wrong
    assert session.view["frame"] == 3


def test_a_change_leads_from_one_setting_to_the_other_and_back() -> None:
    rng = np.random.default_rng(0)

    def some() -> Settings:
        prompts = tuple(PointPrompt(int(frame), 1, 2.0, 3.0) for frame in rng.integers(0, 3, rng.integers(0, 6)))
        places = [tuple(place) for place in rng.integers(0, 3, (rng.integers(0, 6), 2)).tolist()]
        bases = {place: PackedMask.pack(rng.random((4, 4)) < 0.5) for place in places[:3]}
        limits = {one: (None, frame) for one, frame in places[1:4]}
        return Settings(prompts, bases, frozenset(places), frozenset(places[2:]), limits)

    for _ in range(300):
        before, after = some(), some()
        change = Change.between(before, after)
        assert change.apply(before) == after
        assert change.apply(after, back=True) == before


def test_the_log_of_many_actions_holds_what_they_changed_and_not_all_that_stood(session: Session) -> None:
    for number in range(300):
        session.lock(number % 12) if number % 2 else session.unlock(number % 12)
    assert all(len(one.change.locks) <= 2 and not one.change.added for one in session.ledger.done[2:])
