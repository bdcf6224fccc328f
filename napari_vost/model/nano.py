"""vost-nano: a small convolutional network with memory, ours from end to end.

Encoder (strides 2 to 16) without prompts; a branch per object that takes prompt planes and the previous mask in at
stride 4 and goes down to stride 16 and up to stride 2; memory is read at stride 8 or 16 by `AttentionWeights`, which
`memory/attention.py` computes. Fully convolutional: any input size that is a multiple of 16.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_vost.confidence import Calibration, load_calibration
from napari_vost.contracts import (
    Answer,
    AttentionWeights,
    ImageFeatures,
    Judge,
    MemoryTokens,
    PromptTensors,
    Site,
    TemporalTables,
    Traits,
)
from napari_vost.errors import WeightsError
from napari_vost.model.forking import affordable, fork
from napari_vost.model.judge import load_panel
from napari_vost.model.nano_parts import (
    CANDIDATES,
    Encoder,
    MemoryEncoder,
    MemoryLayer,
    NanoShape,
    ObjectBranch,
    norm_of,
    prompt_planes,
    resample,
    row_flags,
    sine_grid,
)

SHAPE = NanoShape()
_SLOTS = 7
_TRUTH = 10.0  # logit of a mask taken as truth
_ADAPTED = ("branch.head", "branch.up2", "branch.up4", "final_norm", "layers", "branch")
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"


class NanoNetwork(nn.Module):
    """vost-nano behind the `Network` contract.

    Parameters
    ----------
    input_size
        Side S of the square input the weights were trained for, pixels, a multiple of 16.
    shape
        Sizes of its parts.
    """

    absent_pointer: Tensor

    def __init__(self, input_size: int = 256, shape: NanoShape = SHAPE) -> None:
        super().__init__()
        channels = shape.channels[-1]
        self.shape = shape
        self._traits = _traits(input_size, shape)
        self._hash: tuple[tuple[int, ...], str] | None = None
        self.encoder = Encoder(shape)
        self.branch = ObjectBranch(shape)
        self.memory_encoder = MemoryEncoder(shape)
        self.layers = nn.ModuleList(MemoryLayer(shape) for _ in range(shape.layers))
        self.final_norm = nn.LayerNorm(channels)
        self.slots = nn.Parameter(torch.randn(_SLOTS, shape.memory) * 0.1)
        self.no_memory = nn.Parameter(torch.randn(channels) * 0.1)
        self.absence = nn.Parameter(torch.zeros(shape.memory))
        self.occurrence = nn.Sequential(nn.Linear(2 * channels + 1, 64), nn.ReLU(), nn.Linear(64, 1))
        self.affinity = nn.Sequential(nn.Linear(2 * channels + 1, 64), nn.ReLU(), nn.Linear(64, 1))
        self.register_buffer("absent_pointer", torch.zeros(channels), persistent=False)

    @property
    def traits(self) -> Traits:
        """What it wants and gives."""
        return self._traits

    def calibrate(self, calibration: Calibration | None, judge: Judge | None = None) -> None:
        """Say how sure its answers are; weights that are fitted to a case from these keep it."""
        self._traits = replace(self._traits, calibration=calibration, judge=judge)

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
        position = sine_grid(levels[-1].shape[-2:], self.shape.channels[-1], images.device)
        square = position.transpose(0, 1).reshape(1, -1, *levels[-1].shape[-2:])
        return ImageFeatures(levels, square.to(levels[-1].dtype))

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        """Answer B rows; a row whose prompt is a mask taken as truth gets that mask back."""
        own = features.rows(image_row)
        planes = prompt_planes(prompts, own.levels[1].shape[-2:]).to(own.levels[1].dtype)
        logits, coarse = self.branch(own.levels, conditioned[self.shape.memory_stride], planes)
        pointer, pooled = _pooled(coarse, logits)
        around = coarse.mean((2, 3))
        top = logits.flatten(2).amax(2) / _TRUTH
        each = torch.cat((pooled, around[:, None].expand_as(pooled), top[..., None]), -1)
        affinity = self.affinity(each)[..., 0].sigmoid()
        seen = torch.cat((around, coarse.amax((2, 3)), top.amax(1, keepdim=True)), -1)
        occurrence = self.occurrence(seen)[:, 0]
        if prompts.mask is not None:
            given = row_flags(prompts.has_mask, prompts.mask)
            truth = resample(prompts.mask.to(logits.dtype), logits.shape[-2:]) * 2 - 1
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
        steps = self.shape.memory_stride // self.traits.mask_stride
        soft = resample(mask_logits.to(image.dtype), (grid[0] * steps, grid[1] * steps)).sigmoid()
        probability = torch.where(prompted[:, None, None, None], (soft > 0.5).to(soft.dtype), soft)
        absent = (occurrence <= 0).to(soft.dtype)[:, None, None, None]
        tokens = self.memory_encoder(image, probability * (1 - absent))
        tokens = tokens + absent * self.absence[None, :, None, None]
        positions = sine_grid(grid, self.shape.memory, image.device)
        return MemoryTokens(tokens.flatten(2).transpose(1, 2), positions[None].to(tokens.dtype))

    def memory_layers(self) -> list[AttentionWeights]:
        """Weights of memory attention, in order."""
        return [layer.weights() for layer in self.layers if isinstance(layer, MemoryLayer)]

    def temporal_tables(self) -> TemporalTables:
        """Tables of time and absence; pointers are not read."""
        return TemporalTables(self.slots, self.no_memory, None, norm_of(self.final_norm))

    def sites(self) -> list[Site]:
        """Places for adapters."""
        two, four, eight, sixteen = self.shape.channels
        stages = zip(self.shape.channels, (2, 4, 8, 16), strict=True)
        found = [Site(f"encoder.stages.{i}", "conv", size, stride) for i, (size, stride) in enumerate(stages)]
        decoder = (("up8", eight, 8), ("up4", four, 4), ("up2", two, 2))
        found += [Site(f"branch.{name}", "conv", size, stride) for name, size, stride in decoder]
        for index in range(len(self.layers)):
            found += [
                Site(f"layers.{index}.{part}", "attention", sixteen, self.shape.memory_stride)
                for part in ("query", "output")
            ]
            found.append(Site(f"layers.{index}.expand", "mlp", sixteen, self.shape.memory_stride))
        return found

    def module(self) -> nn.Module:
        """Itself."""
        return self

    def adaptable(self) -> tuple[str, ...]:
        """Norms of memory attention and of the object branch, then its last blocks."""
        return affordable(self, _ADAPTED)

    def fork(self) -> NanoNetwork:
        """A copy with its own adaptable weights."""
        return fork(self, self.adaptable())


def build_nano(input_size: int = 256, seed: int = 0, shape: NanoShape = SHAPE) -> NanoNetwork:
    """Make an untrained network from a seed, without touching torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NanoNetwork(input_size, shape).eval()


