"""Prompted frames: from the user's prompts to a mask, and to the memory that propagation starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from napari_vost.confidence import Evidence
from napari_vost.contracts import Answer, ImageFeatures, MemoryBank, MemoryEntry, PromptTensors, Query, Recall
from napari_vost.dab import Obeyed, obey
from napari_vost.evidence import prompted_evidence
from napari_vost.features.region import (
    LARGEST,
    SMALLEST,
    crop,
    crop_logits,
    points_to_input,
    region_around,
    uncrop,
)
from napari_vost.judging import portrait
from napari_vost.masks import Box, Mask, PackedMask, box_of
from napari_vost.sight import Engine, FrameView, see
from napari_vost.step import ABSENT_LOGIT, Written, make_entry
from napari_vost.types import BoxPrompt, MaskPrompt, PointPrompt, Prompt, Region, Scores, ScribblePrompt

SCRIBBLE_POINTS = 8  # points that stand for one stroke, evenly spaced along it
ZOOM_PASSES = 3  # looks at a click before its region is settled
PRESENT_LOGIT = 0.1  # least occurrence of an object that the user points at: whoever clicks it knows that it is there
TRUTH_LOGIT = 10.0  # inside what the user vouches for: a mask, a dab


@dataclass(frozen=True, eq=False)
class Seed:
    """The answer on a prompted frame and its permanent memory.

    Attributes
    ----------
    object_id, frame_index
        Whose and where.
    prompts
        The prompts that it answers, in order.
    mask
        (H, W); a mask prompt comes back bit for bit.
    scores
        Affinity and occurrence.
    entry
        Memory of the frame.
    mask_logits
        (1, s, s) in ``entry.region``: what the next click refines, and what tracking starts from.
    refused
        Clicks that the network did not obey: dabs do it in the mask, the logits and the memory (see `dab`).
    """

    object_id: int
    frame_index: int
    prompts: tuple[Prompt, ...]
    mask: PackedMask
    scores: Scores
    entry: MemoryEntry
    mask_logits: Tensor
    refused: tuple[PointPrompt, ...] = ()

    @property
    def evidence(self) -> Evidence:
        """What its confidence is made of."""
        painted = isinstance(self.prompts[-1], MaskPrompt)
        return prompted_evidence(self.mask_logits, self.entry.region, self.scores, painted)


@dataclass(frozen=True, eq=False)
class Before:
    """What was known of a frame before its first prompt.

    Attributes
    ----------
    bank
        Prompted frames of the object, this one left out.
    base
        The tracked mask that a click corrects, None on a frame that was never reached.
    """

    bank: MemoryBank = field(default_factory=MemoryBank)
    base: PackedMask | None = None


@torch.inference_mode()
def seed(
    engine: Engine,
    frame: FrameView,
    prompts: Sequence[Prompt],
    before: Before,
    entry_id: int,
    previous: Seed | None = None,
) -> Seed:
    """Answer the prompts of one object on one frame.

    Every prompt refines the answer to those before it, as SAM 2 does: all points so far, and the logits of the answer
    before as mask prompt (docs/sam2.md 7). A frame that was tracked before is corrected: its mask is the first
    thing to refine, and the other prompted frames are read from memory. A frame that was never reached starts without
    memory. Every click is obeyed, with a dab where the network does not (SAM 2's own semantics know none). The outcome
    depends on the arguments alone.

    Parameters
    ----------
    engine, frame
        The parts and the frame.
    prompts
        At least one, all of the same object and frame, in the order in which they were given.
    before
        What was known.
    entry_id
        Id of the memory entry.
    previous
        The seed of ``prompts[:-1]``, if it is at hand: it only saves time.
    """
    done = 0
    current: Seed | None = None
    if previous is not None and previous.prompts == tuple(prompts[: len(previous.prompts)]):
        current, done = previous, len(previous.prompts)
    for count in range(done + 1, len(prompts) + 1):
        current = _answer(engine, frame, tuple(prompts[:count]), before, entry_id, current)
    if current is None:
        raise ValueError("seed needs at least one prompt")
    if current.entry.entry_id != entry_id:
        current = replace(current, entry=replace(current.entry, entry_id=entry_id))
    return current


def _answer(
    engine: Engine, frame: FrameView, prompts: tuple[Prompt, ...], before: Before, entry_id: int, previous: Seed | None
) -> Seed:
    if isinstance(prompts[-1], MaskPrompt):
        return _truth(engine, frame, prompts, entry_id)
    region = _first_region(engine, frame.size, prompts, before, previous)
    settled = previous is not None or before.base is not None or isinstance(prompts[-1], BoxPrompt)
    passes = 1 if settled or engine.region == "full" else ZOOM_PASSES
    for left in reversed(range(passes)):
        engine.check()
        look = Look(region, *see(engine, frame, [region]))
        answer = _ask(engine, frame, prompts, before, previous, look)
        candidate = int(answer.affinity[0].argmax())
        mask = _to_frame(answer, candidate, region, frame.size)
        fitting = _fitting(region, box_of(mask), frame.size, engine.cells)
        if left == 0 or fitting == region:
            break
        region = fitting
    found = Found(answer, candidate, mask)
    if not engine.sam2:
        found = _dabbed(found, obey(mask, prompts), region)
    return _remember(engine, frame, prompts, entry_id, look, found)


@dataclass(frozen=True, eq=False)
class Look:
    """One look at a frame: the region and its features."""

    region: Region
    features: ImageFeatures
    image_row: Tensor


@dataclass(frozen=True, eq=False)
class Found:
    """What was found on a look.

    Attributes
    ----------
    answer, candidate
        What the network said, and which of its candidates was taken.
    mask
        (H, W).
    truth
        (1, 1, S, S) logits of a mask prompt.
    refused
        Clicks that it took dabs to obey.
    """

    answer: Answer
    candidate: int
    mask: Mask
    truth: Tensor | None = None
    refused: tuple[PointPrompt, ...] = ()


def _dabbed(found: Found, obeyed: Obeyed, region: Region) -> Found:
    """What was found, with dabs in the mask and in the logits, so that memory and the next click know of them."""
    if not obeyed.refused:
        return found
    logits = found.answer.mask_logits.clone()
    for part, sign in ((obeyed.added, 1.0), (obeyed.cut, -1.0)):
        share = crop(torch.from_numpy(part).to(torch.float32)[None], region, logits.shape[-1])[0].to(logits.device)
        covered = share >= min(0.5, float(share.max())) if bool(share.any()) else share > 0
        logits[0, found.candidate][covered] = sign * TRUTH_LOGIT
    answer = replace(found.answer, mask_logits=logits)
    return replace(found, answer=answer, mask=obeyed.mask, refused=obeyed.refused)


def _first_region(
    engine: Engine, size: tuple[int, int], prompts: tuple[Prompt, ...], before: Before, previous: Seed | None
) -> Region:
    """Region for a prompt: around the box or the mask that is known, else half of the frame around the points."""
    if engine.region == "full":
        return Region.full(*size)
    points = [point for prompt in prompts for point in _points_of(prompt)]
    known = before.base.box if before.base is not None else None
    if previous is not None:
        known = previous.mask.box or known
    if isinstance(prompts[-1], BoxPrompt):
        known = _box_of_prompt(prompts[-1])
    if known is not None:
        return region_around(_with_points(known, points), size, engine.cells)
    if previous is not None:
        return previous.entry.region
    half = min(size) / 4
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    box = (round(low[0] - half), round(low[1] - half), round(high[0] + half), round(high[1] + half))
    return region_around(box, size, engine.cells, 1.0)


def _fitting(region: Region, box: Box | None, size: tuple[int, int], cells: int) -> Region:
    """The region itself where the found box suits its scale, else one around the box."""
    if box is None:
        return region
    longest = max(box[2] - box[0], box[3] - box[1])
    if SMALLEST * region.height <= longest <= LARGEST * region.height:
        return region
    return region_around(box, size, cells)


def _ask(
    engine: Engine,
    frame: FrameView,
    prompts: tuple[Prompt, ...],
    before: Before,
    previous: Seed | None,
    look: Look,
) -> Answer:
    recall = Recall()
    if before.base is not None and before.bank.prompted:
        query = Query(
            frame.frame_index, frame.time_s, 1, look.features, 0, None, look.region, frame.order, frame.length
        )
        recall = engine.policy.recall(before.bank, query)
    level, position = look.features.levels[-1], look.features.position
    conditioned = engine.reader.read(level, position, [recall], [look.region], look.image_row)
    stride = engine.network.traits.memory_stride
    tensors = _tensors(engine, prompts, before, previous, look.region)
    answer = engine.network.answer(look.features, {stride: conditioned}, tensors, look.image_row)
    if engine.sam2 or not any(_says_present(prompt) for prompt in prompts):
        return answer
    return replace(answer, occurrence=answer.occurrence.clamp(min=PRESENT_LOGIT))


def _tensors(
    engine: Engine, prompts: tuple[Prompt, ...], before: Before, previous: Seed | None, region: Region
) -> PromptTensors:
    """Points and boxes of every prompt since the last mask, and the logits to refine."""
    size, device = engine.network.traits.input_size, engine.network.device
    masks = [index for index, prompt in enumerate(prompts) if isinstance(prompt, MaskPrompt)]
    live = prompts[masks[-1] + 1 :] if masks else prompts
    boxes = [prompt for prompt in live if isinstance(prompt, BoxPrompt)][-1:]
    marks: list[tuple[float, float, int]] = []
    for box in boxes:
        corners = points_to_input([(box.y0, box.x0), (box.y1, box.x1)], region, size)
        marks += [(*corners[0], 2), (*corners[1], 3)]
    for prompt in live:
        if isinstance(prompt, PointPrompt | ScribblePrompt):
            label = int(prompt.positive)
            marks += [(*point, label) for point in points_to_input(_points_of(prompt), region, size)]
    table = torch.tensor(marks, dtype=torch.float32, device=device)[None]
    logits = None
    if previous is not None:
        logits = crop_logits(previous.mask_logits, previous.entry.region, region)[None]
    elif before.base is not None:
        side = size // engine.network.traits.mask_stride
        truth = torch.from_numpy(before.base.unpack()).to(torch.float32)[None]
        logits = (crop(truth, region, side)[:1] * (2 * TRUTH_LOGIT) - TRUTH_LOGIT)[None].to(device)
    given = None if logits is None else torch.ones(1, dtype=torch.bool, device=device)
    return PromptTensors(table[..., :2], table[..., 2].long(), logits, given)


def _truth(engine: Engine, frame: FrameView, prompts: tuple[Prompt, ...], entry_id: int) -> Seed:
    """Take the user's mask as it is."""
    prompt = prompts[-1]
    packed = prompt.mask if isinstance(prompt, MaskPrompt) else PackedMask.pack(np.zeros(frame.size, dtype=bool))
    region = Region.full(*frame.size)
    if engine.region == "auto":
        box = packed.box or (0, 0, *frame.size)
        region = region_around(box, frame.size, engine.cells)
    features, image_row = see(engine, frame, [region])
    size, device = engine.network.traits.input_size, engine.network.device
    mask = packed.unpack()
    inside = crop(torch.from_numpy(mask).to(torch.float32)[None], region, size)[:1]
    truth = (inside >= 0.5).to(torch.float32)[None].to(device)
    if packed.box is not None and not bool(truth.any()):
        truth = (inside > 0).to(torch.float32)[None].to(device)  # thinner than an input pixel, but there
    tensors = replace(
        PromptTensors.none(1, device), mask=truth, has_mask=torch.ones(1, dtype=torch.bool, device=device)
    )
    stride = engine.network.traits.memory_stride
    answer = engine.network.answer(features, {stride: features.levels[-1]}, tensors, image_row)
    look = Look(region, features, image_row)
    found = Found(answer, 0, mask, truth * (2 * TRUTH_LOGIT) - TRUTH_LOGIT)
    return _remember(engine, frame, prompts, entry_id, look, found)


def _remember(
    engine: Engine, frame: FrameView, prompts: tuple[Prompt, ...], entry_id: int, look: Look, found: Found
) -> Seed:
    answer, candidate = found.answer, found.candidate
    occurrence = answer.occurrence
    present = occurrence > 0
    logits = torch.where(present, answer.mask_logits[:, candidate : candidate + 1], ABSENT_LOGIT)
    pointer = torch.where(present[:, None], answer.pointer[:, candidate], answer.absent_pointer[None])[0]
    hard = torch.ones(1, dtype=torch.bool, device=logits.device)
    written_logits = logits if found.truth is None else found.truth
    memory = engine.network.remember(look.features, written_logits, occurrence, hard, look.image_row)
    scores = Scores(float(answer.affinity[0, candidate]), float(occurrence[0]))
    written = Written(memory.tokens[0], memory.positions[0], pointer, scores, found.mask)
    entry = make_entry(engine, frame, look.region, written, entry_id, "prompted", 0)
    entry = replace(entry, portrait=portrait(engine, frame, look.region, found.mask))
    packed = PackedMask.pack(found.mask)
    owner = prompts[-1]
    settled = logits[0].clamp(-32, 32)
    return Seed(owner.object_id, owner.frame_index, prompts, packed, scores, entry, settled, found.refused)


def _to_frame(answer: Answer, candidate: int, region: Region, size: tuple[int, int]) -> Mask:
    whole = uncrop(answer.mask_logits[:, candidate], region, size)[0] > 0
    mask: Mask = whole.cpu().numpy()
    return mask if bool(answer.occurrence[0] > 0) else np.zeros_like(mask)


def _says_present(prompt: Prompt) -> bool:
    return isinstance(prompt, BoxPrompt) or (isinstance(prompt, PointPrompt | ScribblePrompt) and prompt.positive)


def _points_of(prompt: Prompt) -> list[tuple[float, float]]:
    """Points ``(y, x)`` that stand for a point or a scribble."""
    if isinstance(prompt, PointPrompt):
        return [(prompt.y, prompt.x)]
    if not isinstance(prompt, ScribblePrompt):
        return []
    stroke = np.asarray(prompt.points_yx, dtype=np.float64)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(stroke, axis=0), axis=1))])
    count = min(SCRIBBLE_POINTS, max(1, round(lengths[-1]) + 1))
    places = np.linspace(0, lengths[-1], count) if count > 1 else np.array([lengths[-1] / 2])
    return [(float(np.interp(p, lengths, stroke[:, 0])), float(np.interp(p, lengths, stroke[:, 1]))) for p in places]


def _box_of_prompt(prompt: BoxPrompt) -> Box:
    return round(prompt.y0), round(prompt.x0), round(prompt.y1) + 1, round(prompt.x1) + 1


def _with_points(box: Box, points: Sequence[tuple[float, float]]) -> Box:
    """The box, widened to hold the points."""
    ys = [box[0], box[2], *(round(y) for y, _ in points)]
    xs = [box[1], box[3], *(round(x) for _, x in points)]
    return min(ys), min(xs), max(ys), max(xs)
