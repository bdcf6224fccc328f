"""Memory attention: a network's own layers, computed faster, with a position for every token.

The function is SAM 2's (docs/sam2.md 6): pre-norm self-attention with rotary code, cross-attention to memory
(single head; keys are memory plus positions, values are memory), feed-forward. Three exact savings:

* *value absorption*: rows of an attention matrix sum to 1, so the value projection is applied after the weighted sum
  (C_m = 64 channels instead of C = 256);
* *key cache*: ``R·W(m + p + t) = R·W(m + p) + R·W·t``; the first term is kept per stored frame and layer, the second
  per temporal slot;
* *shared first self-attention*: its input is the image alone, so objects share it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.contracts import (
    AttentionWeights,
    HeadWeights,
    MemoryEntry,
    Projection,
    Recall,
    RecalledEntry,
    TemporalTables,
)
from napari_vost.memory.softmax import attention
from napari_vost.types import Region

WATCHED_QUERIES = 64


@dataclass(frozen=True, eq=False)
class Keys:
    """Memory of B rows, ready to be attended to, padded to one length.

    Attributes
    ----------
    per_layer
        One (B, K, C) tensor of rotated keys per layer.
    values
        (B, K, C_m) raw memory.
    bias
        (B, 1, K) added to the attention logits (minus infinity for padding), or None.
    """

    per_layer: tuple[Tensor, ...]
    values: Tensor
    bias: Tensor | None = None


def rope_angles(cells_yx: Tensor, channels: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the axial rotary code.

    Parameters
    ----------
    cells_yx
        (..., 2) cell coordinates, fractions allowed.
    channels
        Channels of the rotated vectors, a multiple of 4. The first half of the pairs turns with x, the second with y.
    theta
        Base of the frequencies.

    Returns
    -------
    tuple of Tensor
        Cosine and sine, each (..., channels / 2), one per pair.
    """
    half = channels // 2
    steps = torch.arange(0, half, 2, dtype=torch.float32, device=cells_yx.device)
    frequency = 1.0 / theta ** (steps / half)
    cells = cells_yx.to(torch.float32)
    angles = torch.cat([cells[..., 1:2] * frequency, cells[..., 0:1] * frequency], dim=-1)
    return angles.cos(), angles.sin()


def rotate(value: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn each pair of channels of (..., C) by its angle (..., C / 2)."""
    even, odd = value[..., 0::2], value[..., 1::2]
    turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return turned.flatten(-2).to(value.dtype)


def grid_cells(height: int, width: int, device: torch.device | str = "cpu") -> Tensor:
    """Cells (h*w, 2) ``(y, x)`` of a feature map, row by row."""
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return torch.stack((y.flatten(), x.flatten()), dim=-1).to(torch.float32)


def sine_positions(cells_yx: Tensor, grid: tuple[int, int], channels: int) -> Tensor:
    """Sine positions (n, channels) of cells in a grid (h, w), as SAM 2's memory encoder codes them (1.5)."""
    half = channels // 2
    steps = torch.arange(half, dtype=torch.float32, device=cells_yx.device)
    scale = 10000.0 ** (2 * torch.div(steps, 2, rounding_mode="floor") / half)
    parts = []
    for axis in (0, 1):
        place = (cells_yx[:, axis] + 1) / (grid[axis] + 1e-6) * (2 * math.pi)
        angle = place[:, None] / scale
        parts.append(torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), dim=-1).flatten(1))
    return torch.cat(parts, dim=-1)


def pointer_times(distances: Tensor, span: int, channels: int, projection: Projection | None, width: int) -> Tensor:
    """Positions (n, C_m) of object pointers from their signed distance in frames (docs/sam2.md 4)."""
    if projection is None:
        return torch.zeros(distances.shape[0], width, device=distances.device)
    half = channels // 2
    steps = torch.arange(half, dtype=torch.float32, device=distances.device)
    scale = 10000.0 ** (2 * torch.div(steps, 2, rounding_mode="floor") / half)
    angle = (distances.to(torch.float32) / max(span, 1))[:, None] / scale
    return projection(torch.cat((angle.sin(), angle.cos()), dim=-1))


