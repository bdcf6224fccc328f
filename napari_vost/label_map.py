"""The label map as a lazy array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.masks import PackedMask
from napari_vost.types import Label, Segmentation


def from_label_map(label_map: NDArray[np.integer[Any]], clip: Clip) -> Segmentation:
    """Make a segmentation of a label map (T, H, W) of object ids on the frames of a clip; 0 is background."""
    ids = [int(one) for one in np.unique(label_map) if one > 0]
    masks = {
        one: {frame: PackedMask.pack(plane == one) for frame, plane in enumerate(label_map) if (plane == one).any()}
        for one in ids
    }
    labels = {one: Label(f"Object {one}") for one in ids}
    return Segmentation(clip.shape, masks, labels, clip.order, clip.geometry, clip.source, clip.frame_times_s)


class LabelMap:
    """Object ids (T, H, W), uint16, made frame by frame when they are asked for.

    Slices like an array; ``np.asarray`` materialises it. Where objects overlap the smaller id wins.
    """

    dtype = np.dtype(np.uint16)
    ndim = 3

    def __init__(self, segmentation: Segmentation) -> None:
        self._segmentation = segmentation

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, H, W)``."""
        return self._segmentation.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[np.uint16]:
        keys = key if isinstance(key, tuple) else (key,)
        first, rest = (keys[0], keys[1:]) if keys else (Ellipsis, ())
        if not isinstance(first, int | np.integer | slice):
            return np.asarray(np.asarray(self)[key])
        frames = np.arange(len(self))[first]
        if np.ndim(frames) == 0:
            return np.asarray(self._segmentation.label_frame(int(frames))[rest])
        stack = np.zeros((len(frames), *self.shape[1:]), dtype=self.dtype)
        for place, index in enumerate(frames):
            stack[place] = self._segmentation.label_frame(int(index))
        return np.asarray(stack[(slice(None), *rest)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self._segmentation.label_map()
        return whole if dtype is None else whole.astype(dtype)
