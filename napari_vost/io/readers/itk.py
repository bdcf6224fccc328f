"""NRRD, MetaImage (MHA, MHD): whatever SimpleITK reads with a direction matrix."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import GeometryError, ReadError
from napari_vost.geometry import Affine, Grid
from napari_vost.io.readers.axes import choose_grid, geometry_of
from napari_vost.io.readers.candidates import ONE_FRAME, Candidate, Found, Options
from napari_vost.io.readers.stacks import FrameCache, cut, frame_shape
from napari_vost.types import Image, Source

RGB_SAMPLES = 3


class ItkReader:
    """Finds NRRD and MetaImage files by name."""

    name = "itk"
    suffixes = (".nrrd", ".nhdr", ".mha", ".mhd")

    def find(self, files: tuple[Path, ...]) -> Found:
        """One candidate per file."""
        return Found(tuple(Candidate("itk", path, (path,), partial(open_itk, path)) for path in files))


class _ItkStack:
    """Frames of an array that is read whole at the first frame; ITK unpacks no parts of a compressed file."""

    def __init__(self, grid: Grid, colour: bool, load: Callable[[], NDArray[Any]]) -> None:
        self._grid = grid
        self._colour = colour
        self._stored = FrameCache(lambda key: load(), size=1)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, H, W)`` or ``(T, H, W, 3)``."""
        return frame_shape(self._grid, self._colour)

    def read(self, frame_index: int) -> Image:
        """Return one frame."""
        return np.array(cut(self._stored(0), self._grid, frame_index), order="C")


def open_itk(path: Path, options: Options) -> Clip:
    """Open an NRRD or MetaImage file; reads its header only.

    ITK's physical space is LPS. A NRRD without ``space`` says nothing about the patient and has no orientation.

    Raises
    ------
    ReadError
        A damaged file, or values that are neither grey nor RGB.
    ChoiceNeeded
        A 4D file without ``order`` and ``at``.
    """
    reader = _header(path)
    size = tuple(int(n) for n in reader.GetSize())
    samples = int(reader.GetNumberOfComponents())
    if samples not in (1, RGB_SAMPLES):
        raise ReadError(f"{path.name} stores {samples} values per voxel, expected grey or RGB: split it first.")
    while len(size) > 3 and size[-1] == 1:
        size = size[:-1]
    shape = size + (1,) * (3 - len(size))
    if len(shape) > 4:
        raise ReadError(f"{path.name} has {len(shape)} axes, expected (x, y, z) or (x, y, z, t): split it first.")
    oriented = path.suffix.lower() not in (".nrrd", ".nhdr") or "NRRD_space" in reader.GetMetaDataKeys()
    try:
        grid, order = choose_grid(shape, _affine(reader), options, "depth", oriented)
        geometry = geometry_of(grid, oriented)
    except GeometryError as problem:
        raise ReadError(f"{path.name} has an unusable orientation ({problem}): repair its header first.") from problem
    stack = _ItkStack(grid, samples == RGB_SAMPLES, partial(_load, path, shape, samples))
    notices = (ONE_FRAME,) if stack.shape[0] == 1 else ()
    return Clip(stack, order, geometry, Source("itk", grid, path, (path,)), notices=notices)


def _header(path: Path) -> Any:
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as problem:
        raise ReadError(
            f"{path.name} is not a readable NRRD or MetaImage file (damaged?): fetch it again."
        ) from problem
    return reader


def _affine(reader: Any) -> Affine:
    """(4, 4) from stored ``(i, j, k)`` to LPS mm; a time axis is left out, a missing third one is the normal."""
    axes = len(reader.GetSize())
    space = min(axes, 3)
    directions = np.array(reader.GetDirection(), dtype=np.float64).reshape(axes, axes)[:space, :space]
    affine = np.eye(4)
    affine[:space, :space] = directions * np.array(reader.GetSpacing()[:space])
    affine[:space, 3] = reader.GetOrigin()[:space]
    return affine


def _load(path: Path, shape: tuple[int, ...], samples: int) -> NDArray[Any]:
    """Stored array ``(i, j, k[, t][, colour])``."""
    import SimpleITK

    try:
        array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    except RuntimeError as problem:
        raise ReadError(
            f"{path.name} is damaged or cut off, its voxels cannot be unpacked: fetch it again."
        ) from problem
    spatial = array.ndim - (samples > 1)
    stored = np.transpose(array, (*range(spatial)[::-1], *range(spatial, array.ndim)))
    stored = stored.reshape(*shape, *((samples,) if samples > 1 else ()))
    if samples > 1 and stored.dtype != np.uint8:
        raise ReadError(f"{path.name} stores {stored.dtype} colours, expected 8-bit RGB: convert it first.")
    return stored


READER = ItkReader()
