"""SAM 2's memory with its tokens weighted before they are written. After MemSAM, without its learnt parts."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall, RecalledEntry
from napari_vost.memory.policies.base import chosen_candidate
from napari_vost.memory.policies.fifo import Fifo
from napari_vost.memory.policies.places import grid_of
from napari_vost.memory.policies.region import certainty

FLOOR = 0.5  # no token is weakened below this share
REACH = 7  # cells across the neighbourhood that a token is compared in


class Reinforced(Fifo):
    """The newest frames; tokens that the mask is unsure of, or that look like the other side of it, weigh less.

    An approximation of MemSAM's memory reinforcement (CVPR 2024), where a learnt gate weakens speckle before memory is
    written. Here every token of a frame gets a weight of ``.5 + .5 * certainty * contrast`` when it is written:
    certainty as in `region.certainty`, contrast how little the token resembles the mean token across the mask's edge
    within 7 x 7 cells, relative to the largest in the frame. The weight is its vote when memory is read (its logarithm
    is added to the attention logits): a network that was not taught so is led astray by tokens that are scaled.

    ``notes[entry_id]`` holds the logarithms.
    """

    name = "reinforced"

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Weigh the tokens, then keep as `Fifo` does."""
        logits = answer.mask_logits[row, chosen_candidate(entry, answer, row)].to(torch.float32)
        inside = functional.adaptive_avg_pool2d(logits[None].sigmoid(), grid_of(entry)) > 0.5
        weight = FLOOR + (1 - FLOOR) * certainty(entry, answer, row) * local_contrast(entry.tokens, inside[0])
        after = super().admit(entry, answer, row, bank)
        left = {one.entry_id for one in after.kept}
        notes = {entry_id: note for entry_id, note in bank.notes.items() if entry_id in left}
        return replace(after, notes={**notes, entry.entry_id: tuple(weight.log().tolist())})

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """What `Fifo` reads, every token with its weight."""
        recall = super().recall(bank, query)
        return replace(recall, entries=tuple(_weighed(one, bank) for one in recall.entries))


def _weighed(one: RecalledEntry, bank: MemoryBank) -> RecalledEntry:
    note = bank.notes.get(one.entry.entry_id)
    return one if note is None else replace(one, logit_bias=torch.tensor(note, device=one.entry.tokens.device))


def local_contrast(tokens: Tensor, inside: Tensor) -> Tensor:
    """How unlike the other side of the mask every token is, relative to the most unlike one.

    Parameters
    ----------
    tokens
        (h*w, C).
    inside
        (h, w) bool.

    Returns
    -------
    Tensor
        (h*w,) 0..1; 1 where no cell of the other side is near.
    """
    grid = tokens.to(torch.float32).t().reshape(1, -1, *inside.shape)
    side = torch.stack((inside, ~inside)).to(torch.float32)[:, None]  # of which side: the object, the rest
    shares = functional.avg_pool2d(side, REACH, 1, REACH // 2)
    means = functional.avg_pool2d(grid * side, REACH, 1, REACH // 2) / shares.clamp_min(1e-6)
    other = torch.where(inside, means[1], means[0])
    near = torch.where(inside, shares[1], shares[0])[0] > 0
    contrast = (1 - functional.cosine_similarity(grid[0], other, dim=0)) / 2
    largest = contrast[near].max() if bool(near.any()) else contrast.new_ones(())
    return torch.where(near, contrast / largest.clamp_min(1e-6), 1.0).flatten()
