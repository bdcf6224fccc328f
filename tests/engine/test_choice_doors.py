"""Other models, policies, devices and windows midway: prompts and masks stay, and what follows is as if made so."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_vost.adaptation import Fitted
from napari_vost.autosave import Autosave
from napari_vost.choice_doors import out_of_memory
from napari_vost.clip import Clip, Window
from napari_vost.contracts import ImageFeatures, Network
from napari_vost.errors import InputError, UnknownName, VostWarning, WeightsError
from napari_vost.model.nano import build_nano
from napari_vost.model.network import Sam2Network
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork, tiny_sam2_model


class Counting(BrightNetwork):
    """It counts the images that it has seen."""

    def __init__(self) -> None:
        super().__init__(96)
        self.seen = 0

    def see(self, images: Tensor) -> ImageFeatures:
        self.seen += len(images)
        return super().see(images)


class Hungry(Counting):
    """Once it is told so, it runs on a device without memory, until it is moved to the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.place = torch.device("cpu")
        self.error: Exception = MemoryError()
        owner = self

        class Module(nn.Module):
            def to(self, device: Any) -> "Module":  # type: ignore[override]  # the one form that is used
                owner.place = torch.device(device)
                return self

        self._hungry = Module()

    @property
    def device(self) -> torch.device:
        return self.place

    def module(self) -> nn.Module:
        return self._hungry

    def see(self, images: Tensor) -> ImageFeatures:
        if self.place.type != "cpu":
            raise self.error
        return super().see(images)


@pytest.fixture(scope="module")
def other_network() -> Sam2Network:
    return Sam2Network(tiny_sam2_model(seed=5), "other")


@pytest.fixture
def grey() -> Clip:
    """Twelve frames of 16 bit: a disc of 1000 on 0, beside one of 300."""
    y, x = np.mgrid[0:96, 0:80]
    frames = [((y - 30) ** 2 + (x - 20 - t) ** 2 < 100) * 1000 + ((y - 70) ** 2 + (x - 40) ** 2 < 150) * 300
              for t in range(12)]  # fmt: skip
    return Clip.from_array(np.stack(frames).astype(np.int16), order="time")


def follow(session: Session) -> None:
    for _ in session.propagate():
        pass


def masks(session: Session) -> np.ndarray:
    return np.asarray(session.label_map(dense=True))


def square() -> np.ndarray:
    mask = np.zeros((96, 80), bool)
    mask[40:60, 20:50] = True
    return mask


def test_another_model_changes_no_mask_and_then_follows_as_if_it_had_been_there_from_the_start(
    cine: Clip, tiny_network: Network, other_network: Network
) -> None:
    session, alone = Session(cine, tiny_network), Session(cine, other_network)
    for one in (session, alone):
        one.add_box(4, (34, 20, 62, 50))
        one.add_point(8, (48, 38), object_id=2)
    follow(session)
    before, prompts = masks(session), session.prompts
    session.use(model=other_network)
    assert np.array_equal(masks(session), before) and session.prompts == prompts
    assert session.model == "other" and session.network_fingerprint == other_network.fingerprint
    follow(session)
    follow(alone)
    assert np.array_equal(masks(session), masks(alone)) and not np.array_equal(masks(session), before)
    assert session.undo() == "follow"
    assert np.array_equal(masks(session), before)


def test_what_was_painted_or_locked_stays_bit_for_bit(
    cine: Clip, tiny_network: Network, other_network: Network
) -> None:
    session = Session(cine, tiny_network)
    session.add_point(2, (48, 32))
    session.paint({(1, 6): square()})
    follow(session)
    session.lock([2, 9])
    before = masks(session)
    session.use(model=other_network)
    follow(session)
    assert np.array_equal(masks(session)[[2, 6, 9]], before[[2, 6, 9]])


def test_memory_and_motion_change_what_is_chosen_and_no_frame_is_seen_again(cine: Clip) -> None:
    network = Counting()
    session = Session(cine, network)
    session.add_point(5, (48, 35))
    follow(session)
    assert network.seen == len(cine)
    session.use(memory="tiered", motion="kalman")
    assert (session.chosen.memory, session.chosen.motion) == ("tiered", "kalman")
    follow(session)
    assert network.seen == len(cine)
    session.use(memory="auto", motion="auto")
    assert session.chosen.memory_reason and session.chosen.motion_reason


