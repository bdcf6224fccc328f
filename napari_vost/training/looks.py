"""Pictures of scenes: painting with soft edges and texture, then the look of a modality. On any device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.training.shapes import MAX_DISCS, WAVES, Random, Scene


class Fields:
    """Random fields from one generator, on one device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.generator = torch.Generator(device=device)
        self.generator.manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """White noise."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers."""
        return torch.rand(*shape, generator=self.generator, device=self.device) * (high - low) + low

    def smooth(self, clips: int, frames: int, knots: tuple[int, int], side: int) -> Tensor:
        """Smooth noise (clips, frames, side, side) from a coarse grid of (frames, space) knots."""
        coarse = self.normal(clips, 1, knots[0], knots[1], knots[1])
        size = (frames, side, side)
        return functional.interpolate(coarse, size=size, mode="trilinear", align_corners=True)[:, 0]


def paint(scenes: Sequence[Scene], side: int, fields: Fields) -> tuple[Tensor, Tensor]:
    """Paint scenes: grey (B, T, side, side) float, and labels of the same shape, uint8."""
    clips, frames = len(scenes), scenes[0].discs[0].centre.shape[0]
    device = fields.device
    table = {name: _table(scenes, name).to(device) for name in ("centre", "radius", "angle", "waves")}
    tones = _flat(scenes, "tone").to(device)
    textures = _flat(scenes, "texture").to(device)
    marks = _flat(scenes, "label").to(device)
    warp = fields.uniform(0.0, 0.02, clips, 1, 1, 1)
    axis = (torch.arange(side, device=device) + 0.5) / side
    y = axis[:, None] + warp * fields.smooth(clips, frames, (2, 7), side)
    x = axis[None, :] + warp * fields.smooth(clips, frames, (2, 7), side)
    grain = [fields.smooth(clips, frames, (max(2, frames // 2), knots), side) for knots in (12, 40)]
    ground = fields.uniform(0.0, 0.7, clips, 1, 1, 1)
    grey = ground + 0.1 * fields.smooth(clips, frames, (2, 4), side) + 0.05 * grain[0]
    labels = torch.zeros(clips, frames, side, side, dtype=torch.uint8, device=device)
    soft = fields.uniform(0.4, 1.5, clips, 1, 1, 1) / side
    for index in range(max(len(scene.discs) for scene in scenes)):
        inside = _signed(table, index, y, x)
        alpha = torch.sigmoid(inside / soft)
        tone = tones[:, index, None, None, None] + textures[:, index, None, None, None] * grain[index % 2]
        grey = grey + alpha * (tone - grey)
        labels = torch.where(inside > 0, marks[:, index, None, None, None].to(torch.uint8), labels)
    return grey, labels


def _signed(table: dict[str, Tensor], index: int, y: Tensor, x: Tensor) -> Tensor:
    """Signed distance (about; canvas sides) inside disc ``index`` of every clip, (B, T, side, side)."""
    centre = table["centre"][:, index, :, :, None, None]
    radius = table["radius"][:, index, :, :, None, None]
    angle = table["angle"][:, index, :, None, None]
    waves = table["waves"][:, index, :, :, None, None, None]
    dy, dx = y - centre[:, :, 0], x - centre[:, :, 1]
    cosine, sine = angle.cos(), angle.sin()
    u = (dy * cosine - dx * sine) / radius[:, :, 0].clamp(min=1e-4)
    v = (dy * sine + dx * cosine) / radius[:, :, 1].clamp(min=1e-4)
    turn = torch.atan2(u, v)
    outline = torch.ones_like(turn)
    for order in range(WAVES):
        outline = outline + waves[:, 0, order] * torch.cos((order + 2) * turn + waves[:, 1, order])
    size = radius.amin(2)
    inside = (outline - (u * u + v * v).sqrt()) * size
    return torch.where(size > 2e-3, inside, torch.full_like(inside, -1.0))


def _table(scenes: Sequence[Scene], name: str) -> Tensor:
    shape = np.asarray(getattr(scenes[0].discs[0], name)).shape
    table = np.zeros((len(scenes), MAX_DISCS, *shape), np.float32)
    for row, scene in enumerate(scenes):
        for column, disc in enumerate(scene.discs):
            table[row, column] = getattr(disc, name)
    return torch.from_numpy(table)


def _flat(scenes: Sequence[Scene], name: str) -> Tensor:
    table = np.zeros((len(scenes), MAX_DISCS), np.float32)
    for row, scene in enumerate(scenes):
        table[row, : len(scene.discs)] = [getattr(disc, name) for disc in scene.discs]
    return torch.from_numpy(table)


def blur(value: Tensor, times: Tensor) -> Tensor:
    """Binomial blur (B, T, H, W), as often as ``times`` (B,) says, one to three times or so."""
    kernel = torch.tensor([1.0, 2.0, 1.0], device=value.device) / 4
    frames = value.shape[1]
    for turn in range(int(times.max())):
        flat = value.reshape(-1, 1, *value.shape[-2:])
        flat = functional.conv2d(functional.pad(flat, (1, 1, 0, 0), mode="replicate"), kernel.reshape(1, 1, 1, 3))
        flat = functional.conv2d(functional.pad(flat, (0, 0, 1, 1), mode="replicate"), kernel.reshape(1, 1, 3, 1))
        again = flat.reshape(-1, frames, *value.shape[-2:])
        value = torch.where((times > turn)[:, None, None, None], again, value)
    return value


def look(grey: Tensor, noise: Tensor, random: Random, fields: Fields) -> Tensor:
    """Give every clip the look of a modality: (B, T, H, W) grey to (B, T, 3, H, W), 0..1.

    ``noise`` (B,) is the deviation of the noise that the scene's contrasts were chosen for.
    """
    clips, frames, side, _ = grey.shape
    kinds = random.choice(4, size=clips, p=(0.45, 0.2, 0.2, 0.15))  # MR, CT, ultrasound, endoscopy
    kind = torch.from_numpy(kinds).to(grey.device)[:, None, None, None]
    level = noise.to(grey.device)[:, None, None, None]
    field = (fields.smooth(clips, 1, (1, 3), side) * fields.uniform(0.0, 0.25, clips, 1, 1, 1)).exp()
    grey = torch.where(kind == 0, grey * field, grey)
    coarse = fields.smooth(clips, frames, (frames, side // 2), side)
    white = fields.normal(clips, frames, side, side)
    grain = torch.where(kind == 1, 0.6 * coarse + 0.6 * white, white)
    additive = grey + level * grain
    speckle = grey * (1 + (0.15 + 4 * level) * 0.8 * coarse) + 0.5 * level * white
    axis = torch.linspace(0, 1, side, device=grey.device)
    apex = fields.uniform(0.2, 0.8, clips, 1, 1, 1)
    wedge = ((axis[None, :] - apex).abs() < fields.uniform(0.2, 0.6, clips, 1, 1, 1) + 0.7 * axis[:, None]).float()
    fade = torch.exp(-axis[:, None] * fields.uniform(0.0, 1.0, clips, 1, 1, 1))
    grey = torch.where(kind == 2, speckle * wedge * fade, additive)
    grey = blur(grey, torch.from_numpy(random.integers(0, 3, clips)).to(grey.device))
    gamma = fields.uniform(0.7, 1.4, clips, 1, 1, 1)
    grey = grey.clamp(0, 1.3) ** gamma
    colour = grey[:, :, None].expand(-1, -1, 3, -1, -1)
    dark, bright = fields.uniform(0.0, 0.4, clips, 1, 3, 1, 1), fields.uniform(0.5, 1.0, clips, 1, 3, 1, 1)
    shine = (fields.smooth(clips, frames, (frames, 24), side) > 2.6).float()[:, :, None]
    ring = 1 - ((axis[:, None] - 0.5) ** 2 + (axis[None, :] - 0.5) ** 2) * fields.uniform(0.0, 1.5, clips, 1, 1, 1, 1)
    scope = torch.maximum((dark + (bright - dark) * colour) * ring, shine * 0.9)
    return torch.where(kind[..., None] == 3, scope, colour).clamp(0, 1)
