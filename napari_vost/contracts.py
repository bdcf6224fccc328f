"""The tensors that travel between network, memory, features and motion, and the protocols that they meet in.

Letters: B rows (objects x hypotheses), N images (one per region), M candidates, C channels, S input size,
h x w the cells of a feature map. Batch first everywhere. Points are ``(x, y)`` in input pixels, as networks want them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from napari_vost.masks import Box
from napari_vost.types import Image, Order, Region, Scores

Role = Literal["prompted", "recent", "anchor"]


# ── the network ──────────────────────────────────────────────────────────────────────────────────────────────────────
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


# ── memory (past) ────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, eq=False)
class MemoryEntry:
    """One remembered frame of one row.

    Attributes
    ----------
    entry_id
        Unique in a session; keys that attention caches belong to it.
    frame_index, role, direction
        Which frame, why it is kept, and the sweep that made it (+1 or -1; 0 for prompted frames).
    region
        What the network looked at.
    tokens, positions
        (n, C_m) kept tokens and their sine positions.
    cells_yx
        (n, 2) float cell of every token in its own region, for the rotary code.
    pointer
        (C,) object pointer, absent ones replaced.
    scores, area_px, box
        Scores; pixels of the mask in the frame; half-open ``(y0, x0, y1, x1)`` box in the frame, None if empty.
    phase
        Place in the heart or breath cycle, 0..1, None without a periodic prior.
    network
        Fingerprint of the network that made it.
    """

    entry_id: int
    frame_index: int
    role: Role
    direction: int
    region: Region
    tokens: Tensor
    positions: Tensor
    cells_yx: Tensor
    pointer: Tensor
    scores: Scores
    area_px: int
    box: Box | None
    phase: float | None
    network: str


@dataclass(frozen=True, eq=False)
class MemoryBank:
    """What one row remembers. ``prompted`` is permanent, ``kept`` is the policy's; both in order of writing."""

    prompted: tuple[MemoryEntry, ...] = ()
    kept: tuple[MemoryEntry, ...] = ()

    def __len__(self) -> int:
        return len(self.prompted) + len(self.kept)

    def with_prompted(self, entry: MemoryEntry) -> MemoryBank:
        """Add a prompted frame, replacing an older memory of the same frame; sorted by frame."""
        others = (old for old in self.prompted if old.frame_index != entry.frame_index)
        kept = tuple(old for old in self.kept if old.frame_index != entry.frame_index)
        return MemoryBank(tuple(sorted((*others, entry), key=lambda one: one.frame_index)), kept)


@dataclass(frozen=True, eq=False)
class Query:
    """What a policy may know of the frame that memory is read for."""

    frame_index: int
    time_s: float | None
    direction: int
    features: ImageFeatures
    image_row: int
    prediction: Prediction | None
    region: Region
    order: Order
    length: int


@dataclass(frozen=True, eq=False)
class RecalledEntry:
    """One entry as it is to be read.

    Attributes
    ----------
    entry
        The memory.
    slot
        Temporal slot: 0 the nearest, the last one for prompted frames.
    token_mask
        (n,) bool of tokens to read, None for all.
    key_scale
        Multiplies the keys.
    logit_bias
        Added to the attention logits.
    """

    entry: MemoryEntry
    slot: int
    token_mask: Tensor | None = None
    key_scale: float = 1.0
    logit_bias: float = 0.0


@dataclass(frozen=True, eq=False)
class Recall:
    """What one row reads on one frame.

    Attributes
    ----------
    entries
        Spatial memories.
    pointers
        ``(pointer (C,), signed distance in frames)``.
    pointer_span
        Frames that the distance is divided by.
    dense_prompt
        (1, S / k, S / k) logits handed to the prompt encoder, or None.
    points
        ``(x, y, label)`` in input pixels handed to the prompt encoder.
    """

    entries: tuple[RecalledEntry, ...] = ()
    pointers: tuple[tuple[Tensor, int], ...] = ()
    pointer_span: int = 15
    dense_prompt: Tensor | None = None
    points: tuple[tuple[float, float, int], ...] = ()


