"""The frames of a clip as an array for a layer: read when they are looked at, and kept as long as they fit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.types import Image

KEPT_BYTES = 1 << 30  # of frames that were read


class FrameArray:
    """Frames (T, H, W) or (T, H, W, 3), sliced like an array; it may be read from several threads.

    Parameters
    ----------
    clip
        Whose frames; its first frame is read at once, for the dtype.
    kept_bytes
        How much of what was read stays in memory; the frame that was asked for longest ago goes first.
    """

    def __init__(self, clip: Clip, kept_bytes: int = KEPT_BYTES) -> None:
        self._clip, self._budget = clip, kept_bytes
        self._kept: OrderedDict[int, Image] = OrderedDict()
        self._lock = threading.Lock()
        self.dtype = np.dtype(clip.frame(0).dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all frames."""
        return self._clip.frames.shape

    @property
    def ndim(self) -> int:
        """3 for grey frames, 4 for colour."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def holds(self, frame_index: int) -> bool:
        """Whether a frame has been read and kept."""
        with self._lock:
            return frame_index in self._kept

    @property
    def full(self) -> bool:
        """Whether another frame would push one out."""
        frame_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:]))
        with self._lock:
            return (len(self._kept) + 1) * frame_bytes > self._budget

    @property
    def fits(self) -> bool:
        """Whether all frames can be kept at once."""
        return self.dtype.itemsize * self.size <= self._budget

    def frame(self, frame_index: int) -> Image:
        """One frame, (H, W) or (H, W, 3); do not write to it."""
        with self._lock:
            found = self._kept.get(frame_index)
            if found is not None:
                self._kept.move_to_end(frame_index)
                return found
        found = np.asarray(self._clip.frame(frame_index), self.dtype)
        with self._lock:
            self._kept[frame_index] = found
            while len(self._kept) > 1 and len(self._kept) * found.nbytes > self._budget:
                self._kept.popitem(last=False)
        return found

    def __getitem__(self, key: Any) -> NDArray[Any]:
        keys = key if isinstance(key, tuple) else (key,)
        if any(one is Ellipsis for one in keys):
            at = next(place for place, one in enumerate(keys) if one is Ellipsis)
            keys = (*keys[:at], *(slice(None),) * (self.ndim - len(keys) + 1), *keys[at + 1 :])
        first, rest = (keys[0], keys[1:]) if keys else (slice(None), ())
        frames = np.arange(len(self))[first]
        if np.ndim(frames) == 0:
            return np.asarray(self.frame(int(frames))[rest])
        return np.stack([self.frame(int(one))[rest] for one in frames])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = np.stack([self.frame(one) for one in range(len(self))])
        return whole if dtype is None else whole.astype(dtype)
