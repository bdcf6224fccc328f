"""A training run on disk: what is needed to go on where it stopped."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from napari_vost.errors import WeightsError


class Average:
    """Exponential moving average of a module's weights and buffers, in ``module``."""

    def __init__(self, module: nn.Module, decay: float = 0.999) -> None:
        self.module = copy.deepcopy(module).eval()
        self._decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards ``module``; faster in the first steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        own = self.module.state_dict()
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                own[name].lerp_(value.detach(), 1 - decay)
            else:
                own[name].copy_(value)


@dataclass
class Progress:
    """How far a run is: optimiser steps, seconds, best validation score, the curve."""

    step: int = 0
    seconds: float = 0.0
    clips: int = 0
    best: float = -1.0
    curve: list[dict[str, float]] = field(default_factory=list)


def save_run(
    path: Path, network: nn.Module, average: Average, optimiser: torch.optim.Optimizer, so_far: Progress
) -> None:
    """Write a checkpoint, replacing the old one only when it is whole."""
    state = {
        "network": network.state_dict(),
        "average": average.module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "progress": vars(so_far),
    }
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def load_run(path: Path, network: nn.Module, average: Average, optimiser: torch.optim.Optimizer) -> Progress:
    """Read a checkpoint into a network, its average and its optimiser.

    Raises
    ------
    WeightsError
        The file is not a checkpoint of this network.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        average.module.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        return Progress(**state["progress"])
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path} is not a checkpoint of this network: remove it or choose another --out.") from error


@torch.no_grad()
def adopt(network: nn.Module, other: nn.Module) -> int:
    """Copy what fits, by name and shape, from another build; returns how many tensors did."""
    theirs = other.state_dict()
    mine = network.state_dict()
    fitting = [name for name in mine if name in theirs and theirs[name].shape == mine[name].shape]
    for name in fitting:
        mine[name].copy_(theirs[name])
    return len(fitting)
