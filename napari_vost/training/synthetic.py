"""The data engine: clips of synthetic scans and cines with known truth, made in batches on any device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_vost.training.looks import Fields, look, paint
from napari_vost.training.shapes import draw_scene


@dataclass(frozen=True, eq=False)
class RawClips:
    """Clips before targets are chosen: images (B, T, 3, H, W) uint8, labels (B, T, H, W) uint8, 0 background."""

    images: Tensor
    labels: Tensor


def synthetic_clips(count: int, frames: int, side: int, seed: int, device: torch.device | str = "cpu") -> RawClips:
    """Make ``count`` clips of ``frames`` frames and ``side`` pixels; the same seed makes the same clips."""
    random = np.random.default_rng(seed)
    fields = Fields(seed, torch.device(device))
    scenes = [draw_scene(random, frames) for _ in range(count)]
    grey, labels = paint(scenes, side, fields)
    noise = torch.tensor([scene.noise for scene in scenes])
    images = look(grey, noise, random, fields)
    return RawClips((images * 255).round().to(torch.uint8), labels)
