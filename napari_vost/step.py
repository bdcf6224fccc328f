"""One frame of tracking: predict, see, recall, answer, remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from napari_vost.confidence import Evidence
from napari_vost.contracts import (
    Answer,
    Choice,
    ImageFeatures,
    MemoryEntry,
    Observation,
    Prediction,
    Query,
    Role,
    Trace,
    TrackRow,
    TrackState,
)
from napari_vost.evidence import evidence_of
from napari_vost.features.region import GROWTH, follow, uncrop
from napari_vost.guidance import expected_box, observe_motion, predict, rescore, tracking_prompts
from napari_vost.judging import judged
from napari_vost.masks import Box, Mask, box_iou, box_of
from napari_vost.memory.attention import grid_cells
from napari_vost.recovery import Followed, recover, searches, tone_of
from napari_vost.sight import Engine, FrameView, see
from napari_vost.types import Region, Scores

LONGEST_TRAIL = 64  # frames that a change of mind may revise
ABSENT_LOGIT = -1024.0  # mask logit of an object that is not in the frame (docs/sam2.md 1)


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
    asked, _, seen = ask(engine, state, frame)
    if searches(engine, frame.order):
        anew = recover(engine, frame, _followed(asked, frame, seen))
        if anew:
            rows = tuple(anew.get(row.object_id, row) for row in state.rows)
            asked, _, seen = ask(engine, replace(state, rows=rows), frame)
    return remember(engine, asked, frame, seen)


def _followed(state: TrackState, frame: FrameView, seen: Seen) -> list[Followed]:
    """What was answered of each object, by its best hypothesis."""
    best: dict[int, tuple[float, Choice]] = {}
    for choice in seen.choices:
        row = state.rows[choice.parent]
        score = row.log_score + choice.log_score
        if row.object_id not in best or score > best[row.object_id][0]:
            best[row.object_id] = score, choice
    found = []
    for _, choice in best.values():
        found.append(Followed(state.rows[choice.parent], _given(frame, seen, choice).mask, seen.regions[choice.parent]))
    return found


def ask(engine: Engine, state: TrackState, frame: FrameView) -> tuple[TrackState, FrameView, Seen]:
    """All of a step but remembering: the state (its policy has seen what was read), the frame, and what it gave."""
    predictions = predict(engine.prior, state.rows, frame.frame_index, frame.image)
    regions = look_at(engine, state, frame, predictions)
    features, image_row = see(engine, frame, regions)
    engine.check()
    recalls = tuple(
        engine.policy.recall(
            row.bank,
            _query(frame, state, features, int(image_row[index]), predictions[index], region),
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
    searching = searches(engine, frame.order)  # then a lost object is looked for, instead of in a wider region
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
        absent = 0 if searching else min(state.rows[index].absent for index in members)
        prompted = [entry.region.height for index in members for entry in state.rows[index].bank.prompted]
        widest = GROWTH * max(prompted, default=region.height)
        moved = follow(region, joint, absent, frame.size, engine.cells, widest)
        for index in members:
            regions[index] = moved
    return regions


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
    hypotheses = Counter(state.rows[choice.parent].object_id for choice in seen.choices)
    answers: dict[int, tuple[float, RowAnswer]] = {}
    given = [_given(frame, seen, choice) for choice in seen.choices]
    weighed = _weigh(engine, state, frame, seen, chosen, [one.scores for one in given])
    for index, (choice, one, evidence) in enumerate(zip(seen.choices, given, weighed, strict=True)):
        old, region, prediction = (
            state.rows[choice.parent],
            seen.regions[choice.parent],
            seen.predictions[choice.parent],
        )
        phase = None if prediction is None else prediction.phase
        look = seen.features.look(int(seen.image_row[choice.parent]))
        written = Written(memory.tokens[index], memory.positions[0], pointer[index], one.scores, one.mask, phase, look)
        entry = make_entry(engine, frame, region, written, state.next_entry_id + index, "recent", state.direction)
        mask = torch.from_numpy(one.mask).to(device)
        view = frame.frame_index, frame.time_s, mask, one.box, int(one.mask.sum()), one.scores.affinity, frame.image
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
                box=one.box if one.box is not None else (old.box if old.absent + 1 < 2 else None),
                absent=0 if one.box is not None else old.absent + 1,
                stable=seen.stable[choice.parent],
                lowest=evidence.lowest,
                trail=_trail(
                    old, hypotheses, Trace(frame.frame_index, region, chosen[index, 0].half(), one.scores, evidence)
                ),
            )
        )
        answer = RowAnswer(old.object_id, one.mask, one.scores, one.logits, evidence)
        best = answers.get(old.object_id)
        if best is None or rows[-1].log_score > best[0]:
            answers[old.object_id] = (rows[-1].log_score, answer)
    new = replace(state, rows=tuple(rows), next_entry_id=state.next_entry_id + len(rows))
    return new, tuple(answer for _, answer in answers.values())


@dataclass(frozen=True, eq=False)
class Given:
    """One chosen answer in frame pixels: ungated logits (H, W), mask (H, W) and its box, and its scores."""

    logits: Tensor
    mask: Mask
    box: Box | None
    scores: Scores


def _given(frame: FrameView, seen: Seen, choice: Choice) -> Given:
    chosen = seen.answer.mask_logits[choice.parent, choice.candidate][None]
    logits = uncrop(chosen, seen.regions[choice.parent], frame.size)[0]
    occurrence = seen.answer.occurrence[choice.parent]
    mask: Mask = ((logits > 0) & (occurrence > 0)).cpu().numpy()
    box = box_of(mask)
    prediction = seen.predictions[choice.parent]
    motion = None if prediction is None else box_iou(prediction.box, box)
    affinity = float(seen.answer.affinity[choice.parent, choice.candidate])
    return Given(logits, mask, box, Scores(affinity, float(occurrence), motion))


def _weigh(
    engine: Engine, state: TrackState, frame: FrameView, seen: Seen, chosen: Tensor, scores: Sequence[Scores]
) -> list[Evidence]:
    """Evidence of the chosen answers (B, 1, s, s), judged where the network has a judge."""
    rows = [state.rows[choice.parent] for choice in seen.choices]
    regions = [seen.regions[choice.parent] for choice in seen.choices]
    found = [
        evidence_of(row, frame.frame_index, frame.order, region, logits, score)
        for row, region, logits, score in zip(rows, regions, chosen, scores, strict=True)
    ]
    return judged(engine, frame, rows, regions, chosen, found)


def _trail(old: TrackRow, hypotheses: Mapping[int, int], seen: Trace) -> tuple[Trace, ...]:
    """The trail of a row after one more frame; an object that never had more than one hypothesis has none."""
    if hypotheses[old.object_id] == 1 and not old.trail:
        return ()
    return (*old.trail, seen)[-LONGEST_TRAIL:]


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
        tone=tone_of(frame.image, written.mask),
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
