"""Walks from a frame whose masks are known to another one: what an adaptation practises on and is judged by.

A walk is followed by the engine itself. Its frames are the clip's own, between two known frames, or made from one known
frame that bends, turns and grows a little from step to step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.contracts import MemoryBank, TrackRow, TrackState
from napari_vost.features.region import crop
from napari_vost.features.store import FeatureStore
from napari_vost.masks import Box, Mask, PackedMask, box_of
from napari_vost.seeding import Before, Seed, seed
from napari_vost.sight import Engine, FrameView
from napari_vost.step import Seen, ask, remember
from napari_vost.training.losses import answer_loss
from napari_vost.types import MaskPrompt

LENGTH = 3  # frames of a walk that is made from one frame
LONGEST = 16  # frames of a walk through the clip; of longer ways only so many are seen
ABSENT = 4  # frames without any of its objects after which a walk over their end is over
_ABSENCE = 0.3  # weight of frames without an object; with 1, objects were given up early
_TURN, _GROWTH, _SHIFT, _BEND, _SHADE = 8.0, 0.12, 0.06, 0.05, 0.2


@dataclass(frozen=True, eq=False)
class Known:
    """A frame with masks that the user vouches for, bool (H, W) by object id."""

    frame: FrameView
    masks: Mapping[int, Mask]


@dataclass(frozen=True, eq=False)
class Walk:
    """Frames to follow, from known ones.

    Attributes
    ----------
    sources
        Known frames that are remembered; the first is where the walk starts.
    steps
        What is followed: the frame, and its masks by object id where they are known.
    features
        Encoded frames of this walk.
    """

    sources: tuple[Known, ...]
    steps: tuple[Known, ...]
    features: FeatureStore = field(default_factory=lambda: FeatureStore(32 << 20))

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Objects that are followed: known at the start, and somewhere on the way."""
        judged = {object_id for step in self.steps for object_id in step.masks}
        return tuple(sorted(judged & set(self.sources[0].masks)))


def losses(engine: Engine, walk: Walk) -> Iterator[Tensor]:
    """Loss on every frame of a walk whose masks are known, with gradients for that frame alone."""
    engine = replace(engine, prior=None, features=walk.features)
    state = _start(engine, walk)
    for known in walk.steps:
        with torch.set_grad_enabled(bool(known.masks)):
            parts = ask(engine, state, known.frame)
            if known.masks:
                present = any(mask.any() for mask in known.masks.values())
                loss = _loss(engine, parts[2], [row.object_id for row in state.rows], known.masks)
                yield loss if present else _ABSENCE * loss
        with torch.no_grad():
            state, _ = remember(engine, *parts)


@torch.no_grad()
def dice(engine: Engine, walk: Walk) -> list[float]:
    """Dice of every known mask on a walk; where it is empty 1 for an empty answer, else 0."""
    engine = replace(engine, prior=None, features=walk.features)
    state = _start(engine, walk)
    found = []
    for known in walk.steps:
        state, answers = remember(engine, *ask(engine, state, known.frame))
        for answer in answers:
            truth = known.masks.get(answer.object_id)
            if truth is not None:
                both, total = 2 * int((answer.mask & truth).sum()), int(answer.mask.sum()) + int(truth.sum())
                found.append(both / total if total else 1.0)
    return found


@torch.no_grad()
def ending_walk(engine: Engine, source: Known, frames: Iterable[FrameView]) -> Walk | None:
    """A walk outward to where the engine finds nothing more, which is taken for the truth on those frames.

    Parameters
    ----------
    engine
        With the model's own weights.
    source
        The outermost known frame of its objects.
    frames
        Those behind it, outward; at least one.

    Returns
    -------
    Walk or None
        It ends where every object has been absent for 4 frames, at the latest after 16; None where none was absent.
    """
    engine = replace(engine, prior=None)
    ahead = list(islice(frames, LONGEST))
    state = _start(engine, Walk((source,), tuple(Known(frame, source.masks) for frame in ahead)))
    absent = dict.fromkeys(source.masks, 0)
    steps: list[Known] = []
    for frame in ahead:
        state, answers = remember(engine, *ask(engine, state, frame))
        gone = {answer.object_id: answer.mask for answer in answers if not answer.mask.any()}
        absent = {one: count + 1 if one in gone else 0 for one, count in absent.items()}
        steps.append(Known(frame, gone))
        if min(absent.values()) >= ABSENT:
            break
    return Walk((source,), tuple(steps), engine.features) if any(step.masks for step in steps) else None


def _start(engine: Engine, walk: Walk) -> TrackState:
    rows = []
    entry_id = 0
    first = walk.sources[0].frame
    for object_id in walk.object_ids:
        seeds = []
        for source in walk.sources:
            if object_id in source.masks:
                entry_id += 1
                prompt = MaskPrompt(source.frame.frame_index, object_id, PackedMask.pack(source.masks[object_id]))
                seeds.append(_plain(seed(engine, source.frame, (prompt,), Before(), entry_id)))
        begin = seeds[0]
        bank = MemoryBank(tuple(sorted((one.entry for one in seeds), key=lambda entry: entry.frame_index)))
        rows.append(TrackRow(object_id, bank, begin.entry.region, mask_logits=begin.mask_logits, box=begin.mask.box))
    direction = 1 if walk.steps[0].frame.frame_index > first.frame_index else -1
    return TrackState(tuple(rows), direction, entry_id + 1)


