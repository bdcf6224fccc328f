"""Building blocks of vost-nano: encoder, object branch, memory encoder, prompt planes, positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_vost.contracts import AttentionWeights, HeadWeights, Norm, Projection, PromptTensors

CANDIDATES = 3
_PLANES = 6


@dataclass(frozen=True)
class NanoShape:
    """Sizes of a network.

    Attributes
    ----------
    channels
        At strides 2, 4, 8 and 16; the last a multiple of 4.
    memory
        Of a memory token, a multiple of 4.
    layers
        Cross-attentions to memory.
    memory_stride
        Where memory is read and written: 16, or 8, where the encoder's coarsest features are brought back up to.
    """

    channels: tuple[int, int, int, int] = (16, 32, 64, 128)
    memory: int = 64
    layers: int = 2
    memory_stride: int = 16

    def widened(self, factor: float) -> NanoShape:
        """The same with ``factor`` times the channels, rounded to multiples of 8."""
        two, four, eight, sixteen = (max(8, 8 * round(size * factor / 8)) for size in self.channels)
        return replace(self, channels=(two, four, eight, sixteen))


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution and batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs, momentum=0.03)
    )


class _Block(nn.Module):
    """Two convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = _conv(channels, channels)

    def forward(self, value: Tensor) -> Tensor:
        return functional.relu(value + self.second(functional.relu(self.first(value))))


class Encoder(nn.Module):
    """Image (N, 3, S, S) to maps at strides 2, 4, 8 and 16, or 2, 4 and 8; the last is the one that reads memory."""

    def __init__(self, shape: NanoShape) -> None:
        super().__init__()
        before, blocks = 3, (1, 1, 2, 2)
        stages: list[nn.Module] = []
        for channels, count in zip(shape.channels, blocks, strict=True):
            down = nn.Sequential(_conv(before, channels, stride=2), nn.ReLU())
            stages.append(nn.Sequential(down, *(_Block(channels) for _ in range(count))))
            before = channels
        self.stages = nn.ModuleList(stages)
        _, _, c8, c16 = shape.channels
        self.joined = nn.Sequential(_conv(c8 + c16, c16, 1), nn.ReLU()) if shape.memory_stride == 8 else None

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Maps, finest first."""
        levels = []
        for stage in self.stages:
            image = stage(image)
            levels.append(image)
        if self.joined is None:
            return tuple(levels)
        *fine, eight, sixteen = levels
        return (*fine, self.joined(torch.cat((eight, _twice(sixteen)), 1)))


class ObjectBranch(nn.Module):
    """Prompt planes and features of one object to mask logits at stride 2 and the bottleneck at stride 16."""

    def __init__(self, shape: NanoShape) -> None:
        super().__init__()
        c2, c4, c8, c16 = shape.channels
        self.read_at = shape.memory_stride
        at8 = c8 if self.read_at == 16 else c16
        self.planes = _conv(_PLANES, c4)
        self.fine = nn.Sequential(_conv(2 * c4, c4), nn.ReLU(), _Block(c4))
        self.down8 = nn.Sequential(_conv(c4, c8, stride=2), nn.ReLU())
        self.middle = nn.Sequential(_conv(c8 + at8, c8), nn.ReLU())
        self.down16 = nn.Sequential(_conv(c8, c16, stride=2), nn.ReLU())
        wide = 2 * c16 if self.read_at == 16 else c16
        self.coarse = nn.Sequential(_conv(wide, c16, kernel=1), nn.ReLU(), _Block(c16))
        self.up8 = nn.Sequential(_conv(c16 + c8 + at8, c8), nn.ReLU(), _Block(c8))
        self.up4 = nn.Sequential(_conv(c8 + c4, c4), nn.ReLU(), _Block(c4))
        self.up2 = nn.Sequential(_conv(c4 + c2, c2), nn.ReLU(), _conv(c2, c2), nn.ReLU())
        self.head = nn.Conv2d(c2, CANDIDATES, 3, padding=1)

    def forward(self, levels: tuple[Tensor, ...], conditioned: Tensor, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 3, S / 2, S / 2) and the bottleneck (B, C, S / 16, S / 16)."""
        at2, at4, at8 = levels[:3]
        early, late = (conditioned, ()) if self.read_at == 8 else (at8, (conditioned,))
        fine = self.fine(torch.cat((functional.relu(self.planes(planes)), at4), 1))
        middle = self.middle(torch.cat((self.down8(fine), early), 1))
        coarse = self.coarse(torch.cat((self.down16(middle), *late), 1))
        value = self.up8(torch.cat((_twice(coarse), middle, at8), 1))
        value = self.up4(torch.cat((_twice(value), fine), 1))
        value = self.up2(torch.cat((_twice(value), at2), 1))
        return self.head(value), coarse


class MemoryEncoder(nn.Module):
    """Features where memory is read and a probability at stride 2 to tokens (B, C_m, h, w)."""

    def __init__(self, shape: NanoShape) -> None:
        super().__init__()
        size, last = shape.memory, shape.memory_stride // 8
        self.mask = nn.Sequential(
            _conv(1, 8, stride=2), nn.ReLU(), _conv(8, 24, stride=2), nn.ReLU(), _conv(24, size, stride=last)
        )
        self.image = nn.Conv2d(shape.channels[-1], size, 1)
        self.fuse = nn.Sequential(_Block(size), nn.Conv2d(size, size, 1))

    def forward(self, image: Tensor, probability: Tensor) -> Tensor:
        """Tokens as a map."""
        result: Tensor = self.fuse(functional.relu(self.image(image) + self.mask(probability)))
        return result