@dataclass(frozen=True)
class Choice:
    """One row that lives on: its parent row, the candidate that it takes, and its log score."""

    parent: int
    candidate: int
    log_score: float = 0.0


@dataclass(frozen=True, eq=False)
class ReadMass:
    """Share of attention that each recalled entry got, per row: ``shares[row][entry_id]`` sums to at most 1."""

    shares: tuple[Mapping[int, float], ...]


class MemoryPolicy(Protocol):
    """What is remembered and what is read back. Pure: state in, state out, no module."""

    name: str
    wants_read: bool

    def choose(
        self, answer: Answer, predictions: tuple[Prediction | None, ...], state: TrackState
    ) -> tuple[Choice, ...]:
        """Which candidates live on, per new row. Runs before the memory encoder."""
        ...

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Take a new memory in, or not; ``answer`` and ``row`` show every candidate."""
        ...

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """What to read on a frame."""
        ...

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        """Learn what was read; called only if ``wants_read``."""
        ...


# ── motion (future) ──────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, eq=False)
class Prediction:
    """Where an object should be on a frame.

    Attributes
    ----------
    box
        ``(y0, x0, y1, x1)`` in frame pixels.
    area_px
        Expected pixels of the mask.
    covariance
        (4, 4) of centre y, centre x, height, width in pixels squared; None when unknown.
    phase
        Place in the cycle, 0..1; None if not periodic.
    mask_prior
        (H, W) probability, None if the prior speaks of boxes only.
    points_yx
        Points that should lie inside the object.
    """

    box: tuple[float, float, float, float]
    area_px: float
    covariance: Tensor | None = None
    phase: float | None = None
    mask_prior: Tensor | None = None
    points_yx: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Observation:
    """What a motion prior is shown after a frame; ``mask`` is bool (H, W), ``image`` grey or colour as read."""

    frame_index: int
    time_s: float | None
    mask: Tensor
    box: Box | None
    area_px: int
    score: float
    image: Image | None = None


class MotionState(Protocol):
    """Whatever a prior keeps between frames; frozen."""


class MotionPrior(Protocol):
    """Where an object goes next. One state per row."""

    name: str

    def start(self, seen: Observation) -> MotionState:
        """State after the first sight of an object."""
        ...

    def predict(self, state: MotionState, frame_index: int, image: Image | None = None) -> Prediction | None:
        """Prediction for a frame, which may lie several frames ahead; None where the prior has no opinion."""
        ...

    def update(self, state: MotionState, seen: Observation) -> MotionState:
        """State after one more frame."""
        ...


# ── adapters (present) ───────────────────────────────────────────────────────────────────────────────────────────────
class Adapter(Protocol):
    """A small trainable part on a frozen network: identity at initialisation, saved alone."""

    name: str
    context_frames: tuple[int, int]

    def attach(self, network: Network) -> Network:
        """A view of the network with the adapter in it; dropping the view detaches it."""
        ...


# ── the state of a sweep ─────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, eq=False)
class TrackRow:
    """One row of a sweep: an object, or one of its hypotheses.

    Attributes
    ----------
    object_id
        The user's id.
    bank
        What it remembers.
    motion
        State of its motion prior, None without one.
    log_score
        Sum of the log scores of its choices.
    mask_logits
        (1, S / k, S / k) of the frame before, in ``region``; None at the start.
    region
        The region of the frame before.
    box
        Box of the frame before in frame pixels, None if it was empty.
    absent
        Frames in a row without the object.
    """

    object_id: int
    bank: MemoryBank
    region: Region
    motion: MotionState | None = None
    log_score: float = 0.0
    mask_logits: Tensor | None = None
    box: Box | None = None
    absent: int = 0


@dataclass(frozen=True, eq=False)
class TrackState:
    """Everything a sweep knows; immutable, its tensors shared from frame to frame."""

    rows: tuple[TrackRow, ...]
    direction: int
    next_entry_id: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)
