"""One training step's lesson: which prompts a clip gets, which previous masks, and what it costs to answer badly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.contracts import Answer, ImageFeatures, Network, PromptTensors
from napari_vost.training.batches import Batch
from napari_vost.training.losses import answer_loss, overlap
from napari_vost.training.mistakes import mistaken
from napari_vost.training.rollout import Memory, chosen, condition, frame_features, remember, to_logits
from napari_vost.training.shapes import Random


@dataclass(frozen=True)
class Habits:
    """Shares of what a lesson does.

    Attributes
    ----------
    clicked
        Clips that are prompted by clicks or a box instead of a mask.
    dropped, spoiled
        Frames that get no previous mask, or a wrong one.
    forgotten
        Frames that read only the prompted frame, and as many that read only recent ones.
    corrected
        Batches in which one frame is corrected by a click, mostly out of a gross mistake, and clicked clips that get a
        second click.
    endings
        Clips whose target has gone by the last frame.
    """

    clicked: float = 0.25
    dropped: float = 0.15
    spoiled: float = 0.2
    forgotten: float = 0.15
    corrected: float = 0.7
    endings: float = 0.4


def lesson(network: Network, batch: Batch, habits: Habits, random: Random) -> Tensor:
    """Loss of one batch of clips, a scalar with gradients."""
    traits = network.traits
    clips, frames = batch.images.shape[:2]
    device = batch.images.device
    mean, std = (torch.tensor(v, device=device)[:, None, None] for v in (traits.mean, traits.std))
    flat = ((batch.images - mean) / std).flatten(0, 1).contiguous(memory_format=torch.channels_last)
    seen = network.see(flat)
    stride = traits.mask_stride
    memory = Memory()
    before = to_logits(batch.masks[:, 0], stride)
    losses: list[Tensor] = []
    first = frame_features(seen, clips, 0)
    clicked = np.flatnonzero(random.random(clips) < habits.clicked)
    if len(clicked):
        rows = torch.from_numpy(clicked).to(device)
        loss, before = _clicked(network, first, batch.masks[:, 0], rows, before, habits, random)
        losses.append(loss * len(clicked) / clips)
    present = torch.where(batch.masks[:, 0].flatten(1).any(1), 10.0, -10.0)
    remember(network, first, memory, before, present, True)
    rows = torch.arange(clips, device=device)
    sure = torch.zeros(clips, dtype=torch.bool, device=device)
    corrected = int(random.integers(1, frames)) if random.random() < habits.corrected else 0
    for index in range(1, frames):
        features = frame_features(seen, clips, index)
        given, has = _previous(before, batch.masks[:, index - 1], habits, random)
        draw = random.random()
        use = (draw >= habits.forgotten or not memory.recent, draw >= habits.forgotten and draw < 1 - habits.forgotten)
        use = (use[0], use[1] or not use[0])
        prompts = replace(PromptTensors.none(clips, device), mask_logits=given, has_mask_logits=has)
        answer = network.answer(
            features, {network.traits.memory_stride: condition(network, features, memory, use)}, prompts, rows
        )
        truth = functional.avg_pool2d(batch.masks[:, index], stride)
        losses.append(answer_loss(answer, truth, sure))
        before = chosen(answer)
        if index == corrected:
            read = condition(network, features, memory, (True, False))
            other = functional.avg_pool2d(batch.masks[:, int(random.integers(frames))], stride)
            before = mistaken(before, truth, other, batch.images[:, index], random)
            loss, before, answer = correction(network, features, read, before, truth, PromptTensors.none(clips, device))
            losses.append(loss)
        if index + 1 < frames:
            remember(network, features, memory, before, answer.occurrence.detach(), index == corrected)
    return torch.stack(losses).sum() / max(1, frames - 1)


def _clicked(
    network: Network,
    features: ImageFeatures,
    masks: Tensor,
    rows: Tensor,
    before: Tensor,
    habits: Habits,
    random: Random,
) -> tuple[Tensor, Tensor]:
    """Answer rows from clicks or a box; rows answered well go on with their own mask."""
    prompts, ambiguous = draw_prompts(masks[rows], random)
    own = features.rows(rows)
    read = own.levels[-1] + network.temporal_tables().no_memory[:, None, None]
    each = torch.arange(len(rows), device=rows.device)
    answer = network.answer(own, {network.traits.memory_stride: read}, prompts, each)
    truth = functional.avg_pool2d(masks[rows], network.traits.mask_stride)
    loss = answer_loss(answer, truth, ambiguous)
    guess = chosen(answer)
    if random.random() < habits.corrected:
        more, guess, _ = correction(network, own, read, guess, truth, prompts)
        loss = loss + more
    good = (overlap(guess, truth)[:, 0] > 0.6)[:, None, None, None]
    after = before.clone()
    after[rows] = torch.where(good, guess, before[rows])
    return loss, after


def correction(
    network: Network, features: ImageFeatures, read: Tensor, guess: Tensor, truth: Tensor, prompts: PromptTensors
) -> tuple[Tensor, Tensor, Answer]:
    """Answer once more with a click into the largest error and the guess as what it corrects.

    Parameters
    ----------
    network, features, read
        The network, the frame's features and those that have read memory.
    guess, truth
        (B, 1, h, w) logits of the answer to correct, and share of each pixel that the object covers.
    prompts
        Points and boxes so far.

    Returns
    -------
    tuple of Tensor, Tensor, Answer
        The loss of the new answer, its logits (B, 1, h, w), and the answer.
    """
    place, label = worst_click(guess, truth)
    stride = network.traits.mask_stride
    points = torch.cat((prompts.points_xy.float(), (place * stride + (stride - 1) / 2)[:, None]), 1)
    labels = torch.cat((prompts.point_labels, label[:, None]), 1)
    asked = PromptTensors(points, labels, guess, torch.ones(len(guess), dtype=torch.bool, device=guess.device))
    rows = torch.arange(len(guess), device=guess.device)
    answer = network.answer(features, {network.traits.memory_stride: read}, asked, rows)
    return answer_loss(answer, truth, torch.zeros_like(rows, dtype=torch.bool)), chosen(answer), answer


def worst_click(guess: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Deepest place ``(x, y)`` (B, 2) of the larger kind of error, in mask pixels, and its label (-1: no error)."""
    hard, true = guess > 0, truth > 0.5
    missed, painted = (true & ~hard).float(), (hard & ~true).float()
    lacks = missed.flatten(1).sum(1) >= painted.flatten(1).sum(1)
    wrong = torch.where(lacks[:, None, None, None], missed, painted)
    depth = wrong * (1 + functional.avg_pool2d(wrong, 3, 1, 1) + functional.avg_pool2d(wrong, 9, 1, 4))
    at = depth.flatten(1).argmax(1)
    width = guess.shape[-1]
    place = torch.stack((at % width, torch.div(at, width, rounding_mode="floor")), -1).float()
    label = torch.where(wrong.flatten(1).any(1), lacks.long(), torch.full_like(at, -1))
    return place, label


