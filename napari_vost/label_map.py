"""The label map as a lazy array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.types import Segmentation


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
        first, rest = keys[0], keys[1:]
        if first is Ellipsis:
            return np.asarray(np.asarray(self)[key])
        frames = np.arange(len(self))[first]
        if np.ndim(frames) == 0:
            return np.asarray(self._segmentation.label_frame(int(frames))[rest])
        stack = np.stack([self._segmentation.label_frame(int(index)) for index in frames])
        return np.asarray(stack[(slice(None), *rest)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self._segmentation.label_map()
        return whole if dtype is None else whole.astype(dtype)
