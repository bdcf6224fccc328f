"""What a labelled folder gives: cases, and how its structures are prompted and scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import ReadError
from napari_vost.masks import Mask

Rule = Literal["middle", "largest", "first"]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Case:
    """One labelled clip.

    Attributes
    ----------
    name
        What it is called, unique in its folder.
    clip
        The frames.
    labels
        (T, H, W) uint8 label values; frames outside ``known`` mean nothing.
    structures
        Label values that make up each structure, by name; structures may overlap.
    rule
        Frame that is prompted, per structure: ``"middle"`` of the frames that hold it, the one where it is
        ``"largest"``, or the ``"first"`` known one.
    known
        Frames whose labels are known, in the data set's own order; None where all are.
    group
        Cases of one group (the slices of one patient) are scored together; "" for a case by itself.
    """

    name: str
    clip: Clip
    labels: Labels
    structures: Mapping[str, tuple[int, ...]]
    rule: Rule
    known: tuple[int, ...] | None = None
    group: str = ""

    def __post_init__(self) -> None:
        if self.labels.shape != self.clip.shape:
            raise ReadError(
                f"{self.name}: the labels have shape {self.labels.shape} and the images {self.clip.shape}, expected "
                "the same: the two files do not belong together."
            )

    @property
    def unit(self) -> str:
        """What is scored as one: the group, or the case itself."""
        return self.group or self.name

    @property
    def known_frames(self) -> tuple[int, ...]:
        """Frames whose labels are known."""
        return tuple(range(len(self.clip))) if self.known is None else self.known

    def truth(self, structure: str) -> Mask:
        """Mask of a structure, bool (T, H, W)."""
        mask: Mask = np.isin(self.labels, self.structures[structure])
        return mask

    def prompted_frame(self, structure: str) -> int | None:
        """Frame on which a structure is prompted, None where it has none.

        The middle one of an even number of frames is the later; so is the one of equally large ones.
        """
        area = self.truth(structure).sum(axis=(1, 2))
        held = [frame for frame in self.known_frames if area[frame]]
        if not held:
            return None
        if self.rule == "middle":
            return held[len(held) // 2]
        if self.rule == "largest":
            return max(held, key=lambda frame: (int(area[frame]), frame))
        first = self.known_frames[0]
        return first if first in held else None


@dataclass(frozen=True)
class Layout:
    """A published layout of a labelled folder.

    Attributes
    ----------
    name
        What the user types.
    title
        What the data are.
    holds
        What the folder must hold, in one phrase.
    metric
        ``"dice"``, or ``"j_and_f"`` of DAVIS (its stack: intersection over union).
    headline
        The figure that is compared: mean over ``"frames"``, or of the ``"stack"`` of all frames.
    empty_counts
        Whether a known frame without the structure belongs to the stack, so that painting it costs.
    cases
        Reads the cases of a folder one after the other; cases of one group follow one another.
    """

    name: str
    title: str
    holds: str
    metric: Literal["dice", "j_and_f"]
    headline: Literal["frames", "stack"]
    empty_counts: bool
    cases: Callable[[Path], Iterator[Case]]
