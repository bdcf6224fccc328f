"""A click that may come is answered before it comes: at once if it does, and without a trace if it does not."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
from torch import Tensor

from napari_vost import Session
from napari_vost.clip import Clip
from napari_vost.contracts import Answer, ImageFeatures, PromptTensors
from napari_vost.errors import Cancelled, InputError, PromptError
from napari_vost.model.loading import load_network
from napari_vost.seeding import Seed
from napari_vost.testing import BrightNetwork
from napari_vost.types import PointPrompt

ON, OFF, BESIDE = PointPrompt(5, 1, 48.0, 35.0, True), PointPrompt(5, 1, 48.0, 41.0, False), (10.0, 70.0)


class Counting(BrightNetwork):
    """It counts what it is asked."""

    asked = 0

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        self.asked += 1
        return super().answer(features, conditioned, prompts, image_row)


def seeds(session: Session) -> list[Seed]:
    """What stands on prompted frames."""
    return session._seeds.seeds(session.engine, session.frame_view, 1)


@pytest.fixture
def network() -> Counting:
    return Counting()


@pytest.fixture
def session(cine: Clip, network: Counting) -> Session:
    return Session(cine, network)


def test_a_click_that_was_answered_ahead_is_answered_at_once(session: Session, network: Counting) -> None:
    session.answer_ahead(ON)
    asked = network.asked
    assert asked and session.prompts == () and session.ledger.kept == {} and session.undo() is None
    session.add(ON)
    assert network.asked == asked and session.preview(5)[1][48, 35]
    session.answer_ahead(OFF)  # one that refines it
    asked = network.asked
    session.add(OFF)
    assert network.asked == asked and not session.preview(5)[1][48, 41]


def test_only_what_was_answered_is_known(session: Session, network: Counting) -> None:
    session.answer_ahead(ON)
    for other in (
        PointPrompt(5, 1, 48.0, 36.0, True),
        PointPrompt(6, 1, 48.0, 35.0, True),
        PointPrompt(5, 2, 48.0, 35.0),
    ):
        asked = network.asked
        session.add(other)
        assert network.asked > asked
        session.undo()


@pytest.mark.parametrize("step", ["undo of the run", "paint"])
def test_what_has_come_between_is_heeded(session: Session, network: Counting, step: str) -> None:
    session.add_point(8, (48, 38))
    list(session.propagate())
    session.answer_ahead(ON)
    if step == "paint":
        session.paint({(1, 5): np.eye(96, 80, dtype=bool)})
    else:
        session.undo()  # there is no mask to correct any more
    asked = network.asked
    session.add(ON)
    assert network.asked > asked


@pytest.mark.parametrize("parts", [{"memory": "fifo"}, {"motion": "none"}, {"window": "0:200"}])
def test_an_engine_of_other_parts_answers_anew(session: Session, network: Counting, parts: dict[str, str]) -> None:
    session.answer_ahead(ON)
    session.use(**parts)
    asked = network.asked
    session.add(ON)
    assert network.asked > asked


def test_it_is_refused_as_the_click_would_be(session: Session) -> None:
    for wrong in (PointPrompt(99, 1, 48.0, 35.0), PointPrompt(5, 1, 480.0, 35.0), PointPrompt(0, 1, *BESIDE, False)):
        with pytest.raises(PromptError):
            session.answer_ahead(wrong)


def test_it_may_come_between_two_frames_of_a_run(session: Session, network: Counting, cine: Clip) -> None:
    plain = Session(cine, BrightNetwork())
    for one in (plain, session):
        one.add(ON)
        walk = one.propagate()
        for _ in range(3):
            next(walk)
        if one is session:
            session.answer_ahead(OFF)
        walk.close()
    asked = network.asked
    session.add(OFF)
    assert network.asked == asked
    plain.add(OFF)
    assert [seed.entry.entry_id for seed in seeds(session)] == [seed.entry.entry_id for seed in seeds(plain)]
    assert np.array_equal(session.label_map(dense=True), plain.label_map(dense=True))


def test_it_ends_between_two_looks_when_it_is_told_to(session: Session, network: Counting) -> None:
    with pytest.raises(Cancelled):
        session.answer_ahead(ON, lambda: True)
    assert network.asked == 0
    session.cancel()  # of a run that is none: what the user asks is answered all the same
    session.add(ON)
    assert session.preview(5)[1].any()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_answered_ahead_the_masks_are_the_same_bit_for_bit(cine: Clip, seed: int) -> None:
    network = load_network("vost-nano")
    plain, ahead = Session(cine, network), Session(cine, network)
    chance, other = random.Random(seed), random.Random(seed)

    def click() -> PointPrompt:
        frame = chance.randrange(12)
        y, x = 48.0 + chance.randrange(-14, 15), 30.0 + frame + chance.randrange(-14, 15)
        return PointPrompt(frame, chance.randint(1, 2), y, x, chance.random() < 0.7)

    clicks = [click() for _ in range(5)]  # few, so that some come true, at once or later
    for _ in range(20):
        kind, prompt = chance.random(), chance.choice(clicks)
        try:
            ahead.answer_ahead(chance.choice(clicks))
        except InputError:
            pass
        for session in (plain, ahead):
            try:
                if kind < 0.55:
                    session.add(prompt)
                elif kind < 0.65:
                    session.undo()
                elif kind < 0.72:
                    session.redo()
                elif kind < 0.8:
                    session.not_here(prompt.frame_index, prompt.object_id)
                elif kind < 0.88:
                    session.accept(prompt.frame_index, prompt.object_id)
                else:
                    for _ in session.propagate():
                        if session is ahead and other.random() < 0.3:
                            try:
                                ahead.answer_ahead(other.choice(clicks))
                            except InputError:
                                pass
            except InputError:
                pass
        assert plain.prompts == ahead.prompts
        assert np.array_equal(plain.label_map(dense=True), ahead.label_map(dense=True))
        assert [plain.scores(one) for one in range(12)] == [ahead.scores(one) for one in range(12)]
