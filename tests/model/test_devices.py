from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from napari_vost.errors import InputError, UnknownName
from napari_vost.model import devices


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine with as many CUDA devices as is said, and Apple's GPU or not."""
    has = SimpleNamespace(cuda=0, mps=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has.cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: has.cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has.mps)
    return has


def test_auto_takes_cuda_then_apple_then_the_cpu(machine: SimpleNamespace) -> None:
    assert devices.pick_device() == torch.device("cpu")
    machine.mps = True
    assert devices.pick_device("auto") == torch.device("mps")
    machine.cuda = 2
    assert devices.pick_device(" Auto ") == torch.device("cuda:0")


def test_names_pick_their_device(machine: SimpleNamespace) -> None:
    machine.cuda, machine.mps = 2, True
    assert devices.available_devices() == ("cuda:0", "cuda:1", "mps", "cpu")
    assert devices.pick_device("cuda") == torch.device("cuda:0")
    assert devices.pick_device("cuda:1") == torch.device("cuda:1")
    assert devices.pick_device("mps") == torch.device("mps")
    assert devices.pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(machine: SimpleNamespace, name: str) -> None:
    with pytest.raises(InputError, match=f"device '{name}' is not available here: choose one of auto, cpu, or install"):
        devices.pick_device(name)


def test_a_number_too_high_is_refused(machine: SimpleNamespace) -> None:
    machine.cuda = 1
    with pytest.raises(InputError, match=r"'cuda:3' is not available here: choose one of auto, cuda:0, cpu\."):
        devices.pick_device("cuda:3")


@pytest.mark.parametrize(("name", "near"), [("cdua", "cuda"), ("cup", "cpu"), ("mpss", "mps")])
def test_an_unknown_name_is_answered_with_the_nearest(machine: SimpleNamespace, name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=f"Unknown device '{name}'.*Did you mean '{near}'"):
        devices.pick_device(name)


def test_a_name_like_none_is_refused_without_a_guess(machine: SimpleNamespace) -> None:
    with pytest.raises(UnknownName, match=r"choose one of auto, cpu, cuda, mps\.$"):
        devices.pick_device("tpu:7x")


def test_a_device_is_described_in_a_line(machine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = SimpleNamespace(name="NVIDIA Test", total_memory=24 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: facts)
    assert devices.describe(torch.device("cuda:0")) == "cuda:0 (NVIDIA Test, 24 GiB)"
    assert devices.describe(torch.device("cpu")) == f"cpu ({torch.get_num_threads()} threads)"
    assert devices.describe(torch.device("mps")) == "mps (Apple GPU)"
