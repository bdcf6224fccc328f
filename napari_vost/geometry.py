"""The one place that knows axes, affines and units.

Conventions
-----------
* Pixel coordinates are ``(y, x)``, 0-based, pixel centres on integers. A clip is ``(frame, y, x)``.
* An *affine* is a (4, 4) float64 matrix. ``affine_lps`` of a `Geometry` maps the column ``(x, y, frame, 1)`` of a clip
  to millimetres in LPS (x to patient Left, y to Posterior, z to Superior: DICOM PS3.3 C.7.6.2.1.1). ``affine_lps`` of
  a `Grid` maps the stored array's own first three axes ``(i, j, k, 1)``.
* NIfTI speaks RAS; the two differ by the sign of the first two rows.
* In a clip of order ``"time"`` every frame lies where frame 0 lies; column 2 is the slice normal times thickness.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import GeometryError

Affine = NDArray[np.float64]
Array = NDArray[np.generic]

_FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])
_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))  # LPS axis: (towards minus, towards plus)
SHEAR_TOLERANCE = 1e-3  # largest |cosine| between two axes that still counts as a right angle
POSITION_TOLERANCE_MM = 0.05  # rounding of DICOM decimal strings


def ras_from_lps(affine_lps: Affine) -> Affine:
    """Turn an affine to LPS millimetres into one to RAS millimetres (NIfTI), or back: it is its own inverse."""
    return _FLIP_XY @ affine_lps


lps_from_ras = ras_from_lps


def column_lengths(affine: Affine) -> tuple[float, float, float]:
    """Millimetres per step along each of the three axes of an affine."""
    first, second, third = np.linalg.norm(affine[:3, :3], axis=0)
    return float(first), float(second), float(third)


def is_sheared(affine: Affine) -> bool:
    """Whether the axes do not stand at right angles, as in a CT taken with a tilted gantry."""
    directions = affine[:3, :3] / np.maximum(np.linalg.norm(affine[:3, :3], axis=0), 1e-12)
    cosines = directions.T @ directions - np.eye(3)
    return bool(np.abs(cosines).max() > SHEAR_TOLERANCE)


def tilt_deg(affine: Affine) -> float:
    """Angle in degrees between the third axis and the normal of the first two."""
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    step = affine[:3, 2]
    cosine = abs(normal @ step) / max(float(np.linalg.norm(normal) * np.linalg.norm(step)), 1e-12)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def axis_letters(affine_lps: Affine) -> tuple[str, str, str]:
    """Letter of the patient side that each axis of an affine runs towards, for example ``("L", "P", "S")``.

    The nearest axis is named; two axes never get the same pair of letters.
    """
    directions = affine_lps[:3, :3] / np.maximum(np.linalg.norm(affine_lps[:3, :3], axis=0), 1e-12)
    letters = ["", "", ""]
    left = np.abs(directions).copy()
    for _ in range(3):
        row, column = np.unravel_index(int(np.argmax(left)), left.shape)
        letters[column] = _LETTERS[row][int(directions[row, column] > 0)]
        left[row, :] = -1
        left[:, column] = -1
    return letters[0], letters[1], letters[2]


def points_lps(affine_lps: Affine, points_xyf: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map points (N, 3) in ``(x, y, frame)`` pixels to (N, 3) LPS millimetres."""
    return np.asarray(points_xyf @ affine_lps[:3, :3].T + affine_lps[:3, 3])


