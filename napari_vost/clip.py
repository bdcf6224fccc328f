"""A clip: an ordered stack of frames that is read as it is needed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_vost.checks import check_range
from napari_vost.errors import InputError, VostWarning
from napari_vost.geometry import Geometry, Grid
from napari_vost.types import Image, Order, Source


class FrameStack(Protocol):
    """What a reader owes a clip: the size of the stack, and one frame at a time."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, H, W)`` grey or ``(T, H, W, 3)`` colour."""
        ...

    def read(self, frame_index: int) -> Image:
        """Return one frame in real-world values (HU, counts): (H, W), or (H, W, 3) uint8."""
        ...


@dataclass(frozen=True)
class ArrayStack:
    """Frames of anything that slices like an array: numpy, memory maps, dask, zarr."""

    array: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return tuple(int(size) for size in self.array.shape)

    def read(self, frame_index: int) -> Image:
        """Return one frame; lazy arrays compute just this one."""
        return np.asarray(self.array[frame_index])


@dataclass(frozen=True)
class Window:
    """A display and input window: values from ``low`` to ``high`` span black to white."""

    low: float
    high: float
    name: str = ""


@dataclass(frozen=True, eq=False)
class Clip:
    """An ordered stack of frames with its geometry and its source.

    Attributes
    ----------
    frames
        Where the pixels come from; nothing is read before `frame` is called.
    order
        ``"depth"`` (slices of a volume) or ``"time"`` (a cine loop).
    geometry
        Position, spacing, orientation.
    source
        Where it came from.
    modality
        DICOM modality word (CT, MR, US, ES, XA …), "" when unknown.
    frame_times_s
        Seconds of each frame from the first; None where the source does not say.
    windows
        Windows that the file itself proposes.
    notices
        Sentences for the user: what was skipped, replaced or assumed on reading.
    alias
        What the user calls the case; never taken from a header.
    """

    frames: FrameStack
    order: Order
    geometry: Geometry
    source: Source
    modality: str = ""
    frame_times_s: tuple[float, ...] | None = None
    heart_rate_hz: float | None = None
    windows: tuple[Window, ...] = ()
    notices: tuple[str, ...] = ()
    alias: str = ""

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3) or min(shape) < 1:
            raise InputError(f"A clip is (T, H, W) or (T, H, W, 3) with at least one pixel; got shape {shape}.")
        if self.order not in ("depth", "time"):
            raise InputError(f"order must be 'depth' or 'time', got {self.order!r}.")

    @classmethod
    def from_array(
        cls,
        array: Any,
        spacing_mm_zyx: tuple[float, float, float] = (1.0, 1.0, 1.0),
        order: Order = "depth",
        frame_times_s: tuple[float, ...] | None = None,
        modality: str = "",
    ) -> Clip:
        """Make a clip of an array (T, H, W) or (T, H, W, 3); lazy arrays (dask, zarr, memory maps) stay lazy.

        Parameters
        ----------
        array
            Grey frames of any numeric dtype, or uint8 colour frames.
        spacing_mm_zyx
            Millimetres per (frame, y, x) step, each above 0.
        order
            ``"depth"`` or ``"time"``.
        frame_times_s
            Seconds of each frame, length T.

        Raises
        ------
        InputError
            Another shape, or a spacing that is not above 0.
        """
        if not hasattr(array, "shape"):
            array = np.asarray(array)
        stack = ArrayStack(array)
        if len(stack.shape) < 3:
            raise InputError(f"A clip is (T, H, W) or (T, H, W, 3); got shape {stack.shape}.")
        if len(spacing_mm_zyx) != 3:
            raise InputError(f"spacing_mm_zyx: expected three numbers (frame, y, x), got {len(spacing_mm_zyx)}.")
        for value in spacing_mm_zyx:
            check_range(value, 1e-9, 1e9, "spacing_mm_zyx")
        if np.dtype(getattr(array, "dtype", np.float64)).kind not in "biuf":
            raise InputError(f"Frames hold numbers; got an array of {array.dtype}.")
        frames, height, width = stack.shape[:3]
        if frame_times_s is not None and len(frame_times_s) != frames:
            raise InputError(f"frame_times_s: expected {frames} times, one per frame, got {len(frame_times_s)}.")
        z, y, x = spacing_mm_zyx
        grid = Grid((width, height, frames), (2, 1, 0), np.diag([x, y, z, 1.0]))
        geometry = Geometry(grid.affine_lps, oriented=False)
        return cls(stack, order, geometry, Source("array", grid), modality, frame_times_s)

    def __len__(self) -> int:
        return int(self.frames.shape[0])

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, H, W)``, whether grey or colour."""
        frames, height, width = self.frames.shape[:3]
        return int(frames), int(height), int(width)

    @property
    def colour(self) -> bool:
        """Whether frames are (H, W, 3)."""
        return len(self.frames.shape) == 4

    @property
    def spacing_mm_zyx(self) -> tuple[float, float, float]:
        """Millimetres per (frame, y, x) step; 1 where the source does not say (`Geometry.spaced`)."""
        return self.geometry.spacing_mm_zyx

    @property
    def frame_time_s(self) -> float | None:
        """Mean seconds between two frames, None where unknown."""
        times = self.frame_times_s
        return None if times is None or len(times) < 2 else (times[-1] - times[0]) / (len(times) - 1)

    def frame(self, frame_index: int) -> Image:
        """Read one frame in real-world values, (H, W) or (H, W, 3) uint8.

        NaN and infinite pixels are replaced by the frame's smallest finite value, with one notice per clip.

        Raises
        ------
        InputError
            No such frame.
        """
        if not 0 <= frame_index < len(self):
            raise InputError(f"Frame {frame_index} does not exist: the clip has frames 0 to {len(self) - 1}.")
        return finite(self.frames.read(frame_index))

    def __iter__(self) -> Iterator[Image]:
        return (self.frame(index) for index in range(len(self)))


def finite(image: Image) -> Image:
    """Replace NaN and infinite pixels by the smallest finite one; warn with one sentence."""
    if not np.issubdtype(image.dtype, np.floating):
        return image
    good = np.isfinite(image)
    if good.all():
        return image
    warnings.warn(
        "NaN or infinite voxels were replaced by the smallest value of their frame.", VostWarning, stacklevel=3
    )
    values: NDArray[np.floating[Any]] = image[good]  # type: ignore[assignment]
    return np.where(good, image, values.min() if values.size else 0).astype(image.dtype)