def test_after_a_switch_every_frame_is_followed_again(cine: Clip) -> None:
    session = Session(cine, BrightNetwork(96))
    session.add_point(5, (48, 35))
    follow(session)
    session.use(memory="tiered")
    assert {result.frame_index for result in session.propagate()} == set(range(12))


def test_another_window_is_what_the_network_sees_from_then_on(grey: Clip) -> None:
    network = Counting()
    session = Session(grey, network)
    session.add_point(3, (30, 23))
    follow(session)
    assert not masks(session)[:, 70, 40].any()
    session.use(window="0:400")
    assert session.engine.window == Window(0.0, 400.0, "0:400")
    follow(session)
    assert network.seen == 2 * len(grey)
    assert masks(session)[:, 70, 40].all()


def test_the_same_names_again_change_nothing(cine: Clip) -> None:
    network = Counting()
    session = Session(cine, network)
    session.add_point(5, (48, 35))
    follow(session)
    engine = session.engine
    session.use(model="bright", memory="auto", device="auto", window="auto", adapter="none")
    assert session.engine is engine


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        ({"model": "vost-nan"}, UnknownName, "Did you mean 'vost-nano'"),
        ({"memory": "fiffo"}, UnknownName, "Did you mean 'fifo'"),
        ({"motion": "kallman"}, UnknownName, "Did you mean 'kalman'"),
        ({"device": "gpu"}, UnknownName, "Unknown device 'gpu'"),
        ({"adapter": "lora"}, UnknownName, "Unknown adapter 'lora'"),
        ({"region": "half"}, UnknownName, "Unknown region 'half'"),
        ({"window": "lungs"}, UnknownName, "Did you mean 'lung'"),
        ({"window": "200:100"}, InputError, "the first is smaller, got '200:100'"),
        ({"memory": "tree"}, InputError, "needs 2 or more"),
        ({"model": "sam2.1-tiny"}, WeightsError, "was not accepted"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_changes(
    cine: Clip, words: dict[str, Any], error: type[Exception], says: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path))
    monkeypatch.setenv("NAPARI_VOST_CACHE", str(tmp_path))
    session = Session(cine, BrightNetwork(96))
    session.add_point(5, (48, 35))
    engine, options = session.engine, session.options
    with pytest.raises(error, match=says):
        session.use(**words)
    assert session.engine is engine and session.options == options and session.model == "bright"
    follow(session)
    assert masks(session).any(axis=(1, 2)).all()


def test_it_is_refused_while_frames_are_followed_and_for_who_may_only_read(cine: Clip) -> None:
    session = Session(cine, BrightNetwork(96))
    session.add_point(5, (48, 35))
    run = session.propagate()
    next(run)
    with pytest.raises(InputError, match="propagation is running"):
        session.use(memory="fifo")
    run.close()
    session.read_only = "This case is somebody else's."
    with pytest.raises(InputError, match="somebody else's"):
        session.use(memory="fifo")


def test_a_switch_is_in_the_file_and_says_nothing_when_it_is_opened(cine: Clip, tmp_path: Path) -> None:
    session = Session(cine, BrightNetwork(96))
    session.add_point(5, (48, 35))
    session.use(model="vost-nano", memory="fifo", motion="regression", window="10.5:99", region="full")
    session.save(tmp_path / "case.vost")
    with warnings.catch_warnings():
        warnings.simplefilter("error", VostWarning)
        opened = Session.load(tmp_path / "case.vost", source=cine)
        assert opened.model == "vost-nano" and opened.engine.network.traits.name == "vost-nano"
    assert (opened.chosen.memory, opened.chosen.motion) == ("fifo", "regression")
    assert opened.engine.window == Window(10.5, 99.0, "10.5:99") and opened.engine.region == "full"


