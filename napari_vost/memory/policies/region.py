"""Only what is certain: frames by their scores, and inside them tokens by their mask. After MoSAM."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry
from napari_vost.memory.policies.base import chosen_candidate
from napari_vost.memory.policies.motion_aware import MotionAware
from napari_vost.memory.policies.places import grid_of

LEAST_CERTAINTY = 0.75  # of |2 p - 1|; the paper gives no number, at .5 no cell of 16 pixels was ever dropped


def certainty(entry: MemoryEntry, answer: Answer, row: int) -> Tensor:
    """How certain the mask of an entry is in every cell that it has a token for.

    Returns
    -------
    Tensor
        (h*w,), mean of ``|2 p - 1|`` over the mask pixels of a cell: 0 a coin toss, 1 certain, inside or outside.
    """
    logits = answer.mask_logits[row, chosen_candidate(entry, answer, row)].to(torch.float32)
    sure = (logits / 2).tanh().abs()  # 2 sigmoid(x) - 1 = tanh(x / 2)
    return functional.adaptive_avg_pool2d(sure[None], grid_of(entry)).flatten()


class RegionPolicy(MotionAware):
    """Well-seen frames of which only the tokens stay whose mask is certain.

    An approximation of MoSAM's selection in time and space (arXiv:2505.00739), which has no public code and names no
    thresholds: frames pass as in `MotionAware`; a token is dropped where the mean of ``|2 p - 1|`` over its cell is
    below .75. MoSAM's motion prompts are the motion prior's business. A frame without one certain token keeps all.
    """

    name = "region"

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Drop the uncertain tokens with their positions, then keep frames as `MotionAware` does."""
        sure = certainty(entry, answer, row) >= LEAST_CERTAINTY
        if bool(sure.any()) and not bool(sure.all()):
            sure = sure.to(entry.tokens.device)
            entry = replace(
                entry, tokens=entry.tokens[sure], positions=entry.positions[sure], cells_yx=entry.cells_yx[sure]
            )
        return super().admit(entry, answer, row, bank)
