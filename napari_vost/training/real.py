"""Clips of real scans and videos from a pack, and of pictures painted over real label maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from napari_vost.masks import box_of
from napari_vost.training.looks import Fields, look
from napari_vost.training.pack import Volume
from napari_vost.training.shapes import Random
from napari_vost.training.slicing import draw_stack, slice_volume
from napari_vost.training.synthetic import RawClips

_WEIGHTS = {
    "msd_hippocampus": 0.2, "davis16": 0.2, "sct_cord": 0.07, "elastix_lung": 0.05, "pyradiomics_lesions": 0.07,
    "totalseg_ref": 0.17, "labelmaps_synthseg": 0.14, "macaque_inia19": 0.1, "pseudo": 0.07,
}  # fmt: skip
_VIDEO = "davis16"
_LEAST_PIXELS = 40
_LEAST_VOXELS = 150


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
        self._names = {volume.facts.name: _large_labels(volume) for volume in volumes}

    def draw(self, frames: int, random: Random, group: str | None = None) -> RawClips:
        """One clip of ``frames`` frames around one structure, whose label is 1; of one group, or by weight."""
        name = group or list(self._groups)[int(random.choice(len(self._weights), p=self._weights))]
        for _ in range(20):
            volumes = self._groups[name]
            volume = volumes[int(random.integers(len(volumes)))]
            found = self._video(volume, frames, random) if name == _VIDEO else self._scan(volume, frames, random)
            if found is not None:
                return found
        return self.draw(frames, random)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the rows."""
        return tuple(self._groups)

    def _scan(self, volume: Volume, frames: int, random: Random) -> RawClips | None:
        """Slices of a scan, or of a picture painted over its label map."""
        names = self._names[volume.facts.name]
        if not names:
            return None
        target = [int(random.choice(names))]
        if 1 < len(names) <= 3 and random.random() < 0.5:
            target = list(names)
        structure = np.isin(volume.labels, target) if len(target) > 1 else volume.labels == target[0]
        spacing = np.array(volume.facts.spacing, np.float64)
        axis = int(random.choice(volume.facts.axes))
        oblique = len(volume.facts.axes) == 3
        stack = draw_stack(structure, spacing, axis, frames, oblique, random)
        if stack is None:
            return None
        painted = volume.image is None or random.random() < 0.15
        picture = _tones(volume.labels, target, random) if painted else _floats(volume.image)
        grey, share = slice_volume(picture, structure, spacing, stack, self._side)
        if int((share[0] > 0.5).sum()) < _LEAST_PIXELS:
            return None
        image = grey[None, :, None].expand(-1, -1, 3, -1, -1)
        if painted:
            fields = Fields(int(random.integers(1 << 60)), torch.device("cpu"))
            textured = grey[None] + float(random.uniform(0, 0.06)) * fields.smooth(1, frames, (frames, 30), self._side)
            image = look(textured, torch.tensor([float(random.uniform(0.01, 0.08))]), random, fields)
        return RawClips((image * 255).round().to(torch.uint8), (share > 0.5).to(torch.uint8)[None])

    def _video(self, volume: Volume, frames: int, random: Random) -> RawClips | None:
        """Frames of a video; in most clips the crop goes with the object."""
        areas = (volume.labels > 0).reshape(len(volume.labels), -1).sum(1)
        if volume.image is None or areas.max() < _LEAST_PIXELS:
            return None
        start = int(random.choice(len(areas), p=areas / areas.sum()))
        if areas[start] < _LEAST_PIXELS:
            return None
        indices = _frames(start, len(areas), frames, random)
        masks = volume.labels[indices] > 0
        picture = volume.image[indices].astype(np.float32) / np.float32(255)
        picture = picture if picture.ndim == 4 else np.repeat(picture[..., None], 3, -1)
        image = torch.from_numpy(np.ascontiguousarray(picture)).permute(0, 3, 1, 2)
        where = _crops(masks, self._side, random, follow=random.random() < 0.7)
        marks = torch.from_numpy(masks).float()[:, None]
        seen = functional.grid_sample(image, where, mode="bilinear", align_corners=False)
        mask = functional.grid_sample(marks, where, mode="bilinear", align_corners=False)
        return RawClips((seen * 255).round().to(torch.uint8)[None], (mask[:, 0] > 0.5).to(torch.uint8)[None])


def _large_labels(volume: Volume) -> list[int]:
    counts = np.bincount(volume.labels.ravel(), minlength=2)
    return [int(name) for name in np.flatnonzero(counts >= _LEAST_VOXELS) if name]


def _floats(image: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    if image is None:
        raise ValueError("a volume without an image has nothing to show")
    return image.astype(np.float32) / np.float32(255)


def _tones(labels: NDArray[np.uint8], target: Sequence[int], random: Random) -> NDArray[np.float32]:
    """A picture (D, H, W) with a tone per label; the target's differs from those of most of what it touches."""
    tones = random.uniform(0, 1, 256)
    tones[0] = random.uniform(0, 0.3)
    own = float(random.uniform(0, 1))
    structure = np.isin(labels, target)
    around = ndimage.maximum_filter1d(structure.view(np.uint8), 3, axis=int(random.integers(3))).astype(bool)
    touching = np.setdiff1d(np.unique(labels[around & ~structure]), target)
    apart = float(random.uniform(0.08, 0.3))
    for name in touching:
        if random.random() < 0.15:  # part of many real borders cannot be seen: only the shape before tells
            tones[name] = own + random.normal(0, 0.02)
        elif abs(tones[name] - own) < apart:
            tones[name] = own + apart if own < 0.5 else own - apart
    tones[list(target)] = own
    return np.asarray(np.clip(tones, 0, 1), np.float32)[labels]


def _frames(start: int, count: int, frames: int, random: Random) -> NDArray[np.int64]:
    """Indices of a video clip's frames; past the end the last one repeats."""
    step = int(random.integers(1, 3))
    side = random.choice((-1, 1))
    room = count - 1 - start if side > 0 else start
    if room < step * (frames // 2):
        side, room = -side, count - 1 - room
    step = max(1, min(step, room // max(1, frames - 3)))
    return np.asarray(np.clip(start + side * step * np.arange(frames), 0, count - 1))


def _crops(masks: NDArray[np.bool_], side: int, random: Random, follow: bool) -> Tensor:
    """Sampling grids (T, side, side, 2) of squares of which the first mask covers .28 to .5."""
    high, wide = masks.shape[1:]
    y0, x0, y1, x1 = box_of(masks[0]) or (0, 0, high, wide)
    reach = max(y1 - y0, x1 - x0, 4) / random.uniform(0.28, 0.5)
    turn = random.normal(0, 0.25)
    axis = (torch.arange(side) + 0.5) / side - 0.5
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    dy = (y * math.cos(turn) - x * math.sin(turn)) * reach
    dx = (y * math.sin(turn) + x * math.cos(turn)) * reach
    at = np.array([(y0 + y1) / 2, (x0 + x1) / 2])
    shift = random.normal(0, 0.06, 2) * reach
    grids = []
    for mask in masks:
        box = box_of(mask) if follow else None
        if box is not None:
            at = 0.4 * at + 0.6 * np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        centre = at + shift
        grids.append(torch.stack(((centre[1] + dx) / wide * 2 - 1, (centre[0] + dy) / high * 2 - 1), -1))
    return torch.stack(grids).float()
