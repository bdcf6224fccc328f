"""One frame of tracking: predict, see, recall, answer, remember."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from napari_vost.clip import Window
from napari_vost.confidence import Evidence
from napari_vost.contracts import (
    Answer,
    Choice,
    ImageFeatures,
    MemoryEntry,
    MemoryPolicy,
    MotionPrior,
    Network,
    Observation,
    Prediction,
    Query,
    Role,
    TrackRow,
    TrackState,
)
from napari_vost.errors import Cancelled
from napari_vost.evidence import evidence_of
from napari_vost.features.intensity import to_unit
from napari_vost.features.region import GROWTH, crop, follow, uncrop
from napari_vost.features.store import FeatureStore
from napari_vost.guidance import expected_box, observe_motion, predict, rescore, tracking_prompts
from napari_vost.masks import Mask, box_iou, box_of
from napari_vost.memory.attention import MemoryReader, grid_cells
from napari_vost.types import Image, Order, Region, Scores

ABSENT_LOGIT = -1024.0  # mask logit of an object that is not in the frame (docs/sam2.md 1)


def never() -> bool:
    """A job that nobody cancels."""
    return False


@dataclass(frozen=True, eq=False)
class Engine:
    """The parts of one tracking engine, already made for each other.

    Attributes
    ----------
    network, policy, prior, reader
        Past, present and future; ``prior`` may be None.
    features
        Store of encoded frames.
    window
        Maps frame values to 0..1, None for 8-bit frames.
    region
        ``"auto"``: a crop that follows the object; ``"full"``: the whole frame, squashed to the input.
    sam2
        SAM 2's own semantics to the letter: an object that the user points at may still be called absent.
    cancelled
        Asked between the stages of a frame.
    """

    network: Network
    policy: MemoryPolicy
    reader: MemoryReader
    features: FeatureStore
    prior: MotionPrior | None = None
    window: Window | None = None
    region: Literal["auto", "full"] = "full"
    sam2: bool = False
    cancelled: Callable[[], bool] = never

    @property
    def cells(self) -> int:
        """Tokens along a side of the input."""
        return self.network.traits.input_size // self.network.traits.memory_stride

    def check(self) -> None:
        """Raise `Cancelled` if the user stopped the job."""
        if self.cancelled():
            raise Cancelled("Stopped; everything up to the frame before is kept.")


@dataclass(frozen=True, eq=False)
class FrameView:
    """One frame as the engine is given it.

    Attributes
    ----------
    frame_index, time_s
        Which one, and when (None where unknown or for depth).
    image
        (H, W) or (H, W, 3) values as read.
    order, length
        Of the clip.
    """

    frame_index: int
    image: Image
    order: Order
    length: int
    time_s: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """``(H, W)``."""
        return int(self.image.shape[0]), int(self.image.shape[1])


@dataclass(frozen=True, eq=False)
class RowAnswer:
    """What one frame of tracking said of one object.

    Attributes
    ----------
    object_id
        The user's id.
    mask
        (H, W), empty where the object is absent.
    scores
        Of the chosen candidate.
    logits
        (H, W) mask logits, ungated: negative outside, whether the object is there or not.
    evidence
        What its confidence is made of.
    """

    object_id: int
    mask: Mask
    scores: Scores
    logits: Tensor
    evidence: Evidence


def step(engine: Engine, state: TrackState, frame: FrameView) -> tuple[TrackState, tuple[RowAnswer, ...]]:
    """Follow every row of a sweep to one more frame.

    Returns
    -------
    tuple
        The new state and one answer per object (the best of its hypotheses).

    Raises
    ------
    Cancelled
        Between two stages, if the engine's ``cancelled`` says so; the given state stays valid.
    """
    return remember(engine, *ask(engine, state, frame))


def ask(engine: Engine, state: TrackState, frame: FrameView) -> tuple[TrackState, FrameView, Seen]:
    """All of a step but remembering: the state (its policy has seen what was read), the frame, and what it gave."""
    predictions = predict(engine.prior, state.rows, frame.frame_index, frame.image)
    regions = look_at(engine, state, frame, predictions)
    features, image_row = see(engine, frame, regions)
    engine.check()
    recalls = tuple(
        engine.policy.recall(
            row.bank, _query(frame, state, features, int(image_row[index]), predictions[index], region)
        )
        for index, (row, region) in enumerate(zip(state.rows, regions, strict=True))
    )
    shares: list[dict[int, float]] | None = [] if engine.policy.wants_read else None
    level, position = features.levels[-1], features.position
    conditioned = engine.reader.read(level, position, recalls, regions, image_row, shares)
    engine.check()
    if shares is not None:
        pairs = zip(state.rows, shares, strict=True)
        state = replace(
            state, rows=tuple(replace(row, bank=engine.policy.observe(row.bank, read)) for row, read in pairs)
        )
    traits = engine.network.traits
    hands = replace(traits, previous_mask_prompt=traits.previous_mask_prompt or engine.policy.hands_previous_mask)
    prompts = tracking_prompts(hands, state.rows, recalls, regions, predictions, engine.network.device)
    answer = engine.network.answer(features, {traits.memory_stride: conditioned}, prompts, image_row)
    affinity, stable = rescore(answer.affinity, answer.mask_logits, state.rows, predictions, regions)
    placed = tuple(replace(row, region=region) for row, region in zip(state.rows, regions, strict=True))
    choices = engine.policy.choose(replace(answer, affinity=affinity), predictions, replace(state, rows=placed))
    engine.check()
    return state, frame, Seen(features, image_row, regions, predictions, answer, choices, stable)


@dataclass(frozen=True, eq=False)
class Seen:
    """Everything that a frame gave before it is remembered; regions, predictions and stable frames per old row."""

    features: ImageFeatures
    image_row: Tensor
    regions: Sequence[Region]
    predictions: Sequence[Prediction | None]
    answer: Answer
    choices: Sequence[Choice]
    stable: Sequence[int]


def look_at(
    engine: Engine, state: TrackState, frame: FrameView, predictions: Sequence[Prediction | None]
) -> list[Region]:
    """Region of every row; rows that shared a region go on sharing it. Of an object's hypotheses the best one leads."""
    if engine.region == "full":
        return [Region.full(*frame.size)] * len(state.rows)
    shared: dict[Region, list[int]] = {}
    for index, row in enumerate(state.rows):
        shared.setdefault(row.region, []).append(index)
    regions = [row.region for row in state.rows]
    for region, members in shared.items():
        leading = {
            state.rows[index].object_id: index for index in sorted(members, key=lambda one: state.rows[one].log_score)
        }
        boxes = [expected_box(state.rows[index], predictions[index], frame.size) for index in leading.values()]
        present = [box for box in boxes if box is not None]
        joint = None
        if present:
            low, high = np.min(present, axis=0), np.max(present, axis=0)
            joint = (int(low[0]), int(low[1]), int(high[2]), int(high[3]))
        absent = min(state.rows[index].absent for index in members)
        prompted = [entry.region.height for index in members for entry in state.rows[index].bank.prompted]
        widest = GROWTH * max(prompted, default=region.height)
        moved = follow(region, joint, absent, frame.size, engine.cells, widest)
        for index in members:
            regions[index] = moved
    return regions


