"""Marks: how the masks of one structure of one case compare with the truth.

Everything is measured frame by frame in the plane of the frames, as structures are followed frame by frame; only
``stack`` joins them. Judged are the labelled frames that hold the structure, without the prompted one. The frame of a
correction stays judged, so that the figures before and after it are of the same frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vost.benchmark.scores import judged_frames
from napari_vost.datasets.base import Case, Layout
from napari_vost.masks import Mask
from napari_vost.metrics.boundary import boundary_f_per_frame
from napari_vost.metrics.interactive import Click
from napari_vost.metrics.overlap import dice, dice_per_frame, iou, iou_per_frame
from napari_vost.metrics.surface import surfaces

NSD_TOLERANCE = 2.0  # millimetres, or pixels where nobody knows how large they are


@dataclass(frozen=True, eq=False)
class Followed:
    """One structure of one case.

    Attributes
    ----------
    case, structure, prompted
        Which, and its prompted frame.
    truth, found
        Masks (T, H, W), found ones before any correction.
    clicks, corrected
        Simulated corrections: what was clicked, None where nothing was left to click, and the masks (T, H, W) after
        each of them. Empty where none were asked for.
    """

    case: Case
    structure: str
    prompted: int
    truth: Mask
    found: Mask
    clicks: tuple[Click | None, ...] = ()
    corrected: tuple[Mask, ...] = ()


@dataclass(frozen=True)
class Figures:
    """What one set of masks scores; None where no frame is judged, or the layout does not ask for it.

    Attributes
    ----------
    frames, stack
        Mean over the frames that hold the structure (Dice, or J&F), and overlap of their stack (Dice, or IoU). Where
        the layout says that empty frames count, they belong to the stack.
    j, f
        The two parts of J&F; None for Dice.
    hd95, nsd
        Means over the frames of the headline figure: 95 % Hausdorff distance and surface Dice at `NSD_TOLERANCE`.
    leaked
        Frames without the structure on which something was painted.
    """

    frames: float | None
    stack: float | None
    j: float | None
    f: float | None
    hd95: float | None
    nsd: float | None
    leaked: int


@dataclass(frozen=True)
class Mark:
    """Scores of one structure of one case (or of one group of cases).

    Attributes
    ----------
    case, structure
        Whose.
    prompted_frames
        One per clip.
    unit
        Of distances: ``"mm"``, or ``"px"`` where the source does not say how large a pixel is.
    found, copied
        What was followed, and the prompted mask in its place: on the frames that hold the structure, and on the others
        too where the layout counts them.
    prompted
        Mean overlap (Dice, or IoU) on the prompted frames: how well the prompt alone was answered.
    empty
        How many labelled frames do not hold the structure.
    clicks
        Per clip, what was clicked.
    corrected
        The figures after each round of clicks.
    """

    case: str
    structure: str
    prompted_frames: tuple[int, ...]
    unit: str
    found: Figures
    copied: Figures
    prompted: float
    empty: int
    clicks: tuple[tuple[Click | None, ...], ...] = ()
    corrected: tuple[Figures, ...] = ()


def score(layout: Layout, unit: str, followed: Iterable[Followed]) -> list[Mark]:
    """Marks of one case, or of the cases of one group, by structure."""
    by_structure: dict[str, list[Followed]] = {}
    for one in followed:
        by_structure.setdefault(one.structure, []).append(one)
    return [_mark(layout, unit, structure, parts) for structure, parts in by_structure.items()]


def figures(layout: Layout, parts: Sequence[Followed], masks: Sequence[Mask]) -> Figures:
    """Figures of masks (T, H, W), one array per clip of a group; the clips have frames of one size and spacing."""
    chosen = [judged_frames(one.truth, one.prompted, one.case.known_frames, layout.empty_counts) for one in parts]
    held, stack, without = (_Judged.of(parts, masks, [frames[which] for frames in chosen]) for which in range(3))
    of_dice = layout.metric == "dice"
    overlap = held.mean(dice_per_frame if of_dice else iou_per_frame)
    f = None if of_dice else held.mean(boundary_f_per_frame)
    leaked = int(without.found.any(axis=(1, 2)).sum())
    measured = held if layout.headline == "frames" else stack
    hd95, nsd = measured.distances(parts[0].case)
    return Figures(
        overlap if overlap is None or f is None else (overlap + f) / 2,
        (dice if of_dice else iou)(stack.found, stack.truth) if len(stack.found) else None,
        None if of_dice else overlap,
        f,
        hd95,
        nsd,
        leaked,
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    """Found and true masks (N, H, W) of frames that are judged together."""

    found: Mask
    truth: Mask

    @classmethod
    def of(cls, parts: Sequence[Followed], masks: Sequence[Mask], frames: Sequence[list[int]]) -> _Judged:
        found = [mask[each] for mask, each in zip(masks, frames, strict=True)]
        truth = [one.truth[each] for one, each in zip(parts, frames, strict=True)]
        return cls(np.concatenate(found), np.concatenate(truth))

    def mean(self, metric: Callable[[Mask, Mask], NDArray[np.float64]]) -> float | None:
        return float(metric(self.found, self.truth).mean()) if len(self.found) else None

    def distances(self, case: Case) -> tuple[float, float] | tuple[None, None]:
        """Mean HD95 and NSD, in the unit of the case."""
        if not len(self.found):
            return None, None
        spacing = case.clip.geometry.spacing_mm_zyx[1:] if unit_of(case) == "mm" else None
        each = [surfaces(found, truth, spacing) for found, truth in zip(self.found, self.truth, strict=True)]
        return float(np.mean([one.hd95 for one in each])), float(np.mean([one.nsd(NSD_TOLERANCE) for one in each]))


def unit_of(case: Case) -> str:
    """Unit of the distances of a case: ``"mm"``, or ``"px"`` where nobody knows how large a pixel is."""
    return "mm" if case.clip.geometry.spaced else "px"


def _mark(layout: Layout, unit: str, structure: str, parts: list[Followed]) -> Mark:
    overlap = dice if layout.metric == "dice" else iou
    rounds = zip(*(one.corrected for one in parts), strict=True)
    return Mark(
        unit,
        structure,
        tuple(one.prompted for one in parts),
        unit_of(parts[0].case),
        figures(layout, parts, [one.found for one in parts]),
        figures(layout, parts, [_copied(one, layout.empty_counts) for one in parts]),
        float(np.mean([overlap(one.found[one.prompted], one.truth[one.prompted]) for one in parts])),
        sum(not one.truth[frame].any() for one in parts for frame in one.case.known_frames),
        tuple(one.clicks for one in parts),
        tuple(figures(layout, parts, masks) for masks in rounds),
    )


def _copied(one: Followed, everywhere: bool) -> Mask:
    """The prompted mask on the frames that hold the structure, or on all."""
    copied: Mask = np.repeat(one.truth[one.prompted][None], len(one.truth), axis=0)
    if not everywhere:
        copied[~one.truth.any(axis=(1, 2))] = False
    return copied
