"""Features of frames that were seen before: a budget in memory, then a budget on disk."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from napari_vost.contracts import ImageFeatures


def size_bytes(features: ImageFeatures) -> int:
    """Bytes that features hold, positions not counted: in a store images share them."""
    return sum(level.numel() * level.element_size() for level in features.levels)


def _alone(level: Tensor) -> Tensor:
    """A level without the images that were encoded with it, which would stay as long as it does."""
    return level if level.untyped_storage().nbytes() == level.nbytes else level.clone()


class FeatureStore:
    """Least recently used features leave memory for disk, and disk for good, when their budget is full.

    Parameters
    ----------
    memory_bytes, disk_bytes
        Budgets; 0 on disk keeps nothing there.
    """

    def __init__(self, memory_bytes: int = 1 << 30, disk_bytes: int = 0) -> None:
        self._budgets = (memory_bytes, disk_bytes)
        self._memory: OrderedDict[Hashable, ImageFeatures] = OrderedDict()
        self._disk: OrderedDict[Hashable, tuple[Path, int]] = OrderedDict()
        self._used = [0, 0]
        self._position: Tensor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._written = 0

    @property
    def memory_bytes(self) -> int:
        """Bytes in memory now."""
        return self._used[0]

    @property
    def disk_bytes(self) -> int:
        """Bytes on disk now."""
        return self._used[1]

    def get(self, key: Hashable) -> ImageFeatures | None:
        """Features of a key, None if they were never put or have been dropped."""
        found = self._memory.get(key)
        if found is not None:
            self._memory.move_to_end(key)
            return found
        stored = self._disk.pop(key, None)
        if stored is None or self._position is None:
            return None
        path, size = stored
        self._used[1] -= size
        levels = load_file(path, device=str(self._position.device))
        path.unlink()
        features = ImageFeatures(tuple(levels[str(index)] for index in range(len(levels))), self._position)
        self.put(key, features)
        return features

    def holds(self, key: Hashable) -> bool:
        """Whether features of a key are here; they grow no younger by being asked for."""
        return key in self._memory or key in self._disk

    def keys(self) -> tuple[Hashable, ...]:
        """Keys of all that is here; any thread may ask."""
        return (*tuple(self._memory), *tuple(self._disk))

    @property
    def room(self) -> bool:
        """Whether one more image fits into memory without another one leaving."""
        largest = max(map(size_bytes, self._memory.values()), default=0)
        return self._used[0] + largest <= self._budgets[0]

    def put(self, key: Hashable, features: ImageFeatures) -> None:
        """Keep features of one image; what no longer fits is written to disk or dropped."""
        size = size_bytes(features)
        if size > self._budgets[0] or key in self._memory:
            return
        if self._position is None or self._position.shape != features.position.shape:
            self._position = features.position
        self._memory[key] = ImageFeatures(tuple(map(_alone, features.levels)), self._position)
        self._used[0] += size
        while self._used[0] > self._budgets[0]:
            oldest, dropped = self._memory.popitem(last=False)
            self._used[0] -= size_bytes(dropped)
            self._spill(oldest, dropped)

    def clear(self) -> None:
        """Drop everything: for another network, adapter or window."""
        self._memory.clear()
        self._position = None
        for path, _ in self._disk.values():
            path.unlink(missing_ok=True)
        self._disk.clear()
        self._used = [0, 0]

    def _spill(self, key: Hashable, features: ImageFeatures) -> None:
        size = size_bytes(features)
        if size > self._budgets[1]:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="napari-vost-features-")
        path = Path(self._folder.name) / f"{self._written}.safetensors"
        self._written += 1
        save_file({str(index): level.contiguous() for index, level in enumerate(features.levels)}, path)
        self._disk[key] = (path, size)
        self._used[1] += size
        while self._used[1] > self._budgets[1]:
            _, (old, old_size) = self._disk.popitem(last=False)
            old.unlink(missing_ok=True)
            self._used[1] -= old_size
