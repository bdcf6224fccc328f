"""The last sight of an object as an image: grey, cropped around it, small enough to compare quickly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vost.contracts import Observation
from napari_vost.masks import Box, Mask
from napari_vost.types import Image

Grey = NDArray[np.float64]

_MARGIN_PX, _MARGIN_SHARE = 24, 0.5  # room around the box for it to move into
_LARGEST_PX = 96  # longer crops are reduced: a network sees an object no finer


@dataclass(frozen=True, eq=False)
class Picture:
    """An image (H, W[, 3]) as read with the mask (H, W) and the box that were seen in it."""

    image: Image
    mask: Mask
    box: Box

    @classmethod
    def of(cls, seen: Observation) -> Picture | None:
        """The picture in an observation; None without an image or without the object."""
        if seen.image is None or seen.box is None:
            return None
        return cls(seen.image, np.asarray(seen.mask.detach().cpu().numpy(), dtype=bool), seen.box)


@dataclass(frozen=True)
class Crop:
    """Part of a frame, reduced by a whole number: pixel p of the crop is a square of ``scale`` pixels of the frame."""

    y0: int
    x0: int
    y1: int
    x1: int
    scale: int

    @classmethod
    def around(cls, picture: Picture) -> Crop:
        """The box with room to move, inside the frame."""
        y0, x0, y1, x1 = (round(side) for side in picture.box)
        margin = max(_MARGIN_PX, round(_MARGIN_SHARE * max(y1 - y0, x1 - x0)))
        height, width = picture.image.shape[:2]
        top, left = max(y0 - margin, 0), max(x0 - margin, 0)
        bottom, right = min(y1 + margin, height), min(x1 + margin, width)
        return cls(top, left, bottom, right, -(-max(bottom - top, right - left) // _LARGEST_PX))

    def of(self, image: Image) -> Grey:
        """The crop of an image, grey: colours are averaged."""
        cut = np.asarray(image[self.y0 : self.y1, self.x0 : self.x1], dtype=np.float64)
        grey: Grey = cut.mean(axis=2) if cut.ndim == 3 else cut
        if self.scale == 1:
            return grey
        height, width = (-(-side // self.scale) for side in grey.shape)
        missing = [(0, size * self.scale - side) for size, side in zip((height, width), grey.shape, strict=True)]
        whole = np.pad(grey, missing, mode="edge").reshape(height, self.scale, width, self.scale)
        return np.asarray(whole.mean(axis=(1, 3)))

    def share(self, mask: Mask) -> Grey:
        """What share of every pixel of the crop a mask (H, W) of the frame covers."""
        return self.of(mask)

    def in_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (N, 2) of the crop, ``(y, x)``, as points of the frame."""
        return np.asarray(points * self.scale + (self.scale - 1) / 2 + np.array([self.y0, self.x0]))


def alike(first: Grey, second: Grey, inside: Mask) -> float:
    """Correlation of two images over the pixels inside a mask, -1 to 1; 0 where one of them is flat."""
    one, other = first[inside], second[inside]
    if one.size < 2:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else 0.0