class MemoryLayer(nn.Module):
    """Weights of one cross-attention layer; computed by memory/attention.py."""

    def __init__(self, shape: NanoShape) -> None:
        super().__init__()
        channels = shape.channels[-1]
        self.stride = shape.memory_stride
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(shape.memory, channels)
        self.value = nn.Linear(shape.memory, channels)
        self.output = nn.Linear(channels, channels)
        self.norm_cross = nn.LayerNorm(channels)
        self.norm_mlp = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, 2 * channels)
        self.contract = nn.Linear(2 * channels, channels)

    def weights(self) -> AttentionWeights:
        """Its tensors, shared."""
        cross = HeadWeights(*(projection_of(part) for part in (self.query, self.key, self.value, self.output)))
        norms = (None, norm_of(self.norm_cross), norm_of(self.norm_mlp))
        return AttentionWeights(
            self.stride, None, cross, norms, projection_of(self.expand), projection_of(self.contract)
        )


def prompt_planes(prompts: PromptTensors, grid: Sequence[int]) -> Tensor:
    """Planes (B, 6, h, w) at stride 4: inside points, outside points, box, any of them, previous mask, has one."""
    points, labels = prompts.points_xy.float(), prompts.point_labels
    rows, (height, width) = points.shape[0], grid
    planes = points.new_zeros(rows, _PLANES, height, width)
    y = torch.arange(height, device=points.device, dtype=torch.float32)[:, None] * 4 + 1.5
    x = torch.arange(width, device=points.device, dtype=torch.float32)[None, :] * 4 + 1.5
    if points.shape[1]:
        distance = (points[..., 0, None, None] - x) ** 2 + (points[..., 1, None, None] - y) ** 2
        spots = torch.exp(-distance / (2 * (0.025 * 4 * max(height, width)) ** 2))
        for plane, label in ((0, 1), (1, 0)):
            planes[:, plane] = (spots * (labels == label)[..., None, None]).amax(1)
        low = (points * (labels == 2)[..., None]).sum(1)
        high = (points * (labels == 3)[..., None]).sum(1)
        boxed = ((labels == 2).any(1) & (labels == 3).any(1))[:, None, None]
        within_y = ((y + 2 - low[:, 1, None, None]) / 4).clamp(0, 1) * ((high[:, 1, None, None] - y + 2) / 4).clamp(
            0, 1
        )
        within_x = ((x + 2 - low[:, 0, None, None]) / 4).clamp(0, 1) * ((high[:, 0, None, None] - x + 2) / 4).clamp(
            0, 1
        )
        planes[:, 2] = within_y * within_x * boxed
        planes[:, 3] = (labels >= 0).any(1)[:, None, None].to(planes.dtype)
    if prompts.mask_logits is not None:
        has = row_flags(prompts.has_mask_logits, prompts.mask_logits)[:, None, None].to(planes.dtype)
        before = resample(prompts.mask_logits.float().sigmoid(), grid)[:, 0]
        planes[:, 4] = before * has
        planes[:, 5] = has.expand(-1, height, width)
    return planes


def _twice(value: Tensor) -> Tensor:
    return functional.interpolate(value, scale_factor=2.0, mode="bilinear", align_corners=False)


def resample(value: Tensor, grid: Sequence[int]) -> Tensor:
    """Resample (B, 1, H, W): averages where it shrinks, bilinear where it grows."""
    if tuple(value.shape[-2:]) == tuple(grid):
        return value
    if value.shape[-1] > grid[1]:
        return functional.adaptive_avg_pool2d(value, (int(grid[0]), int(grid[1])))
    return functional.interpolate(value, size=tuple(grid), mode="bilinear", align_corners=False)


def row_flags(flags: Tensor | None, like: Tensor) -> Tensor:
    """Flags (B,) bool; all rows where none are given."""
    return torch.ones(like.shape[0], dtype=torch.bool, device=like.device) if flags is None else flags


def sine_grid(grid: Sequence[int], channels: int, device: torch.device) -> Tensor:
    """Sine positions (h*w, channels), coded as SAM 2 does (docs/sam2.md 3).

    Whoever asks for the same ones gets the same tensor, which is not to be written to: a long clip keeps it once.
    """
    if torch.compiler.is_compiling() or any(type(size) is not int for size in grid):  # an exporter's stand-ins
        return _coded(grid, channels, device)
    return _kept_grid(tuple(grid), channels, device)


@lru_cache(maxsize=32)
def _kept_grid(grid: tuple[int, ...], channels: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():  # so that training may read what following has made
        return _coded(grid, channels, device)


def _coded(grid: Sequence[int], channels: int, device: torch.device) -> Tensor:
    half = channels // 2
    steps = torch.arange(half, dtype=torch.float32, device=device)
    scale = 10000.0 ** (2 * torch.div(steps, 2, rounding_mode="floor") / half)
    codes = []
    for size in grid:
        angle = (torch.arange(1, size + 1, device=device)[:, None] / (size + 1e-6) * (2 * math.pi)) / scale
        codes.append(torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), dim=-1).flatten(1))
    rows = codes[0][:, None].expand(-1, grid[1], -1)
    columns = codes[1][None].expand(grid[0], -1, -1)
    return torch.cat((rows, columns), -1).flatten(0, 1)


def projection_of(layer: nn.Linear) -> Projection:
    """A layer's tensors, shared."""
    return Projection(layer.weight, layer.bias)


def norm_of(layer: nn.LayerNorm) -> Norm:
    """A layer's tensors, shared."""
    return Norm(layer.weight, layer.bias, layer.eps)
