"""The label map on the source's own grid, as NIfTI, NRRD and MHA want it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import ExportError
from napari_vost.geometry import POSITION_TOLERANCE_MM, Affine
from napari_vost.types import Segmentation

LABEL_ID_MAX = 65535


@dataclass(frozen=True, eq=False)
class LabelGrid:
    """A label map in stored axes.

    Attributes
    ----------
    labels
        uint8 or uint16, (i, j, k) or (i, j, k, t).
    affine_lps
        (4, 4) from ``(i, j, k, 1)`` to LPS millimetres.
    notices
        What the map does not hold, in words.
    from_source
        Whether axes, size and affine are those of the source.
    """

    labels: NDArray[np.generic]
    affine_lps: Affine
    notices: tuple[str, ...]
    from_source: bool


def label_type(segmentation: Segmentation) -> type[np.uint8] | type[np.uint16]:
    """Smallest unsigned type that holds every object id.

    Raises
    ------
    ExportError
        An id that is no label: below 1, or above 65535.
    """
    ids = segmentation.object_ids
    if ids and not (ids[0] >= 1 and ids[-1] <= LABEL_ID_MAX):
        wrong = ids[0] if ids[0] < 1 else ids[-1]
        raise ExportError(
            f"Object id {wrong} does not fit a label map: use ids from 1 to {LABEL_ID_MAX}, or export DICOM-SEG."
        )
    return np.uint8 if not ids or ids[-1] <= 255 else np.uint16


def label_notices(segmentation: Segmentation) -> tuple[str, ...]:
    """What any label map loses, in words."""
    if all(packed.empty for frames in segmentation.masks.values() for packed in frames.values()):
        return ("No object has a pixel: the label map is empty.",)
    if segmentation.overlaps():
        return ("Objects overlap and a label map holds one per voxel: the smaller id was kept; DICOM-SEG keeps both.",)
    return ()


def label_grid(segmentation: Segmentation, *, fill_gap: bool = False, resample: bool = False) -> LabelGrid:
    """Place the label map in the source's grid.

    A slice of a 4D source stands alone in a 4D array of zeros; a time point of one gives its 3D array. A cine that is
    not itself stored as NIfTI, NRRD or MHA becomes (W, H, 1, T): its frame axis is no direction in space, and a third
    axis would be read as one.

    Parameters
    ----------
    segmentation
        Masks and geometry.
    fill_gap
        Whether empty slices may stand in for missing ones.
    resample
        Whether uneven slices may be brought to an even grid at their common step, each from the nearest slice.

    Raises
    ------
    ExportError
        Slices at uneven positions, and nothing allowed that mends them.
    """
    dtype = label_type(segmentation)
    frames = segmentation.label_map().astype(dtype)
    notices = label_notices(segmentation)
    grid = segmentation.source.grid
    if segmentation.order == "time" and len(grid.shape) == 3 and segmentation.source.kind not in ("nifti", "itk"):
        labels = np.transpose(frames, (2, 1, 0))[:, :, None, :]
        return LabelGrid(labels, segmentation.geometry.affine_lps, notices, False)
    _check_planes(segmentation)
    origins = None if segmentation.order == "time" else segmentation.geometry.frame_origins_lps
    if origins is None or _steady(origins):
        return LabelGrid(grid.place(frames), grid.affine_lps, notices, True)
    if resample and not (fill_gap and _fit(segmentation, origins).regular):
        chosen, affine = _nearest(segmentation, origins)
        notice = (
            f"Slices are unevenly spaced: they were resampled to {len(chosen)} even ones, each from the nearest of "
            f"{len(frames)}, so edges may be off by half a slice."
        )
        return LabelGrid(np.transpose(frames[chosen], (2, 1, 0)), affine, (*notices, notice), False)
    places, affine = _mended(segmentation, origins, fill_gap)
    filled = np.zeros((places[-1] + 1, *segmentation.shape[1:]), dtype=dtype)
    filled[places] = frames
    empty = len(filled) - len(frames)
    notice = f"The series lacks {empty} slice(s): empty ones stand in their place, so slice numbers differ from it."
    return LabelGrid(np.transpose(filled, (2, 1, 0)), affine, (*notices, notice), False)


def _check_planes(segmentation: Segmentation) -> None:
    """Refuse a clip that cuts across unevenly spaced DICOM slices: its own geometry cannot hold their positions."""
    from napari_vost.io.exporters.dicom_sources import source_frames

    source = segmentation.source
    if source.kind not in ("dicom-series", "dicom-multiframe") or source.grid.axes[0] not in (0, 1):
        return
    try:
        frames = source_frames(segmentation)
    except ExportError:  # the source is gone: what the reader said of it stands
        return
    if all(frame.placed for frame in frames) and not _steady(np.array([frame.origin for frame in frames])):
        raise ExportError(
            "The clip cuts across slices that are unevenly spaced, which no regular grid can hold: export DICOM-SEG, "
            "or open the scan along its own slices."
        )


def _steady(origins: NDArray[np.float64]) -> bool:
    """Whether frames stand at even steps, but for rounding."""
    if len(origins) < 3:
        return True
    even = np.linspace(origins[0], origins[-1], len(origins))
    return bool(np.abs(origins - even).max() <= POSITION_TOLERANCE_MM)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Regular grid nearest to uneven slices: number of every slice, first position, step, and whether it holds them."""

    numbers: NDArray[np.int64]
    first: NDArray[np.float64]
    step: NDArray[np.float64]
    regular: bool


