"""Clips of real scans and videos from a pack, and of pictures painted over real label maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_vost.training.pack import Volume
from napari_vost.training.shapes import Random
from napari_vost.training.synthetic import RawClips

_WEIGHTS = {
    "msd_hippocampus": 0.2, "davis16": 0.2, "sct_cord": 0.08, "elastix_lung": 0.05, "pyradiomics_lesions": 0.07,
    "totalseg_ref": 0.15, "labelmaps_synthseg": 0.15, "macaque_inia19": 0.1,
}  # fmt: skip
_LEAST_PIXELS = 40


class RealClips:
    """Draws clips from packed volumes.

    Parameters
    ----------
    volumes
        Of one part of a pack; kept as they are, in memory of the CPU.
    side
        Canvas side in pixels.
    """

    def __init__(self, volumes: Sequence[Volume], side: int) -> None:
        self._side = side
        self._groups: dict[str, list[Volume]] = {}
        for volume in volumes:
            self._groups.setdefault(volume.facts.group, []).append(volume)
        weights = np.array([_WEIGHTS.get(name, 0.1) for name in self._groups])
        self._weights = weights / weights.sum()

    def draw(self, frames: int, random: Random, group: str | None = None) -> RawClips:
        """One clip of ``frames`` frames around one structure, whose label is 1; of one group, or by weight."""
        name = group or list(self._groups)[int(random.choice(len(self._weights), p=self._weights))]
        for _ in range(20):
            volumes = self._groups[name]
            found = self._try(volumes[int(random.integers(len(volumes)))], frames, random)
            if found is not None:
                return found
        return self.draw(frames, random)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the rows."""
        return tuple(self._groups)

    def _try(self, volume: Volume, frames: int, random: Random) -> RawClips | None:
        axis = int(random.choice(volume.facts.axes))
        labels = np.moveaxis(volume.labels, axis, 0)
        chosen = _choose(labels, random)
        if chosen is None:
            return None
        start, target = chosen
        indices = _frames(start, len(labels), frames, volume, axis, random)
        masks = np.isin(labels[indices], target)
        if volume.image is None or (random.random() < 0.15 and volume.facts.group != "davis16"):
            picture = _painted(labels[indices], random)
        else:
            picture = np.moveaxis(volume.image, axis, 0)[indices].astype(np.float32) / np.float32(255)
            picture = picture if picture.ndim == 4 else np.repeat(picture[..., None], 3, -1)
        spacing = [zoom for place, zoom in enumerate(volume.facts.spacing) if place != axis]
        grid = _crop(masks[0], spacing[0] / spacing[1], self._side, random)
        image = torch.from_numpy(np.ascontiguousarray(picture)).permute(0, 3, 1, 2)
        marks = torch.from_numpy(masks).float()[:, None]
        where = grid.expand(frames, -1, -1, -1)
        seen = functional.grid_sample(image, where, mode="bilinear", align_corners=False)
        mask = functional.grid_sample(marks, where, mode="bilinear", align_corners=False)
        return RawClips((seen * 255).round().to(torch.uint8)[None], (mask[:, 0] > 0.5).to(torch.uint8)[None])


def _choose(labels: NDArray[np.uint8], random: Random) -> tuple[int, list[int]] | None:
    """A start frame and the labels that make one structure there; None if the frame holds none."""
    areas = (labels > 0).reshape(len(labels), -1).sum(1)
    if areas.max() < _LEAST_PIXELS:
        return None
    start = int(random.choice(len(labels), p=areas / areas.sum()))
    names, counts = np.unique(labels[start], return_counts=True)
    whole = int((labels[start] > 0).sum())
    large = [int(name) for name, count in zip(names, counts, strict=True) if name and count >= _LEAST_PIXELS]
    if not large:
        return None
    if len(names) <= 3 and whole >= _LEAST_PIXELS and random.random() < 0.5:
        return start, [int(name) for name in names if name]
    return start, [int(random.choice(large))]


def _frames(start: int, count: int, frames: int, volume: Volume, axis: int, random: Random) -> NDArray[np.int64]:
    """Indices of the clip's frames; fine slices are skipped past the end the last one repeats."""
    fine = volume.facts.group != "davis16" and count > 24 and axis in volume.facts.axes
    step = int(random.integers(1, 6)) if fine else int(random.integers(1, 3))
    side = random.choice((-1, 1))
    room = count - 1 - start if side > 0 else start
    if room < step * (frames // 2):
        side, room = -side, count - 1 - room
    step = max(1, min(step, room // max(1, frames - 3)))
    return np.asarray(np.clip(start + side * step * np.arange(frames), 0, count - 1))


def _painted(labels: NDArray[np.uint8], random: Random) -> NDArray[np.floating]:
    """A picture (T, H, W, 3) with a random tone per label, texture and noise."""
    tones = random.uniform(0, 1, 256).astype(np.float32)
    tones[0] = random.uniform(0, 0.3)
    level = random.uniform(0.02, 0.08)
    grey = tones[labels] + random.normal(0, level, labels.shape).astype(np.float32)
    return np.repeat(np.clip(grey, 0, 1)[..., None], 3, -1)


def _crop(mask: NDArray[np.bool_], aspect: float, side: int, random: Random) -> Tensor:
    """Sampling grid (1, side, side, 2) of a square around a mask that covers .25 to .5 of it; ``aspect`` is dy/dx."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    high, wide = mask.shape
    centre = ((rows[0] + rows[-1] + 1) / 2 + 0.0, (columns[0] + columns[-1] + 1) / 2)
    longest = max((rows[-1] + 1 - rows[0]) * aspect, columns[-1] + 1 - columns[0], 4)  # in columns
    reach = longest / random.uniform(0.28, 0.5)
    turn = random.normal(0, 0.25)
    shift = random.normal(0, 0.06, 2) * reach
    axis = (torch.arange(side) + 0.5) / side - 0.5
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    dy = (y * math.cos(turn) - x * math.sin(turn)) * reach + shift[0]
    dx = (y * math.sin(turn) + x * math.cos(turn)) * reach + shift[1]
    at_y, at_x = centre[0] + dy / aspect, centre[1] + dx
    return torch.stack((at_x / wide * 2 - 1, at_y / high * 2 - 1), -1).float()[None]