def see(engine: Engine, frame: FrameView, regions: Sequence[Region]) -> tuple[ImageFeatures, Tensor]:
    """Features of the distinct regions of a frame (from the store where possible), and which one each row reads."""
    distinct = list(dict.fromkeys(regions))
    keys = [(frame.frame_index, region) for region in distinct]
    found = [engine.features.get(key) for key in keys]
    missing = [index for index, features in enumerate(found) if features is None]
    if missing:
        traits, device = engine.network.traits, engine.network.device
        unit = to_unit(frame.image, engine.window)
        mean, deviation = torch.tensor(traits.mean)[:, None, None], torch.tensor(traits.std)[:, None, None]
        crops = [(crop(unit, distinct[index], traits.input_size) - mean) / deviation for index in missing]
        made = engine.network.see(torch.stack(crops).to(device))
        for place, index in enumerate(missing):
            one = replace(made, levels=tuple(level[place : place + 1] for level in made.levels))
            found[index] = one
            engine.features.put(keys[index], one)
    images = [features for features in found if features is not None]
    levels = tuple(torch.cat(parts) for parts in zip(*(image.levels for image in images), strict=True))
    image_row = torch.tensor([distinct.index(region) for region in regions], device=levels[0].device)
    return ImageFeatures(levels, images[0].position), image_row


