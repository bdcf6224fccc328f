"""What a session promises however it is used: interrupted, corrected, reloaded, read from another thread."""

import threading
from pathlib import Path

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.cleanup import Cleanup
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.engine import EngineOptions
from napari_vost.errors import Cancelled, InputError, PromptError, UnknownName
from napari_vost.testing import BrightNetwork
from napari_vost.types import PointPrompt


def disc(y: int = 48, x: int = 35, radius: int = 12) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


def masks(session: Session) -> np.ndarray:
    return np.asarray(session.label_map(dense=True))


def fresh(clip: Clip, network: Network, *prompts: tuple[int, np.ndarray]) -> np.ndarray:
    """Label map of a session that got nothing but these masks."""
    session = Session(clip, network)
    for frame, mask in prompts:
        session.add_mask(frame, mask)
    list(session.propagate())
    return masks(session)


def test_a_case_with_several_corrected_frames_goes_on_after_loading(
    cine: Clip, tiny_network: Network, tmp_path: Path
) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    list(session.propagate())
    for frame in (8, 3, 8):
        if session.preview(frame)[1].any():
            session.add_point(frame, (48, 38))
    session.save(tmp_path / "case.vost")
    loaded = Session.load(tmp_path / "case.vost", source=cine, model=tiny_network)
    list(session.propagate(exact=True))
    list(loaded.propagate(exact=True))
    assert np.array_equal(masks(session), masks(loaded))


@pytest.mark.parametrize("how", ["cancel", "break", "range", "direction"])
def test_a_run_that_did_not_finish_leaves_nothing_stale_behind(cine: Clip, tiny_network: Network, how: str) -> None:
    expected = fresh(cine, tiny_network, (5, disc()), (9, disc(x=60, radius=8)))
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    list(session.propagate())
    session.add_mask(9, disc(x=60, radius=8))
    if how == "range":
        list(session.propagate(frames=(8, 11)))
    elif how == "direction":
        list(session.propagate(direction="forward"))
    elif how == "break":
        for result in session.propagate():
            if result.frame_index == 10:
                break
    else:
        with pytest.raises(Cancelled):
            for result in session.propagate():
                if result.frame_index == 10:
                    session.cancel()
    list(session.propagate())
    assert np.array_equal(masks(session), expected)


def test_removing_a_prompt_removes_what_it_had_reached(cine: Clip, tiny_network: Network) -> None:
    expected = fresh(cine, tiny_network, (5, disc()))
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    list(session.propagate())
    session.add_mask(9, disc(y=20, x=60, radius=8))
    list(session.propagate())
    session.remove_prompts(9)
    list(session.propagate())
    assert np.array_equal(masks(session), expected)