def points_xyf(affine_lps: Affine, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map points (N, 3) in LPS millimetres to (N, 3) ``(x, y, frame)`` pixels; the inverse of `points_lps`."""
    return np.asarray(np.linalg.solve(affine_lps[:3, :3], (points_mm - affine_lps[:3, 3]).T).T)


@dataclass(frozen=True)
class Part:
    """Which part of a 4D source a clip is.

    Attributes
    ----------
    kind
        ``"time"``: the volume of one time point; ``"slice"``: the cine of one slice.
    index, count
        Which one, from 0, of how many.
    """

    kind: Literal["time", "slice"]
    index: int
    count: int

    def __str__(self) -> str:
        """As people say it: ``Slice 4/10``."""
        return f"{self.kind.capitalize()} {self.index + 1}/{self.count}"


@dataclass(frozen=True, eq=False)
class Grid:
    """Where a clip's pixels lie in the array that its source stores.

    Attributes
    ----------
    shape
        Shape of the stored array, axes in its own order: ``(i, j, k)`` or ``(i, j, k, t)``; no colour axis.
    axes
        Stored axis of the clip's ``(frame, y, x)``.
    fixed
        ``(axis, index)`` of stored axes that the clip holds at one index: a time point or a slice of a 4D source.
    affine_lps
        (4, 4) from the stored ``(i, j, k, 1)`` to LPS millimetres.
    """

    shape: tuple[int, ...]
    axes: tuple[int, int, int]
    affine_lps: Affine
    fixed: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        named = sorted([*self.axes, *(axis for axis, _ in self.fixed)])
        if named != list(range(len(self.shape))) or not 3 <= len(self.shape) <= 4:
            raise GeometryError(
                f"Grid: axes {self.axes} and fixed {self.fixed} must name each of {len(self.shape)} axes once."
            )

    @property
    def part(self) -> Part | None:
        """Which part of a 4D source the clip is; None where there is no other one."""
        if len(self.shape) < 4 or self.shape[self.fixed[0][0]] < 2:
            return None
        axis, index = self.fixed[0]
        return Part("time" if axis == 3 else "slice", index, self.shape[axis])

    def take(self, stored: Array, frame_index: int) -> Array:
        """Return one frame (H, W), a view of the stored array."""
        key: list[int | slice] = [slice(None)] * len(self.shape)
        for axis, index in self.fixed:
            key[axis] = index
        key[self.axes[0]] = frame_index
        plane = stored[tuple(key)]
        return plane if self.axes[1] < self.axes[2] else plane.swapaxes(0, 1)

    def place(self, frames: Array) -> Array:
        """Put frames (T, H, W) back into an array of the stored shape.

        A slice of a 4D source is surrounded by zeros; a time point of one gives the 3D array of that time point.
        """
        if self.axes[0] < 3 and len(self.shape) == 4:  # depth clip of one time point
            stored = np.zeros(self.shape[:3], dtype=frames.dtype)
            fixed: tuple[tuple[int, int], ...] = ()
        else:
            stored = np.zeros(self.shape, dtype=frames.dtype)
            fixed = self.fixed
        key: list[int | slice] = [slice(None)] * stored.ndim
        for axis, index in fixed:
            key[axis] = index
        left = [axis for axis in range(stored.ndim) if isinstance(key[axis], slice)]
        stored[tuple(key)] = np.transpose(frames, [self.axes.index(axis) for axis in left])
        return stored

    def geometry(self) -> Geometry:
        """Geometry of the clip that this grid cuts out of the stored array."""
        origin = self.affine_lps[:, 3].copy()
        for axis, index in self.fixed:
            if axis < 3:
                origin = origin + index * self.affine_lps[:, axis]
        spare = next((axis for axis, _ in self.fixed if axis < 3), 2)
        affine = np.eye(4)
        for place, axis in enumerate((self.axes[2], self.axes[1], self.axes[0])):
            chosen = axis if axis < 3 else spare  # a time axis is no direction: the slice's own normal stands there
            affine[:, place] = self.affine_lps[:, chosen]
        affine[:, 3] = origin
        return Geometry(affine)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where a clip lies in the patient.

    Attributes
    ----------
    affine_lps
        (4, 4) from ``(x, y, frame, 1)`` to LPS millimetres.
    oriented
        Whether the source says how the patient lies. Without it, letters and sides are unknown.
    spaced
        Whether the source says how large a pixel is. Without it one pixel counts as 1 mm and no millimetre is shown.
    frame_origins_lps
        (T, 3) centre of pixel (0, 0) of every frame, where the frames are not evenly spaced; None where they are.
    frame_of_reference
        DICOM frame of reference UID, None where there is none.
    """

    affine_lps: Affine = field(default_factory=lambda: np.eye(4))
    oriented: bool = True
    spaced: bool = True
    frame_origins_lps: NDArray[np.float64] | None = None
    frame_of_reference: str | None = None

    def __post_init__(self) -> None:
        if self.affine_lps.shape != (4, 4) or not np.isfinite(self.affine_lps).all():
            raise GeometryError(f"Geometry: expected a finite (4, 4) affine, got shape {self.affine_lps.shape}.")
        if abs(np.linalg.det(self.affine_lps[:3, :3])) < 1e-12:
            raise GeometryError("Geometry: the affine maps the volume to a plane; its axes must be independent.")

    @property
    def spacing_mm_zyx(self) -> tuple[float, float, float]:
        """Millimetres per ``(frame, y, x)`` step."""
        x, y, z = column_lengths(self.affine_lps)
        return z, y, x

    @property
    def sheared(self) -> bool:
        """Whether the axes do not stand at right angles."""
        return is_sheared(self.affine_lps)

    @property
    def letters(self) -> tuple[str, str, str] | None:
        """Patient side that ``(frame, y, x)`` run towards, None when unknown."""
        if not self.oriented:
            return None
        x, y, z = axis_letters(self.affine_lps)
        return z, y, x

    def frame_origin(self, frame_index: int) -> NDArray[np.float64]:
        """Centre of pixel (0, 0) of a frame, (3,) LPS millimetres.

        In a cine all frames lie where frame 0 lies: ask for frame 0 there.
        """
        if self.frame_origins_lps is not None:
            return np.asarray(self.frame_origins_lps[frame_index], dtype=np.float64)
        return np.asarray(self.affine_lps[:3, 3] + frame_index * self.affine_lps[:3, 2])

    def gaps(self) -> tuple[tuple[int, float], ...]:
        """``(frame_index, millimetres)`` of each step to the next frame that is longer than the common one."""
        if self.frame_origins_lps is None or len(self.frame_origins_lps) < 2:
            return ()
        steps = np.linalg.norm(np.diff(self.frame_origins_lps, axis=0), axis=1)
        common = column_lengths(self.affine_lps)[2]
        return tuple((int(i), float(steps[i])) for i in np.flatnonzero(steps > 1.5 * common))

    def with_frames(self, start: int, stop: int) -> Geometry:
        """Geometry of the frames from ``start`` up to but not including ``stop``."""
        affine = self.affine_lps.copy()
        affine[:3, 3] = self.frame_origin(start)
        origins = None if self.frame_origins_lps is None else self.frame_origins_lps[start:stop]
        return replace(self, affine_lps=affine, frame_origins_lps=origins)
