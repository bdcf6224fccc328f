"""Losses on ungated mask logits, and on what the network thinks of its own answers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.contracts import Answer


def mask_losses(logits: Tensor, truth: Tensor) -> Tensor:
    """BCE plus Dice of candidates (B, M, h, w) against soft masks (B, 1, h, w): (B, M).

    A tenth of a BCE averaged over foreground and background apart keeps small objects from vanishing; with half of it
    masks came out a fifth too large and grew from frame to frame. Dice counts only where there is an object.
    """
    truth = truth.expand_as(logits)
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    inside, outside = truth.sum((2, 3)), (1 - truth).sum((2, 3))
    present = (inside > 0.5).to(logits.dtype)
    of_inside = (each * truth).sum((2, 3)) / inside.clamp(min=1)
    of_outside = (each * (1 - truth)).sum((2, 3)) / outside.clamp(min=1)
    balanced = (present * of_inside + of_outside) / (1 + present)
    share = logits.sigmoid()
    dice = 1 - (2 * (share * truth).sum((2, 3)) + 1) / (share.sum((2, 3)) + inside + 1)
    return 0.1 * balanced + each.mean((2, 3)) + present * dice


def overlap(logits: Tensor, truth: Tensor) -> Tensor:
    """IoU (B, M) of hard candidates and a hard mask (B, 1, h, w); 1 where both are empty."""
    one, two = logits > 0, (truth > 0.5).expand_as(logits)
    both = (one & two).sum((2, 3)).float()
    either = (one | two).sum((2, 3)).float()
    return torch.where(either > 0, both / either.clamp(min=1), torch.ones_like(either))


def answer_loss(answer: Answer, truth: Tensor, ambiguous: Tensor) -> Tensor:
    """Loss of an answer, a scalar.

    Parameters
    ----------
    answer
        Of B rows.
    truth
        (B, 1, h, w) share of each logit's pixel that the object covers.
    ambiguous
        (B,) bool: rows whose prompt may mean several things; only their best candidate learns (with a little of all).
    """
    logits = answer.mask_logits.float()
    each = mask_losses(logits, truth)
    best = 0.85 * each.amin(1) + 0.15 * each.mean(1)
    masks = torch.where(ambiguous, best, each.mean(1))
    present = (truth.flatten(1).amax(1) > 0.5).to(logits.dtype)
    occurrence = functional.binary_cross_entropy_with_logits(answer.occurrence.float(), present)
    affinity = (answer.affinity.float() - overlap(logits.detach(), truth)).abs().mean()
    return masks.mean() + 0.5 * occurrence + 0.2 * affinity
