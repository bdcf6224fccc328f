"""The data engine: clips of synthetic scans and cines with known truth, made in batches on any device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from napari_vost.training.looks import Fields, looks
from napari_vost.training.scenes import draw_scene
from napari_vost.training.scenes.painter import paint
from napari_vost.training.shapes import Curve, Scene

_SUBSLICES = 3


@dataclass(frozen=True, eq=False)
class RawClips:
    """Clips before targets are chosen: images (B, T, 3, H, W) uint8, labels (B, T, H, W) uint8, 0 background."""

    images: Tensor
    labels: Tensor


def synthetic_clips(count: int, frames: int, side: int, seed: int, device: torch.device | str = "cpu") -> RawClips:
    """Make ``count`` clips of ``frames`` frames and ``side`` pixels; the same seed makes the same clips."""
    random = np.random.default_rng(seed)
    return clips_of([draw_scene(random, frames) for _ in range(count)], side, seed, device)


def clips_of(scenes: Sequence[Scene], side: int, seed: int, device: torch.device | str = "cpu") -> RawClips:
    """Paint scenes of the same length and give them their looks."""
    fields = Fields(seed, torch.device(device))
    frames = len(scenes[0].camera)
    grey = torch.empty(len(scenes), frames, side, side, device=fields.device)
    labels = torch.empty(grey.shape, dtype=torch.uint8, device=fields.device)
    for thick in (False, True):
        rows = [row for row, scene in enumerate(scenes) if scene.thick == thick]
        if not rows:
            continue
        at = torch.tensor(rows, device=fields.device)
        chosen = [scenes[row] for row in rows]
        if thick:
            fine, marks = paint([_sliced(scene) for scene in chosen], side, fields)
            grey[at] = fine.view(len(rows), frames, _SUBSLICES, side, side).mean(2)
            labels[at] = marks[:, _SUBSLICES // 2 :: _SUBSLICES]
        else:
            grey[at], labels[at] = paint(chosen, side, fields)
    noise = torch.tensor([scene.noise for scene in scenes])
    images, shown = looks(grey, labels, noise, [scene.look for scene in scenes], fields)
    return RawClips((images * 255).round_().to(torch.uint8), labels * shown)


def _sliced(scene: Scene) -> Scene:
    """The scene with three sub-slices for every slice, the middle ones as they were."""
    frames = len(scene.camera)
    index = np.arange(frames)
    fine = (np.arange(frames * _SUBSLICES) - _SUBSLICES // 2) / _SUBSLICES

    def curve(values: Curve) -> Curve:
        columns = values.reshape(frames, -1).T
        found = np.stack([np.interp(fine, index, column) for column in columns], 1)
        return found.reshape(len(fine), *values.shape[1:])

    discs = tuple(
        replace(disc, centre=curve(disc.centre), radius=curve(disc.radius), angle=curve(disc.angle))
        for disc in scene.discs
    )
    # slices are averages, but each was taken in one breath-hold: the camera does not move within one
    return replace(scene, discs=discs, camera=np.repeat(scene.camera, _SUBSLICES, 0))
