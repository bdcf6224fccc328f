"""A second opinion on what is followed, and finding again what was lost.

A track feeds on its own answers: once it has slipped onto something else, it is sure of that. So what the user showed
is asked alone from time to time, without anything that was remembered on the way. Where it does not know the object
again, or where nothing is followed any more, the object is looked for all over the frame, and its track starts anew
where it is found. Our own; that a frame is checked before it is trusted is SENTRY's idea.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_vost.contracts import MemoryEntry, TrackRow
from napari_vost.masks import Mask, box_of
from napari_vost.search import Sighting, look, placed, square_on, squares
from napari_vost.sight import Engine, FrameView
from napari_vost.types import Image, Order, Region

EVERY = 4  # frames between two second opinions
LOOKS = 8  # squares that are looked at per frame
STEP = 0.5  # between them, over their side
SURE = 0.6  # least score of what prompted frames know again
AGREED, SAME = 0.3, 0.5  # or, where both see the same place: least score, and overlap
HINT = 0.2  # least likeness of what is worth a closer look
AREAS = (0.35, 2.5)  # smallest and largest area of what is known again, over that of the prompted mask
FOUND, ALIKE = 0.8, 0.45  # least score and likeness, where it lay when prompted, of what counts as found
TONE = 0.5  # loss of likeness per standard deviation of tone
TWIN = 0.5  # least likeness of what counts as a look-alike
AROUND = 24  # squares in which look-alikes are looked for
ASIDE = 0.1  # most overlap of a look-alike with the object itself
BETTER = 0.1  # what a place elsewhere must score above the one that is followed
APART = 0.3  # overlap above which two masks are of one place


@dataclass(frozen=True, eq=False)
class Followed:
    """An object on a frame: its row, the mask (H, W) that was answered, and the region that it was answered in."""

    row: TrackRow
    mask: Mask
    region: Region


def recover(engine: Engine, frame: FrameView, followed: Sequence[Followed]) -> dict[int, TrackRow]:
    """Rows that are to start anew on a frame, by object id; empty where every object is where it should be.

    Only for an engine and an order that ``searches`` allows; a memory policy that reads nothing finds nothing.

    Raises
    ------
    Cancelled
        Between two looks.
    """
    anew: dict[int, TrackRow] = {}
    for one in followed:
        lost = not one.mask.any()
        shown = [entry for entry in one.row.bank.prompted if entry.area_px]
        if not shown or not (lost or frame.frame_index % EVERY == 0):
            continue
        shown.sort(key=lambda entry: abs(entry.frame_index - frame.frame_index))
        nearest = shown[0]
        floor = ALIKE
        if not lost:
            (opinion,) = look(engine, shown, frame, [square_on(one.mask, nearest.region.height, nearest)])
            same = _overlap(opinion.mask, one.mask) >= SAME
            if _known(opinion, nearest, AGREED if same else SURE):
                continue
            floor = max(ALIKE, likeness(opinion, frame.image, nearest) + BETTER)
        found = _search(engine, one, shown, nearest, frame)
        engine.check()
        if found is not None and found[1] >= floor and _overlap(found[0].mask, one.mask) < APART:
            anew[one.row.object_id] = _start(one.row, found[0], nearest)
    return anew


def searches(engine: Engine, order: Order) -> bool:
    """Whether an engine looks for things elsewhere in a frame.

    Slices of a volume have no such thing: a structure that is not on a slice has ended. Neither has SAM 2 itself, nor a
    network that sees whole frames.
    """
    return engine.region != "full" and not engine.sam2 and order == "time"


def look_alike(engine: Engine, shown: MemoryEntry, mask: Mask, frame: FrameView) -> Sighting | None:
    """Something else on a prompted frame that what was shown there (its mask (H, W)) would be taken for, or None.

    Only the squares nearest to the object are looked at.
    """
    regions = _nearest_squares(engine, frame.size, shown, shown.region)[:AROUND]
    found = [
        one
        for start in range(0, len(regions), LOOKS)
        for one in look(engine, [shown], frame, regions[start : start + LOOKS])
    ]
    others = [one for one in found if not (one.mask & mask).any()]
    if not others:
        return None
    first = max(others, key=lambda one: likeness(one, frame.image, shown))
    if not first.mask.any():
        return None
    (closer,) = look(engine, [shown], frame, [square_on(first.mask, shown.region.height, shown)])
    apart = _overlap(closer.mask, mask) < ASIDE
    return closer if apart and closer.score >= FOUND and likeness(closer, frame.image, shown) >= TWIN else None


def tone_of(image: Image, mask: Mask) -> tuple[float, float] | None:
    """Mean and standard deviation of an image (H, W) or (H, W, 3) inside a mask (H, W); None where it is empty."""
    if not mask.any():
        return None
    inside = image[mask].astype(np.float64)
    grey = inside.mean(axis=-1) if inside.ndim > 1 else inside
    return float(grey.mean()), float(grey.std())


def likeness(sighting: Sighting, image: Image, shown: MemoryEntry) -> float:
    """How much a sighting is like what the user showed, 0 to 1: its score, less where its size or its tone differ.

    On hard clips the likest of a frame's squares is the right one more often than the one of the best score.
    """
    tone = tone_of(image, sighting.mask)
    if tone is None:
        return 0.0
    ratio = int(sighting.mask.sum()) / shown.area_px
    apart = 0.0 if shown.tone is None else abs(tone[0] - shown.tone[0]) / max(shown.tone[1], 1e-6)
    return sighting.score * math.sqrt(min(ratio, 1 / ratio)) * math.exp(-TONE * apart)


def _known(sighting: Sighting, shown: MemoryEntry, least: float) -> bool:
    """Whether prompted frames know an object again: by score and size, for tone may change on the way."""
    low, high = (share * shown.area_px for share in AREAS)
    return sighting.score >= least and low <= int(sighting.mask.sum()) <= high


def _search(
    engine: Engine, one: Followed, shown: Sequence[MemoryEntry], nearest: MemoryEntry, frame: FrameView
) -> tuple[Sighting, float] | None:
    """The sighting most like what was shown, in the nearest squares of the frame; in others on later frames."""
    regions = _nearest_squares(engine, frame.size, nearest, one.region)
    turn = frame.frame_index if not one.mask.any() else frame.frame_index // EVERY
    start = turn % -(-len(regions) // LOOKS) * LOOKS
    found = look(engine, shown, frame, regions[start : start + LOOKS])
    first, hint = max(((each, likeness(each, frame.image, nearest)) for each in found), key=lambda pair: pair[1])
    if hint < HINT:
        return None
    (closer,) = look(engine, shown, frame, [square_on(first.mask, nearest.region.height, nearest)])
    alike = likeness(closer, frame.image, nearest)
    return (closer, alike) if closer.score >= FOUND and alike >= ALIKE else None


def _nearest_squares(engine: Engine, size: tuple[int, int], shown: MemoryEntry, here: Region) -> list[Region]:
    """The squares of a frame, those nearest to a region first."""
    regions = squares(engine, size, shown.region.height, STEP, shown)
    y, x = here.y0 + here.height / 2, here.x0 + here.width / 2
    regions.sort(key=lambda one: abs(one.y0 + one.height / 2 - y) + abs(one.x0 + one.width / 2 - x))
    return regions


def _start(row: TrackRow, found: Sighting, shown: MemoryEntry) -> TrackRow:
    """A row that starts anew from what was shown, as if that had been shown here; what came after it led astray."""
    region = square_on(found.mask, shown.region.height, shown)
    prompted = tuple(placed(entry, region, shown) for entry in row.bank.prompted)
    bank = replace(row.bank, prompted=prompted, kept=())
    box = box_of(found.mask)
    return replace(row, bank=bank, region=region, box=box, mask_logits=None, motion=None, absent=0, stable=0)


def _overlap(first: Mask, second: Mask) -> float:
    return int((first & second).sum()) / max(1, int((first | second).sum()))
