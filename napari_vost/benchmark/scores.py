"""Prompts made of the truth, scores beside it, and how far a mean may be off. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_vost.errors import UnknownName
from napari_vost.masks import Mask, PackedMask, box_of
from napari_vost.metrics.interactive import depth_inside
from napari_vost.types import BoxPrompt, MaskPrompt, PointPrompt, Prompt

PROMPTS = ("point", "box", "mask")
_RESAMPLES = 10000


def prompt_from_truth(kind: str, mask: Mask, frame_index: int, object_id: int) -> Prompt:
    """The prompt that a careful user would give.

    Parameters
    ----------
    kind
        ``"mask"``: the truth itself; ``"box"``: its tight box; ``"point"``: the pixel that lies deepest inside it.
    mask
        (H, W), not empty.
    frame_index, object_id
        Where it goes.

    Raises
    ------
    UnknownName
        Another kind.
    """
    if kind not in PROMPTS:
        raise UnknownName("prompt", kind, PROMPTS)
    if kind == "mask":
        return MaskPrompt(frame_index, object_id, PackedMask.pack(mask))
    if kind == "point":
        depth = depth_inside(mask)
        y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
        return PointPrompt(frame_index, object_id, float(y), float(x))
    y0, x0, y1, x1 = box_of(mask) or (0, 0, *mask.shape)
    return BoxPrompt(frame_index, object_id, float(y0), float(x0), float(y1 - 1), float(x1 - 1))


def judged_frames(
    truth: Mask, prompted: int, known: Sequence[int], empty_counts: bool
) -> tuple[list[int], list[int], list[int]]:
    """Frames of a structure that are judged, the prompted one never.

    Parameters
    ----------
    truth
        (T, H, W).
    prompted
        The prompted frame.
    known
        Frames with labels.
    empty_counts
        Whether frames without the structure belong to the stack.

    Returns
    -------
    tuple
        Frames that hold it, frames of the stack, frames that do not hold it.
    """
    others = [frame for frame in known if frame != prompted]
    held = [frame for frame in others if truth[frame].any()]
    return held, others if empty_counts else held, [frame for frame in others if frame not in held]


@dataclass(frozen=True)
class Interval:
    """A mean over cases with a bootstrap interval of 95 %; the limits are None for fewer than two cases."""

    mean: float
    low: float | None
    high: float | None


def bootstrap(values: Sequence[float], seed: int = 0) -> Interval:
    """Mean of values with the percentile bootstrap interval over them (Efron 1979), always the same for the same ones.

    Parameters
    ----------
    values
        One per case, at least one.
    seed
        Of the resampling.
    """
    numbers = np.asarray(values, dtype=np.float64)
    mean = float(numbers.mean())
    if len(numbers) < 2:
        return Interval(mean, None, None)
    picks = np.random.default_rng(seed).integers(0, len(numbers), (_RESAMPLES, len(numbers)))
    low, high = np.percentile(numbers[picks].mean(axis=1), (2.5, 97.5))
    return Interval(mean, float(low), float(high))
