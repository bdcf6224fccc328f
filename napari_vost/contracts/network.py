"""What a network owes, and the tensors that go in and out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from napari_vost.confidence import Calibration
from napari_vost.contracts.judge import Judge


@dataclass(frozen=True)
class Traits:
    """What one network wants and gives; the engine asks here and never asks for a name.

    Attributes
    ----------
    name
        Registry name.
    input_size
        Side S of the square input.
    mean, std
        Normalisation of the three channels after scaling to 0..1.
    strides
        Strides of `ImageFeatures.levels`, finest first.
    memory_stride
        Stride of the level that memory attention works on.
    mask_stride
        Stride of mask logits.
    candidates
        Masks per answer when the prompt is ambiguous.
    memory_slots
        Temporal slots: slot 0 is the frame before, the last one is for prompted frames.
    max_pointers
        Most object pointers read; 0 when the network has none.
    single_mask_points
        From this number of points on, an answer has one candidate (a box counts as two).
    memory_dtype
        What stored tokens are rounded to.
    previous_mask_prompt
        Whether tracking feeds the previous frame's mask logits as a mask prompt.
    native_region
        ``"auto"`` where the network wants a crop around the object, ``"full"`` where it wants the whole frame.
    calibration
        What turns evidence into confidence for its weights; None where nobody measured it.
    judge
        Gives a second opinion on its answers; None where nobody taught one for its weights.
    """

    name: str
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    strides: tuple[int, ...] = (4, 8, 16)
    memory_stride: int = 16
    mask_stride: int = 4
    candidates: int = 3
    memory_slots: int = 7
    max_pointers: int = 16
    single_mask_points: int = 2
    memory_dtype: torch.dtype = torch.bfloat16
    previous_mask_prompt: bool = False
    native_region: Literal["auto", "full"] = "full"
    calibration: Calibration | None = None
    judge: Judge | None = None


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Features of N images.

    Attributes
    ----------
    levels
        One map (N, C_i, S / stride_i, S / stride_i) per stride of the traits, finest first.
    position
        (1, C, h, w) sine positions of the memory level.
    """

    levels: tuple[Tensor, ...]
    position: Tensor

    def rows(self, image_row: Tensor) -> ImageFeatures:
        """Features of the image that each row reads; ``image_row`` is (B,) int."""
        if self.levels[0].shape[0] == 1:
            count = image_row.shape[0]
            return replace(self, levels=tuple(level.expand(count, -1, -1, -1) for level in self.levels))
        return replace(self, levels=tuple(level[image_row] for level in self.levels))

    def look(self, image: int) -> Tensor:
        """What one image looks like: the coarsest level in 4 x 4 cells, (16 C,), to tell images apart by."""
        return nn.functional.adaptive_avg_pool2d(self.levels[-1][image], 4).flatten()


@dataclass(frozen=True, eq=False)
class PromptTensors:
    """Prompts of B rows in input pixels, already mapped into each row's region.

    Attributes
    ----------
    points_xy
        (B, P, 2) float; P may be 0.
    point_labels
        (B, P) int: 1 inside, 0 outside, 2 and 3 the corners of a box, -1 padding.
    mask_logits
        (B, 1, S / mask_stride, S / mask_stride) logits to refine, or None.
    has_mask_logits
        (B,) bool: which rows have them.
    mask
        (B, 1, S, S) float 0..1 masks taken as truth, or None.
    has_mask
        (B,) bool: which rows have one; their answer is the mask itself.
    """

    points_xy: Tensor
    point_labels: Tensor
    mask_logits: Tensor | None = None
    has_mask_logits: Tensor | None = None
    mask: Tensor | None = None
    has_mask: Tensor | None = None

    @classmethod
    def none(cls, rows: int, device: torch.device | str = "cpu") -> PromptTensors:
        """No prompt at all, for B rows: what tracking sees."""
        return cls(torch.zeros(rows, 0, 2, device=device), torch.zeros(rows, 0, dtype=torch.int64, device=device))


@dataclass(frozen=True, eq=False)
class Answer:
    """What the network says of B rows.

    Attributes
    ----------
    mask_logits
        (B, M, S / k, S / k), k = ``traits.mask_stride``. Ungated: absence is in `occurrence` alone.
    affinity
        (B, M) predicted IoU, 0..1.
    occurrence
        (B,) logit that the object is there.
    pointer
        (B, M, C) object pointer of each candidate, as if the object were there.
    absent_pointer
        (C,) pointer that stands for an absent object.
    """

    mask_logits: Tensor
    affinity: Tensor
    occurrence: Tensor
    pointer: Tensor
    absent_pointer: Tensor


