"""Millilitres of objects and square millimetres per frame, from masks and geometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import GeometryError, InputError
from napari_vost.geometry import Geometry
from napari_vost.types import Segmentation

MM3_PER_ML = 1000.0


def volume_ml(segmentation: Segmentation, object_id: int) -> float:
    """Volume of one object in millilitres: the sum of its frames' areas times the local slice thickness.

    With even slices this is the number of voxels times the determinant of the affine, tilted stacks included.

    Raises
    ------
    InputError
        A cine, or no such object.
    GeometryError
        The source does not say how large a pixel is.
    """
    if segmentation.order != "depth":
        raise InputError(
            "A cine has an area per frame and no volume: measure areas, or open the scan with order depth."
        )
    return volume_ml_of(area_mm2(segmentation, object_id), segmentation.geometry)


def volume_ml_of(areas_mm2: NDArray[np.float64], geometry: Geometry) -> float:
    """Millilitres of what has these areas, (T,) square millimetres, on the frames of a volume."""
    return float(areas_mm2 @ thickness_mm_per_frame(geometry, len(areas_mm2))) / MM3_PER_ML


def area_mm2(segmentation: Segmentation, object_id: int) -> NDArray[np.float64]:
    """Area of one object on each frame in square millimetres, (T,).

    Raises
    ------
    InputError
        No such object.
    GeometryError
        The source does not say how large a pixel is.
    """
    if not segmentation.geometry.spaced:
        raise GeometryError("The source does not say how large a pixel is: give the spacing to measure in millimetres.")
    if object_id not in segmentation.masks:
        known = ", ".join(map(str, segmentation.object_ids)) or "none"
        raise InputError(f"Object {object_id} does not exist: choose one of {known}.")
    areas = np.zeros(segmentation.shape[0])
    for frame_index, packed in segmentation.masks[object_id].items():
        areas[frame_index] = packed.area
    return np.asarray(areas * pixel_mm2(segmentation.geometry))


def pixel_mm2(geometry: Geometry) -> float:
    """Square millimetres that one pixel covers."""
    return float(np.linalg.norm(np.cross(geometry.affine_lps[:3, 0], geometry.affine_lps[:3, 1])))


def thickness_mm_per_frame(geometry: Geometry, frames: int) -> NDArray[np.float64]:
    """Millimetres that each frame stands for along the normal, (T,).

    Between uneven slices a frame reaches half-way to each neighbour; the first and the last one reach as far outward
    as inward.
    """
    affine = geometry.affine_lps
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    normal /= np.linalg.norm(normal)
    if geometry.frame_origins_lps is None or frames < 2:
        return np.full(frames, abs(float(affine[:3, 2] @ normal)))
    steps = np.abs(np.diff(geometry.frame_origins_lps @ normal))
    return np.asarray((np.concatenate([steps[:1], steps]) + np.concatenate([steps, steps[-1:]])) / 2)