def test_an_object_without_a_prompt_has_no_mask_and_an_object_can_be_removed(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(5, disc(), object_id=1)
    session.add_mask(5, disc(y=20, x=20, radius=6), object_id=2)
    list(session.propagate())
    session.remove_prompts(5, object_id=1)
    assert session.object_ids == (2,)
    session.accept(6, 2)
    session.lock(7, 2)
    session.remove_object(2)
    assert not masks(session).any() and session.locks == frozenset() and session.object_ids == ()
    assert session.undo() == "remove object"
    assert session.object_ids == (2,) and session.locks == {(2, 6), (2, 7)}
    with pytest.raises(PromptError, match="does not exist"):
        session.remove_object(9)


def test_nothing_may_be_changed_while_a_propagation_runs(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    for change in (
        lambda: session.add_mask(2, disc()),
        session.undo,
        lambda: session.lock(3),
        lambda: session.remove_prompts(5),
        lambda: next(session.propagate()),
    ):
        run = session.propagate()
        next(run)
        next(run)
        with pytest.raises(InputError, match="is running"):
            change()
        run.close()
    session.add_mask(2, disc())


def test_a_second_propagation_waits_for_the_first(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    first, second = session.propagate(), session.propagate()
    next(first)
    with pytest.raises(InputError, match="is running"):
        next(second)
    assert len(list(first)) == 11


def test_a_session_saved_in_the_middle_of_a_run_holds_what_was_reached(
    cine: Clip, tiny_network: Network, tmp_path: Path
) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    for result in session.propagate():
        if result.frame_index == 9:
            session.save(tmp_path / "case.vost")
            expected = masks(session)
    loaded = Session.load(tmp_path / "case.vost", source=cine, model=tiny_network)
    assert np.array_equal(masks(loaded), expected)
    assert {frame for _, frame in loaded.ledger.kept} == {5, 6, 7, 8, 9}


def test_a_session_may_be_read_from_another_thread_while_it_runs(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    failures: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                session.preview(6), session.scores(6), np.asarray(session.label_map()[6])
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(3):
        list(session.propagate(exact=True))
    done.set()
    reader.join()
    assert failures == []


def test_cancel_before_the_first_frame_is_heard(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    run = session.propagate()
    session.cancel()
    with pytest.raises(Cancelled):
        list(run)


def test_numpy_numbers_are_as_good_as_plain_ones(cine: Clip, tiny_network: Network, tmp_path: Path) -> None:
    session = Session(cine, tiny_network)
    session.add_mask(np.int64(5), disc(), object_id=np.uint8(2))
    session.lock(np.array([5]))
    session.save(tmp_path / "case.vost")
    assert Session.load(tmp_path / "case.vost", source=cine, model=tiny_network).locks == {(2, 5)}
    with pytest.raises(PromptError, match="whole numbers"):
        session.add_mask(5, disc(), object_id=1.5)  # type: ignore[arg-type]  # what a user may try


def test_a_negative_click_needs_something_to_take_from(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network)
    with pytest.raises(PromptError, match="where the object is"):
        session.add_point(5, (40, 40), positive=False)
    session.add(PointPrompt(5, 1, 48, 35), PointPrompt(5, 1, 10, 10, positive=False))


def test_a_mask_of_shades_is_refused(cine: Clip, tiny_network: Network) -> None:
    with pytest.raises(PromptError, match="threshold"):
        Session(cine, tiny_network).add_mask(5, np.full((96, 80), 0.4))


def test_names_and_ranges_are_refused_at_once(cine: Clip, tiny_network: Network) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'vost-nano'"):
        Session(cine, "vost-nanoo")
    session = Session(cine, tiny_network)
    session.add_mask(5, disc())
    with pytest.raises(InputError, match="direction"):
        session.propagate(direction="sideways")  # type: ignore[arg-type]  # what a user may try
    with pytest.raises(InputError, match="0:12"):
        session.propagate(frames=(5, 50))


def test_options_stand_where_no_name_is_given(cine: Clip, tiny_network: Network) -> None:
    session = Session(cine, tiny_network, options=EngineOptions(region="full", memory="fifo"))
    assert (session.options.region, session.options.memory) == ("full", "fifo")


def test_without_overlap_every_pixel_has_one_object(cine: Clip) -> None:
    options = EngineOptions(cleanup=Cleanup(non_overlap=True))
    session = Session(cine, BrightNetwork(), options=options)
    session.add_mask(5, disc(), object_id=1)
    session.add_mask(7, disc(x=40), object_id=2)
    list(session.propagate())
    assert not session.segmentation().overlaps()


def test_sam2_semantics_never_clear_a_prompted_frame(cine: Clip) -> None:
    stack = np.asarray([cine.frame(index) for index in range(12)]) * 0
    session = Session(Clip.from_array(stack, order="depth"), BrightNetwork(), options=EngineOptions(sam2=True))
    session.add_mask(2, np.zeros((96, 80), bool))
    session.add_mask(9, disc())
    list(session.propagate())
    assert np.array_equal(session.preview(9)[1], disc())


def test_entries_of_a_sweep_have_ids_of_their_own(cine: Clip) -> None:
    session = Session(cine, BrightNetwork())
    session.add_mask(5, disc())
    ids: list[int] = []
    policy = session.engine.policy
    recall = policy.recall
    policy.recall = lambda bank, query: (
        ids.extend(  # type: ignore[method-assign]  # a spy
            one.entry_id for one in (*bank.prompted, *bank.kept)
        )
        or recall(bank, query)
    )
    list(session.propagate("forward"))
    assert len(set(ids)) == 6
    assert ids.count(max(ids)) == 1


def test_two_hundred_clicks_cost_one_answer_each(cine: Clip) -> None:
    session = Session(cine, BrightNetwork())
    looks = 0
    answer = session.engine.network.answer

    def counting(*args: object) -> object:
        nonlocal looks
        looks += 1
        return answer(*args)  # type: ignore[arg-type]  # passes on what it gets

    session.engine.network.answer = counting  # type: ignore[method-assign]  # a spy
    for number in range(200):
        session.add_point(number % 12, (48, 20 + number % 30))
    assert looks == 200
    session.add_mask(5, disc())  # its own answer: what memory makes of it is made when it is needed
    assert looks == 200