@dataclass(frozen=True, eq=False)
class MemoryTokens:
    """What a frame leaves in memory: tokens (B, h*w, C_m) and their positions (1, h*w, C_m)."""

    tokens: Tensor
    positions: Tensor


@dataclass(frozen=True, eq=False)
class Projection:
    """A linear map: weight (out, in), bias (out,)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, value: Tensor) -> Tensor:
        """Apply to the last axis."""
        return nn.functional.linear(value, self.weight, self.bias)


@dataclass(frozen=True, eq=False)
class Norm:
    """A layer norm over the last axis."""

    weight: Tensor
    bias: Tensor
    epsilon: float

    def __call__(self, value: Tensor) -> Tensor:
        """Apply to the last axis."""
        return nn.functional.layer_norm(value, self.weight.shape, self.weight, self.bias, self.epsilon)


@dataclass(frozen=True, eq=False)
class HeadWeights:
    """Projections of one attention (single head): query, key, value, output."""

    query: Projection
    key: Projection
    value: Projection
    output: Projection


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """One layer of memory attention; tensors only.

    Attributes
    ----------
    stride
        The feature level that it conditions.
    self_attention
        None where the network has none.
    cross_attention
        Query from C, key and value from C_m channels.
    norms
        Before self-attention (None where there is none), cross-attention, feed-forward.
    expand, contract
        The feed-forward, with ReLU between.
    """

    stride: int
    self_attention: HeadWeights | None
    cross_attention: HeadWeights
    norms: tuple[Norm | None, Norm, Norm]
    expand: Projection
    contract: Projection


@dataclass(frozen=True, eq=False)
class TemporalTables:
    """What tells attention when a memory was made, and what stands in where there is none.

    Attributes
    ----------
    slots
        (memory_slots, C_m), added to the positions of an entry's tokens.
    no_memory
        (C,) added to features that have no memory to read.
    pointer_time
        Projection (C_m, C) of the sine code of a pointer's signed distance; None where pointers carry no time.
    final_norm
        Norm after the last layer.
    rope_theta
        Base of the axial rotary code.
    position_scale
        Factor on the sine positions added to the features (0.1 in SAM 2).
    """

    slots: Tensor
    no_memory: Tensor
    pointer_time: Projection | None
    final_norm: Norm
    rope_theta: float = 10000.0
    position_scale: float = 0.1


@dataclass(frozen=True)
class Site:
    """A named place that an adapter may attach to."""

    name: str
    kind: Literal["attention", "conv", "mlp"]
    channels: int
    stride: int


@runtime_checkable
class Network(Protocol):
    """The one door to a segmentation network with memory."""

    @property
    def traits(self) -> Traits:
        """What it wants and gives."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of the weights; memories made by another network are refused by it."""
        ...

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        ...

    def see(self, images: Tensor) -> ImageFeatures:
        """Encode images (N, 3, S, S), normalised; sees no prompt, so that features can be kept."""
        ...

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        """Answer B rows; ``conditioned[stride]`` (B, C, h, w) is what memory attention made of the features."""
        ...

    def remember(
        self, features: ImageFeatures, mask_logits: Tensor, occurrence: Tensor, prompted: Tensor, image_row: Tensor
    ) -> MemoryTokens:
        """Encode chosen masks (B, 1, S / k, S / k or S, S) for memory; ``prompted`` (B,) bool says which are hard."""
        ...

    def memory_layers(self) -> list[AttentionWeights]:
        """Weights of memory attention, in order."""
        ...

    def temporal_tables(self) -> TemporalTables:
        """Tables of time and absence."""
        ...

    def sites(self) -> list[Site]:
        """Places for adapters."""
        ...

    def module(self) -> nn.Module:
        """The torch module that holds the weights, for devices, training and adapters."""
        ...

    def adaptable(self) -> tuple[str, ...]:
        """Names of the parameters of `module` that may be fitted to one case, at most 100 000 numbers in all.

        Only `answer` and the reading of memory may depend on them: features and memory tokens stay what they were.
        """
        ...

    def fork(self) -> Network:
        """A copy in evaluation mode with its own trainable `adaptable` parameters; all others are shared and frozen."""
        ...
