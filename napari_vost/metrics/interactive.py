"""Simulated corrections: where the next click goes, and how many clicks it takes (NoC).

The click goes to the middle of the largest error: the pixel that lies deepest inside what was missed or inside what was
painted too much, the image border counting as outside (Sofiiuk et al., "Reviving iterative training with mask
guidance", ICIP 2022, and its published evaluation).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_vost.errors import InputError
from napari_vost.masks import Mask
from napari_vost.metrics.overlap import Values, check_pair, dice_per_frame

CAP = 20  # clicks, and the count of an image that never gets there


@dataclass(frozen=True)
class Click:
    """Pixel ``(y, x)`` of a frame; positive where something was missed, negative where too much was painted."""

    frame_index: int
    y: int
    x: int
    positive: bool


def depth_inside(mask: Mask) -> Values:
    """Distance in pixels of every pixel of a mask (H, W) to what is outside; 0 outside, the border is outside."""
    inside: Values = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    return inside


def next_click(
    prediction: Mask,
    truth: Mask,
    void: Mask | None = None,
    clicked: Iterable[Click] = (),
    frame_index: int = 0,
) -> Click | None:
    """The next click on one image.

    Parameters
    ----------
    prediction, truth
        bool (H, W).
    void
        bool (H, W), where the truth is unknown: no error lies there.
    clicked
        Clicks on this image so far; their pixels are not clicked again.
    frame_index
        What the click is to name.

    Returns
    -------
    Click or None
        The first deepest pixel; positive only where the deepest miss is deeper than the deepest excess. None where
        no wrong pixel is left to click.

    Raises
    ------
    InputError
        Masks that are not bool or of other shapes.
    """
    prediction, truth = check_pair(prediction, truth, void)
    missed, excess = depth_inside(truth & ~prediction), depth_inside(prediction & ~truth)
    for one in clicked:
        missed[one.y, one.x] = excess[one.y, one.x] = 0.0
    positive = bool(missed.max(initial=0.0) > excess.max(initial=0.0))
    depth = missed if positive else excess
    if not depth.any():
        return None
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return Click(frame_index, int(y), int(x), positive)


def next_click_in_clip(
    prediction: Mask, truth: Mask, frames: Sequence[int], clicked: Sequence[Click] = ()
) -> Click | None:
    """The next click in a clip: on the frame that is worst, where `next_click` puts it.

    Parameters
    ----------
    prediction, truth
        bool (T, H, W).
    frames
        Frames that may be clicked, those whose truth is known. A frame that does not hold the structure is as bad as
        can be as soon as one pixel is painted on it: its Dice is 0.
    clicked
        Clicks on this clip so far.

    Returns
    -------
    Click or None
        On the frame with the lowest Dice; among equal ones that with the most wrong pixels, then the earliest. None
        where no frame has a wrong pixel left to click.

    Raises
    ------
    InputError
        As `next_click`.
    """
    chosen = list(frames)
    found, wanted = check_pair(prediction[chosen], truth[chosen])
    wrong = (found ^ wanted).sum(axis=(1, 2))
    score = dice_per_frame(found, wanted)
    for row in sorted(range(len(chosen)), key=lambda row: (score[row], -wrong[row], chosen[row])):
        frame = chosen[row]
        here = [one for one in clicked if one.frame_index == frame]
        click = next_click(found[row], wanted[row], clicked=here, frame_index=frame)
        if click is not None:
            return click
    return None


def number_of_clicks(scores: Sequence[float], target: float, cap: int = CAP) -> int:
    """Clicks until a score is reached, ``cap`` if it never is.

    Parameters
    ----------
    scores
        After 0, 1, 2, … clicks. For an image the first is 0 (nothing is painted yet); for a clip it is the mean over
        its frames after the first prompt, before any correction.
    target
        The score to reach.
    cap
        Clicks that are looked at at most.

    Raises
    ------
    InputError
        No score, or a cap below 1.
    """
    if not len(scores) or cap < 1:
        raise InputError(f"Counting clicks takes scores and a cap from 1 on, got {len(scores)} scores and cap {cap}.")
    return next((count for count, value in enumerate(scores[: cap + 1]) if value >= target), cap)


def noc(cases: Sequence[Sequence[float]], target: float, cap: int = CAP) -> tuple[float, int]:
    """Mean number of clicks over cases, and how many cases never reach the target; the cases as `number_of_clicks`.

    Raises
    ------
    InputError
        No case, or as `number_of_clicks`.
    """
    if not cases:
        raise InputError("The number of clicks needs at least one case.")
    counts = [number_of_clicks(scores, target, cap) for scores in cases]
    never = sum(not any(value >= target for value in scores[: cap + 1]) for scores in cases)
    return float(np.mean(counts)), never
