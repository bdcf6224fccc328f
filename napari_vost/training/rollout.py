"""A network run over a batch of clips as the engine runs it: prompted frame, memory, previous mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.contracts import Answer, ImageFeatures, Network, PromptTensors
from napari_vost.memory.attention import Keys, attend, grid_cells, project_keys


@dataclass(eq=False)
class Memory:
    """What B rows remember: tokens (B, n, C_m) with positions (1, n, C_m), in order of writing."""

    prompted: list[Tensor] = field(default_factory=list)
    recent: list[Tensor] = field(default_factory=list)
    positions: Tensor | None = None


def frame_features(features: ImageFeatures, clips: int, index: int) -> ImageFeatures:
    """Features of frame ``index`` of every clip, from features of (clips * frames) images."""
    levels = tuple(level.view(clips, -1, *level.shape[1:])[:, index] for level in features.levels)
    return ImageFeatures(levels, features.position)


def condition(
    network: Network, features: ImageFeatures, memory: Memory, use: tuple[bool, bool] = (True, True)
) -> Tensor:
    """Features at stride 16 that have read memory; ``use`` says whether of prompted frames and of recent ones."""
    level = features.levels[-1]
    tables = network.temporal_tables()
    entries: list[tuple[Tensor, int]] = []
    if use[0]:
        entries += [(tokens, tables.slots.shape[0] - 1) for tokens in memory.prompted]
    if use[1] or not entries:
        entries += [(tokens, slot) for slot, tokens in enumerate(reversed(memory.recent[-6:]))]
    if not entries or memory.positions is None:
        return level + tables.no_memory[:, None, None]
    layers = network.memory_layers()
    cells = grid_cells(level.shape[-2], level.shape[-1], level.device)
    parts = [project_keys(tokens + memory.positions + tables.slots[slot], cells, layers, tables.rope_theta)
             for tokens, slot in entries]  # fmt: skip
    per_layer = tuple(torch.cat([part[i] for part in parts], 1) for i in range(len(layers)))
    values = torch.cat([tokens for tokens, _ in entries], 1)
    rows = torch.arange(len(level), device=level.device)
    return attend(level, features.position, Keys(per_layer, values), layers, tables, rows)


def remember(
    network: Network, features: ImageFeatures, memory: Memory, logits: Tensor, occurrence: Tensor, prompted: bool
) -> None:
    """Write a frame to memory."""
    rows = torch.arange(len(logits), device=logits.device)
    flags = torch.full((len(logits),), prompted, dtype=torch.bool, device=logits.device)
    made = network.remember(features, logits, occurrence, flags, rows)
    memory.positions = made.positions
    if prompted:
        memory.prompted.append(made.tokens)
    else:
        memory.recent.append(made.tokens)


def chosen(answer: Answer) -> Tensor:
    """Logits (B, 1, h, w) of the candidate with the highest affinity, -32 everywhere where the object is absent."""
    best = answer.affinity.argmax(1)
    logits = answer.mask_logits[torch.arange(len(best), device=best.device), best][:, None].float()
    return torch.where((answer.occurrence > 0)[:, None, None, None], logits, -32.0).clamp(-32, 32).detach()


def to_logits(masks: Tensor, stride: int, truth: float = 10.0) -> Tensor:
    """Hard masks (B, 1, S, S) as logits at a stride."""
    return (functional.avg_pool2d(masks, stride) * 2 - 1) * truth


@torch.no_grad()
def track(network: Network, images: Tensor, first: Tensor, prompts: PromptTensors | None = None) -> Tensor:
    """Follow an object from the first frame of every clip.

    Parameters
    ----------
    network
        In evaluation mode.
    images
        (B, T, 3, S, S) 0..1.
    first
        (B, 1, S, S) mask on the first frame, taken as truth unless ``prompts`` are given.
    prompts
        Prompts on the first frame.

    Returns
    -------
    Tensor
        (B, T, S, S) bool masks, gated by occurrence.
    """
    traits = network.traits
    clips, frames = images.shape[:2]
    mean, std = (torch.tensor(v, device=images.device)[:, None, None] for v in (traits.mean, traits.std))
    rows = torch.arange(clips, device=images.device)
    memory, result = Memory(), []
    before = to_logits(first, traits.mask_stride)
    for index in range(frames):
        features = network.see((images[:, index] - mean) / std)
        if index == 0:
            asked = prompts or replace(PromptTensors.none(clips, images.device), mask=first)
        else:
            asked = replace(PromptTensors.none(clips, images.device), mask_logits=before)
        answer = network.answer(
            features, {network.traits.memory_stride: condition(network, features, memory)}, asked, rows
        )
        before = chosen(answer)
        remember(network, features, memory, before, answer.occurrence, index == 0)
        size = tuple(images.shape[-2:])
        full = functional.interpolate(before, size=size, mode="bilinear", align_corners=False)
        result.append(full[:, 0] > 0)
    return torch.stack(result, 1)


def scores(masks: Tensor, truth: Tensor, absent: bool = False) -> Tensor:
    """Dice (B, T) of bool masks; where the truth is empty nan, or with ``absent`` 1 for an empty mask, else 0."""
    both = (masks & truth).sum((-1, -2)).float()
    total = masks.sum((-1, -2)) + truth.sum((-1, -2))
    dice = 2 * both / total.clamp(min=1)
    empty = (total == 0).float() if absent else torch.full_like(dice, torch.nan)
    return torch.where(truth.flatten(2).any(2), dice, empty)


def mean_score(values: Sequence[float]) -> float:
    """Mean of the numbers that are not nan; nan of none."""
    kept = [value for value in values if value == value]
    return sum(kept) / len(kept) if kept else float("nan")
