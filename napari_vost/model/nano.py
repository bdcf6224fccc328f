"""vost-nano: a small convolutional network with memory, ours from end to end.

Encoder (strides 2 to 16) without prompts; a branch per object that takes prompt planes and the previous mask in at
stride 4 and goes down to stride 16 and up to stride 2; memory is read at stride 16 by `AttentionWeights`, which
`memory/attention.py` computes. Sizes: 16/32/64/128 channels, memory tokens of 64. Fully convolutional: any input
size that is a multiple of 16.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_vost.contracts import (
    Answer,
    AttentionWeights,
    HeadWeights,
    ImageFeatures,
    MemoryTokens,
    Norm,
    Projection,
    PromptTensors,
    Site,
    TemporalTables,
    Traits,
)
from napari_vost.errors import WeightsError

_CHANNELS = (16, 32, 64, 128)
_MEMORY = 64
_CANDIDATES = 3
_SLOTS = 7
_TRUTH = 10.0  # logit of a mask taken as truth
_PLANES = 6
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"


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


class _Encoder(nn.Module):
    """Image (N, 3, S, S) to maps at strides 2, 4, 8, 16."""

    def __init__(self) -> None:
        super().__init__()
        before, blocks = 3, (1, 1, 2, 2)
        stages: list[nn.Module] = []
        for channels, count in zip(_CHANNELS, blocks, strict=True):
            down = nn.Sequential(_conv(before, channels, stride=2), nn.ReLU())
            stages.append(nn.Sequential(down, *(_Block(channels) for _ in range(count))))
            before = channels
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        levels = []
        for stage in self.stages:
            image = stage(image)
            levels.append(image)
        return tuple(levels)


class _ObjectBranch(nn.Module):
    """Prompt planes and features of one object to mask logits at stride 2 and the bottleneck at stride 16."""

    def __init__(self) -> None:
        super().__init__()
        c2, c4, c8, c16 = _CHANNELS
        self.planes = _conv(_PLANES, c4)
        self.fine = nn.Sequential(_conv(2 * c4, c4), nn.ReLU(), _Block(c4))
        self.down8 = nn.Sequential(_conv(c4, c8, stride=2), nn.ReLU())
        self.middle = nn.Sequential(_conv(2 * c8, c8), nn.ReLU())
        self.down16 = nn.Sequential(_conv(c8, c16, stride=2), nn.ReLU())
        self.coarse = nn.Sequential(_conv(2 * c16, c16, kernel=1), nn.ReLU(), _Block(c16))
        self.up8 = nn.Sequential(_conv(c16 + 2 * c8, c8), nn.ReLU(), _Block(c8))
        self.up4 = nn.Sequential(_conv(c8 + c4, c4), nn.ReLU(), _Block(c4))
        self.up2 = nn.Sequential(_conv(c4 + c2, c2), nn.ReLU(), _conv(c2, c2), nn.ReLU())
        self.head = nn.Conv2d(c2, _CANDIDATES, 3, padding=1)

    def forward(self, levels: tuple[Tensor, ...], conditioned: Tensor, planes: Tensor) -> tuple[Tensor, Tensor]:
        at2, at4, at8, _ = levels
        fine = self.fine(torch.cat((functional.relu(self.planes(planes)), at4), 1))
        middle = self.middle(torch.cat((self.down8(fine), at8), 1))
        coarse = self.coarse(torch.cat((self.down16(middle), conditioned), 1))
        value = self.up8(torch.cat((_twice(coarse), middle, at8), 1))
        value = self.up4(torch.cat((_twice(value), fine), 1))
        value = self.up2(torch.cat((_twice(value), at2), 1))
        return self.head(value), coarse


class _MemoryEncoder(nn.Module):
    """Features at stride 16 and a probability at stride 2 to tokens (B, 64, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = nn.Sequential(
            _conv(1, 8, stride=2), nn.ReLU(), _conv(8, 24, stride=2), nn.ReLU(), _conv(24, _MEMORY, stride=2)
        )
        self.image = nn.Conv2d(_CHANNELS[-1], _MEMORY, 1)
        self.fuse = nn.Sequential(_Block(_MEMORY), nn.Conv2d(_MEMORY, _MEMORY, 1))

    def forward(self, image: Tensor, probability: Tensor) -> Tensor:
        result: Tensor = self.fuse(functional.relu(self.image(image) + self.mask(probability)))
        return result


class _MemoryLayer(nn.Module):
    """Weights of one cross-attention layer; computed by memory/attention.py."""

    def __init__(self) -> None:
        super().__init__()
        channels = _CHANNELS[-1]
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(_MEMORY, channels)
        self.value = nn.Linear(_MEMORY, channels)
        self.output = nn.Linear(channels, channels)
        self.norm_cross = nn.LayerNorm(channels)
        self.norm_mlp = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, 2 * channels)
        self.contract = nn.Linear(2 * channels, channels)

    def weights(self) -> AttentionWeights:
        cross = HeadWeights(*(_projection(part) for part in (self.query, self.key, self.value, self.output)))
        norms = (None, _norm(self.norm_cross), _norm(self.norm_mlp))
        return AttentionWeights(16, None, cross, norms, _projection(self.expand), _projection(self.contract))