def _fit(segmentation: Segmentation, origins: NDArray[np.float64]) -> _Fit:
    steps = np.linalg.norm(np.diff(origins, axis=0), axis=1)
    numbers = np.concatenate([[0], np.cumsum(np.rint(steps / segmentation.geometry.spacing_mm_zyx[0]))])
    weight = numbers - numbers.mean()
    step = weight @ (origins - origins.mean(axis=0)) / max(weight @ weight, 1.0)  # least squares: rounding stays small
    first = origins.mean(axis=0) - numbers.mean() * step
    off = np.abs(first + numbers[:, None] * step - origins).max()
    regular = bool(off <= POSITION_TOLERANCE_MM and (np.diff(numbers) >= 1).all())
    return _Fit(numbers.astype(np.int64), first, step, regular)


def _mended(
    segmentation: Segmentation, origins: NDArray[np.float64], fill_gap: bool
) -> tuple[NDArray[np.int64], Affine]:
    """Slice number of every frame on a regular grid, and the grid's affine (x, y, slice)."""
    fit = _fit(segmentation, origins)
    steps = np.linalg.norm(np.diff(origins, axis=0), axis=1)
    if not fit.regular:
        raise ExportError(
            f"The slices stand {steps.min():.3g} to {steps.max():.3g} mm apart, which no regular grid can hold: export "
            "DICOM-SEG, or let each even slice take the nearest one (resample=True)."
        )
    if not fill_gap:
        where = ", ".join(
            f"{size:.4g} mm after slice {index} (0-based)" for index, size in segmentation.geometry.gaps()
        )
        common = segmentation.geometry.spacing_mm_zyx[0]
        raise ExportError(
            f"The series has a gap ({where or f'{steps.max():.4g} mm'}; common step {common:.4g} mm), which a regular "
            "grid cannot hold: export DICOM-SEG, or allow empty slices in the gap (--fill-gap, fill_gap=True)."
        )
    return fit.numbers, _slice_axis(segmentation, fit.first, fit.step)


def _nearest(segmentation: Segmentation, origins: NDArray[np.float64]) -> tuple[NDArray[np.intp], Affine]:
    """Nearest frame of every slice of an even grid from the first to the last frame, and the grid's affine."""
    way = origins[-1] - origins[0]
    length = float(np.linalg.norm(way))
    count = max(round(length / segmentation.geometry.spacing_mm_zyx[0]), 1) + 1
    along = (origins - origins[0]) @ (way / length)
    even = np.linspace(0.0, length, count)
    chosen = np.abs(even[:, None] - along).argmin(axis=1)
    return chosen, _slice_axis(segmentation, origins[0], way / (count - 1))


def _slice_axis(segmentation: Segmentation, first: NDArray[np.float64], step: NDArray[np.float64]) -> Affine:
    affine = segmentation.geometry.affine_lps.copy()
    affine[:3, 2], affine[:3, 3] = step, first
    return affine
