"""Masks in little room: bounding box, packed bits, zlib."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_vost.checks import check_shape

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]


def box_of(mask: Mask) -> Box | None:
    """Half-open bounding box ``(y0, x0, y1, x1)`` of a mask, None when it is empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def box_iou(first: tuple[float, float, float, float], second: Box | None) -> float:
    """Intersection over union of two half-open boxes ``(y0, x0, y1, x1)``; 0 if one is missing."""
    if second is None:
        return 0.0
    height = min(first[2], second[2]) - max(first[0], second[0])
    width = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(height, 0.0) * max(width, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return float(shared / max(sum(areas) - shared, 1e-9))


@dataclass(frozen=True)
class PackedMask:
    """One mask, compressed: 1 to 2 kB for an organ in a 512 x 512 slice.

    Attributes
    ----------
    shape
        ``(H, W)`` of the whole frame.
    box
        Half-open bounding box ``(y0, x0, y1, x1)``, None for an empty mask.
    data
        zlib of the bits inside the box, row by row.
    """

    shape: tuple[int, int]
    box: Box | None
    data: bytes

    @classmethod
    def pack(cls, mask: Mask) -> PackedMask:
        """Compress a bool mask of shape (H, W)."""
        sizes = check_shape(mask, "H W", "mask")
        box = box_of(mask)
        inside = mask[box[0] : box[2], box[1] : box[3]] if box else mask[:0, :0]
        return cls((sizes["H"], sizes["W"]), box, zlib.compress(np.packbits(inside).tobytes(), 6) if box else b"")

    def unpack(self) -> Mask:
        """Return the mask, bool (H, W), bit for bit what was packed."""
        mask = np.zeros(self.shape, dtype=bool)
        if self.box is not None:
            y0, x0, y1, x1 = self.box
            bits = np.frombuffer(zlib.decompress(self.data), dtype=np.uint8)
            mask[y0:y1, x0:x1] = np.unpackbits(bits, count=(y1 - y0) * (x1 - x0)).reshape(y1 - y0, x1 - x0)
        return mask

    @property
    def empty(self) -> bool:
        """Whether no pixel is set."""
        return self.box is None

    @cached_property
    def area(self) -> int:
        """Number of pixels set; counted once, without unpacking."""
        return int.from_bytes(zlib.decompress(self.data), "little").bit_count() if self.data else 0
