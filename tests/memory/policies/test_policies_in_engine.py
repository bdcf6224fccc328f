"""Every policy through a session: a tiny random SAM 2 and vost-nano over a disc that moves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from napari_vost import Session
from napari_vost.clip import Clip
from napari_vost.contracts import (
    Answer,
    Choice,
    MemoryBank,
    Network,
    Observation,
    Prediction,
    Query,
    Recall,
    TrackState,
)
from napari_vost.errors import InputError
from napari_vost.memory.policies import policy_names
from napari_vost.memory.policies.phase import Phase
from napari_vost.memory.policies.tree import Tree
from napari_vost.model.nano import build_nano
from napari_vost.model.network import Sam2Network
from napari_vost.testing import BrightNetwork, tiny_sam2_model
from napari_vost.types import Image, Scores

NAMES = [name for name in policy_names() if name != "auto"]


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    return {"sam2": Sam2Network(tiny_sam2_model(), "tiny"), "nano": build_nano(96)}


@pytest.fixture(scope="module")
def disc() -> Clip:
    y, x = np.mgrid[0:64, 0:64]
    frames = [((y - 30) ** 2 + (x - 20 - t) ** 2 < 90) * 150 + 40 + (x + y) // 4 for t in range(12)]
    return Clip.from_array(np.stack(frames).astype(np.uint8), order="time")


def _follow(clip: Clip, network: Network, memory: str) -> tuple[list[Scores], np.ndarray]:
    """Scores of every frame and the label map, followed both ways from frame 2."""
    session = Session(clip, network, memory=memory, motion="none")
    session.add_mask(2, np.asarray(clip.frame(2)) > 150)
    list(session.propagate())
    return [session.ledger.kept[1, frame].scores for frame in range(len(clip))], session.label_map()


@pytest.fixture(scope="module")
def fifo(networks: dict[str, Network], disc: Clip) -> list[Scores]:
    return _follow(disc, networks["sam2"], "fifo")[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_follows_both_ways_gives_the_same_twice_and_reads_otherwise_than_fifo(
    name: str, networks: dict[str, Network], disc: Clip, fifo: list[Scores]
) -> None:
    scores, masks = _follow(disc, networks["sam2"], name)
    again, same = _follow(disc, networks["sam2"], name)
    assert scores == again
    assert np.array_equal(masks, same)
    assert (scores != fifo) == (name not in ("fifo", "phase"))  # without a periodic prior phase is fifo


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_serves_a_network_without_pointers_that_sees_a_region(
    name: str, networks: dict[str, Network], disc: Clip
) -> None:
    scores, _ = _follow(disc, networks["nano"], name)
    assert all(0 <= one.affinity <= 1 for one in scores)
    assert len({one.affinity for one in scores}) > 6


def test_previous_hands_the_mask_to_a_network_that_does_not_ask_for_it(
    networks: dict[str, Network], disc: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = networks["sam2"]
    given: list[bool] = []
    answer = type(network).answer

    def watched(self: Any, features: Any, conditioned: Any, prompts: Any, image_row: Any) -> Answer:
        given.append(prompts.mask_logits is not None)
        found: Answer = answer(self, features, conditioned, prompts, image_row)
        return found

    monkeypatch.setattr(type(network), "answer", watched)
    _follow(disc, network, "previous")
    assert given[1:] == [True] * 11  # the first is the prompted frame itself
    given.clear()
    _follow(disc, network, "quality")
    assert given[1:] == [False] * 11


class Beating:
    """A motion prior that knows where the disc is and that it beats every fourth frame."""

    name = "beating"

    def start(self, seen: Observation) -> int:
        return seen.frame_index

    def predict(self, state: int, frame_index: int, image: Image | None = None) -> Prediction:
        box = (20.0, 11.0 + frame_index, 40.0, 30.0 + frame_index)
        return Prediction(box, 280.0, phase=(frame_index + 0.5) / 4 % 1.0)

    def update(self, state: int, seen: Observation) -> int:
        return seen.frame_index


class Recording(Phase):
    """Phase that writes down which frames it reads, in order of slot."""

    reads: dict[int, list[int]]

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        recall = super().recall(bank, query)
        read = sorted(recall.entries, key=lambda one: one.slot)
        self.reads[query.frame_index] = [one.entry.frame_index for one in read]
        return recall


def test_phase_reads_the_frames_of_the_same_place_in_the_beat(networks: dict[str, Network], disc: Clip) -> None:
    session = Session(disc, networks["sam2"], motion="none")
    policy = Recording()
    policy.reads = {}
    session._engine = replace(session.engine, policy=policy, prior=Beating())
    session.add_mask(0, np.asarray(disc.frame(0)) > 150)
    list(session.propagate(direction="forward"))
    assert policy.reads[11] == [10, 7, 3, 8, 6, 4, 0]


class Counting(Tree):
    """A tree that writes down how many rows each object had."""

    rows: list[int]

    def choose(self, answer: Answer, predictions: Sequence[Prediction | None], state: TrackState) -> tuple[Choice, ...]:
        self.rows.append(len(state.rows))
        return super().choose(answer, tuple(predictions), state)


def test_the_tree_grows_to_three_rows_and_shows_the_best(networks: dict[str, Network], disc: Clip) -> None:
    session = Session(disc, networks["sam2"], memory="tree")
    policy = Counting()
    policy.rows = []
    session._engine = replace(session.engine, policy=policy)
    session.add_mask(0, np.asarray(disc.frame(0)) > 150)
    session.add_mask(0, np.asarray(disc.frame(0)) < 60, object_id=2)
    results = list(session.propagate(direction="forward"))
    assert policy.rows[:3] == [2, 2, 6]
    assert all(set(result.masks) == {1, 2} for result in results)


def test_a_session_refuses_a_policy_that_its_network_cannot_serve(disc: Clip) -> None:
    session = Session(disc, BrightNetwork(), memory="tree")
    with pytest.raises(InputError, match="needs 2 or more"):
        session.add_mask(0, np.asarray(disc.frame(0)) > 150)


def test_memory_of_a_policy_that_reads_shares_is_told_them(networks: dict[str, Network], disc: Clip) -> None:
    session = Session(disc, networks["nano"], memory="restricted")
    seen: list[dict[int, tuple[float, ...]]] = []
    policy = session.engine.policy
    observe = policy.observe

    def watched(bank: Any, read: Any) -> Any:
        after = observe(bank, read)
        seen.append(dict(after.notes))
        return after

    policy.observe = watched  # type: ignore[method-assign]
    session.add_mask(0, np.asarray(disc.frame(0)) > 150)
    list(session.propagate())
    assert len(seen[-1]) == 8
    assert all(0 < share < 1 for share, _ in seen[-1].values())
    assert torch.tensor([share for share, _ in seen[-1].values()]).sum() <= 1