def save_nano(network: NanoNetwork, folder: Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write weights (fp16) and config.json; ``notes`` (JSON values) go into the config under ``training``."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    halves = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    partial = folder / (_WEIGHTS + ".part")
    partial.write_bytes(save({name: value.contiguous() for name, value in halves.items()}))
    partial.replace(folder / _WEIGHTS)
    config = {
        "network": "vost-nano",
        "version": 1,
        "input_size": network.traits.input_size,
        "shape": asdict(network.shape),
        "training": notes or {},
    }
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
        network = NanoNetwork(int(config["input_size"]), _shape(config.get("shape", {})))
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
    network.calibrate(load_calibration(folder, network.fingerprint), load_panel(folder, network.fingerprint))
    return network.eval()


def _shape(config: Mapping[str, Any]) -> NanoShape:
    """Sizes as config.json holds them; those that it leaves out are the first network's."""
    two, four, eight, sixteen = (int(size) for size in config.get("channels", NanoShape.channels))
    memory, layers = config.get("memory", NanoShape.memory), config.get("layers", NanoShape.layers)
    stride = int(config.get("memory_stride", NanoShape.memory_stride))
    if stride not in (8, 16):
        raise ValueError(f"memory_stride is {stride}, expected 8 or 16")
    return NanoShape((two, four, eight, sixteen), int(memory), int(layers), stride)


def _traits(size: int, shape: NanoShape) -> Traits:
    if size % 16 or size < 32:
        raise WeightsError(
            f"vost-nano's input size must be a multiple of 16 from 32 on, got {size}; correct config.json."
        )
    return Traits(
        name="vost-nano",
        input_size=size,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        strides=(2, 4, 8, 16) if shape.memory_stride == 16 else (2, 4, 8),
        memory_stride=shape.memory_stride,
        mask_stride=2,
        candidates=CANDIDATES,
        memory_slots=_SLOTS,
        max_pointers=0,
        single_mask_points=10_000,
        memory_dtype=torch.float16,
        previous_mask_prompt=True,
        native_region="auto",
    )


def _pooled(coarse: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (B, M, C) of the bottleneck inside each candidate, without and with gradients."""
    grid = (int(coarse.shape[-2]), int(coarse.shape[-1]))
    share = functional.adaptive_avg_pool2d(logits.sigmoid().detach(), grid).flatten(2)
    pooled = share @ coarse.flatten(2).transpose(1, 2) / (share.sum(2, keepdim=True) + 1e-3)
    return pooled.detach(), pooled