class NanoNetwork(nn.Module):
    """vost-nano behind the `Network` contract.

    Parameters
    ----------
    input_size
        Side S of the square input the weights were trained for, pixels, a multiple of 16.
    """

    absent_pointer: Tensor

    def __init__(self, input_size: int = 256) -> None:
        super().__init__()
        channels = _CHANNELS[-1]
        self._traits = _traits(input_size)
        self._hash: tuple[tuple[int, ...], str] | None = None
        self.encoder = _Encoder()
        self.branch = _ObjectBranch()
        self.memory_encoder = _MemoryEncoder()
        self.layers = nn.ModuleList(_MemoryLayer() for _ in range(2))
        self.final_norm = nn.LayerNorm(channels)
        self.slots = nn.Parameter(torch.randn(_SLOTS, _MEMORY) * 0.1)
        self.no_memory = nn.Parameter(torch.randn(channels) * 0.1)
        self.absence = nn.Parameter(torch.zeros(_MEMORY))
        self.occurrence = nn.Sequential(nn.Linear(2 * channels + 1, 64), nn.ReLU(), nn.Linear(64, 1))
        self.affinity = nn.Sequential(nn.Linear(2 * channels + 1, 64), nn.ReLU(), nn.Linear(64, 1))
        self.register_buffer("absent_pointer", torch.zeros(channels), persistent=False)

    @property
    def traits(self) -> Traits:
        """What it wants and gives."""
        return self._traits

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.slots.device

    @property
    def fingerprint(self) -> str:
        """Hash of the weights, computed again when they have changed."""
        tensors = self.state_dict()
        marks = tuple(mark for tensor in tensors.values() for mark in (tensor.data_ptr(), tensor._version))
        if self._hash is None or self._hash[0] != marks:
            digest = hashlib.sha256()
            for name in sorted(tensors):
                digest.update(name.encode())
                digest.update(tensors[name].detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
            self._hash = (marks, digest.hexdigest())
        return self._hash[1]

    def see(self, images: Tensor) -> ImageFeatures:
        """Encode images (N, 3, S, S); each is standardised by its own mean and deviation first."""
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        deviation = images.std(dim=(1, 2, 3), keepdim=True)
        levels = self.encoder((images - mean) / (deviation + 1e-3))
        position = _sine_grid(levels[-1].shape[-2:], _CHANNELS[-1], images.device)
        square = position.transpose(0, 1).reshape(1, -1, *levels[-1].shape[-2:])
        return ImageFeatures(levels, square.to(levels[-1].dtype))

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        """Answer B rows; a row whose prompt is a mask taken as truth gets that mask back."""
        own = features.rows(image_row)
        planes = prompt_planes(prompts, own.levels[1].shape[-2:]).to(own.levels[1].dtype)
        logits, coarse = self.branch(own.levels, conditioned[16], planes)
        pointer, pooled = _pooled(coarse, logits)
        around = coarse.mean((2, 3))
        top = logits.flatten(2).amax(2) / _TRUTH
        each = torch.cat((pooled, around[:, None].expand_as(pooled), top[..., None]), -1)
        affinity = self.affinity(each)[..., 0].sigmoid()
        seen = torch.cat((around, coarse.amax((2, 3)), top.amax(1, keepdim=True)), -1)
        occurrence = self.occurrence(seen)[:, 0]
        if prompts.mask is not None:
            given = _flags(prompts.has_mask, prompts.mask)
            truth = _area(prompts.mask.to(logits.dtype), logits.shape[-2:]) * 2 - 1
            logits = torch.where(given[:, None, None, None], truth.clamp(-1, 1) * _TRUTH, logits)
            present = (prompts.mask.flatten(1).amax(1) > 0.5).to(occurrence.dtype) * 2 - 1
            occurrence = torch.where(given, present * _TRUTH, occurrence)
            affinity = torch.where(given[:, None], torch.ones_like(affinity), affinity)
            pointer = torch.where(given[:, None, None], _pooled(coarse, logits)[0], pointer)
        return Answer(logits, affinity, occurrence, pointer, self.absent_pointer)

    def remember(
        self, features: ImageFeatures, mask_logits: Tensor, occurrence: Tensor, prompted: Tensor, image_row: Tensor
    ) -> MemoryTokens:
        """Encode chosen masks; those of prompted rows are made hard."""
        image = features.rows(image_row).levels[-1]
        grid = image.shape[-2:]
        soft = _area(mask_logits.to(image.dtype), (grid[0] * 8, grid[1] * 8)).sigmoid()
        probability = torch.where(prompted[:, None, None, None], (soft > 0.5).to(soft.dtype), soft)
        absent = (occurrence <= 0).to(soft.dtype)[:, None, None, None]
        tokens = self.memory_encoder(image, probability * (1 - absent))
        tokens = tokens + absent * self.absence[None, :, None, None]
        positions = _sine_grid(grid, _MEMORY, image.device)
        return MemoryTokens(tokens.flatten(2).transpose(1, 2), positions[None].to(tokens.dtype))

    def memory_layers(self) -> list[AttentionWeights]:
        """Weights of memory attention, in order."""
        return [layer.weights() for layer in self.layers if isinstance(layer, _MemoryLayer)]

    def temporal_tables(self) -> TemporalTables:
        """Tables of time and absence; pointers are not read."""
        return TemporalTables(self.slots, self.no_memory, None, _norm(self.final_norm))

    def sites(self) -> list[Site]:
        """Places for adapters."""
        stages = zip(_CHANNELS, self.traits.strides, strict=True)
        found = [Site(f"encoder.stages.{i}", "conv", size, stride) for i, (size, stride) in enumerate(stages)]
        decoder = (("up8", _CHANNELS[2], 8), ("up4", _CHANNELS[1], 4), ("up2", _CHANNELS[0], 2))
        found += [Site(f"branch.{name}", "conv", size, stride) for name, size, stride in decoder]
        for index in range(len(self.layers)):
            found += [Site(f"layers.{index}.{part}", "attention", _CHANNELS[-1], 16) for part in ("query", "output")]
            found.append(Site(f"layers.{index}.expand", "mlp", _CHANNELS[-1], 16))
        return found

    def module(self) -> nn.Module:
        """Itself."""
        return self


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
        has = _flags(prompts.has_mask_logits, prompts.mask_logits)[:, None, None].to(planes.dtype)
        before = _area(prompts.mask_logits.float().sigmoid(), grid)[:, 0]
        planes[:, 4] = before * has
        planes[:, 5] = has.expand(-1, height, width)
    return planes


def build_nano(input_size: int = 256, seed: int = 0) -> NanoNetwork:
    """Make an untrained network from a seed, without touching torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NanoNetwork(input_size).eval()


def save_nano(network: NanoNetwork, folder: Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write weights (fp16) and config.json; ``notes`` (JSON values) go into the config under ``training``."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    halves = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    partial = folder / (_WEIGHTS + ".part")
    save_file({name: value.contiguous() for name, value in halves.items()}, partial)
    partial.replace(folder / _WEIGHTS)
    config = {"network": "vost-nano", "version": 1, "input_size": network.traits.input_size, "training": notes or {}}
    (folder / _CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def load_nano(folder: Path) -> NanoNetwork:
    """Read a network from ``model.safetensors`` and ``config.json``, in fp32 and evaluation mode.

    Raises
    ------
    WeightsError
        A file is missing or unreadable, or its keys or shapes are of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        tensors = load_file(folder / _WEIGHTS)
        network = NanoNetwork(int(config["input_size"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"No readable vost-nano weights in {folder}: expected {_WEIGHTS} and {_CONFIG} ({error}); install again."
        ) from error
    wanted = network.state_dict()
    wrong = sorted(wanted.keys() ^ tensors.keys()) or [k for k in wanted if wanted[k].shape != tensors[k].shape]
    if wrong:
        raise WeightsError(
            f"{folder / _WEIGHTS} holds another network: {len(wrong)} keys differ, first {wrong[0]!r}; expected "
            "vost-nano, so install again or name the right folder."
        )
    network.load_state_dict(tensors)
    return network.eval()


def _traits(size: int) -> Traits:
    if size % 16 or size < 32:
        raise WeightsError(
            f"vost-nano's input size must be a multiple of 16 from 32 on, got {size}; correct config.json."
        )
    return Traits(
        name="vost-nano",
        input_size=size,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        strides=(2, 4, 8, 16),
        memory_stride=16,
        mask_stride=2,
        candidates=_CANDIDATES,
        memory_slots=_SLOTS,
        max_pointers=0,
        single_mask_points=10_000,
        memory_dtype=torch.float16,
        previous_mask_prompt=True,
        native_region="auto",
    )


def _twice(value: Tensor) -> Tensor:
    return functional.interpolate(value, scale_factor=2.0, mode="bilinear", align_corners=False)


def _area(value: Tensor, grid: Sequence[int]) -> Tensor:
    """Resample (B, 1, H, W): averages where it shrinks, bilinear where it grows."""
    if tuple(value.shape[-2:]) == tuple(grid):
        return value
    if value.shape[-1] > grid[1]:
        return functional.adaptive_avg_pool2d(value, tuple(grid))
    return functional.interpolate(value, size=tuple(grid), mode="bilinear", align_corners=False)


def _flags(flags: Tensor | None, like: Tensor) -> Tensor:
    return torch.ones(like.shape[0], dtype=torch.bool, device=like.device) if flags is None else flags


def _pooled(coarse: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (B, M, C) of the bottleneck inside each candidate, without and with gradients."""
    share = functional.adaptive_avg_pool2d(logits.sigmoid().detach(), tuple(coarse.shape[-2:])).flatten(2)
    pooled = share @ coarse.flatten(2).transpose(1, 2) / (share.sum(2, keepdim=True) + 1e-3)
    return pooled.detach(), pooled


def _sine_grid(grid: Sequence[int], channels: int, device: torch.device) -> Tensor:
    """Sine positions (h*w, channels), coded as SAM 2 does (algorithms.md 1.5)."""
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


def _projection(layer: nn.Linear) -> Projection:
    return Projection(layer.weight, layer.bias)


def _norm(layer: nn.LayerNorm) -> Norm:
    return Norm(layer.weight, layer.bias, layer.eps)
