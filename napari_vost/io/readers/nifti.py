"""NIfTI-1 and NIfTI-2: volumes, and 4D series of volumes."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import GeometryError, ReadError
from napari_vost.geometry import Affine, Grid, lps_from_ras
from napari_vost.io.readers.axes import choose_grid, geometry_of
from napari_vost.io.readers.candidates import ONE_FRAME, Candidate, Found, Options
from napari_vost.io.readers.stacks import FrameCache, cut, frame_shape
from napari_vost.types import Image, Source

_MILLIMETRES = {"meter": 1e3, "mm": 1.0, "micron": 1e-3, "unknown": 1.0}
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
_unpacked: WeakValueDictionary[tuple[str, int, int], NDArray[Any]] = WeakValueDictionary()  # as long as a clip has one
_unpacking = threading.Lock()


class NiftiReader:
    """Finds NIfTI files; an ``.img`` belongs to its ``.hdr``."""

    name = "nifti"
    suffixes = (".nii", ".nii.gz", ".hdr")

    def find(self, files: tuple[Path, ...]) -> Found:
        """One candidate per file."""
        return Found(tuple(Candidate("nifti", path, (path,), partial(open_nifti, path)) for path in files))


class _NiftiStack:
    """Frames of a NIfTI array: memory-mapped when it is stored plainly, unpacked once when it is compressed."""

    def __init__(self, grid: Grid, colour: bool, load: Callable[[], NDArray[Any]], scale: tuple[float, float]) -> None:
        self._grid = grid
        self._colour = colour
        self._stored = FrameCache(lambda key: load(), size=1)
        self._scale = scale

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, H, W)`` or ``(T, H, W, 3)``."""
        return frame_shape(self._grid, self._colour)

    def read(self, frame_index: int) -> Image:
        """Return one frame in real-world values."""
        plane: NDArray[Any] = np.array(cut(self._stored(0), self._grid, frame_index), order="C")
        slope, intercept = self._scale
        if self._colour or (slope, intercept) == (1.0, 0.0):
            return plane.astype(plane.dtype.newbyteorder("="), copy=False)
        return np.asarray(plane * np.float64(slope) + intercept, dtype=np.float32)


def open_nifti(path: Path, options: Options) -> Clip:
    """Open a NIfTI file; reads its header only.

    The affine is the sform where its code is above 0, else the qform, else the voxel sizes alone without orientation
    (NIfTI-1 standard, methods 3, 2 and 1).

    Raises
    ------
    ReadError
        No NIfTI, a damaged one, or one whose values are neither grey nor RGB.
    ChoiceNeeded
        A 4D file without ``order`` and ``at``.
    """
    image = _load(path)
    header = image.header
    shape, colour = _stored_shape(path, image)
    unit, time_unit = header.get_xyzt_units()
    affine_lps = _affine_mm(image.affine, _MILLIMETRES.get(unit, 1.0))
    codes = int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
    zooms = tuple(float(size) for size in header.get_zooms())
    spaced = codes or unit != "unknown" or any(size != 1.0 for size in zooms[:3])
    try:
        grid, order = choose_grid(shape, affine_lps, options, "depth", oriented=codes)
        geometry = geometry_of(grid, oriented=codes, spaced=spaced)
    except GeometryError as problem:
        raise ReadError(
            f"{path.name} has an unusable orientation ({problem}): repair its sform or qform first."
        ) from problem
    step = zooms[3] * _SECONDS.get(time_unit, 0.0) if len(zooms) > 3 else 0.0
    times = (
        tuple(step * index for index in range(shape[3])) if order == "time" and len(shape) == 4 and step > 0 else None
    )
    stack = _NiftiStack(grid, colour, partial(_stored, path, image, shape), _scale(image))
    source = Source("nifti", grid, path, (path,))
    notices = (ONE_FRAME,) if stack.shape[0] == 1 else ()
    return Clip(stack, order, geometry, source, frame_times_s=times, notices=notices)


