"""Where the tokens of two memories lie in the same place of the frame."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_vost.contracts import MemoryEntry
from napari_vost.memory.attention import moved_cells


def grid_of(entry: MemoryEntry) -> tuple[int, int]:
    """Cells (h, w) of an entry that still has all its tokens."""
    height, width = (entry.cells_yx.amax(dim=0) + 1).round().long().tolist()
    return int(height), int(width)


def shared_places(first: MemoryEntry, second: MemoryEntry) -> tuple[Tensor, Tensor]:
    """Tokens of two entries that lie in the same place of the frame, to the nearest cell.

    Parameters
    ----------
    first, second
        Entries whose regions may differ; both have all their tokens.

    Returns
    -------
    tuple of Tensor
        Two (n,) int tensors: which token of the first, and which one of the second.
    """
    every = torch.arange(len(first.tokens), device=first.tokens.device)
    if first.region == second.region:
        return every, every
    grid = grid_of(second)
    cells = moved_cells(first.cells_yx, first.region, second.region, grid).round().long()
    inside = ((cells >= 0) & (cells < torch.tensor(grid, device=cells.device))).all(dim=1)
    return every[inside], cells[inside, 0] * grid[1] + cells[inside, 1]
