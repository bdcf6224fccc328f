"""What a hard clip is: a phantom, whom to follow in it, and when something befalls it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.masks import Mask
from napari_vost.phantoms.base import Field, Phantom

SEEN = 0.5  # share of its own area that an object must show to count as being there
FRAME_TIME_S = 0.04
Span = tuple[int, int]  # half-open range of frames


@dataclass(frozen=True)
class Events:
    """What befalls the object.

    Attributes
    ----------
    gaps
        Half-open ranges of frames on which less than half of the object is seen: behind something, or out of the
        frame. A gap that lasts to the last frame is one too.
    crossings
        Half-open ranges of frames on which the object and its twin touch.
    twin_id
        Label of the structure that looks just like it; None where there is none.
    parted
        First frame on which it lies in two pieces; None where it never does.
    """

    gaps: tuple[Span, ...] = ()
    crossings: tuple[Span, ...] = ()
    twin_id: int | None = None
    parted: int | None = None


@dataclass(frozen=True, eq=False)
class HardClip:
    """A clip that is hard to follow in one known way.

    Attributes
    ----------
    phantom
        Pixels and truth.
    object_id
        Whom to follow.
    events
        What befalls it.
    """

    phantom: Phantom
    object_id: int
    events: Events

    @property
    def prompted_frame(self) -> int:
        """The frame to prompt: the first; of a volume the middle one of those that hold the object."""
        if self.phantom.order == "time":
            return 0
        held = np.flatnonzero(self.truth().any(axis=(1, 2)))
        return int(held[len(held) // 2])

    def truth(self) -> Mask:
        """Truth of the object, bool (T, H, W)."""
        return np.asarray(self.phantom.labels == self.object_id)


def spans(flags: NDArray[np.bool_]) -> tuple[Span, ...]:
    """Half-open ranges of the frames (T,) that are flagged."""
    change = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return tuple((int(start), int(stop)) for start, stop in zip(change[::2], change[1::2], strict=True))


def gaps_of(visible: Mask, whole: Field) -> tuple[Span, ...]:
    """Ranges in which less than `SEEN` of an object shows: its visible masks (T, H, W) against its own area (T,)."""
    return spans(visible.sum(axis=(1, 2)) < SEEN * whole)


def parted_at(visible: Mask) -> int | None:
    """First frame on which a mask (T, H, W) lies in two pieces that both count; None where it never does."""
    for index, mask in enumerate(visible):
        labelled, count = ndimage.label(mask)
        if count > 1 and np.sort(np.bincount(labelled.ravel())[1:])[-2] > 0.1 * mask.sum():
            return index
    return None
