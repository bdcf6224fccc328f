"""How a clip's masks lie on native DICOM frames: its own, or those of a reference series in the same place."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import ExportError
from napari_vost.geometry import POSITION_TOLERANCE_MM, Affine
from napari_vost.io.readers.dicom_frames import DicomFrame, frames_of
from napari_vost.io.readers.dicom_header import NO_IMAGE, Instance
from napari_vost.masks import Mask
from napari_vost.types import Segmentation


@dataclass(frozen=True)
class Placement:
    """Axes of the clip's (frame, y, x) that become native (frame, row, column), and which of those run backwards."""

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool] = (False, False, False)

    def __call__(self, volume: Mask) -> Mask:
        """View a clip's volume (T, H, W) as native frames (N, rows, columns)."""
        first, second, third = (slice(None, None, -1 if flip else 1) for flip in self.flips)
        return np.transpose(volume, self.axes)[first, second, third]

    def shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Native (N, rows, columns) of a clip's shape."""
        first, second, third = (shape[axis] for axis in self.axes)
        return first, second, third


def own_placement(segmentation: Segmentation, frames: Sequence[DicomFrame]) -> Placement:
    """Placement on the frames of the clip's own DICOM source; a clip along another axis is turned back.

    Raises
    ------
    ExportError
        The clip does not cover whole native frames, or there is not one header per frame.
    """
    axes = segmentation.source.grid.axes
    native = 3 if 3 in axes else 2
    if set(axes) != {0, 1, native}:
        raise ExportError("The clip cuts through native DICOM frames and time: export NIfTI instead.")
    placement = Placement((axes.index(native), axes.index(1), axes.index(0)))
    data = frames[0].instance.data
    found = (len(frames), int(data.Rows), int(data.Columns))
    if placement.shape(segmentation.shape) != found:
        raise ExportError(
            f"The masks are {placement.shape(segmentation.shape)} (frames, rows, columns), but the source images are "
            f"{found}: open the clip again."
        )
    return placement


def reference_frames(segmentation: Segmentation, reference: Path) -> tuple[tuple[DicomFrame, ...], Placement]:
    """Find the one series in a folder that lies where the clip lies, voxel by voxel.

    Slice order and in-plane flips may differ; size, positions, spacing and orientation may not.

    Raises
    ------
    ExportError
        No series fits, or several do.
    """
    if segmentation.order != "depth" or not segmentation.geometry.oriented:
        raise ExportError(
            "Only a volume that says how the patient lies can be matched to a DICOM reference: export NIfTI or PNG."
        )
    fits, reasons = [], []
    for frames in _series(reference):
        try:
            fits.append(_match(segmentation, frames))
        except ExportError as error:
            reasons.append(str(error))
    if not fits:
        reason = "; ".join(sorted(set(reasons))[:3]) or "it holds no DICOM images with positions"
        raise ExportError(f"No series in {reference} matches the clip ({reason}): name the series it was made from.")
    if len(fits) > 1:
        raise ExportError(f"{len(fits)} series in {reference} match the clip: name a folder that holds one of them.")
    return fits[0]


def _series(reference: Path) -> list[list[DicomFrame]]:
    """Placed frames of every series below a folder (or of one file), each in order along its normal."""
    import pydicom

    if not reference.exists():
        raise ExportError(f"The reference {reference} does not exist: name the folder of the DICOM series.")
    paths = sorted(item for item in reference.rglob("*") if item.is_file()) if reference.is_dir() else [reference]
    series: dict[tuple[str, str], list[DicomFrame]] = defaultdict(list)
    for path in paths:
        try:
            data = pydicom.dcmread(path, stop_before_pixels=True)
        except (pydicom.errors.InvalidDicomError, OSError, ValueError, EOFError):
            continue
        if _is_image(data):
            several = str(data.SOPInstanceUID) if "PerFrameFunctionalGroupsSequence" in data else ""
            placed = [frame for frame in frames_of(Instance(path, data, "")) if frame.placed]
            series[(str(data.get("SeriesInstanceUID", "")), several)] += placed
    return [sorted(frames, key=_distance) for frames in series.values() if frames]


def _is_image(data: Any) -> bool:
    return "Rows" in data and "SOPInstanceUID" in data and data.get("Modality") not in NO_IMAGE


def _distance(frame: DicomFrame) -> float:
    directions = np.array(frame.orientation, dtype=float)
    return float(np.array(frame.origin) @ np.cross(directions[:3], directions[3:]))


def _match(segmentation: Segmentation, frames: Sequence[DicomFrame]) -> tuple[tuple[DicomFrame, ...], Placement]:
    """Placement of the clip on a series, by where voxel centres fall."""
    shape_xyf = np.array(segmentation.shape[::-1])
    affine, size = _affine(frames)
    if sorted(shape_xyf) != sorted(size):
        raise ExportError(f"size {_times(shape_xyf)} against {_times(size)}")
    moved = np.linalg.solve(affine, segmentation.geometry.affine_lps)
    turn = np.rint(moved[:3, :3])
    if not (np.abs(turn).sum(axis=0) == 1).all() or not (np.abs(turn).sum(axis=1) == 1).all():
        raise ExportError("another orientation or spacing")
    axes_xyf = [int(np.flatnonzero(turn[row])[0]) for row in range(3)]  # clip axis (x, y, frame) of each native axis
    flips = [turn[row, axes_xyf[row]] < 0 for row in range(3)]
    ideal = np.eye(4)
    ideal[:3, :3] = turn
    ideal[:3, 3] = [size[row] - 1 if flips[row] else 0 for row in range(3)]
    corners = np.array([(*corner, 1) for corner in itertools.product(*((0, last) for last in shape_xyf - 1))])
    off = np.linalg.norm((corners @ (segmentation.geometry.affine_lps - affine @ ideal).T)[:, :3], axis=1).max()
    if not np.array_equal(shape_xyf[axes_xyf], size) or off > 2 * POSITION_TOLERANCE_MM:
        raise ExportError(f"voxels up to {off:.3g} mm apart")
    column, row, frame = (2 - axis for axis in axes_xyf)  # (x, y, frame) count from the end of (frame, y, x)
    return tuple(frames), Placement((frame, row, column), (bool(flips[2]), bool(flips[1]), bool(flips[0])))


def _affine(frames: Sequence[DicomFrame]) -> tuple[Affine, NDArray[np.int64]]:
    """Affine (column, row, frame) to LPS mm of a series, and its size in the same order."""
    first = frames[0]
    positions = np.array([frame.origin for frame in frames], dtype=float)
    directions = np.array(first.orientation, dtype=float)
    row_mm, column_mm = first.spacing_yx or (1.0, 1.0)
    affine = np.eye(4)
    affine[:3, 0] = directions[:3] * column_mm
    affine[:3, 1] = directions[3:] * row_mm
    affine[:3, 3] = positions[0]
    if len(frames) > 1:
        affine[:3, 2] = (positions[-1] - positions[0]) / (len(frames) - 1)
        even = np.linspace(positions[0], positions[-1], len(frames))
        if np.abs(even - positions).max() > POSITION_TOLERANCE_MM or np.linalg.norm(affine[:3, 2]) < 1e-3:
            raise ExportError("its slices are not evenly spaced")
    else:
        affine[:3, 2] = np.cross(directions[:3], directions[3:]) * (first.thickness or 1.0)
    return affine, np.array([int(first.instance.data.Columns), int(first.instance.data.Rows), len(frames)])


def _times(size: NDArray[np.int64]) -> str:
    return " x ".join(str(int(one)) for one in size)
