"""What is remembered, what is read back, and the state of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from torch import Tensor

from napari_vost.confidence import Evidence, Signs
from napari_vost.contracts.motion import MotionState, Prediction
from napari_vost.contracts.network import Answer, ImageFeatures
from napari_vost.masks import Box
from napari_vost.types import Order, Region, Scores

Role = Literal["prompted", "recent", "anchor"]


@dataclass(frozen=True, eq=False)
class MemoryEntry:
    """One remembered frame of one row.

    Attributes
    ----------
    entry_id
        Unique among the memories of one sweep, its prompted frames included; shares of attention are told by it.
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
    look
        (n,) what the whole region looked like (`ImageFeatures.look`); None where nobody wrote it down.
    tone
        Mean and standard deviation of the values inside the mask; None where it is empty or nobody wrote it down.
    portrait
        (2, 64, 64) values and coverage of the region, on prompted frames only, for a judge; None where there is none.
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
    look: Tensor | None = None
    tone: tuple[float, float] | None = None
    portrait: Tensor | None = None


@dataclass(frozen=True, eq=False)
class MemoryBank:
    """What one row remembers.

    Attributes
    ----------
    prompted
        Permanent, sorted by frame.
    kept
        The policy's, in order of writing.
    notes
        Numbers that a policy keeps beside its entries, by entry id or by frame; never changed in place.
    """

    prompted: tuple[MemoryEntry, ...] = ()
    kept: tuple[MemoryEntry, ...] = ()
    notes: Mapping[int, tuple[float, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.prompted) + len(self.kept)

    def with_prompted(self, entry: MemoryEntry) -> MemoryBank:
        """Add a prompted frame, replacing an older memory of the same frame; sorted by frame."""
        others = (old for old in self.prompted if old.frame_index != entry.frame_index)
        kept = tuple(old for old in self.kept if old.frame_index != entry.frame_index)
        return replace(self, prompted=tuple(sorted((*others, entry), key=lambda one: one.frame_index)), kept=kept)


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
        Added to the attention logits: one number, or (n,) one for every token of the entry.
    """

    entry: MemoryEntry
    slot: int
    token_mask: Tensor | None = None
    key_scale: float = 1.0
    logit_bias: float | Tensor = 0.0


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


class MemoryPolicy(Protocol):
    """What is remembered and what is read back. Pure: state in, state out, no module.

    Attributes
    ----------
    wants_read
        `observe` is to be called.
    hands_previous_mask
        The mask of the frame before is to be a prompt, also of networks that do not ask for it.
    """

    name: str
    wants_read: bool
    hands_previous_mask: bool

    def choose(
        self, answer: Answer, predictions: tuple[Prediction | None, ...], state: TrackState
    ) -> tuple[Choice, ...]:
        """Which candidates live on, per new row. Runs before the memory encoder; the rows' regions are this frame's."""
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


@dataclass(frozen=True, eq=False)
class Trace:
    """What a hypothesis saw on a frame, in case it turns out to be the better one.

    Attributes
    ----------
    frame_index, region
        Where.
    logits
        (s, s) half-precision mask logits in the region, ungated.
    scores, evidence
        Of the answer.
    """

    frame_index: int
    region: Region
    logits: Tensor
    scores: Scores
    evidence: Evidence


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
    stable
        Frames in a row that the track has held, for motion to have a say.
    lowest
        The lowest signs of quality from the answer on the prompted frame on; None before anything was painted.
    start
        Sharpness of the answer on that frame; 1 where it was painted, None where it was empty.
    trail
        What this hypothesis saw on the last frames on which the object had several; newest last.
    """

    object_id: int
    bank: MemoryBank
    region: Region
    motion: MotionState | None = None
    log_score: float = 0.0
    mask_logits: Tensor | None = None
    box: Box | None = None
    absent: int = 0
    stable: int = 0
    lowest: Signs | None = None
    start: float | None = None
    trail: tuple[Trace, ...] = ()


@dataclass(frozen=True, eq=False)
class TrackState:
    """Everything a sweep knows; immutable, its tensors shared from frame to frame."""

    rows: tuple[TrackRow, ...]
    direction: int
    next_entry_id: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)