def _plain(one: Seed) -> Seed:
    """The seed with tensors that gradients may pass: those of inference mode may not be kept for them."""
    entry = one.entry
    copied = replace(
        entry,
        tokens=entry.tokens.clone(),
        positions=entry.positions.clone(),
        cells_yx=entry.cells_yx.clone(),
        pointer=entry.pointer.clone(),
    )
    return replace(one, entry=copied, mask_logits=one.mask_logits.clone())


def _loss(engine: Engine, seen: Seen, object_ids: Sequence[int], masks: Mapping[int, Mask]) -> Tensor:
    traits, device = engine.network.traits, engine.network.device
    rows = [row for row, object_id in enumerate(object_ids) if object_id in masks]
    truths = []
    for row in rows:
        whole = torch.from_numpy(masks[object_ids[row]]).to(torch.float32)[None]
        truths.append(crop(whole, seen.regions[row], traits.input_size)[:1])
    truth = functional.avg_pool2d(torch.stack(truths), traits.mask_stride).to(device)
    at = torch.tensor(rows, device=device)
    answer = seen.answer
    own = replace(
        answer, mask_logits=answer.mask_logits[at], affinity=answer.affinity[at], occurrence=answer.occurrence[at]
    )
    return answer_loss(own, truth, torch.zeros(len(rows), dtype=torch.bool, device=device))


def real_walk(sources: Sequence[Known], target: Known, between: Sequence[FrameView], features: FeatureStore) -> Walk:
    """A walk through the clip: from the nearest of its sources over the frames between to the target."""
    return Walk(tuple(sources), (*(Known(frame, {}) for frame in between), target), features)


def made_walk(known: Known, random: np.random.Generator, length: int = LENGTH) -> Walk:
    """A walk that is made from one frame: it turns, grows, shifts and bends, a part of the way on every step."""
    boxes = [box for mask in known.masks.values() if (box := box_of(mask)) is not None]
    low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
    bend = _Bend.draw((int(low[0]), int(low[1]), int(high[2]), int(high[3])), known.frame.size, random)
    steps = tuple(bend.apply(known, step / length, known.frame.frame_index + step) for step in range(1, length + 1))
    return Walk((known,), steps)


@dataclass(frozen=True, eq=False)
class _Bend:
    """A change of an image: matrix (2, 2) and shift (2,) around a centre, displacement and shade (H, W)."""

    centre: Tensor
    matrix: Tensor
    shift: Tensor
    displaced: Tensor
    shade: Tensor

    @classmethod
    def draw(cls, box: Box, size: tuple[int, int], random: np.random.Generator) -> _Bend:
        side = float(max(box[2] - box[0], box[3] - box[1]))
        turn = np.deg2rad(random.normal(0, _TURN))
        growth = random.normal(0, _GROWTH) + random.normal(0, _GROWTH / 2, 2)
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * np.exp(growth)
        knots = [int(np.clip(np.ceil(2 * length / side), 2, 24)) + 1 for length in size]
        fields = torch.from_numpy(random.normal(0, 1, (3, *knots))).float()[None]
        smooth = functional.interpolate(fields, size=size, mode="bicubic", align_corners=True)[0]
        return cls(
            torch.tensor([(box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2]),
            torch.from_numpy(matrix).float(),
            torch.from_numpy(random.normal(0, _SHIFT * side, 2)).float(),
            smooth[:2] * _BEND * side,
            smooth[2] * _SHADE,
        )

    def apply(self, known: Known, share: float, frame_index: int) -> Known:
        """The frame and its masks after a share of the change."""
        height, width = known.frame.size
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        places = torch.stack((y, x), -1).float() - self.centre
        matrix = torch.lerp(torch.eye(2), self.matrix, share)
        places = places @ matrix.T + self.centre + share * (self.shift + self.displaced.permute(1, 2, 0))
        grid = torch.stack((places[..., 1] / max(width - 1, 1), places[..., 0] / max(height - 1, 1)), -1) * 2 - 1
        image = torch.from_numpy(np.array(known.frame.image, dtype=np.float32))
        planes = (image.permute(2, 0, 1) if image.ndim == 3 else image[None])[None]
        bent = functional.grid_sample(planes, grid[None], padding_mode="border", align_corners=True)[0]
        bent = bent + share * self.shade * planes.std()
        array = (bent.permute(1, 2, 0) if image.ndim == 3 else bent[0]).numpy()
        masks = {}
        for object_id, mask in known.masks.items():
            soft = torch.from_numpy(mask).float()[None, None]
            moved: Mask = (functional.grid_sample(soft, grid[None], align_corners=True)[0, 0] > 0.5).numpy()
            masks[object_id] = moved
        return Known(replace(known.frame, frame_index=frame_index, image=array), masks)
