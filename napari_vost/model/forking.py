"""Copies of a network that own a few of its weights and share all others."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TypeVar

from torch import nn

ADAPTABLE = 100_000  # most numbers that adapting to one case may change
_Module = TypeVar("_Module", bound=nn.Module)


def affordable(module: nn.Module, parts: Sequence[str]) -> tuple[str, ...]:
    """Names of the parameters of the norms below ``parts``, then of whole parts, up to 100 000 numbers.

    Parameters
    ----------
    module
        Where to look.
    parts
        Names of its submodules, those that matter most first.
    """
    below = {part: module.get_submodule(part) for part in parts}
    wanted: dict[str, int] = {}
    norms = [
        f"{part}.{name}".rstrip(".")
        for part, one in below.items()
        for name, inner in one.named_modules()
        if isinstance(inner, nn.LayerNorm | nn.BatchNorm2d | nn.GroupNorm) or type(inner).__name__.endswith("LayerNorm")
    ]
    for part in (*norms, *parts):
        own = {f"{part}.{name}": value.numel() for name, value in module.get_submodule(part).named_parameters()}
        fresh = {name: count for name, count in own.items() if name not in wanted}
        if sum(wanted.values()) + sum(fresh.values()) <= ADAPTABLE:
            wanted |= fresh
    return tuple(wanted)


def fork(module: _Module, own: Iterable[str]) -> _Module:
    """A copy of a module with its own, trainable parameters of these names; the others are shared and frozen.

    Buffers are shared as well: the copy is for evaluation mode, in which nothing writes them.
    """
    names = set(own)
    memo: dict[int, object] = {id(buffer): buffer for buffer in module.buffers()}
    for name, value in module.named_parameters():
        kept = value.detach().clone() if name in names else value.detach()
        memo[id(value)] = nn.Parameter(kept, requires_grad=name in names)
    return copy.deepcopy(module, memo).eval()
