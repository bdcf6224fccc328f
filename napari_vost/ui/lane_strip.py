"""The bar of one object as a picture: confidence by height, pattern and strength of colour. Numpy only.

Work and memory go with the pixels of the bar, not with the frames of the clip: where many frames share a column of
pixels, the one to worry about most is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.display.colours import Colour
from napari_vost.ui.lane_data import Flags, Numbers, ObjectLane
from napari_vost.ui.lane_scale import Scale

LOWEST = 0.3  # height of a mask of confidence 0, of the bar's height: it must still be seen
GAP_PX = 5.0  # columns of frames at least this wide are set apart


@dataclass(frozen=True, eq=False)
class Columns:
    """A lane per column of pixels, (W,) each.

    Attributes
    ----------
    kept, present
        Whether any frame of the column has an answer, and a mask.
    confidence
        The lowest one, of frames with a mask where there are any; NaN without an answer.
    area
        The largest one.
    accepted, locked
        Whether that holds for all frames with an answer.
    edge
        Whether a frame begins here; all False where frames are too narrow to be told apart.
    """

    kept: Flags
    present: Flags
    confidence: Numbers
    area: Numbers
    accepted: Flags
    locked: Flags
    edge: Flags


def frames_under(scale: Scale) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Half-open range of frames ``(first, stop)`` under each column of pixels, (W,) each; never empty."""
    per = scale.span / scale.width
    pixels = np.arange(scale.width)
    if per <= 1:
        first = np.floor(scale.start + (pixels + 0.5) * per).astype(np.int64)
        stop = first + 1
    else:
        first = np.floor(scale.start + pixels * per).astype(np.int64)
        stop = np.maximum(np.floor(scale.start + (pixels + 1) * per).astype(np.int64), first + 1)
    first = np.clip(first, 0, scale.frames - 1)
    return first, np.clip(stop, first + 1, scale.frames)


def columns(lane: ObjectLane, scale: Scale) -> Columns:
    """What each column of pixels stands for."""
    first, stop = frames_under(scale)
    pairs = np.stack([first, stop], axis=1).ravel()

    def folded(ufunc: np.ufunc, values: Flags | Numbers) -> NDArray[np.generic]:
        padded = np.append(values, values[-1:])  # reduceat may not name the end
        return np.asarray(ufunc.reduceat(padded, pairs)[::2])

    kept, present = lane.kept, lane.present
    any_kept, any_present = (folded(np.logical_or, flags).astype(bool) for flags in (kept, present))
    doubt = np.where(kept, lane.confidence, np.inf)
    lowest = folded(np.minimum, doubt).astype(float)
    lowest_there = folded(np.minimum, np.where(present, doubt, np.inf)).astype(float)
    accepted, locked = (
        folded(np.logical_and, flags | ~kept).astype(bool) & any_kept for flags in (lane.accepted, lane.locked)
    )
    edge = np.zeros(scale.width, np.bool_)
    if scale.pixels_per_frame >= GAP_PX:
        edge[1:] = first[1:] != first[:-1]
    return Columns(
        any_kept,
        any_present,
        np.where(any_present, lowest_there, np.where(any_kept, lowest, np.nan)),
        folded(np.maximum, lane.area).astype(float),
        accepted,
        locked,
        edge,
    )


def strip(seen: Columns, height: int, colour: Colour, weak_below: float, dot: int = 1) -> NDArray[np.uint8]:
    """The bar, (height, W, 4) RGBA uint8, transparent where nothing is.

    Sure frames are solid; from half-way between ``weak_below`` and 1 down they are hatched, below it dotted. A frame
    on which the object was looked for and not found has a line at the bottom.

    Parameters
    ----------
    seen
        Per column of pixels.
    height
        Pixels.
    colour
        Of the object.
    weak_below
        As in `LaneData`.
    dot
        Pixels of the screen per pixel of the pattern, 1 or more.
    """
    confidence = np.nan_to_num(seen.confidence, nan=0.0)
    tall = np.where(seen.present, LOWEST + (1 - LOWEST) * confidence, 0.0)
    top = (height - np.ceil(tall * height)).astype(np.int16)
    y, x = np.arange(height, dtype=np.int16)[:, None], np.arange(len(tall), dtype=np.int16)[None]
    alpha = _pattern(y // dot, x // dot, confidence, weak_below)
    alpha[y < top + dot] = 255  # the upper edge is a curve of its own
    alpha[:, seen.edge] //= 2
    alpha[y < top] = 0
    alpha[-dot:, seen.kept & ~seen.present] = 200
    picture = np.empty((height, len(tall), 4), np.uint8)
    picture[..., :3] = colour
    picture[..., 3] = alpha
    return picture


def _pattern(y: NDArray[np.int16], x: NDArray[np.int16], confidence: Numbers, weak_below: float) -> NDArray[np.uint8]:
    """Strength, (H, W): 235 throughout where sure, else 255 on lines or dots upon a weaker ground."""
    weak, sure = confidence < weak_below, confidence >= (1 + weak_below) / 2
    hatched, dotted = (x % 6 + y % 6) % 6 < 2, (x % 4 < 2) & (y % 4 < 2)
    lines = np.where(weak, dotted, hatched & ~sure)
    ground = np.where(sure, 235, np.where(weak, 45, 110)).astype(np.uint8)
    return np.where(lines, np.uint8(255), ground)


def review_line(seen: Columns, height: int, colour: Colour) -> NDArray[np.uint8]:
    """A line (height, W, 4) RGBA uint8, solid where frames are accepted, dotted where they are only locked."""
    dotted = seen.locked & (np.arange(len(seen.locked)) // max(1, height) % 2 == 0)
    picture = np.empty((height, len(dotted), 4), np.uint8)
    picture[..., :3] = colour
    picture[..., 3] = np.where(seen.accepted | dotted, 255, 0)
    return picture


def curve(seen: Columns, height: int, largest: float, text: Colour, back: Colour, dot: int = 1) -> NDArray[np.uint8]:
    """The area curve, (height, W, 4) RGBA uint8: a line with a halo, broken where there is no mask.

    Parameters
    ----------
    seen
        Per column of pixels.
    height
        Pixels; ``largest`` reaches the top.
    largest
        Area, above 0.
    text, back
        Colours of line and halo.
    dot
        Thickness of the line.
    """
    level = np.where(seen.present, (1 - seen.area / largest) * (height - 2 * dot) + dot, np.nan)
    before = np.append(np.nan, level[:-1])
    low, high = np.fmin(level, before), np.fmax(level, before)  # a step is a line from the one level to the other
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5
    away = np.maximum(low.astype(np.float32) - y, y - high.astype(np.float32))
    away[:, ~seen.present] = np.inf
    line, halo = (np.clip(reach - away, 0.0, 1.0) for reach in (0.5 + 0.5 * dot, 0.5 + 1.5 * dot))
    picture = np.empty((*away.shape, 4), np.uint8)
    picture[..., :3] = back
    picture[line > 0.3, :3] = text
    picture[..., 3] = np.maximum(line, 0.75 * halo) * 255
    return picture


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Half-open stretches of a line of flags that are True."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in steps.reshape(-1, 2)]


def apart(places: NDArray[np.floating[Any]], least: float) -> list[float]:
    """Rising places thinned out so that two are at least ``least`` apart; the first of each cluster stays."""
    chosen: list[float] = []
    for place in places:
        if not chosen or place - chosen[-1] >= least:
            chosen.append(float(place))
    return chosen