def moved_cells(cells_yx: Tensor, made_in: Region, seen_in: Region, grid: tuple[int, int]) -> Tensor:
    """Cells of a memory made in one region, as cells of another region."""
    if made_in == seen_in:
        return cells_yx
    size = torch.tensor([made_in.height / grid[0], made_in.width / grid[1]], device=cells_yx.device)
    origin = torch.tensor([made_in.y0, made_in.x0], device=cells_yx.device)
    new_size = torch.tensor([seen_in.height / grid[0], seen_in.width / grid[1]], device=cells_yx.device)
    new_origin = torch.tensor([seen_in.y0, seen_in.x0], device=cells_yx.device)
    return (origin + (cells_yx + 0.5) * size - new_origin) / new_size - 0.5


def attend(
    features: Tensor,
    position: Tensor,
    keys: Keys,
    layers: Sequence[AttentionWeights],
    tables: TemporalTables,
    image_row: Tensor,
    watched: list[Tensor] | None = None,
) -> Tensor:
    """Condition features on memory.

    Parameters
    ----------
    features
        (N, C, h, w) of each image at the layers' stride.
    position
        (1, C, h, w) sine positions.
    keys
        Memory of B rows.
    layers, tables
        The network's weights.
    image_row
        (B,) int: which image each row reads.
    watched
        Gets (B, K): how much the last layer attends to every key, mean over 64 evenly spread queries.

    Returns
    -------
    Tensor
        (B, C, h, w).
    """
    _, channels, height, width = features.shape
    shared = (features + tables.position_scale * position).flatten(2).transpose(1, 2)
    cosine, sine = rope_angles(grid_cells(height, width, features.device), channels, tables.rope_theta)
    current = shared
    for index, layer in enumerate(layers):
        if layer.self_attention is not None and layer.norms[0] is not None:
            current = current + _self_attention(layer.norms[0](current), layer.self_attention, cosine, sine)
        if index == 0:  # nothing of an object has entered yet: up to here rows share their image
            current = current.expand(len(image_row), -1, -1) if current.shape[0] == 1 else current[image_row]
        head = layer.cross_attention
        query = rotate(head.query(layer.norms[1](current)), cosine, sine)
        if watched is not None and index == len(layers) - 1:
            watched.append(_watch(query, keys.per_layer[index], keys.bias))
        read = attention(query, keys.per_layer[index], keys.values, keys.bias)
        current = current + head.output(head.value(read))
        current = current + layer.contract(functional.relu(layer.expand(layer.norms[2](current))))
    current = tables.final_norm(current)
    return current.transpose(1, 2).reshape(len(image_row), channels, height, width)


def _watch(query: Tensor, key: Tensor, bias: Tensor | None) -> Tensor:
    places = torch.linspace(0, query.shape[1] - 1, min(WATCHED_QUERIES, query.shape[1])).round().long()
    logits = torch.matmul(query[:, places.to(query.device)], key.transpose(1, 2)) * query.shape[-1] ** -0.5
    weights: Tensor = (logits if bias is None else logits + bias).softmax(dim=-1).mean(dim=1)
    return weights


def _self_attention(value: Tensor, head: HeadWeights, cosine: Tensor, sine: Tensor) -> Tensor:
    query = rotate(head.query(value), cosine, sine)
    key = rotate(head.key(value), cosine, sine)
    return head.output(attention(query, key, head.value(value)))


def project_keys(
    tokens: Tensor, cells_yx: Tensor, layers: Sequence[AttentionWeights], theta: float
) -> tuple[Tensor, ...]:
    """Rotated keys of every layer for ``tokens`` (B, K, C_m) that already carry their positions, at (…, K, 2) cells."""
    channels = layers[0].cross_attention.key.weight.shape[0]
    cosine, sine = rope_angles(cells_yx, channels, theta)
    return tuple(rotate(layer.cross_attention.key(tokens), cosine, sine) for layer in layers)


