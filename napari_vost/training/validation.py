"""How good a network is on clips that it never trains on, beside copying the prompted and the previous mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from napari_vost.contracts import Network
from napari_vost.training.batches import Batch, crop, first_boxes
from napari_vost.training.pack import Volume
from napari_vost.training.real import RealClips
from napari_vost.training.rollout import mean_score, scores, track
from napari_vost.training.synthetic import synthetic_clips

_FRAMES = 6


@dataclass(frozen=True, eq=False)
class Exam:
    """Fixed clips: a batch, the group that each clip belongs to, and whether frames without the object count.

    Where they count, such a frame scores 1 if it is left empty and 0 if it is not.
    """

    batch: Batch
    groups: tuple[str, ...]
    absent: bool = False


@dataclass(frozen=True)
class Marks:
    """Mean Dice of the frames after the prompted one.

    Attributes
    ----------
    network
        The network's, from a mask on the first frame.
    copied, previous
        Of copying the prompted mask, and the true mask of the frame before.
    groups
        The network's and the copied mask's by group.
    """

    network: float
    copied: float
    previous: float
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
    found, copied, previous = [], [], []
    for start in range(0, len(exam.groups), rows):
        images = exam.batch.images[start : start + rows].to(device)
        truth = exam.batch.masks[start : start + rows].to(device)
        seen = track(network, images, truth[:, 0])
        hard = truth[:, :, 0] > 0.5
        found.append(scores(seen, hard, exam.absent)[:, 1:].cpu())
        copied.append(scores(hard[:, :1].expand_as(hard), hard, exam.absent)[:, 1:].cpu())
        previous.append(scores(hard[:, :-1], hard[:, 1:], exam.absent).cpu())
    mine, theirs = (torch.cat(each).nanmean(1).tolist() for each in (found, copied))
    groups = {}
    for name in dict.fromkeys(exam.groups):
        at = [i for i, group in enumerate(exam.groups) if group == name]
        groups[name] = (mean_score([mine[i] for i in at]), mean_score([theirs[i] for i in at]))
    return Marks(mean_score(mine), mean_score(theirs), mean_score(torch.cat(previous).nanmean(1).tolist()), groups)
