"""Where a network runs."""

from __future__ import annotations

import re

import torch

from napari_vost.errors import InputError, UnknownName

_KINDS = ("auto", "cpu", "cuda", "mps")


def available_devices() -> tuple[str, ...]:
    """Devices of this machine, best first: every CUDA device, then Apple's, then the CPU."""
    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def pick_device(name: str = "auto") -> torch.device:
    """The device of a name.

    Parameters
    ----------
    name
        ``"auto"`` takes the first of CUDA, Apple's GPU and the CPU; or ``"cpu"``, ``"mps"``, ``"cuda"``, ``"cuda:1"``.

    Raises
    ------
    UnknownName
        No device is called that.
    InputError
        The device exists elsewhere, but not here.
    """
    found = available_devices()
    wanted = name.strip().lower()
    if wanted == "auto":
        return torch.device(found[0])
    if wanted == "cuda":
        wanted = "cuda:0"
    if wanted in found:
        return torch.device(wanted)
    if wanted == "mps" or re.fullmatch(r"cuda:\d+", wanted):
        raise InputError(
            f"The device {name!r} is not available here: choose one of auto, {', '.join(found)}"
            f"{'' if found[0].startswith('cuda') else ', or install a PyTorch build for your GPU'}."
        )
    raise UnknownName("device", name, {*_KINDS, *found})


def describe(device: torch.device) -> str:
    """One line on a device for the user: its name and its memory or threads."""
    if device.type == "cuda":
        facts = torch.cuda.get_device_properties(device)
        return f"{device} ({facts.name}, {facts.total_memory / 2**30:.0f} GiB)"
    if device.type == "mps":
        return "mps (Apple GPU)"
    return f"{device} ({torch.get_num_threads()} threads)"
