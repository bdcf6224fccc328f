"""Which frame to annotate next: one that is doubtful, and unlike those annotated already.

The idea of choosing frames that are far from the chosen ones in feature space is XMem++'s (arXiv:2307.15958); the
measure is our own: pooled features instead of dense similarities, and doubt beside novelty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from napari_vost.errors import InputError
from napari_vost.features.region import crop, region_around
from napari_vost.history import Ledger
from napari_vost.masks import Box, Mask
from napari_vost.sight import Engine, FrameView, see
from napari_vost.types import Region

LOOKS = 48  # most frames that are looked at: the most doubtful ones, and others evenly spread
TINY = 0.05  # share of an object's largest area below which a frame teaches little
INSIDE = 0.5  # say of the object's own features, the rest is its surroundings


@dataclass(frozen=True)
class Suggestion:
    """A frame worth annotating.

    Attributes
    ----------
    frame_index
        Which one.
    score
        ``doubt + novelty``; suggestions come with the highest first.
    doubt
        1 minus the confidence of its least certain object, 0 to 1.
    novelty
        Cosine distance to the most similar annotated frame, halved: 0 (the same) to 1 (the opposite).
    """

    frame_index: int
    score: float
    doubt: float
    novelty: float


def suggest(
    engine: Engine, ledger: Ledger, frame_at: Callable[[int], FrameView], count: int = 1
) -> tuple[Suggestion, ...]:
    """Frames to annotate next, best first; each further one is chosen as if those before it were annotated.

    Parameters
    ----------
    engine, frame_at
        To look at frames; at most 48 are encoded, less where they are kept encoded.
    ledger
        Masks, prompts and locks.
    count
        Most frames to suggest.

    Raises
    ------
    InputError
        A count below 1, or nothing followed yet.
    """
    if count < 1:
        raise InputError(f"At least one frame must be asked for, got {count}.")
    settings = ledger.settings
    sure = {frame for _, frame in settings.locks} | {prompt.frame_index for prompt in settings.prompts}
    doubts = _doubts(ledger, sure)
    if not doubts:
        raise InputError("There is no frame to suggest: follow an object first, or unlock what is locked.")
    order = sorted(doubts, key=lambda frame: (-doubts[frame], frame))
    spread = sorted(doubts)[:: max(1, len(doubts) // (LOOKS // 2))]
    looked = sorted({*order[: LOOKS - len(spread)], *spread})
    given = [frame for frame in sorted(sure) if any(place[1] == frame for place in ledger.kept)]
    found = _descriptors(engine, ledger, frame_at, [*looked, *given])
    return rank(looked, [doubts[frame] for frame in looked], found[: len(looked)], found[len(looked) :], count)


def rank(
    frames: Sequence[int],
    doubts: Sequence[float],
    descriptors: NDArray[np.float64],
    given: NDArray[np.float64],
    count: int,
) -> tuple[Suggestion, ...]:
    """Choose greedily by doubt plus novelty.

    Parameters
    ----------
    frames, doubts
        N frames and their doubts, 0 to 1.
    descriptors, given
        (N, C) and (M, C) unit vectors of these frames and of annotated ones.
    count
        Most to choose.
    """
    nearest = (descriptors @ given.T).max(1) if len(given) else np.full(len(frames), -1.0)
    left = list(range(len(frames)))
    chosen: list[Suggestion] = []
    while left and len(chosen) < count:
        novelty = (1 - nearest) / 2
        best = max(left, key=lambda row: (doubts[row] + novelty[row], -frames[row]))
        score = float(doubts[best] + novelty[best])
        chosen.append(Suggestion(frames[best], score, float(doubts[best]), float(novelty[best])))
        left.remove(best)
        nearest = np.maximum(nearest, descriptors @ descriptors[best])
    return tuple(chosen)


def _doubts(ledger: Ledger, sure: set[int]) -> dict[int, float]:
    """Doubt of every followed frame that nobody vouches for; frames with next to nothing on them are left out."""
    largest: dict[int, int] = {}
    areas = {place: int(kept.mask.unpack().sum()) for place, kept in ledger.kept.items()}
    for (object_id, _), area in areas.items():
        largest[object_id] = max(largest.get(object_id, 0), area)
    doubts: dict[int, float] = {}
    for (object_id, frame), kept in ledger.kept.items():
        tiny = 0 < areas[object_id, frame] < TINY * largest[object_id]
        if frame not in sure and not tiny:
            doubts[frame] = max(doubts.get(frame, 0.0), 1.0 - kept.confidence)
    return doubts


@torch.inference_mode()
def _descriptors(
    engine: Engine, ledger: Ledger, frame_at: Callable[[int], FrameView], frames: Sequence[int]
) -> NDArray[np.float64]:
    """Unit vectors (N, C): features inside the objects and around them, without what all frames have in common."""
    rows = []
    for frame_index in frames:
        engine.check()
        frame = frame_at(frame_index)
        masks = [kept.mask.unpack() for place, kept in ledger.kept.items() if place[1] == frame_index]
        joint: Mask = np.any(masks, axis=0) if masks else np.zeros(frame.size, np.bool_)
        region = _region(engine, joint, frame)
        level = see(engine, frame, [region])[0].levels[-1][0].float()
        share = crop(torch.from_numpy(joint)[None].float(), region, level.shape[-1])[:1]
        whole = level.mean((1, 2))
        inside = (level * share).sum((1, 2)) / share.sum() if float(share.sum()) > 0 else whole
        rows.append(INSIDE * inside + (1 - INSIDE) * whole)
    values = torch.stack(rows)
    values = functional.normalize(values - values.mean(0), dim=1)
    return np.asarray(values.cpu().numpy(), np.float64)


def _region(engine: Engine, mask: Mask, frame: FrameView) -> Region:
    if engine.region == "full" or not mask.any():
        return Region.full(*frame.size)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box: Box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    return region_around(box, frame.size, engine.cells)
