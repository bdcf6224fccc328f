"""A session with a tiny random network: what is kept, what is undone, what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.engine import EngineOptions
from napari_vost.errors import Cancelled, InputError, PromptError, UnknownName
from napari_vost.types import MaskPrompt


@pytest.fixture
def session(cine: Clip, tiny_network: Network) -> Session:
    return Session(cine, tiny_network)


def disc(y: int = 48, x: int = 35, radius: int = 12) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


def masks(session: Session) -> np.ndarray:
    return np.asarray(session.label_map(dense=True))


def test_a_mask_prompt_comes_back_bit_for_bit(session: Session) -> None:
    session.add_mask(5, disc())
    assert np.array_equal(session.preview(5)[1], disc())


def test_every_frame_is_reached_in_both_directions(session: Session) -> None:
    session.add_mask(5, disc())
    frames = [result.frame_index for result in session.propagate()]
    assert frames == [5, 6, 7, 8, 9, 10, 11, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("direction", "frames"), [("forward", [5, 6, 7, 8, 9, 10, 11]), ("backward", [5, 4, 3, 2, 1, 0])]
)
def test_one_direction_is_enough_if_asked(session: Session, direction: Any, frames: list[int]) -> None:
    session.add_mask(5, disc())
    assert [result.frame_index for result in session.propagate(direction)] == frames


def test_a_frame_range_is_never_left(session: Session) -> None:
    session.add_mask(5, disc())
    assert sorted(result.frame_index for result in session.propagate(frames=(3, 8))) == [3, 4, 5, 6, 7]


def test_frames_are_reached_from_their_nearest_prompt_and_ties_go_to_the_earlier(session: Session) -> None:
    from napari_vost.legs import legs

    session.add_mask(2, disc())
    session.add_mask(8, disc(x=40))
    plan = session._follower.plan(session.engine, session.frame_view, "both", None, False)
    found = {(leg.seed_frame, leg.direction): (leg.first, leg.last) for leg in legs(plan)}
    assert found == {(2, 1): (3, 5), (8, 1): (9, 11), (2, -1): (1, 0), (8, -1): (7, 6)}


def test_not_here_leaves_the_frames_on_the_way_to_its_neighbour(session: Session) -> None:
    from napari_vost.legs import legs

    session.add_mask(8, disc())
    session.add_mask(2, np.zeros((96, 80), dtype=bool))
    plan = session._follower.plan(session.engine, session.frame_view, "both", None, False)
    found = {(leg.seed_frame, leg.direction): (leg.first, leg.last) for leg in legs(plan)}
    assert found == {(8, 1): (9, 11), (8, -1): (7, 3), (2, -1): (1, 0)}


def test_a_frame_that_becomes_empty_hands_its_share_to_its_neighbour(session: Session) -> None:
    from napari_vost.legs import legs

    session.add_mask(0, disc())
    session.add_mask(10, disc())
    list(session.propagate())
    session.add_mask(4, np.zeros((96, 80), dtype=bool))
    plan = session._follower.plan(session.engine, session.frame_view, "both", None, False)
    assert {(leg.seed_frame, leg.first, leg.last) for leg in legs(plan)} == {(0, 1, 3), (10, 9, 5)}


def test_the_way_from_a_painted_mask_to_a_clicked_frame_is_followed_from_the_mask(session: Session) -> None:
    from napari_vost.legs import legs

    session.add_mask(2, disc())
    list(session.propagate())
    session.add_point(8, (48, 35))
    plan = session._follower.plan(session.engine, session.frame_view, "both", None, False)
    found = {(leg.seed_frame, leg.direction): (leg.first, leg.last) for leg in legs(plan)}
    assert found == {(8, 1): (9, 11), (2, 1): (3, 7)}
    list(session.propagate())
    session.add_mask(8, disc(x=40))  # painted over: now both are certain, and each answers for its half
    plan = session._follower.plan(session.engine, session.frame_view, "both", None, False)
    found = {(leg.seed_frame, leg.direction): (leg.first, leg.last) for leg in legs(plan)}
    assert found[8, -1] == (7, 6)


def test_objects_followed_together_equal_objects_followed_alone(cine: Clip, tiny_network: Network) -> None:
    together = Session(cine, tiny_network)
    together.add_mask(4, disc(), object_id=3)
    together.add_mask(6, disc(y=20, x=20, radius=8), object_id=7)
    list(together.propagate())
    for object_id, frame, mask in ((3, 4, disc()), (7, 6, disc(y=20, x=20, radius=8))):
        alone = Session(cine, tiny_network)
        alone.add_mask(frame, mask, object_id=object_id)
        list(alone.propagate())
        for index in range(12):
            both = together.preview(index).get(object_id, np.zeros((96, 80), bool))
            one = alone.preview(index).get(object_id, np.zeros((96, 80), bool))
            assert (both != one).mean() < 0.005


def test_an_object_may_be_added_after_another_was_followed(session: Session) -> None:
    session.add_mask(5, disc())
    list(session.propagate())
    before = {index: session.preview(index)[1] for index in range(12)}
    session.add_mask(8, disc(y=20, x=20, radius=8), object_id=2)
    reached = list(session.propagate())
    assert all(set(result.masks) == {2} for result in reached)
    assert all(np.array_equal(session.preview(index)[1], before[index]) for index in range(12))
    assert session.object_ids == (1, 2)


def test_undo_and_redo_go_across_frames_and_objects(session: Session) -> None:
    states = [masks(session)]
    session.add_mask(5, disc())
    states.append(masks(session))
    session.add_point(3, (20, 20), object_id=2)
    states.append(masks(session))
    list(session.propagate())
    states.append(masks(session))
    for expected in reversed(states[:-1]):
        assert session.undo() is not None
        assert np.array_equal(masks(session), expected)
    assert session.undo() is None
    for expected in states[1:]:
        assert session.redo() is not None
        assert np.array_equal(masks(session), expected)
    assert session.redo() is None


def test_locked_frames_are_never_written_and_stand_for_truth(session: Session) -> None:
    session.add_mask(5, disc())
    list(session.propagate())
    session.add_mask(8, disc(x=60), object_id=1)
    session.lock([7, 8])
    kept = {index: session.preview(index)[1] for index in (7, 8)}
    list(session.propagate(exact=True))
    assert all(np.array_equal(session.preview(index)[1], kept[index]) for index in (7, 8))
    seeds = session._follower.plan(session.engine, session.frame_view, "both", None, True).seeds[1]
    locked = next(one for one in seeds if one.frame_index == 7)
    assert isinstance(locked.prompts[0], MaskPrompt)
    session.unlock([7, 8])
    assert session.locks == frozenset()


def test_after_a_correction_only_the_frames_around_it_run(session: Session) -> None:
    session.add_mask(2, disc())
    session.add_mask(10, disc(x=38))
    list(session.propagate())
    session.add_mask(10, disc(x=38, radius=11))
    reached = [result.frame_index for result in session.propagate()]
    assert set(reached) <= {2, 7, 8, 9, 10, 11}
    assert 9 in reached


def test_a_correction_that_changes_nothing_stops_after_three_frames(session: Session) -> None:
    session.add_mask(0, disc())
    list(session.propagate())
    list(session.propagate(exact=True))
    session.add_mask(0, disc())  # the same mask again: a new prompt, the same memory
    reached = [result.frame_index for result in session.propagate()]
    assert reached == [0, 1, 2, 3]


def test_cancel_keeps_what_was_reached_and_is_one_step_of_undo(session: Session) -> None:
    session.add_mask(5, disc())
    before = masks(session)
    with pytest.raises(Cancelled):
        for result in session.propagate():
            if result.frame_index == 7:
                session.cancel()
    assert {place[1] for place in session.ledger.kept} == {5, 6, 7}
    session.undo()
    assert np.array_equal(masks(session), before)
    assert len(list(session.propagate())) == 12


def test_a_click_on_a_tracked_frame_refines_its_mask(session: Session) -> None:
    session.add_mask(5, disc())
    list(session.propagate())
    if session.preview(8)[1].any():
        base = session.preview(8)[1]
        session.add_point(8, (48, 38))
        assert np.array_equal(session.ledger.settings.bases[1, 8].unpack(), base)


def test_clicks_given_together_equal_clicks_given_one_by_one(cine: Clip, tiny_network: Network) -> None:
    from napari_vost.types import PointPrompt

    clicks = [PointPrompt(5, 1, 48, 35), PointPrompt(5, 1, 50, 40), PointPrompt(5, 1, 10, 10, positive=False)]
    together, one_by_one = Session(cine, tiny_network), Session(cine, tiny_network)
    together.add(*clicks)
    for click in clicks:
        one_by_one.add(click)
    assert np.array_equal(together.preview(5)[1], one_by_one.preview(5)[1])


def test_two_runs_of_the_same_session_are_equal(cine: Clip, tiny_network: Network) -> None:
    results = []
    for _ in range(2):
        session = Session(cine, tiny_network)
        session.add_box(5, (30, 20, 66, 50))
        list(session.propagate())
        results.append(masks(session))
    assert np.array_equal(*results)


def test_memory_of_a_sweep_does_not_grow_with_the_clip(tiny_network: Network) -> None:
    frames = np.tile(np.arange(64 * 64, dtype=np.uint16).reshape(1, 64, 64) % 251, (60, 1, 1)).astype(np.uint8)
    session = Session(Clip.from_array(frames, order="time"), tiny_network, options=EngineOptions(feature_bytes=1 << 20))
    session.add_mask(0, np.pad(np.ones((20, 20), bool), 22))
    list(session.propagate())
    assert session.engine.features.memory_bytes <= 1 << 20
    assert session.engine.reader.cached_bytes <= session.options.key_bytes


def test_region_auto_follows_the_object_and_gives_back_frame_pixels(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session._engine = replace(session.engine, region="auto")
    session.add_mask(5, disc())
    results = list(session.propagate())
    assert len(results) == 12
    assert all(mask.shape == (96, 80) for result in results for mask in result.masks.values())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda one: one.add_point(12, (5, 5)), "frames 0 to 11"),
        (lambda one: one.add_point(0, (96, 5)), "y goes from 0 to 95"),
        (lambda one: one.add_box(0, (0, 0, 10, 80)), "outside the image"),
        (lambda one: one.add_mask(0, np.zeros((5, 5), bool)), "shape (5, 5)"),
        (lambda one: one.add_scribble(0, []), "at least one point"),
        (lambda one: one.add_point(0, (5, 5), object_id=0), "from 1 to 65535"),
    ],
)
def test_a_prompt_that_does_not_fit_is_refused_and_changes_nothing(session: Session, call: Any, words: str) -> None:
    with pytest.raises(PromptError) as caught:
        call(session)
    assert words in str(caught.value)
    assert session.prompts == ()


def test_following_nothing_is_refused(session: Session) -> None:
    with pytest.raises(InputError, match="add a point"):
        list(session.propagate())


@pytest.mark.parametrize("name", ["memory", "motion", "region"])
def test_unknown_names_are_refused_with_what_is_known(cine: Clip, tiny_network: Network, name: str) -> None:
    with pytest.raises(UnknownName, match="fif0"):
        Session(cine, tiny_network, **{name: "fif0"})


def test_the_label_map_is_lazy_and_slices_like_an_array(session: Session) -> None:
    session.add_mask(5, disc(), object_id=4)
    lazy = session.label_map()
    assert lazy.shape == (12, 96, 80)
    assert np.array_equal(lazy[5] == 4, disc())
    assert np.array_equal(lazy[4:7, 40:50], np.asarray(lazy)[4:7, 40:50])
    assert np.array_equal(lazy[-7], np.asarray(lazy)[-7])
