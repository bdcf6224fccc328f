"""A network's four steps as ONNX graphs of fixed shapes: see, attend, answer, remember (docs/onnx.md).

Memory of any length up to the network's slots is read by one graph: what is missing is padded and masked.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from napari_vost.contracts import ImageFeatures, Network, PromptTensors
from napari_vost.errors import ExportError
from napari_vost.memory.attention import Keys, attend, project_keys, sine_positions

POINTS = 8  # of one prompt; labels of -1 are padding
OPSET = 18
_MASKED = -1e4  # added to the logits of padding: its weight underflows to 0, and nothing becomes NaN


class See(nn.Module):
    """Images (1, 3, S, S), normalised, to feature maps, finest first."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.weights = network, network.module()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Network.see`."""
        return self.network.see(images).levels


class Attend(nn.Module):
    """Features of the last level, conditioned on padded memory."""

    position: Tensor

    def __init__(self, network: Network, position: Tensor) -> None:
        super().__init__()
        self.network, self.weights = network, network.module()
        self.register_buffer("position", position, persistent=False)

    def forward(self, features: Tensor, tokens: Tensor, cells_yx: Tensor, slots: Tensor, token_mask: Tensor) -> Tensor:
        """Condition (1, C, h, w) on tokens (1, K, C_m); where the mask (1, K) is False everywhere, on no memory."""
        layers, tables = self.network.memory_layers(), self.network.temporal_tables()
        grid = (features.shape[2], features.shape[3])
        positions = sine_positions(cells_yx[0], grid, tokens.shape[2])[None]
        keys = project_keys(tokens + positions + tables.slots[slots], cells_yx, layers, tables.rope_theta)
        bias = torch.where(token_mask, 0.0, _MASKED)[:, None]
        rows = torch.zeros(1, dtype=torch.int64, device=features.device)
        read = attend(features, self.position, Keys(keys, tokens, bias), layers, tables, rows)
        anything = token_mask.any(1)[:, None, None, None]
        return torch.where(anything, read, features + tables.no_memory[:, None, None])


class Respond(nn.Module):
    """Feature maps, conditioned features and prompts to an answer."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.weights = network, network.module()

    def forward(
        self,
        levels: list[Tensor],
        conditioned: Tensor,
        points_xy: Tensor,
        point_labels: Tensor,
        mask_logits: Tensor,
        has_mask_logits: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mask logits (1, M, S / k, S / k), affinity (1, M), occurrence (1,)."""
        prompts = PromptTensors(points_xy, point_labels, mask_logits, has_mask_logits)
        rows = torch.zeros(1, dtype=torch.int64, device=conditioned.device)
        features = ImageFeatures(tuple(levels), conditioned)  # an answer reads no position
        answer = self.network.answer(features, {self.network.traits.memory_stride: conditioned}, prompts, rows)
        return answer.mask_logits, answer.affinity, answer.occurrence


class Remember(nn.Module):
    """Features of the last level and a chosen mask to memory tokens."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.weights = network, network.module()

    def forward(self, features: Tensor, mask_logits: Tensor, occurrence: Tensor, prompted: Tensor) -> Tensor:
        """Tokens (1, h * w, C_m)."""
        rows = torch.zeros(1, dtype=torch.int64, device=features.device)
        seen = ImageFeatures((features,), features)  # only the last level is remembered
        return self.network.remember(seen, mask_logits, occurrence, prompted, rows).tokens


@dataclass(frozen=True, eq=False)
class Graph:
    """One step as a module, an example of what goes in, and the names of what goes in and out."""

    module: nn.Module
    example: tuple[object, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def graphs(network: Network, size: int) -> dict[str, Graph]:
    """The four steps at an input side of ``size`` pixels."""
    traits = network.traits
    grid, mask_side = size // traits.memory_stride, size // traits.mask_stride
    cells, kept = grid * grid, traits.memory_slots * grid * grid
    with torch.no_grad():
        features = network.see(torch.zeros(1, 3, size, size))
    width = network.temporal_tables().slots.shape[1]
    levels = list(features.levels)
    last = levels[-1].clone()  # the exporter takes one tensor that is given twice for one input
    names = tuple(f"level_{stride}" for stride in traits.strides)
    logits, flag = torch.zeros(1, 1, mask_side, mask_side), torch.ones(1, dtype=torch.bool)
    memory = (torch.zeros(1, kept, width), torch.zeros(1, kept, 2), torch.zeros(1, kept, dtype=torch.int64))
    points = (torch.zeros(1, POINTS, 2), -torch.ones(1, POINTS, dtype=torch.int64))
    return {
        "see": Graph(See(network), (torch.zeros(1, 3, size, size),), ("images",), names),
        "attend": Graph(
            Attend(network, features.position),
            (last, *memory, torch.arange(kept)[None] < cells),
            ("features", "tokens", "cells_yx", "slots", "token_mask"),
            ("conditioned",),
        ),
        "answer": Graph(
            Respond(network),
            (levels, last, *points, logits, flag),
            (*names, "conditioned", "points_xy", "point_labels", "mask_logits", "has_mask_logits"),
            ("mask_logits_out", "affinity", "occurrence"),
        ),
        "remember": Graph(
            Remember(network),
            (last, logits, torch.ones(1), flag),
            ("features", "mask_logits", "occurrence", "prompted"),
            ("tokens",),
        ),
    }


def export_onnx(network: Network, folder: Path, size: int | None = None) -> list[Path]:
    """Write ``see``, ``attend``, ``answer`` and ``remember`` as ONNX, and what one must know to use them as JSON.

    Parameters
    ----------
    network
        One without object pointers, on the CPU.
    folder
        Made where it is missing.
    size
        Input side in pixels; None takes the network's own.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ExportError
        A network with pointers, a size that does not fit its strides, or ``onnx`` is not installed.
    """
    traits = network.traits
    side = traits.input_size if size is None else size
    if traits.max_pointers:
        raise ExportError(
            f"{traits.name} reads object pointers, which the ONNX graphs do not have: export vost-nano instead."
        )
    if side < 32 or side % 16:
        raise ExportError(f"The side of ONNX graphs must be a multiple of 16 from 32 on, got {side}: choose another.")
    if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript")):
        raise ExportError("ONNX export needs onnx and onnxscript, which are missing: pip install 'napari-vost[onnx]'.")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, graph in graphs(network, side).items():
        path = folder / f"{name}.onnx"
        with _quiet():
            torch.onnx.export(
                graph.module.eval(),
                graph.example,
                path,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        written.append(path)
    facts = {
        "network": traits.name, "fingerprint": network.fingerprint, "input_size": side, "mean": traits.mean,
        "std": traits.std, "strides": traits.strides, "memory_stride": traits.memory_stride,
        "mask_stride": traits.mask_stride, "candidates": traits.candidates, "memory_slots": traits.memory_slots,
        "tokens_per_frame": (side // traits.memory_stride) ** 2, "points": POINTS,
    }  # fmt: skip
    about = folder / "network.json"
    about.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return [*written, about]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notices, which are for those who write it."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
