"""From real-world values to what a network sees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from napari_vost.clip import Window
from napari_vost.types import Image


def to_unit(image: Image, window: Window | None) -> Tensor:
    """Map a frame (H, W) or (H, W, 3) to float32 0..1, (1, H, W) or (3, H, W).

    Without a window 8-bit values are divided by 255.
    """
    values = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
    low, high = (0.0, 255.0) if window is None else (window.low, window.high)
    unit = ((values - low) / (high - low)).clamp(0, 1)
    return unit.permute(2, 0, 1) if unit.ndim == 3 else unit[None]