def _scale(image: Any) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or NaN means none."""
    slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
    return (slope, intercept) if np.isfinite([slope, intercept]).all() and slope != 0 else (1.0, 0.0)


def _load(path: Path) -> Any:
    import nibabel

    try:
        image = nibabel.load(path)
    except FileNotFoundError as problem:
        raise ReadError(f"{path} does not exist: give the path of a NIfTI file.") from problem
    except Exception as problem:  # nibabel, zlib and gzip each have their own; any of them means the same to a user
        raise ReadError(
            f"{path.name} is not a readable NIfTI file (damaged or of another format): fetch it again."
        ) from problem
    if not isinstance(image, nibabel.Nifti1Pair):
        raise ReadError(f"{path.name} is not NIfTI but {type(image).__name__}: convert it to NIfTI first.")
    expected = int(image.dataobj.offset) + int(np.prod(image.shape)) * image.get_data_dtype().itemsize
    stored = Path(image.file_map["image"].filename)
    if stored.suffix != ".gz" and stored.stat().st_size < expected:
        raise ReadError(f"{path.name} is cut off ({stored.stat().st_size} of {expected} bytes): fetch it again.")
    if stored.suffix == ".gz" and _gzip_size(stored) != expected % 2**32:
        _unscaled(path, image, tuple(image.shape))  # cut off, or several members: only unpacking can tell
    return image


def _gzip_size(path: Path) -> int:
    """Unpacked size modulo 2**32 that the end of a gzip file states (RFC 1952, section 2.3.1)."""
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def _stored_shape(path: Path, image: Any) -> tuple[tuple[int, ...], bool]:
    """Shape with 3 or 4 axes, and whether voxels are RGB."""
    dtype = image.get_data_dtype()
    colour = dtype.names is not None
    if (colour and tuple(dtype.names[:3]) != ("R", "G", "B")) or dtype.kind == "c":
        raise ReadError(f"{path.name} stores {dtype} values, expected grey or RGB ones: convert it first.")
    shape = tuple(int(size) for size in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    shape = shape + (1,) * (3 - len(shape))
    if len(shape) > 4 or 0 in shape:
        raise ReadError(f"{path.name} has shape {shape}, expected (x, y, z) or (x, y, z, t): split it first.")
    return shape, colour


def _affine_mm(affine_ras: Affine, millimetres: float) -> Affine:
    affine = np.asarray(affine_ras, dtype=np.float64).copy()
    affine[:3] *= millimetres
    return lps_from_ras(affine)


def _stored(path: Path, image: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Stored values; the parts of a 4D file that are open at one time share them."""
    file = Path(image.file_map["image"].filename)
    with _unpacking:
        try:
            now = file.stat()
            key = (str(file.resolve()), now.st_mtime_ns, now.st_size)
        except OSError:
            return _unscaled(path, image, shape)  # which says what is wrong
        found = _unpacked.get(key)
        if found is None:
            found = _unpacked[key] = _unscaled(path, image, shape)
        return found


def _unscaled(path: Path, image: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Stored values: a memory map, or the whole array when it is compressed."""
    proxy = image.dataobj
    file = Path(image.file_map["image"].filename)
    try:
        if file.suffix == ".gz":  # read to its end, so that its checksum is compared
            with gzip.open(file, "rb") as packed:
                raw = packed.read()
            stored = np.ndarray(tuple(image.shape), proxy.dtype, raw, int(proxy.offset), order="F")
        else:
            stored = np.asanyarray(proxy.get_unscaled())
    except Exception as problem:  # gzip, zlib and nibabel each have their own; any of them means a damaged file
        raise ReadError(
            f"{path.name} is damaged or cut off, its voxels cannot be unpacked: fetch it again."
        ) from problem
    stored = stored.reshape(shape)
    if stored.dtype.names is None:
        return stored
    return np.stack([stored[name] for name in ("R", "G", "B")], axis=-1)


READER = NiftiReader()