class MemoryReader:
    """Reads memory banks with a network's layers; owns the key cache, which never holds truth.

    Parameters
    ----------
    layers, tables
        What `Network.memory_layers` and `Network.temporal_tables` return.
    cache_bytes
        Budget of the key cache; beyond it keys are computed again.
    """

    def __init__(
        self, layers: Sequence[AttentionWeights], tables: TemporalTables, cache_bytes: int = 128 << 20
    ) -> None:
        self._layers = tuple(layers)
        self._tables = tables
        self._budget = cache_bytes
        self._cache: OrderedDict[tuple[MemoryEntry, Region], tuple[Tensor, ...]] = OrderedDict()
        self._bytes = 0

    @property
    def cached_bytes(self) -> int:
        """Bytes that the key cache holds now."""
        return self._bytes

    def clear(self) -> None:
        """Drop the key cache: for other weights, or a rewritten history."""
        self._cache.clear()
        self._bytes = 0

    def read(
        self,
        features: Tensor,
        position: Tensor,
        recalls: Sequence[Recall],
        regions: Sequence[Region],
        image_row: Tensor,
        shares: list[dict[int, float]] | None = None,
    ) -> Tensor:
        """Condition features (N, C, h, w) of images on what each of B rows recalls, (B, C, h, w).

        A row that recalls nothing gets its features plus the network's no-memory vector. Rows of one length are read
        together; others are padded. ``shares`` gets, per row, the share of attention of each recalled entry by its id.
        """
        rows = range(len(recalls))
        empty = [row for row in rows if not recalls[row].entries]
        full = [row for row in rows if recalls[row].entries]
        result = features.new_empty((len(recalls), *features.shape[1:]))
        if empty:
            at = torch.tensor(empty, device=features.device)
            result[at] = features[image_row[at]] + self._tables.no_memory[:, None, None]
        if full:
            at = torch.tensor(full, device=features.device)
            grid = (features.shape[2], features.shape[3])
            keys = _stack([self._keys_of(recalls[row], regions[row], grid) for row in full])
            watched: list[Tensor] | None = None if shares is None else []
            result[at] = attend(features, position, keys, self._layers, self._tables, image_row[at], watched)
        if shares is not None:
            read = dict(zip(full, watched[0], strict=True)) if full and watched else {}
            shares += [_shares(recalls[row], read[row]) if row in read else {} for row in rows]
        return result

    def _keys_of(self, recall: Recall, region: Region, grid: tuple[int, int]) -> Keys:
        """Keys of one row: spatial entries, then pointer tokens; batch axis of 1."""
        parts: list[list[Tensor]] = [[] for _ in self._layers]
        values: list[Tensor] = []
        biases: list[Tensor] = []
        for recalled in recall.entries:
            keys = self._entry_keys(recalled, region, grid)
            for part, key in zip(parts, keys, strict=True):
                part.append(key)
            tokens = recalled.entry.tokens.to(keys[0].dtype)
            values.append(tokens if recalled.token_mask is None else tokens[recalled.token_mask])
            biases.append(_bias(recalled, tokens.device))
        if recall.pointers:
            tokens, places = self._pointer_tokens(recall)
            for part, layer in zip(parts, self._layers, strict=True):
                part.append(layer.cross_attention.key(tokens + places))
            values.append(tokens)
            biases.append(torch.zeros(len(tokens), device=tokens.device))
        biased = any(isinstance(one.logit_bias, Tensor) or one.logit_bias for one in recall.entries)
        bias = torch.cat(biases)[None, None] if biased else None
        return Keys(tuple(torch.cat(part)[None] for part in parts), torch.cat(values)[None], bias)

    def _entry_keys(self, recalled: RecalledEntry, region: Region, grid: tuple[int, int]) -> list[Tensor]:
        entry = recalled.entry
        cells = moved_cells(entry.cells_yx, entry.region, region, grid)
        base = self._base_keys(entry, cells, region, grid)
        channels = base[0].shape[-1]
        cosine, sine = rope_angles(cells, channels, self._tables.rope_theta)
        keys = []
        for key, layer in zip(base, self._layers, strict=True):
            time = layer.cross_attention.key.weight @ self._tables.slots[recalled.slot]
            full = key + rotate(time.expand(len(key), -1), cosine, sine)
            if recalled.key_scale != 1.0:
                full = full * recalled.key_scale
            keys.append(full if recalled.token_mask is None else full[recalled.token_mask])
        return keys

    def _base_keys(
        self, entry: MemoryEntry, cells: Tensor, region: Region, grid: tuple[int, int]
    ) -> tuple[Tensor, ...]:
        name = (entry, region)
        found = self._cache.get(name)
        if found is not None:
            self._cache.move_to_end(name)
            return found
        dtype = self._layers[0].cross_attention.key.weight.dtype
        positions = entry.positions
        if entry.region != region:
            positions = sine_positions(cells, grid, positions.shape[-1])
        tokens = entry.tokens.to(dtype) + positions.to(dtype)
        keys = project_keys(tokens, cells, self._layers, self._tables.rope_theta)
        size = sum(key.numel() * key.element_size() for key in keys)
        if size <= self._budget:
            self._cache[name] = keys
            self._bytes += size
            while self._bytes > self._budget:
                _, dropped = self._cache.popitem(last=False)
                self._bytes -= sum(key.numel() * key.element_size() for key in dropped)
        return keys

    def _pointer_tokens(self, recall: Recall) -> tuple[Tensor, Tensor]:
        """Pointer tokens (P * C / C_m, C_m), each C-wide pointer cut into C / C_m tokens, and their positions."""
        pointers = torch.stack([pointer for pointer, _ in recall.pointers])
        width = self._tables.slots.shape[-1]
        distances = torch.tensor([distance for _, distance in recall.pointers], device=pointers.device)
        channels = pointers.shape[-1]
        times = pointer_times(distances, recall.pointer_span, channels, self._tables.pointer_time, width)
        pieces = channels // width
        return pointers.reshape(-1, width), times.repeat_interleave(pieces, dim=0)


