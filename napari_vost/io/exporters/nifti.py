"""Label maps as NIfTI-1, on the grid of the source."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from napari_vost.geometry import POSITION_TOLERANCE_MM, Affine, lps_from_ras, ras_from_lps, tilt_deg
from napari_vost.io.atomic import atomic_file
from napari_vost.io.exporters.label_grids import LabelGrid, label_grid
from napari_vost.types import Segmentation

_PLACE_FIELDS = (
    "qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z",
    "sform_code", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


def write(
    segmentation: Segmentation,
    path: Path,
    *,
    reference: Path | None = None,
    fill_gap: bool = False,
    resample: bool = False,
    creator: str = "",
) -> tuple[str, ...]:
    """Write a label map as NIfTI (``.nii``, ``.nii.gz``).

    Size, axes and affine are those of the source; of a NIfTI source, qform, sform and their codes too. Otherwise both
    forms are set with code 1 (scanner), and where the axes are sheared (a tilted gantry) only the sform, since
    a quaternion holds no shear. A cine of another source is (W, H, 1, T): programs that know space only would read a
    third axis as depth. ``pixdim[4]`` is the mean frame time in seconds where it is known.

    Parameters
    ----------
    segmentation
        What to write.
    path
        Target file.
    reference, creator
        Not used: NIfTI references no images and names nobody.
    fill_gap
        Put empty slices where the series lacks some.
    resample
        Bring unevenly spaced slices to an even grid, each from the nearest slice.

    Returns
    -------
    tuple of str
        What the file does not hold or what a reader may stumble over, in words.

    Raises
    ------
    ExportError
        Uneven slices, ids above 65535, or a target that cannot be written.
    """
    import nibabel

    grid = label_grid(segmentation, fill_gap=fill_gap, resample=resample)
    image = nibabel.Nifti1Image(grid.labels, None)
    notices = _set_place(image.header, segmentation, grid)
    times = segmentation.frame_times_s
    header = image.header
    if grid.labels.ndim == 4 and times is not None and len(times) > 1:
        header.set_xyzt_units("mm", "sec")
        header["pixdim"][4] = (times[-1] - times[0]) / (len(times) - 1)
    else:
        header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    header["cal_max"] = 0
    with atomic_file(path) as temporary:
        nibabel.save(nibabel.Nifti1Image(grid.labels, None, header), temporary)
    return (*grid.notices, *notices)


def _set_place(header: Any, segmentation: Segmentation, grid: LabelGrid) -> tuple[str, ...]:
    """Set size, qform and sform; say where a program may refuse them."""
    affine_ras = ras_from_lps(grid.affine_lps)
    header.set_data_shape(grid.labels.shape)
    header.set_data_dtype(grid.labels.dtype)
    if not (grid.from_source and _copy_place(header, segmentation, grid)):
        header.set_qform(affine_ras, code=1)
        header.set_sform(affine_ras, code=1)
        if not _same_place(header.get_qform(), affine_ras, grid.labels.shape):
            header.set_qform(None, code=0)
            header["pixdim"][1:4] = np.linalg.norm(affine_ras[:3, :3], axis=0)
    if header["sform_code"] > 0 and header["qform_code"] == 0 and _leans(affine_ras):
        tilt = tilt_deg(affine_ras)
        return (
            f"The slices are tilted by {tilt:.1f} degrees: NIfTI holds this in its sform only, and programs built on "
            "ITK or SimpleITK refuse such a file; DICOM-SEG has no such limit.",
        )
    return ()


def _copy_place(header: Any, segmentation: Segmentation, grid: LabelGrid) -> bool:
    """Take qform, sform and codes from a NIfTI source, if it is still there and still in this place."""
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    source = segmentation.source
    if source.kind != "nifti" or source.path is None:
        return False
    try:
        stored = nibabel.load(source.path)
    except (OSError, ImageFileError):
        return False
    old = stored.header
    same = np.allclose(lps_from_ras(stored.affine), grid.affine_lps, rtol=1e-6, atol=1e-6)
    if not isinstance(old, nibabel.Nifti1Header) or stored.shape[:3] != grid.labels.shape[:3] or not same:
        return False
    for name in _PLACE_FIELDS:
        header[name] = old[name]
    header["pixdim"][:5] = old["pixdim"][:5]
    return True


def _same_place(first: Affine, second: Affine, shape: tuple[int, ...]) -> bool:
    """Whether two affines put every voxel of a grid within the position tolerance."""
    corners = np.array([(*corner, 1) for corner in itertools.product(*((0, size - 1) for size in shape[:3]))])
    apart = np.linalg.norm((corners @ (first - second).T)[:, :3], axis=1)
    return bool(apart.max() <= POSITION_TOLERANCE_MM)


def _leans(affine: Affine) -> bool:
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(directions.T @ directions - np.eye(3)).max() > 1e-5)
