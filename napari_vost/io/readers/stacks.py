"""Frame stacks that read one stored plane at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.geometry import Grid
from napari_vost.types import Image

KEPT_FRAMES = 4


class FrameCache:
    """The last few results of a function of one key, safe to share between threads."""

    def __init__(self, make: Callable[[tuple[int, ...]], Image], size: int = KEPT_FRAMES) -> None:
        self._make = make
        self._size = size
        self._kept: OrderedDict[tuple[int, ...], Image] = OrderedDict()
        self._lock = threading.RLock()

    def __call__(self, *key: int) -> Image:
        """Return the result for a key, made at most once while it is kept."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(key)
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def cut(stored: NDArray[Any], grid: Grid, frame_index: int) -> Image:
    """One frame of a stored array ``(i, j, k[, t][, colour])``: (H, W) or (H, W, 3)."""
    key: list[int | slice] = [slice(None)] * len(grid.shape)
    for axis, index in grid.fixed:
        key[axis] = index
    key[grid.axes[0]] = frame_index
    plane = stored[tuple(key)]
    return np.asarray(plane if grid.axes[1] < grid.axes[2] else np.swapaxes(plane, 0, 1))


def frame_shape(grid: Grid, colour: bool) -> tuple[int, ...]:
    """Shape of the clip that a grid cuts out."""
    sizes = tuple(grid.shape[axis] for axis in grid.axes)
    return (*sizes, 3) if colour else sizes


class PlaneStack:
    """Frames of a source that stores planes: ``read_plane(k, t)`` gives rows j by columns i.

    Frames along the stored planes read one plane. Frames across them need every plane of a time point: that volume is
    read once and the last one is kept.
    """

    def __init__(self, grid: Grid, colour: bool, read_plane: Callable[[int, int], Image]) -> None:
        self._grid = grid
        self._colour = colour
        self._planes = FrameCache(lambda key: read_plane(key[0], key[1]))
        self._volumes = FrameCache(lambda key: self._volume(read_plane, key[0]), size=1)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, H, W)`` or ``(T, H, W, 3)``."""
        return frame_shape(self._grid, self._colour)

    def read(self, frame_index: int) -> Image:
        """Return one frame in real-world values."""
        grid = self._grid
        place = {**dict(grid.fixed), grid.axes[0]: frame_index}
        if grid.axes[1:] == (1, 0):
            return self._planes(place.get(2, 0), place.get(3, 0)).copy()
        volume = self._volumes(place.get(3, 0))
        across = tuple(axis for axis in grid.axes if axis < 3)
        spatial = Grid(grid.shape[:3], self._spatial_axes(across), grid.affine_lps)
        return np.array(cut(volume, spatial, place[spatial.axes[0]]), order="C")

    def _spatial_axes(self, across: tuple[int, ...]) -> tuple[int, int, int]:
        if len(across) == 3:
            return across[0], across[1], across[2]
        spare = 3 - sum(across)
        return spare, across[0], across[1]

    def _volume(self, read_plane: Callable[[int, int], Image], t: int) -> Image:
        planes = np.stack([read_plane(k, t) for k in range(self._grid.shape[2])])
        return np.moveaxis(planes, (0, 1, 2), (2, 1, 0))
