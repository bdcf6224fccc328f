"""A small 4D scan of a heart that is no heart."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

SLICES, TIMES = 6, 8
AFFINE = np.array([[1.5, 0, 0, -40], [0, 1.4, 0, -30], [0, 0, 8, 20], [0, 0, 0, 1.0]])


def beating() -> np.ndarray:
    """A bright disc in the dark, (x, y, z, t): larger from slice to slice, and beating."""
    x, y, z, t = np.mgrid[0:72, 0:64, 0:SLICES, 0:TIMES]
    radius = 8 + z + 2 * np.sin(2 * np.pi * t / TIMES)
    noise = np.random.default_rng(4).integers(0, 20, x.shape)
    return np.asarray(((x - 40) ** 2 + (y - 30) ** 2 < radius**2) * 180 + noise, dtype=np.int16)


def write_heart(path: Path) -> Path:
    """The same as NIfTI, 50 ms from time point to time point."""
    image = nibabel.Nifti1Image(beating(), AFFINE)
    image.header.set_xyzt_units("mm", "msec")
    image.header["pixdim"][4] = 50.0
    nibabel.save(image, path)
    return path
