"""Softmax attention whose values are narrower than its keys."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK = 1024  # queries and keys per block on a CPU (tried: 256 to 4096)


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Softmax attention of (B, Q, C) queries over (B, K, C) keys with (B, K, C_v) values and (B, 1, K) bias.

    On a CPU torch's fused kernel wants equal widths of key and value; blocks that stay in the cache take its place,
    and plain matrices where gradients are wanted.
    """
    if query.is_cuda or query.shape[-1] == value.shape[-1]:
        mask = None if bias is None else bias.to(query.dtype)
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scaled = query * query.shape[-1] ** -0.5
    if torch.is_grad_enabled() and query.requires_grad:
        logits = torch.matmul(scaled, key.transpose(1, 2))
        return torch.matmul((logits if bias is None else logits + bias).softmax(dim=-1), value)
    rows = [
        _blockwise(scaled[row], key[row], value[row], None if bias is None else bias[row]) for row in range(len(query))
    ]
    return torch.stack(rows)


def _blockwise(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Attention of (Q, C) scaled queries in blocks, with a running maximum and sum (online softmax)."""
    turned = key.t().contiguous()
    parts = []
    for start in range(0, len(query), _BLOCK):
        part = query[start : start + _BLOCK]
        largest = part.new_full((len(part), 1), -torch.finfo(part.dtype).max)
        total = part.new_zeros(len(part), 1)
        read = part.new_zeros(len(part), value.shape[1])
        for at in range(0, len(key), _BLOCK):
            logits = torch.mm(part, turned[:, at : at + _BLOCK])
            if bias is not None:
                logits += bias[:, at : at + _BLOCK]
            now = torch.maximum(largest, logits.amax(dim=1, keepdim=True))
            logits.sub_(now).exp_()
            shrink = (largest - now).exp_()
            total.mul_(shrink).add_(logits.sum(dim=1, keepdim=True))
            read.mul_(shrink).addmm_(logits, value[at : at + _BLOCK])
            largest = now
        parts.append(read / total)
    return torch.cat(parts)
