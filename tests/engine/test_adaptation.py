"""Adaptation with tiny random networks: what changes, what never does, and when it is refused."""

import sqlite3
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import napari_vost.adaptation as adaptation
from napari_vost import Session
from napari_vost.adaptation import Fitter, Recipe, known_frames, weights_of, with_weights
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.engine import EngineOptions
from napari_vost.errors import Cancelled, InputError, SessionError, VostWarning, WeightsError
from napari_vost.model.nano import build_nano
from napari_vost.rehearsal import Known, dice, ending_walk, made_walk
from napari_vost.testing import BrightNetwork

LONG = 600.0  # seconds that a few steps never take


@pytest.fixture(scope="module")
def network() -> Network:
    return build_nano(32, seed=1)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One made-up walk per frame instead of six."""
    monkeypatch.setattr("napari_vost.session.Recipe", partial(Recipe, made=1, judged=1))


def disc(x: int = 35) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - 48) ** 2 + (columns - x) ** 2 < 150


@pytest.fixture
def session(cine: Clip, network: Network) -> Session:
    """Three painted frames of the disc that the cine holds."""
    session = Session(cine, network)
    for frame in (2, 5, 8):
        session.add_mask(frame, disc(30 + frame))
    list(session.propagate())
    return session


def state(network: Network) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.module().state_dict().items()}


def accept_all(monkeypatch: pytest.MonkeyPatch, gain: float = -2.0) -> None:
    monkeypatch.setattr(adaptation, "GAIN", gain)
    monkeypatch.setattr(adaptation, "MADE_GAIN", gain)
    monkeypatch.setattr(adaptation, "LEAK", 1.0)


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", ["nano", "sam2"])
def test_at_most_100_000_numbers_are_adapted_and_all_others_are_shared(kind: str, tiny_network: Network) -> None:
    network = build_nano(128) if kind == "nano" else tiny_network
    own = set(network.adaptable())
    copied = dict(network.fork().module().named_parameters())
    assert 1_000 < sum(copied[name].numel() for name in own) <= 100_000
    for name, value in network.module().named_parameters():
        assert (copied[name].data_ptr() != value.data_ptr()) == copied[name].requires_grad == (name in own)


@pytest.mark.parametrize("kind", ["nano", "sam2"])
def test_features_and_memory_do_not_depend_on_what_is_adapted(kind: str, tiny_network: Network) -> None:
    network = build_nano(128) if kind == "nano" else tiny_network
    other = with_weights(network, {name: value + 1 for name, value in weights_of(network).items()})
    images = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    masks, row = torch.ones(1, 1, 32, 32), torch.tensor([0])
    made = []
    with torch.no_grad():
        for one in (network, other):
            seen = one.see(images)
            made.append((*seen.levels, one.remember(seen, masks, torch.ones(1), row > 0, row).tokens))
    assert all(torch.equal(a, b) for a, b in zip(*made, strict=True))
    assert other.fingerprint != network.fingerprint


@pytest.mark.parametrize("kind", ["nano", "sam2"])
def test_fitting_lowers_the_loss_of_what_is_practised(
    kind: str, cine: Clip, network: Network, tiny_network: Any
) -> None:
    session = Session(cine, network if kind == "nano" else tiny_network)
    session.add_mask(5, disc())
    recipe = Recipe(rate=1e-2, steps=25, made=1)
    fitter = Fitter(session.engine, session.frame_view, recipe, LONG, lambda share: None)
    walk = made_walk(known_frames(session.ledger, session.frame_view)[0], np.random.default_rng(0))
    fitted, steps = fitter._fit([walk], LONG)
    assert steps == 25
    before, after = (sum(fitter._judge(one, [walk], LONG)) for one in (session.engine.network, fitted))
    assert after > before + 0.3


def test_accepted_weights_are_used_and_nothing_else_changes(
    session: Session, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_all(monkeypatch)
    weights, kept, fingerprint = state(network), dict(session.ledger.kept), session.network_fingerprint
    steps = len(session.ledger.done)
    found = session.adapt(LONG, steps=2)
    assert found.accepted and found.steps == 2 and found.frames == (2, 5, 8)
    assert found.parameters == sum(value.numel() for value in weights_of(network).values()) <= 100_000
    assert session.network_fingerprint not in ("", fingerprint)
    assert equal(state(network), weights)
    assert session.ledger.kept == kept and len(session.ledger.done) == steps
    used = state(session.engine.network)
    changed = {name for name in used if not torch.equal(used[name], weights[name])}
    assert changed and changed <= set(network.adaptable())


def test_after_it_everything_but_painted_and_locked_frames_is_followed_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_all(monkeypatch)
    session.lock([10])
    held = {frame: session.preview(frame)[1] for frame in (2, 5, 8, 10)}
    session.adapt(LONG, steps=3)
    reached = {result.frame_index for result in session.propagate()}
    assert reached == set(range(12))
    assert all(np.array_equal(session.preview(frame)[1], mask) for frame, mask in held.items())
    assert all(seed.entry.network == session.network_fingerprint for seed in seeds(session))


def seeds(session: Session) -> list[Any]:
    return session._seeds.seeds(session.engine, session.frame_view, 1)


def test_a_refused_adaptation_leaves_the_session_as_it_was(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_all(monkeypatch, gain=2.0)
    weights, kept, engine = state(session.engine.network), dict(session.ledger.kept), session.engine
    again = [result.frame_index for result in session.propagate()]
    found = session.adapt(LONG, steps=2)
    assert not found.accepted and found.steps == 2
    assert session.engine is engine and equal(state(engine.network), weights)
    assert session.ledger.kept == kept and session.fitted is None
    assert [result.frame_index for result in session.propagate()] == again
    assert session.ledger.kept == kept


def test_the_gain_decides_between_acceptance_and_refusal(session: Session) -> None:
    found = session.adapt(LONG, steps=3)
    assert found.before is not None and found.after is not None
    gained = found.after - found.before >= 0.01 and (found.leaked is None or found.leaked <= 0.2)
    assert found.accepted == gained == (session.fitted is not None)


@pytest.mark.parametrize(("after", "frames", "accepted"), [(0.53, 1, False), (0.56, 1, True), (0.53, 2, True)])
def test_made_up_walks_of_one_frame_must_promise_more(
    cine: Clip, network: Network, monkeypatch: pytest.MonkeyPatch, after: float, frames: int, accepted: bool
) -> None:
    monkeypatch.setattr(Fitter, "_leak", lambda self, network: None)
    monkeypatch.setattr(Fitter, "_trial", lambda self, walks, held, until: ([(0.5, after)], self._engine.network, 1))
    session = Session(cine, network)
    for frame in (2, 5)[:frames]:
        session.add_mask(frame, disc(30 + frame))
    list(session.propagate())
    assert session.adapt(LONG, steps=1).accepted is accepted


def test_what_paints_behind_the_ends_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_all(monkeypatch)
    monkeypatch.setattr(Fitter, "_leak", lambda self, network: 0.6)
    assert session.adapt(LONG, steps=1).accepted
    monkeypatch.setattr(adaptation, "LEAK", 0.5)
    session.reset_adaptation()
    assert not session.adapt(LONG, steps=1).accepted and session.fitted is None


def test_a_walk_over_an_end_stops_where_nothing_was_found_for_four_frames() -> None:
    frames = np.zeros((12, 96, 80), np.uint8)
    frames[:5, disc()] = 200
    session = Session(Clip.from_array(frames), BrightNetwork())
    source = Known(session.frame_view(2), {1: disc()})
    walk = ending_walk(session.engine, source, map(session.frame_view, range(3, 12)))
    assert walk is not None
    assert [(step.frame.frame_index, list(step.masks)) for step in walk.steps] == [
        (3, []), (4, []), (5, [1]), (6, [1]), (7, [1]), (8, [1])
    ]  # fmt: skip
    assert not any(mask.any() for step in walk.steps for mask in step.masks.values())
    assert dice(session.engine, walk) == [1.0] * 4
    assert ending_walk(session.engine, source, [session.frame_view(3)]) is None


def test_the_same_seed_gives_the_same_weights(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_all(monkeypatch)
    made = []
    for seed in (0, 0, 1):
        found = session.adapt(LONG, steps=3, seed=seed)
        made.append((found.before, found.after, session.network_fingerprint))
    assert made[0] == made[1] and made[0][2] != made[2][2]


def test_going_back_restores_the_models_own_weights(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_all(monkeypatch)
    own = session.network_fingerprint
    before = np.asarray(session.label_map())
    session.adapt(LONG, steps=3)
    list(session.propagate())
    session.reset_adaptation()
    assert session.network_fingerprint == own and session.fitted is None
    list(session.propagate())
    assert np.array_equal(np.asarray(session.label_map()), before)
    session.reset_adaptation()


def test_one_click_is_nothing_to_adapt_to_until_its_answer_is_locked(cine: Clip, network: Network) -> None:
    session = Session(cine, network)
    with pytest.raises(InputError, match="nothing to adapt to"):
        session.adapt(LONG, steps=1)
    session.add_box(5, (36, 20, 60, 50))
    with pytest.raises(InputError, match="nothing to adapt to"):
        session.adapt(LONG, steps=1)
    if session.preview(5)[1].any():
        session.lock(5)
        assert session.adapt(LONG, steps=1).frames == (5,)


def test_painted_corrected_and_locked_frames_are_certain_and_empty_ones_are_not(cine: Clip) -> None:
    session = Session(cine, BrightNetwork())
    session.add_mask(2, disc(32))
    session.add_mask(11, np.zeros((96, 80), bool))
    session.add_point(0, (48, 30), object_id=2)
    list(session.propagate())
    session.add_point(5, (48, 35))  # corrects a frame that was followed
    session.lock(7, object_id=2)
    known = known_frames(session.ledger, session.frame_view)
    assert [(one.frame.frame_index, tuple(one.masks)) for one in known] == [(2, (1,)), (5, (1,)), (7, (2,))]
    with pytest.raises(InputError, match="bright has nothing"):
        session.adapt()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "long"])
def test_seconds_that_make_no_sense_are_refused(session: Session, seconds: Any) -> None:
    with pytest.raises(InputError, match="seconds above 0"):
        session.adapt(seconds)
    with pytest.raises(InputError, match="whole number of steps"):
        session.adapt(LONG, steps=0)


def test_too_little_time_is_no_gain(session: Session) -> None:
    found = session.adapt(1e-6)
    assert not found.accepted and found.before is None and found.after is None and found.steps == 0


def test_the_time_ends_it_long_before_the_steps_do(session: Session) -> None:
    found = session.adapt(1.5, steps=10_000_000)
    assert found.seconds < LONG / 10 and found.steps < 10_000_000


def test_cancelling_leaves_the_session_as_it_was(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_all(monkeypatch)
    own = session.network_fingerprint
    session.adapting.connect(lambda share: session.cancel())
    with pytest.raises(Cancelled):
        session.adapt(LONG, steps=1000)
    assert session.network_fingerprint == own and session.fitted is None
    assert session.undo() == "follow"  # nothing is locked up


def test_progress_rises_to_one(session: Session) -> None:
    told: list[float] = []
    session.adapting.connect(told.append)
    session.adapt(LONG, steps=2)
    assert len(told) == 4 * 2 + 1 and told == sorted(told) and told[-1] == 1.0


def test_propagation_and_adaptation_wait_for_each_other(session: Session) -> None:
    run = session.propagate(exact=True)
    next(run)
    with pytest.raises(InputError, match="A propagation is running"):
        session.adapt()
    run.close()
    refused: list[str] = []

    def meddle(share: float) -> None:
        try:
            session.add_point(3, (48, 33))
        except InputError as error:
            refused.append(str(error))

    session.adapting.connect(meddle)
    worker = threading.Thread(target=lambda: session.adapt(LONG, steps=1))
    worker.start()
    worker.join()
    assert refused and "An adaptation is running" in refused[0]


def test_a_saved_session_goes_on_with_its_adapted_weights(
    session: Session, cine: Clip, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_all(monkeypatch)
    session.adapt(LONG, steps=3)
    session.save(tmp_path / "case.vost")
    opened = Session.load(tmp_path / "case.vost", source=cine, model=network)
    assert opened.network_fingerprint == session.network_fingerprint
    assert equal(state(opened.engine.network), state(session.engine.network))
    for one in (session, opened):
        list(one.propagate())
    assert opened.ledger.kept == session.ledger.kept
    opened.reset_adaptation()
    assert opened.network_fingerprint == network.fingerprint


def test_adapted_weights_are_left_out_beside_another_model(
    session: Session, cine: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_all(monkeypatch)
    session.adapt(LONG, steps=1)
    session.save(tmp_path / "case.vost")
    opened = Session.load(tmp_path / "case.vost", source=cine, model=build_nano(32, seed=2))
    with pytest.warns(VostWarning, match="adapt it again"):
        assert opened.engine.network.fingerprint == build_nano(32, seed=2).fingerprint
    assert opened.fitted is None


def test_files_of_version_1_still_open_and_damaged_weights_are_refused(
    session: Session, cine: Clip, network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "case.vost"
    session.save(path)
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO adapted VALUES ('abc', x'0102')")
    with pytest.raises(SessionError, match="adapted weights cannot be read"):
        Session.load(path, source=cine, model=network)
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE adapted")
        database.execute("PRAGMA user_version = 1")
    opened = Session.load(path, source=cine, model=network)
    assert opened.fitted is None and opened.ledger.kept == session.ledger.kept


def test_weights_of_another_network_are_refused(network: Network) -> None:
    weights = dict(weights_of(network))
    weights.pop(next(iter(weights)))
    with pytest.raises(WeightsError, match="adapt the session again"):
        with_weights(network, weights)


def test_a_made_walk_moves_image_and_mask_together(cine: Clip) -> None:
    """On a disc that is brighter than all around it, the bright pixels of every made frame are its mask."""
    session = Session(cine, BrightNetwork(), options=EngineOptions(window="auto"))
    clear = np.where(disc(), 200, 20).astype(np.uint8)
    known = Known(replace(session.frame_view(5), image=clear), {1: disc()})
    walk = made_walk(known, np.random.default_rng(3))
    assert [step.frame.frame_index for step in walk.steps] == [6, 7, 8]
    assert not np.array_equal(walk.steps[-1].masks[1], disc())
    assert min(dice(session.engine, walk)) > 0.9