def _bias(recalled: RecalledEntry, device: torch.device) -> Tensor:
    """What is added to the attention logits of every token that is read, (n,)."""
    bias = torch.as_tensor(recalled.logit_bias, dtype=torch.float32, device=device)
    bias = bias.expand(len(recalled.entry.tokens))
    return bias if recalled.token_mask is None else bias[recalled.token_mask]


def _shares(recall: Recall, read: Tensor) -> dict[int, float]:
    """Sum the attention (K,) of a row over the tokens of each entry."""
    shares, start = {}, 0
    for one in recall.entries:
        count = len(one.entry.tokens) if one.token_mask is None else int(one.token_mask.sum())
        shares[one.entry.entry_id] = float(read[start : start + count].detach().sum())
        start += count
    return shares


def _stack(rows: Sequence[Keys]) -> Keys:
    """Stack rows of keys; shorter ones are padded and their padding gets a bias of minus infinity."""
    longest = max(row.values.shape[1] for row in rows)
    if all(row.values.shape[1] == longest and row.bias is None for row in rows):
        per_layer = tuple(torch.cat(parts) for parts in zip(*(row.per_layer for row in rows), strict=True))
        return Keys(per_layer, torch.cat([row.values for row in rows]))
    biases, padded = [], []
    for row in rows:
        missing = longest - row.values.shape[1]
        bias = row.values.new_zeros(1, 1, row.values.shape[1]) if row.bias is None else row.bias
        biases.append(functional.pad(bias, (0, missing), value=-torch.inf))
        padded.append([functional.pad(part, (0, 0, 0, missing)) for part in (*row.per_layer, row.values)])
    stacked = [torch.cat(parts) for parts in zip(*padded, strict=True)]
    return Keys(tuple(stacked[:-1]), stacked[-1], torch.cat(biases))