def remember(
    engine: Engine, state: TrackState, frame: FrameView, seen: Seen
) -> tuple[TrackState, tuple[RowAnswer, ...]]:
    """Write the chosen answers to memory and tell motion what was seen."""
    device = engine.network.device
    parents = torch.tensor([choice.parent for choice in seen.choices], device=device)
    candidates = torch.tensor([choice.candidate for choice in seen.choices], device=device)
    occurrence = seen.answer.occurrence[parents]
    chosen = seen.answer.mask_logits[parents, candidates][:, None]
    gated = torch.where((occurrence > 0)[:, None, None, None], chosen, ABSENT_LOGIT)
    pointer = seen.answer.pointer[parents, candidates]
    pointer = torch.where((occurrence > 0)[:, None], pointer, seen.answer.absent_pointer[None])
    prompted = torch.zeros(len(seen.choices), dtype=torch.bool, device=device)
    memory = engine.network.remember(seen.features, gated, occurrence, prompted, seen.image_row[parents])
    rows: list[TrackRow] = []
    answers: dict[int, tuple[float, RowAnswer]] = {}
    for index, choice in enumerate(seen.choices):
        old, region = state.rows[choice.parent], seen.regions[choice.parent]
        logits = uncrop(chosen[index], region, frame.size)[0]
        mask = (logits > 0) & (occurrence[index] > 0)
        array: Mask = mask.cpu().numpy()
        box = box_of(array)
        prediction = seen.predictions[choice.parent]
        scores = Scores(
            float(seen.answer.affinity[choice.parent, choice.candidate]),
            float(occurrence[index]),
            None if prediction is None else box_iou(prediction.box, box),
        )
        evidence = evidence_of(old, frame.frame_index, frame.order, region, chosen[index], scores)
        phase = None if prediction is None else prediction.phase
        look = seen.features.look(int(seen.image_row[choice.parent]))
        written = Written(memory.tokens[index], memory.positions[0], pointer[index], scores, array, phase, look)
        entry = make_entry(engine, frame, region, written, state.next_entry_id + index, "recent", state.direction)
        view = frame.frame_index, frame.time_s, mask, box, int(mask.sum()), scores.affinity, frame.image
        motion, passed = observe_motion(engine.prior, old, prediction, Observation(*view))
        bank = engine.policy.admit(entry, seen.answer, choice.parent, old.bank) if passed else old.bank
        rows.append(
            replace(
                old,
                bank=bank,
                region=region,
                motion=motion,
                log_score=old.log_score + choice.log_score,
                mask_logits=gated[index].clamp(-32, 32),
                box=box if box is not None else (old.box if old.absent + 1 < 2 else None),
                absent=0 if box is not None else old.absent + 1,
                stable=seen.stable[choice.parent],
                lowest=evidence.lowest,
            )
        )
        answer = RowAnswer(old.object_id, array, scores, logits, evidence)
        best = answers.get(old.object_id)
        if best is None or rows[-1].log_score > best[0]:
            answers[old.object_id] = (rows[-1].log_score, answer)
    new = replace(state, rows=tuple(rows), next_entry_id=state.next_entry_id + len(rows))
    return new, tuple(answer for _, answer in answers.values())


@dataclass(frozen=True, eq=False)
class Written:
    """What goes into one memory: tokens and positions (h*w, C_m), pointer (C,), scores, mask (H, W), phase, look."""

    tokens: Tensor
    positions: Tensor
    pointer: Tensor
    scores: Scores
    mask: Mask
    phase: float | None = None
    look: Tensor | None = None


def make_entry(
    engine: Engine, frame: FrameView, region: Region, written: Written, entry_id: int, role: Role, direction: int
) -> MemoryEntry:
    """Make the memory of one row of a frame."""
    return MemoryEntry(
        entry_id=entry_id,
        frame_index=frame.frame_index,
        role=role,
        direction=direction,
        region=region,
        tokens=written.tokens,
        positions=written.positions,
        cells_yx=grid_cells(engine.cells, engine.cells, written.tokens.device),
        pointer=written.pointer,
        scores=written.scores,
        area_px=int(written.mask.sum()),
        box=box_of(written.mask),
        phase=written.phase,
        network=engine.network.fingerprint,
        look=written.look,
    )


def _query(
    frame: FrameView,
    state: TrackState,
    features: ImageFeatures,
    image_row: int,
    prediction: Prediction | None,
    region: Region,
) -> Query:
    return Query(
        frame.frame_index,
        frame.time_s,
        state.direction,
        features,
        image_row,
        prediction,
        region,
        frame.order,
        frame.length,
    )
