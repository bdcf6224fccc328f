"""How good a network is on clips that it never trains on, beside copying the prompted and the previous mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from napari_vost.contracts import Network, PromptTensors
from napari_vost.masks import box_of
from napari_vost.training.batches import Batch, crop, first_boxes
from napari_vost.training.pack import Volume
from napari_vost.training.real import RealClips
from napari_vost.training.rollout import mean_score, scores, track
from napari_vost.training.synthetic import synthetic_clips

_FRAMES = 8


@dataclass(frozen=True, eq=False)
class Exam:
    """Fixed clips.

    Attributes
    ----------
    batch, groups
        The clips, and the group that each belongs to.
    absent
        Whether frames without the object count: 1 if left empty, else 0.
    prompt
        What the first frame gets: ``mask``, ``box`` or ``click``. After a box or a click that frame is scored too.
    """

    batch: Batch
    groups: tuple[str, ...]
    absent: bool = False
    prompt: str = "mask"


@dataclass(frozen=True)
class Marks:
    """Mean Dice of the frames after the prompted one, from a box or a click with that one.

    Attributes
    ----------
    network
        The network's, from a mask on the first frame.
    copied, previous
        Of copying the prompted mask, and the true mask of the frame before.
    ellipse
        Of the ellipse that fills the box of the prompted mask, on all frames.
    groups
        The network's and the copied mask's by group.
    """

    network: float
    copied: float
    previous: float
    ellipse: float
    groups: dict[str, tuple[float, float]]


def real_exam(volumes: Sequence[Volume], size: int, per_group: int = 12, endings: bool = False) -> Exam:
    """Clips of held-out volumes, as many of each group; always the same ones.

    With ``endings`` only clips whose object has gone by the last frame, as far as a group has them.
    """
    random = np.random.default_rng(22 if endings else 20)
    source = RealClips(volumes, 160)
    names, images, labels = [], [], []
    for group in source.groups:
        for _ in range(per_group):
            clip = source.draw(_FRAMES, random, group)
            for _ in range(30 if endings else 0):
                if bool((clip.labels[0, 0] == 1).any()) and not bool((clip.labels[0, -1] == 1).any()):
                    break
                clip = source.draw(_FRAMES, random, group)
            names.append(group)
            images.append(clip.images)
            labels.append(clip.labels)
    marks = torch.cat(labels) == 1
    batch = crop(torch.cat(images).float() / 255, marks.float(), first_boxes(marks), size, random)
    return Exam(batch, tuple(names), endings)


def synthetic_exam(size: int, count: int = 32) -> Exam:
    """Synthetic clips, always the same ones; the target is the structure with the most pixels on the first frame."""
    random = np.random.default_rng(21)
    clips = synthetic_clips(count, _FRAMES, 160, 1 << 40, "cpu")
    first = clips.labels[:, 0].flatten(1).long()
    largest = [int(torch.bincount(row, minlength=2)[1:].argmax()) + 1 for row in first]
    marks = clips.labels == torch.tensor(largest)[:, None, None, None]
    batch = crop(clips.images.float() / 255, marks.float(), first_boxes(marks), size, random)
    return Exam(batch, ("synthetic",) * count)


def examine(network: Network, exam: Exam, rows: int = 16) -> Marks:
    """Score a network (in evaluation mode) on an exam."""
    device = network.device
    skipped = 1 if exam.prompt == "mask" else 0
    found, copied, previous, ellipses = [], [], [], []
    for start in range(0, len(exam.groups), rows):
        images = exam.batch.images[start : start + rows].to(device)
        truth = exam.batch.masks[start : start + rows].to(device)
        prompts = None if exam.prompt == "mask" else clear_prompts(truth[:, 0], exam.prompt)
        seen = track(network, images, truth[:, 0], prompts)
        hard = truth[:, :, 0] > 0.5
        found.append(scores(seen, hard, exam.absent)[:, skipped:].cpu())
        copied.append(scores(hard[:, :1].expand_as(hard), hard, exam.absent)[:, 1:].cpu())
        previous.append(scores(hard[:, :-1], hard[:, 1:], exam.absent).cpu())
        ellipse = filled_ellipses(hard[:, 0])[:, None].expand_as(hard)
        ellipses.append(scores(ellipse, hard, exam.absent)[:, skipped:].cpu())
    mine, theirs = (torch.cat(each).nanmean(1).tolist() for each in (found, copied))
    groups = {}
    for name in dict.fromkeys(exam.groups):
        at = [i for i, group in enumerate(exam.groups) if group == name]
        groups[name] = (mean_score([mine[i] for i in at]), mean_score([theirs[i] for i in at]))
    before, ellipse_score = (mean_score(torch.cat(each).nanmean(1).tolist()) for each in (previous, ellipses))
    return Marks(mean_score(mine), mean_score(theirs), before, ellipse_score, groups)


def clear_prompts(masks: Tensor, kind: str) -> PromptTensors:
    """The tight box (``box``), or the pixel farthest from the edge (``click``), of masks (B, 1, S, S)."""
    points, labels = torch.zeros(len(masks), 2, 2), torch.full((len(masks), 2), -1)
    for row, mask in enumerate(masks[:, 0].cpu().numpy() > 0.5):
        box = box_of(mask)
        if box is None:
            continue
        if kind == "box":
            points[row] = torch.tensor([[box[1], box[0]], [box[3] - 1, box[2] - 1]])
            labels[row] = torch.tensor([2, 3])
        else:
            depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
            y, x = np.unravel_index(int(depth.argmax()), mask.shape)
            points[row, 0] = torch.tensor([x, y])
            labels[row, 0] = 1
    return PromptTensors(points.to(masks.device), labels.to(masks.device))


def filled_ellipses(masks: Tensor) -> Tensor:
    """The ellipse inside the box of each mask (B, H, W) bool; empty where a mask is empty."""
    result = torch.zeros_like(masks)
    y = torch.arange(masks.shape[1], device=masks.device)[:, None] + 0.5
    x = torch.arange(masks.shape[2], device=masks.device)[None] + 0.5
    for row, mask in enumerate(masks):
        box = box_of(mask.cpu().numpy())
        if box is not None:
            v = (y - (box[0] + box[2]) / 2) / ((box[2] - box[0]) / 2)
            u = (x - (box[1] + box[3]) / 2) / ((box[3] - box[1]) / 2)
            result[row] = v * v + u * u <= 1
    return result
