"""A run that was ended goes on where it stood, and a correction costs what is around it, also after an undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.engine import EngineOptions
from napari_vost.errors import Cancelled, InputError
from napari_vost.road import Standing
from napari_vost.session import Session
from tests.engine.test_session import disc


def end_after(session: Session, results: int, **how: Any) -> list[int]:
    """Follow, and end the run after so many results; the frames that they were of."""
    reached = []
    with pytest.raises(Cancelled):
        for result in session.propagate(**how):
            reached.append(result.frame_index)
            if len(reached) == results:
                session.cancel()
    return reached


def frames(session: Session, **how: Any) -> list[int]:
    return [result.frame_index for result in session.propagate(**how)]


def everything(session: Session) -> dict[Any, Any]:
    return {place: (kept.mask, kept.scores) for place, kept in sorted(session.ledger.kept.items())}


def started(clip: Clip, network: Network, memory: str = "fifo", motion: str = "none") -> Session:
    session = Session(clip, network, options=EngineOptions(memory=memory, motion=motion))
    session.add_mask(4, disc())
    session.add_mask(7, disc(y=20, x=20, radius=8), object_id=2)
    return session


@pytest.mark.parametrize(
    ("memory", "motion"), [("fifo", "none"), ("tree", "none"), ("quality", "kalman"), ("tiered", "flow")]
)
@pytest.mark.parametrize("results", [3, 6, 12])
def test_a_run_that_was_ended_gives_in_the_end_what_one_run_gives(
    cine: Clip, tiny_network: Network, memory: str, motion: str, results: int
) -> None:
    whole = started(cine, tiny_network, memory, motion)
    list(whole.propagate())
    session = started(cine, tiny_network, memory, motion)
    before = end_after(session, results)
    assert session.outdated == {1, 2}
    after = frames(session)
    assert everything(session) == everything(whole)
    assert len(before[2:]) + len(after[2:]) <= len(set(before)) + len(set(after)) and session.outdated == frozenset()


def test_ended_again_and_again_it_still_comes_to_the_end(cine: Clip, tiny_network: Network) -> None:
    whole = started(cine, tiny_network)
    list(whole.propagate())
    session = started(cine, tiny_network)
    for _ in range(40):
        try:
            for count, _ in enumerate(session.propagate()):
                if count == 2:  # both prompted frames are told first
                    session.cancel()
        except Cancelled:
            continue
        break
    assert everything(session) == everything(whole)


def test_what_was_reached_is_not_followed_again(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(2, disc())
    assert end_after(session, 6) == [2, 3, 4, 5, 6, 7]
    assert frames(session) == [2, 8, 9, 10, 11, 1, 0]


def test_a_click_in_the_middle_costs_its_own_side_and_what_was_left(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(2, disc())
    end_after(session, 6)  # 2 to 7
    session.add_mask(5, disc(x=43))
    reached = frames(session)
    assert reached == [2, 5, 6, 7, 8, 9, 10, 11, 4, 1, 0]  # 3 stands: it belongs to frame 2, which is as it was
    assert frames(session, exact=True)[:2] == [2, 5]


def test_a_correction_whose_run_was_ended_stops_where_nothing_changes_when_it_goes_on(
    cine: Clip, tiny_network: Network
) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(0, disc())
    list(session.propagate())
    session.add_mask(0, disc())  # the same mask again
    end_after(session, 2)
    assert session.outdated == {1}
    assert frames(session) == [0, 1, 2, 3]


def test_memories_of_prompts_given_after_the_pause_are_read_as_they_are(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(4, disc())
    end_after(session, 4)  # 4 to 7
    session.add_mask(1, disc(x=44))
    (halt,) = session._follower._halts.values()
    list(session.propagate())
    ids = [entry.entry_id for row in halt.rows for entry in (*row.bank.prompted, *row.bank.kept)]
    new = session._seeds.seeds(session.engine, session.frame_view, 1)[0].entry.entry_id
    assert new not in ids and len(set(ids)) == len(ids)


def test_only_the_objects_that_are_asked_for_are_followed(cine: Clip, tiny_network: Network) -> None:
    session = started(cine, tiny_network)
    assert all(set(result.masks) == {2} for result in session.propagate(objects=[2]))
    assert session.outdated == frozenset() and {place[0] for place in session.ledger.kept if place[1] != 4} == {2}
    assert all(set(result.masks) == {1} for result in session.propagate())
    with pytest.raises(InputError, match=r"\[5\]"):
        session.propagate(objects=[5])


def test_frames_outside_the_range_are_followed_when_it_is_widened(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(4, disc())
    assert frames(session, frames=(2, 8)) == [4, 5, 6, 7, 3, 2]
    assert set(frames(session)) == set(range(12))
    whole = Session(cine, tiny_network)
    whole.add_mask(4, disc())
    list(whole.propagate())
    assert everything(session) == everything(whole)


def test_after_an_undo_a_correction_still_costs_only_what_is_around_it(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(2, disc())
    session.add_mask(10, disc(x=38))
    list(session.propagate())
    session.add_mask(10, disc(x=38, radius=11))
    list(session.propagate())
    session.undo()
    assert session.outdated == {1}
    assert min(frames(session)[2:]) > 2  # the frames around 10 alone
    session.undo()
    session.undo()
    assert session.outdated == frozenset()
    session.add_mask(10, disc(x=37, radius=11))
    assert set(frames(session)) <= {2, 7, 8, 9, 10, 11}
    while session.undo():
        pass
    assert session.outdated == frozenset() and session.object_ids == ()
    session.redo()
    assert len(frames(session)) == 12


def test_another_network_starts_anew(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(2, disc())
    end_after(session, 6)
    session.use(memory="quality")
    assert set(frames(session)) == set(range(12))


def test_masks_are_equal_where_a_run_is_ended_inside_a_frame(cine: Clip, tiny_network: Network) -> None:
    """The stop comes between two stages of a frame: that frame is looked at again from what was known before it."""
    whole = started(cine, tiny_network)
    list(whole.propagate())
    session = started(cine, tiny_network)
    engine, calls = session.engine, 0
    check = engine.check

    def checks() -> None:
        nonlocal calls
        calls += 1
        if calls == 25:
            session.cancel()
        check()

    object.__setattr__(engine, "check", checks)
    with pytest.raises(Cancelled):
        list(session.propagate())
    object.__setattr__(engine, "check", check)
    list(session.propagate())
    assert everything(session) == everything(whole)
    assert np.array_equal(session.label_map(), whole.label_map())


def test_how_far_it_was_followed_is_in_the_file(cine: Clip, tiny_network: Network, tmp_path: Path) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(2, disc())
    session.add_mask(10, disc(x=38))
    list(session.propagate())
    session.add_mask(10, disc(x=38, radius=11))
    path = tmp_path / "a.vost"
    session.save(path)
    again = Session.load(path, source=cine, model=tiny_network)
    assert again.outdated == {1} and again.standing == session.standing
    assert set(frames(again)) <= {2, 7, 8, 9, 10, 11}
    again.use(memory="quality")
    assert again.outdated == frozenset()


def test_an_object_that_may_go_further_is_followed_to_the_new_frames_alone(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(4, disc())
    list(session.propagate())
    session.end_here(8)
    list(session.propagate())
    session.end_here(6)
    assert session.standing[1] == Standing(changed=frozenset({4, 7}))  # frame 7 says "not here", nothing else is new
    session.clear_limits(1)
    assert session.standing[1].unreached == frozenset(range(7, 12))
    assert set(frames(session)) >= {7, 8, 9, 10, 11} and session.outdated == frozenset()
