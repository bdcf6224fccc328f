"""Label maps as NRRD and MHA, on the grid of the source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_vost.errors import ExportError
from napari_vost.geometry import is_sheared, tilt_deg
from napari_vost.io.atomic import atomic_file
from napari_vost.io.exporters.label_grids import LabelGrid, label_grid
from napari_vost.types import Segmentation


def write(
    segmentation: Segmentation,
    path: Path,
    *,
    reference: Path | None = None,
    fill_gap: bool = False,
    resample: bool = False,
    creator: str = "",
) -> tuple[str, ...]:
    """Write a label map as NRRD or MHA (``.nrrd``, ``.mha``), compressed, in LPS millimetres.

    Axes, size, spacing, origin and direction are those of the source. A cine of another source is (W, H, 1, T) with
    the mean frame time in seconds as the fourth spacing.

    Parameters
    ----------
    segmentation
        What to write.
    path
        Target file.
    reference, creator
        Not used: these formats reference no images and name nobody.
    fill_gap
        Put empty slices where the series lacks some.
    resample
        Bring unevenly spaced slices to an even grid, each from the nearest slice.

    Returns
    -------
    tuple of str
        What the file does not hold, in words.

    Raises
    ------
    ExportError
        Sheared axes or uneven slices, ids above 65535, or a target that cannot be written.
    """
    import SimpleITK

    grid = label_grid(segmentation, fill_gap=fill_gap, resample=resample)
    if is_sheared(grid.affine_lps):
        raise ExportError(
            f"The slices are tilted by {tilt_deg(grid.affine_lps):.1f} degrees, which NRRD and MHA of this kind cannot "
            "hold: export NIfTI (.nii.gz) or DICOM-SEG (.dcm) instead."
        )
    image = _image(segmentation, grid)
    with atomic_file(path) as temporary:
        try:
            SimpleITK.WriteImage(image, str(temporary), useCompression=True)
            whole = SimpleITK.Hash(SimpleITK.ReadImage(str(temporary))) == SimpleITK.Hash(image)
        except RuntimeError as error:
            raise OSError(f"its writer failed: {str(error).strip().splitlines()[-1]}") from error
        if not whole:  # the writer does not tell of a disk that is full
            raise OSError("the file was cut short; is the disk full?")
    return grid.notices


def _image(segmentation: Segmentation, grid: LabelGrid) -> Any:
    import SimpleITK

    affine = grid.affine_lps
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(grid.labels.T), isVector=False)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    extra = grid.labels.ndim - 3
    direction = np.eye(3 + extra)
    direction[:3, :3] = affine[:3, :3] / spacing
    times = segmentation.frame_times_s
    frame_time = (times[-1] - times[0]) / (len(times) - 1) if times is not None and len(times) > 1 else 1.0
    image.SetSpacing([*spacing.tolist(), *([frame_time or 1.0] * extra)])
    image.SetOrigin([*affine[:3, 3].tolist(), *([0.0] * extra)])
    image.SetDirection(direction.ravel().tolist())
    return image
