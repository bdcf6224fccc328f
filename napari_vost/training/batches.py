"""From raw clips to training batches: a pool that is slowly renewed, a target, a crop around it, augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.training.looks import Fields, blur
from napari_vost.training.real import RealClips
from napari_vost.training.shapes import Random
from napari_vost.training.synthetic import RawClips, synthetic_clips


@dataclass(frozen=True, eq=False)
class Batch:
    """Clips with one target each: images (B, T, 3, S, S) 0..1, masks (B, T, 1, S, S) 0 or 1."""

    images: Tensor
    masks: Tensor


class ClipPool:
    """Raw clips in memory, half of them real; the oldest are replaced.

    Parameters
    ----------
    size
        Clips kept.
    frames, side
        Frames and canvas side of a raw clip.
    real
        Source of real clips, None for synthetic ones alone.
    seed
        Seeds everything that the pool draws.
    device
        Where clips are made and kept.
    """

    def __init__(
        self, size: int, frames: int, side: int, real: RealClips | None, seed: int, device: torch.device
    ) -> None:
        self._frames, self._side, self._real, self._device = frames, side, real, device
        self._random = np.random.default_rng(seed)
        self._next, self._full = 0, 0
        self.images = torch.zeros(size, frames, 3, side, side, dtype=torch.uint8, device=device)
        self.labels = torch.zeros(size, frames, side, side, dtype=torch.uint8, device=device)

    @property
    def filled(self) -> int:
        """Clips in the pool."""
        return self._full

    def renew(self, count: int) -> None:
        """Replace the oldest ``count`` clips."""
        while count > 0:
            step = min(count, 8 if self._device.type == "cpu" else 32)
            if self._real is not None and self._random.random() < 0.5:
                for _ in range(step):
                    self._put(self._real.draw(self._frames, self._random))
            else:
                seed = int(self._random.integers(1 << 62))
                self._put(synthetic_clips(step, self._frames, self._side, seed, self._device))
            count -= step

    def _put(self, clips: RawClips) -> None:
        at = (torch.arange(len(clips.images)) + self._next) % len(self.images)
        self.images[at] = clips.images.to(self._device)
        self.labels[at] = clips.labels.to(self._device)
        self._next = int(at[-1] + 1) % len(self.images)
        self._full = min(len(self.images), self._full + len(at))

    def batch(self, rows: int, frames: int, size: int, random: Random, endings: float = 0.0) -> Batch:
        """Clips of ``frames`` frames at ``size`` pixels, each cropped around a target of its first frame.

        A share of ``endings`` of them is looked for where the target has gone by the last frame.
        """
        images, masks, boxes = [], [], []
        for _ in range(rows):
            ending = random.random() < endings
            for _ in range(12 if ending else 5):  # clips whose first frame shows nothing are rarely wanted
                row = int(random.integers(0, self._full))
                order = _order(self._frames, frames, random)
                target = _target(self.labels[row, order[0]], random)
                if target and not (ending and bool((self.labels[row, order[-1]] == target).any())):
                    break
            mask = self.labels[row, order] == (target or 255)
            boxes.append(_box(mask[0]))
            images.append(self.images[row, order])
            masks.append(mask)
        return crop(torch.stack(images).float() / 255, torch.stack(masks).float(), boxes, size, random)


def _order(have: int, frames: int, random: Random) -> list[int]:
    """Frames of a sub-clip: a start, a step and a direction that fit."""
    step = int(random.integers(1, max(2, (have - 1) // max(1, frames - 1) + 1)))
    span = step * (frames - 1)
    start = int(random.integers(0, have - span))
    order = [start + step * index for index in range(frames)]
    return order[::-1] if random.random() < 0.3 else order


def _target(labels: Tensor, random: Random) -> int:
    """A label that is large enough in a frame (H, W); 0 where none is."""
    counts = torch.bincount(labels.flatten().long(), minlength=2)[1:].cpu().numpy()
    large = np.flatnonzero(counts >= 60) + 1
    return int(random.choice(large)) if len(large) else 0


def _box(mask: Tensor) -> tuple[float, float, float, float]:
    """Half-open box of a mask (H, W); the middle of the frame where it is empty."""
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    if not len(rows):
        high, wide = mask.shape
        return high * 0.3, wide * 0.3, high * 0.7, wide * 0.7
    return float(rows[0]), float(columns[0]), float(rows[-1]) + 1, float(columns[-1]) + 1


def first_boxes(masks: Tensor) -> list[tuple[float, float, float, float]]:
    """Half-open boxes of the first frames of masks (B, T, H, W) bool."""
    return [_box(mask[0]) for mask in masks]


def crop(
    images: Tensor, masks: Tensor, boxes: list[tuple[float, float, float, float]], size: int, random: Random
) -> Batch:
    """Crop clips (B, T, 3, H, W) and masks (B, T, H, W) to squares in which the boxes cover .25 to .7."""
    clips, frames, _, high, wide = images.shape
    grids = []
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    for box in boxes:
        reach = max(box[2] - box[0], box[3] - box[1], 6) / random.uniform(0.25, 0.7) / 2
        shift = random.normal(0, 0.08, 2) * reach
        stretch = np.exp(random.normal(0, 0.08))
        turn = random.normal(0, 0.2) + (np.pi / 2) * random.integers(0, 4)
        flip = random.choice((-1, 1))
        drift = np.cumsum(random.normal(0, 0.012, (frames, 2)), 0) * reach * (random.random() < 0.6)
        dy = (y * np.cos(turn) - flip * x * np.sin(turn)) * reach * stretch
        dx = (y * np.sin(turn) + flip * x * np.cos(turn)) * reach / stretch
        at_y = (box[0] + box[2]) / 2 + shift[0] + dy
        at_x = (box[1] + box[3]) / 2 + shift[1] + dx
        moves = torch.from_numpy(drift - drift[0])[:, :, None, None]
        where = torch.stack(((at_x + moves[:, 1]) / wide * 2 - 1, (at_y + moves[:, 0]) / high * 2 - 1), -1)
        grids.append(where)
    grid = torch.stack(grids).float().to(images.device).flatten(0, 1)
    padding = "zeros" if random.random() < 0.6 else "border"
    seen = functional.grid_sample(images.flatten(0, 1), grid, padding_mode=padding, align_corners=False)
    flat = masks.flatten(0, 1)[:, None]
    mask = functional.grid_sample(flat, grid, padding_mode="zeros", align_corners=False) > 0.5
    return Batch(seen.view(clips, frames, *seen.shape[1:]), mask.float().view(clips, frames, *mask.shape[1:]))


def augment(batch: Batch, random: Random, fields: Fields) -> Batch:
    """Change contrast, brightness, sharpness and noise of each clip; a fifth are inverted, colours are mixed."""
    images = batch.images
    clips, frames, _, size, _ = images.shape
    mixed = torch.einsum("bij,btjhw->btihw", _mixes(clips, random).to(images.device), images).clamp(0, 1)
    gamma = fields.uniform(-0.5, 0.5, clips, 1, 1, 1, 1).exp()
    value = mixed.clamp(min=1e-4) ** gamma
    flags = torch.from_numpy(random.random(clips) < 0.2).to(images.device)
    value = torch.where(flags[:, None, None, None, None], 1 - value, value)
    scale = fields.uniform(0.6, 1.3, clips, 1, 1, 1, 1)
    value = value * scale + fields.uniform(-0.1, 0.15, clips, 1, 1, 1, 1)
    soft = np.flatnonzero(random.random(clips) < 0.4)
    if len(soft):
        times = torch.from_numpy(random.integers(1, 3, len(soft))).to(images.device)
        at = torch.from_numpy(soft).to(images.device)
        value[at] = blur(value[at].flatten(1, 2), times).view(len(soft), frames, 3, size, size)
    level = fields.uniform(-0.03, 0.06, clips, 1, 1, 1, 1).clamp(min=0)
    value = value + level * fields.normal(clips, frames, 1, size, size)
    lamp = fields.uniform(-0.06, 0.06, clips, frames, 1, 1, 1)  # brightness differs from frame to frame
    return Batch((value * (1 + lamp)).clamp(0, 1), batch.masks)


def _mixes(clips: int, random: Random) -> Tensor:
    """Colour matrices (B, 3, 3): most keep the picture, some turn it grey or shuffle the channels."""
    result = np.tile(np.eye(3), (clips, 1, 1))
    for row in range(clips):
        draw = random.random()
        if draw < 0.3:
            result[row] = random.dirichlet((1, 1, 1))[None]
        elif draw < 0.5:
            result[row] = np.eye(3)[random.permutation(3)]
    return torch.from_numpy(result).float()
