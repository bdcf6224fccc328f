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


def label_grid(segmentation: Segmentation, *, fill_gap: bool = False) -> LabelGrid:
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

    Raises
    ------
    ExportError
        Slices at uneven positions which ``fill_gap`` does not mend.
    """
    dtype = label_type(segmentation)
    frames = segmentation.label_map().astype(dtype)
    notices = label_notices(segmentation)
    grid = segmentation.source.grid
    if segmentation.order == "time" and len(grid.shape) == 3 and segmentation.source.kind not in ("nifti", "itk"):
        labels = np.transpose(frames, (2, 1, 0))[:, :, None, :]
        return LabelGrid(labels, segmentation.geometry.affine_lps, notices, False)
    origins = None if segmentation.order == "time" else segmentation.geometry.frame_origins_lps
    if origins is None or _steady(origins):
        return LabelGrid(grid.place(frames), grid.affine_lps, notices, True)
    places, affine = _mended(segmentation, origins, fill_gap)
    filled = np.zeros((places[-1] + 1, *segmentation.shape[1:]), dtype=dtype)
    filled[places] = frames
    empty = len(filled) - len(frames)
    notice = f"The series lacks {empty} slice(s): empty ones stand in their place, so slice numbers differ from it."
    return LabelGrid(np.transpose(filled, (2, 1, 0)), affine, (*notices, notice), False)


def _steady(origins: NDArray[np.float64]) -> bool:
    """Whether frames stand at even steps, but for rounding."""
    if len(origins) < 3:
        return True
    even = np.linspace(origins[0], origins[-1], len(origins))
    return bool(np.abs(origins - even).max() <= POSITION_TOLERANCE_MM)


def _mended(
    segmentation: Segmentation, origins: NDArray[np.float64], fill_gap: bool
) -> tuple[NDArray[np.int64], Affine]:
    """Slice number of every frame on a regular grid, and the grid's affine (x, y, slice)."""
    steps = np.linalg.norm(np.diff(origins, axis=0), axis=1)
    common = segmentation.geometry.spacing_mm_zyx[0]
    numbers = np.concatenate([[0], np.cumsum(np.rint(steps / common))])
    weight = numbers - numbers.mean()
    step = weight @ (origins - origins.mean(axis=0)) / (weight @ weight)  # least squares: rounding does not add up
    first = origins.mean(axis=0) - numbers.mean() * step
    off = np.abs(first + numbers[:, None] * step - origins).max()
    if off > POSITION_TOLERANCE_MM or (np.diff(numbers) < 1).any():
        raise ExportError(
            f"The slices stand {steps.min():.3g} to {steps.max():.3g} mm apart, which no regular grid can hold: "
            "export DICOM-SEG instead."
        )
    if not fill_gap:
        where = ", ".join(
            f"{size:.4g} mm after slice {index} (0-based)" for index, size in segmentation.geometry.gaps()
        )
        raise ExportError(
            f"The series has a gap ({where or f'{steps.max():.4g} mm'}; common step {common:.4g} mm), which a regular "
            "grid cannot hold: export DICOM-SEG, or allow empty slices in the gap (--fill-gap, fill_gap=True)."
        )
    affine = segmentation.geometry.affine_lps.copy()
    affine[:3, 2] = step
    affine[:3, 3] = first
    return numbers.astype(np.int64), affine