def draw_prompts(masks: Tensor, random: Random) -> tuple[PromptTensors, Tensor]:
    """Clicks or a box for masks (B, 1, S, S), and whether they are ambiguous (a single click)."""
    size = masks.shape[-1]
    points, labels, single = [], [], []
    for mask in masks[:, 0]:
        inside = mask.nonzero().flip(1).float()
        xy, label = torch.zeros(4, 2, device=mask.device), [-1, -1, -1, -1]
        box = len(inside) > 0 and random.random() < 0.5
        if box:
            jitter = torch.from_numpy(random.normal(0, 0.02 * size, (2, 2))).float().to(mask.device)
            xy[0], xy[1] = inside.amin(0) + jitter[0], inside.amax(0) + jitter[1]
            label[:2] = [2, 3]
        count = 0 if box else int(random.integers(1, 4)) if len(inside) else 0
        for place in range(count):
            if place and random.random() < 0.4:
                outside = (mask < 0.5).nonzero().flip(1).float()
                xy[place], label[place] = outside[int(random.integers(len(outside)))], 0
            else:
                xy[place], label[place] = _deep(mask, inside, random), 1
        points.append(xy)
        labels.append(label)
        single.append(count == 1)
    device = masks.device
    return (
        PromptTensors(torch.stack(points), torch.tensor(labels, device=device)),
        torch.tensor(single, device=device),
    )


def _deep(mask: Tensor, inside: Tensor, random: Random) -> Tensor:
    """A point of the object, rather deep than at its edge."""
    soft = functional.avg_pool2d(mask[None, None], 9, 1, 4)[0, 0]
    picks = inside[torch.from_numpy(random.integers(0, len(inside), 6)).to(mask.device)]
    depth = soft[picks[:, 1].long(), picks[:, 0].long()]
    return picks[int(depth.argmax())]


def _previous(before: Tensor, truth: Tensor, habits: Habits, random: Random) -> tuple[Tensor, Tensor]:
    """The previous frame's logits as the network gets them: its own, none, or a spoiled mask."""
    clips, _, size, _ = before.shape
    draws = random.random(clips)
    spoiled = torch.from_numpy(draws > 1 - habits.spoiled).to(before.device)
    has = torch.from_numpy(draws >= habits.dropped).to(before.device)
    if not spoiled.any():
        return before, has
    small = functional.adaptive_avg_pool2d(truth, (size, size))
    shift = random.normal(0, 0.06, (clips, 2))
    zoom = np.exp(random.normal(0, 0.15, (clips, 2)))
    matrix = np.zeros((clips, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, :, 2] = zoom[:, 0], zoom[:, 1], shift
    grid = functional.affine_grid(
        torch.from_numpy(matrix).to(before.device), [clips, 1, size, size], align_corners=False
    )
    warped = functional.grid_sample(small, grid, align_corners=False)
    reach = int(random.integers(1, 3)) * 2 + 1
    grown = functional.max_pool2d(warped, reach, 1, reach // 2)
    eroded = -functional.max_pool2d(-warped, reach, 1, reach // 2)
    kind = torch.from_numpy(random.integers(0, 4, clips)).to(before.device)[:, None, None, None]
    other = small.roll(1, 0)  # what another clip looks for: a previous mask that leaked onto something else
    wrong = torch.where(kind == 0, grown, torch.where(kind == 1, eroded, torch.where(kind == 2, warped, other)))
    logits = (wrong * 2 - 1) * float(random.uniform(2, 10))
    return torch.where(spoiled[:, None, None, None], logits, before), has
