"""Mistakes for a click to correct: larger ones than a network that is being taught still makes on easy clips."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.training.shapes import Random

OWN, ELSEWHERE, LEAK = 0.45, 0.6, 0.82  # bounds of a draw: the own guess, a mask of another frame, a leak; else a gap


def mistaken(guess: Tensor, truth: Tensor, other: Tensor, image: Tensor, random: Random) -> Tensor:
    """Guesses, more than half of them exchanged for a gross mistake.

    Parameters
    ----------
    guess, truth, other
        (B, 1, h, w): logits, and shares of each pixel that the object covers on the frame and on another frame.
    image
        (B, C, S, S) of the frame, S a multiple of h.
    random
        Draws, for all rows at once.

    Returns
    -------
    Tensor
        (B, 1, h, w) logits. A leak adds what is about as bright as the object within a disc around a place on its edge;
        a gap takes such a disc away; rows without an object keep their guess.
    """
    rows, _, height, width = truth.shape
    draws = torch.from_numpy(random.random((4, rows))).float().to(truth.device)
    grey = functional.adaptive_avg_pool2d(image, (height, width)).mean(1, keepdim=True)
    area = truth.flatten(1).sum(1)
    tone = (grey * truth).flatten(1).sum(1) / area.clamp(min=1e-3)
    near = (grey - tone[:, None, None, None]).abs() < 0.03 + 0.12 * draws[1, :, None, None, None]
    edge = functional.max_pool2d(truth, 3, 1, 1) - truth + 1e-6
    at = torch.multinomial((edge * torch.rand_like(edge).square()).flatten(1), 1)[:, 0]
    radius = (area / torch.pi).sqrt() * (0.4 + 1.2 * draws[2])
    y = torch.arange(height, device=truth.device)[:, None] - torch.div(at, width, rounding_mode="floor")[:, None, None]
    x = torch.arange(width, device=truth.device)[None, :] - (at % width)[:, None, None]
    disc = (y * y + x * x < (radius.square() + 2)[:, None, None])[:, None]
    leak = torch.maximum(truth, (disc & near).float())
    gap = truth * (~disc).float()
    draw = draws[0, :, None, None, None]
    wrong = torch.where(draw < ELSEWHERE, other, torch.where(draw < LEAK, leak, gap))
    soft = (wrong * 2 - 1) * (2 + 8 * draws[3, :, None, None, None])
    own = (draw < OWN) | (area < 1)[:, None, None, None]
    return torch.where(own, guess, soft)