def test_a_switch_saves_itself(cine: Clip, tmp_path: Path) -> None:
    session = Session(cine, BrightNetwork(96))
    with Autosave(session, tmp_path / "case.vost") as autosave:
        session.add_point(5, (48, 35))
        assert autosave.flush()
        session.use(memory="tiered", window="0:99")
        assert autosave.flush()
    opened = Session.load(tmp_path / "case.vost", source=cine, model=BrightNetwork(96))
    assert (opened.options.memory, opened.options.window) == ("tiered", "0:99")
    assert opened.undo() == "prompt" and opened.undo() is None  # a switch is no step


def test_a_wanted_switch_is_no_reason_for_a_warning_and_other_weights_of_one_name_are_one_reason_once(
    cine: Clip, tiny_network: Network, other_network: Network, tmp_path: Path
) -> None:
    session = Session(cine, tiny_network)
    session.add_point(5, (48, 35))
    session.save(tmp_path / "case.vost")
    with warnings.catch_warnings():
        warnings.simplefilter("error", VostWarning)
        for load in ({"model": other_network}, {"model": tiny_network}):
            opened = Session.load(tmp_path / "case.vost", source=cine, **load)
            opened.add_point(7, (48, 37))
        opened.use(model=other_network)
        opened.use(memory="fifo")
        follow(opened)
    same_name = Sam2Network(tiny_sam2_model(seed=5), "tiny")
    opened = Session.load(tmp_path / "case.vost", source=cine, model=same_name)
    with pytest.warns(VostWarning, match="other weights of tiny"):
        opened.add_point(7, (48, 37))
    with warnings.catch_warnings():
        warnings.simplefilter("error", VostWarning)
        opened.use(memory="fifo")


def test_a_file_that_names_a_model_that_is_not_here_can_be_gone_on_with_another_one(
    cine: Clip, tiny_network: Network, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path))
    monkeypatch.setenv("NAPARI_VOST_CACHE", str(tmp_path))
    session = Session(cine, tiny_network)
    session.add_point(5, (48, 35))
    session.model = "sam2.1-tiny"
    session.save(tmp_path / "case.vost")
    opened = Session.load(tmp_path / "case.vost", source=cine)
    with pytest.raises(WeightsError):
        opened.add_point(7, (48, 37))
    opened.use(model=BrightNetwork(96))
    opened.add_point(7, (48, 37))
    follow(opened)
    assert masks(opened)[:, 48, 38].any()


def test_adapted_weights_go_with_another_model_and_stay_with_another_memory(cine: Clip) -> None:
    network = build_nano(32, seed=1)
    named = dict(network.module().named_parameters())
    weights = {name: named[name].detach().clone() + 0.1 for name in network.adaptable()}
    session = Session(cine, network)
    session.fitted = Fitted(weights, network.fingerprint)
    session.add_point(5, (48, 35))
    assert session.network_fingerprint != network.fingerprint
    session.use(memory="fifo")
    assert session.fitted is not None and session.network_fingerprint != network.fingerprint
    told = []
    session.adapted.connect(lambda: told.append(1))
    session.use(model=BrightNetwork(96))
    assert session.fitted is None and told == [1] and session.network_fingerprint == "bright"


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("no"), RuntimeError("CUDA error: out of memory"), MemoryError()]
)
def test_a_device_without_memory_is_left_for_the_cpu_and_all_that_was_done_is_kept(
    grey: Clip, error: Exception
) -> None:
    network = Hungry()
    session = Session(grey, network)
    session.add_point(5, (30, 25))
    follow(session)
    before = masks(session)
    session.use(window="0:400")
    network.place, network.error = torch.device("meta"), error
    for work in (lambda: follow(session), lambda: session.add_point(8, (30, 28))):
        with pytest.raises(type(error)) as raised:
            work()
        assert out_of_memory(raised.value)
        assert np.array_equal(masks(session), before) and len(session.prompts) == 1
    assert "ran out of memory" in session.relieve() and network.place.type == "cpu"
    session.add_point(8, (30, 28))
    follow(session)
    assert masks(session)[:, 70, 40].all()
    assert session.relieve() == ""


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    assert not out_of_memory(RuntimeError("shapes do not match")) and not out_of_memory(ValueError("out of memory"))
