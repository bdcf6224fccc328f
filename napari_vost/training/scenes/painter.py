"""Painting scenes with soft edges and texture, and their labels, on any device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.training.looks import Fields
from napari_vost.training.shapes import MAX_DISCS, WAVES, Curve, Scene

_HIDDEN = 2e-3  # radii below are not painted
_GRAIN = (4, 12, 40)  # knots of shading, coarse and fine texture
_KNOTS = 4  # of textures along a clip, however many slices it is cut into


@dataclass(frozen=True, eq=False)
class _Canvas:
    """Clips being painted, (B, T, side, side) each but ``soft`` and ``ground`` (B, 1, 1, 1): views of a batch."""

    grey: Tensor
    labels: Tensor
    y: Tensor
    x: Tensor
    grain: tuple[Tensor, Tensor]
    soft: Tensor
    ground: Tensor

    def part(self, rows: slice, down: slice = slice(None), across: slice = slice(None)) -> _Canvas:
        """Some clips, and of these a window."""
        full = (rows, slice(None), down, across)
        grain = self.grain[0][full], self.grain[1][full]
        soft, ground = self.soft[rows], self.ground[rows]
        return _Canvas(self.grey[full], self.labels[full], self.y[full], self.x[full], grain, soft, ground)


@dataclass(frozen=True, eq=False)
class _Table:
    """Discs of B scenes as the camera sees them, one array each: (B, MAX_DISCS, …)."""

    centre: Curve
    radius: Curve
    angle: Curve
    waves: Curve
    facts: Curve  # label, tone, texture, bar
    clear: Curve  # (B,) projections: what lies under something is seen through it


def paint(scenes: Sequence[Scene], side: int, fields: Fields) -> tuple[Tensor, Tensor]:
    """Paint scenes of the same length: grey (B, T, side, side) float, and labels of the same shape, uint8."""
    clips, frames = len(scenes), len(scenes[0].camera)
    device = fields.device
    shading, *grain = _textures(scenes, side, fields).unbind(2)
    warp = fields.uniform(0.0, 0.02, clips, 1, 1, 1)
    bends = [warp * fields.smooth(clips, frames, (2, 7), side) for _ in range(2)]
    axis = (torch.arange(side, device=device) + 0.5) / side
    ground = torch.tensor([scene.ground for scene in scenes], device=device)[:, None, None, None]
    grey = ground + 0.1 * shading + 0.05 * grain[0]
    labels = torch.zeros(clips, frames, side, side, dtype=torch.uint8, device=device)
    soft = fields.uniform(0.4, 1.5, clips, 1, 1, 1) / side
    canvas = _Canvas(
        grey, labels, axis[:, None] + bends[0], axis[None, :] + bends[1], (grain[0], grain[1]), soft, ground
    )
    for row, scene in enumerate(scenes):
        if scene.regions:
            _volume(canvas.part(slice(row, row + 1)), scene.regions, fields)
    table = _table(scenes)
    margin = max(float(bend.abs().amax()) for bend in bends) + 6.0 / side
    step = 1 if device.type == "cpu" else clips  # small windows for a cache, or all at once for many cores
    for start in range(0, clips, step):
        rows = slice(start, start + step)
        for index in range(max(len(scene.discs) for scene in scenes[rows])):
            _disc(canvas, table, rows, index, margin)
    return grey, labels


def _textures(scenes: Sequence[Scene], side: int, fields: Fields) -> Tensor:
    """Smooth noise (B, T, 3, side, side) of three scales that the camera carries along."""
    clips, frames, finest = len(scenes), len(scenes[0].camera), _GRAIN[-1]
    half = (side + 1) // 2
    layers = [fields.smooth(clips, frames, (_KNOTS, knots), finest) for knots in _GRAIN]
    coarse = torch.stack(layers, 2).flatten(0, 1)
    path = torch.from_numpy(np.concatenate([scene.camera for scene in scenes])).float().to(fields.device)
    cosine, sine, zoom = path[:, 2].cos(), path[:, 2].sin(), torch.exp(-path[:, 3])
    turn = torch.stack((torch.stack((cosine, sine), 1), torch.stack((-sine, cosine), 1)), 1) * zoom[:, None, None]
    shift = -turn @ (2 * path[:, [1, 0]])[:, :, None]
    grid = functional.affine_grid(
        torch.cat((turn, shift), 2), [clips * frames, len(_GRAIN), half, half], align_corners=False
    )
    seen = functional.grid_sample(coarse, grid, padding_mode="reflection", align_corners=False)
    large = functional.interpolate(seen, size=(side, side), mode="bilinear", align_corners=False)
    return large.view(clips, frames, len(_GRAIN), side, side)


def _volume(canvas: _Canvas, tones: Sequence[float], fields: Fields) -> None:
    """Paint a label volume of noise into one clip: at each place the highest of several smooth fields wins."""
    frames, side = canvas.grey.shape[1], canvas.grey.shape[-1]
    heights = fields.smooth(len(tones), frames, (_KNOTS - 1, 6), side)
    values = torch.tensor(tones, device=fields.device)[:, None, None, None]
    share = torch.softmax(heights / (3 * float(canvas.soft) + 0.01), 0)
    canvas.grey.copy_(((values * share).sum(0) + 0.1 * canvas.grain[0][0])[None])
    canvas.labels.copy_(heights.argmax(0)[None])


def _disc(canvas: _Canvas, table: _Table, rows: slice, index: int, margin: float) -> None:
    """Paint one disc of some clips, within a window that holds it in all their frames."""
    reach = (
        table.radius[rows, index].max(-1)
        * np.where(table.facts[rows, index, 3] > 0, 1.5, 1 + np.abs(table.waves[rows, index, 0]).sum(-1))[:, None]
    )
    shown = table.radius[rows, index].min(-1) > _HIDDEN
    if not shown.any():
        return
    side = canvas.grey.shape[-1]
    low = (table.centre[rows, index] - reach[..., None] - margin)[shown].min(0)
    high = (table.centre[rows, index] + reach[..., None] + margin)[shown].max(0)
    top, left = (max(0, int(np.floor(value * side))) for value in low)
    bottom, right = (min(side, int(np.ceil(value * side))) for value in high)
    if top >= bottom or left >= right:
        return
    part = canvas.part(rows, slice(top, bottom), slice(left, right))
    inside = _signed(part, table, rows, index)
    facts = torch.from_numpy(table.facts[rows, index]).float().to(inside.device)[:, :, None, None, None]
    label, tone, texture = facts[:, 0], facts[:, 1], facts[:, 2]
    value = tone + texture * part.grain[index % 2]
    alpha = torch.sigmoid(inside / part.soft)
    clear = torch.from_numpy(table.clear[rows]).to(inside.device)[:, None, None, None]
    part.grey.add_(alpha * (value - torch.where(clear, part.ground, part.grey)))
    covered = (inside > 0) & ~(clear & (label == 0))
    part.labels.copy_(torch.where(covered, label.to(torch.uint8), part.labels))


def _signed(part: _Canvas, table: _Table, rows: slice, index: int) -> Tensor:
    """Signed distance (about; canvas sides) inside disc ``index`` of every clip, (B, T, h, w)."""

    def curve(values: Curve) -> Tensor:
        return torch.from_numpy(values[rows, index]).float().to(part.y.device)

    centre, radius = curve(table.centre)[..., None, None], curve(table.radius)[..., None, None]
    angle, waves = curve(table.angle)[..., None, None], curve(table.waves)[:, :, :, None, None, None]
    bars = table.facts[rows, index, 3] > 0
    dy, dx = part.y - centre[:, :, 0], part.x - centre[:, :, 1]
    cosine, sine = angle.cos(), angle.sin()
    along, across = dy * cosine - dx * sine, dy * sine + dx * cosine
    first, second = radius[:, :, 0], radius[:, :, 1]
    size = radius.amin(2)
    inside = torch.minimum(first - along.abs(), second - across.abs()) if bars.any() else along
    if not bars.all():
        u, v = along / first.clamp(min=1e-4), across / second.clamp(min=1e-4)
        turn = torch.atan2(u, v)
        outline = torch.ones_like(turn)
        for order in range(WAVES):
            outline += waves[:, 0, order] * torch.cos((order + 2) * turn + waves[:, 1, order])
        round_ = (outline - (u * u + v * v).sqrt()) * size
        flags = torch.from_numpy(bars).to(round_.device)[:, None, None, None]
        inside = torch.where(flags, inside, round_) if bars.any() else round_
    return torch.where(size > _HIDDEN, inside, -torch.ones_like(inside))


def _table(scenes: Sequence[Scene]) -> _Table:
    clips, frames = len(scenes), len(scenes[0].camera)
    shapes = {"centre": (frames, 2), "radius": (frames, 2), "angle": (frames,), "waves": (2, WAVES), "facts": (4,)}
    table = {name: np.zeros((clips, MAX_DISCS, *shape)) for name, shape in shapes.items()}
    for row, scene in enumerate(scenes):
        turn, zoom = scene.camera[:, 2], np.exp(scene.camera[:, 3])
        for column, disc in enumerate(scene.discs):
            dy, dx = (disc.centre - 0.5).T
            turned = np.stack((dy * np.cos(turn) + dx * np.sin(turn), dx * np.cos(turn) - dy * np.sin(turn)), 1)
            table["centre"][row, column] = 0.5 + zoom[:, None] * turned + scene.camera[:, :2]
            table["radius"][row, column] = disc.radius * zoom[:, None]
            table["angle"][row, column] = disc.angle + turn
            table["waves"][row, column] = disc.waves
            table["facts"][row, column] = disc.label, disc.tone, disc.texture, disc.bar
    return _Table(**table, clear=np.array([scene.look == "xray" for scene in scenes]))
