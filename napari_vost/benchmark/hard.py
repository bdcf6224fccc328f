"""How well a hard clip was followed. Numpy only.

Judged are all frames but the prompted one. A frame that does not hold the object counts as J&F has it: 1 where nothing
was painted, else 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_vost.errors import InputError
from napari_vost.masks import Mask
from napari_vost.metrics.boundary import j_and_f_per_frame
from napari_vost.metrics.overlap import iou_per_frame
from napari_vost.phantoms.hard import HardClip

FOUND_IOU = 0.5  # least overlap with an object that counts as having found it again
AFTER = 10  # frames after a gap that are looked at


@dataclass(frozen=True)
class HardScores:
    """Scores of one run; None where the clip has nothing of the kind.

    Attributes
    ----------
    j_and_f
        Mean over the judged frames.
    recovered
        Share of the first `AFTER` frames after a gap on which the object is followed (IoU `FOUND_IOU` or more), mean
        over the gaps.
    wait
        Frames from the end of a gap until it is, 0 for at once; all that follow the gap where it never is. Mean over
        the gaps.
    switches
        Frames on which the mask covers more of the twin than of the object.
    leaked
        Share of the judged frames without the object on which something was painted.
    """

    j_and_f: float
    recovered: float | None
    wait: float | None
    switches: int | None
    leaked: float | None


def score_hard(hard: HardClip, found: Mask) -> HardScores:
    """Compare masks with the truth of a hard clip.

    Parameters
    ----------
    hard
        The clip.
    found
        (T, H, W) bool.

    Raises
    ------
    InputError
        Masks of another shape.
    """
    truth, events = hard.truth(), hard.events
    if found.shape != truth.shape:
        raise InputError(f"found has shape {found.shape}, the clip {truth.shape}: give one mask for every frame.")
    judged = np.arange(len(truth)) != hard.prompted_frame
    without = judged & ~truth.any(axis=(1, 2))
    recovered, wait = _recovery(hard, found, truth)
    return HardScores(
        float(j_and_f_per_frame(found[judged], truth[judged]).mean()),
        recovered,
        wait,
        None if events.twin_id is None else _switches(found, truth, hard.phantom.labels == events.twin_id),
        float(found[without].any(axis=(1, 2)).mean()) if without.any() else None,
    )


def _switches(found: Mask, truth: Mask, twin: Mask) -> int:
    own, other = (found & truth).sum(axis=(1, 2)), (found & twin).sum(axis=(1, 2))
    return int((other > own).sum())


def _recovery(hard: HardClip, found: Mask, truth: Mask) -> tuple[float, float] | tuple[None, None]:
    """Mean share and wait over the gaps that end within the clip."""
    followed = iou_per_frame(found, truth) >= FOUND_IOU
    ends = [stop for _, stop in hard.events.gaps if stop < len(truth)]
    if not ends:
        return None, None
    shares = [float(followed[stop : stop + AFTER].mean()) for stop in ends]
    waits = [int(np.argmax(followed[stop:])) if followed[stop:].any() else len(truth) - stop for stop in ends]
    return float(np.mean(shares)), float(np.mean(waits))
