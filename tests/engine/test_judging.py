"""A judge sees every followed answer on its image, beside what the user showed in this clip."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from napari_vost import Session
from napari_vost.benchmark.exhibits import Recorder
from napari_vost.benchmark.witness import Exam, witness
from napari_vost.contracts import Exhibit
from napari_vost.engine import EngineOptions
from napari_vost.judging import portrait
from napari_vost.model.nano import NanoNetwork
from napari_vost.phantoms.simple import Phantom, moving_disc_cine
from napari_vost.types import Region


class Strict:
    """A judge whose verdicts tell its answers apart, in the order in which they come."""

    def __init__(self) -> None:
        self.asked = 0

    def judge(self, exhibits: Sequence[Exhibit]) -> list[float]:
        self.asked += len(exhibits)
        return [-5.0 - index for index in range(len(exhibits))]


@pytest.fixture
def network() -> NanoNetwork:
    torch.manual_seed(0)
    return NanoNetwork(64).eval()


@pytest.fixture
def phantom() -> Phantom:
    return moving_disc_cine(frames=6)


def recorded(network: NanoNetwork) -> Recorder:
    recorder = Recorder()
    network.calibrate(None, recorder)
    return recorder


def test_a_judge_sees_the_answer_and_the_prompted_frame(network: NanoNetwork, phantom: Phantom) -> None:
    recorder = recorded(network)
    session = Session(phantom.clip(), network, options=EngineOptions(region="full"))
    session.add_mask(1, phantom.mask(1, 1))
    for result in session.propagate("forward"):
        if result.frame_index == 1:
            continue
        (exhibit,) = recorder.seen
        assert exhibit.evidence.distance == result.frame_index - 1
        assert float(exhibit.shown_mask.mean()) == pytest.approx(phantom.mask(1, 1).mean(), abs=0.01)
        unit = phantom.image[result.frame_index].astype(float)
        assert np.corrcoef(exhibit.image.flatten(), _shrunk(unit).flatten())[0, 1] > 0.95
        shown = phantom.image[1].astype(float)
        assert np.corrcoef(exhibit.shown_image.flatten(), _shrunk(shown).flatten())[0, 1] > 0.95


def _shrunk(image: np.ndarray) -> np.ndarray:
    whole = torch.from_numpy(image)[None, None].float()
    return torch.nn.functional.interpolate(whole, (64, 64), mode="bilinear", antialias=True)[0, 0].numpy()


def test_of_several_prompted_frames_the_nearest_is_shown(network: NanoNetwork, phantom: Phantom) -> None:
    recorder = recorded(network)
    session = Session(phantom.clip(), network, options=EngineOptions(region="full"))
    small, large = phantom.mask(1, 0), np.zeros_like(phantom.mask(1, 0))
    large[4:40, 4:40] = True
    session.add_mask(0, small)
    session.add_mask(5, large)
    seen = {}
    for result in session.propagate():
        if result.frame_index not in (0, 5):
            seen[result.frame_index] = float(recorder.seen[0].shown_mask.mean())
    assert seen[1] == pytest.approx(small.mean(), abs=0.01)
    assert seen[4] == pytest.approx(large.mean(), abs=0.01)


def test_every_object_gets_its_own_verdict(network: NanoNetwork, phantom: Phantom) -> None:
    judge = Strict()
    network.calibrate(None, judge)
    session = Session(phantom.clip(), network, options=EngineOptions(region="full"))
    session.add_mask(0, phantom.mask(1, 0), object_id=1)
    session.add_mask(0, phantom.mask(1, 0)[::-1].copy(), object_id=2)
    frames = [result.frame_index for result in session.propagate()]
    assert judge.asked == 2 * (len(frames) - 1)


def test_a_frame_without_the_object_shows_nothing(network: NanoNetwork, phantom: Phantom) -> None:
    recorder = recorded(network)
    session = Session(phantom.clip(), network, options=EngineOptions(region="full"))
    session.add_mask(0, phantom.mask(1, 0))
    session.add_mask(3, np.zeros_like(phantom.mask(1, 0)))
    for result in session.propagate():
        if result.frame_index in (4, 5):
            assert float(recorder.seen[0].shown_mask.mean()) == pytest.approx(phantom.mask(1, 0).mean(), abs=0.01)


def test_without_a_judge_nothing_is_painted_for_one(network: NanoNetwork, phantom: Phantom) -> None:
    session = Session(phantom.clip(), network)
    frame, mask = session.frame_view(0), phantom.mask(1, 0)
    assert portrait(session.engine, frame, Region.full(*mask.shape), mask) is None
    recorded(network)
    made = portrait(session.engine, frame, Region.full(*mask.shape), mask)
    assert made is not None
    assert made.shape == (2, 64, 64)
    assert portrait(session.engine, frame, Region.full(*mask.shape), np.zeros_like(mask)) is None


def test_what_the_judge_says_becomes_evidence(network: NanoNetwork, phantom: Phantom) -> None:
    network.calibrate(None, Strict())
    session = Session(phantom.clip(), network, options=EngineOptions(region="full"))
    exam = Exam({1: phantom.labels == 1}, {1: 0}, range(1, 4), "mask")
    assert [one.evidence.judged for one in witness(session, exam)] == [-5.0] * 3
