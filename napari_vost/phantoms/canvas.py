"""A volume that shapes are painted into, in millimetres, with partial volume and truth labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_vost.phantoms.base import Field, ellipsoid, occupancy, smooth_noise, tube

Cut = tuple[slice, slice, slice]
Vector = tuple[float, float, float]


class Canvas:
    """HU and labels on a grid; x grows to the patient's left, y to the back, z to the head.

    Parameters
    ----------
    shape
        ``(T, H, W)``.
    field_mm
        Millimetres that the whole grid spans along z, y, x; its middle is (0, 0, 0).
    rng
        Numbers for the bends that make outlines organic.
    """

    def __init__(self, shape: tuple[int, int, int], field_mm: Vector, rng: np.random.Generator) -> None:
        self.shape = shape
        self.rng = rng
        self.spacing: Vector = (field_mm[0] / shape[0], field_mm[1] / shape[1], field_mm[2] / shape[2])
        self.axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in zip(shape, self.spacing, strict=True)]
        self.hu: Field = np.full(shape, -1000.0)
        self.labels: NDArray[np.uint8] = np.zeros(shape, dtype=np.uint8)
        cells = tuple(length / 55.0 for length in field_mm)
        grid = np.meshgrid(*self.axes, indexing="ij", sparse=True)
        self.points = [axis + 2.2 * smooth_noise(shape, cells, rng) for axis in grid]
        self.rough = smooth_noise(shape, tuple(length / 18.0 for length in field_mm), rng)  # outlines
        self.grain = smooth_noise(shape, tuple(length / 7.0 for length in field_mm), rng)  # texture

    def cut(self, low: Vector, high: Vector) -> Cut:
        """Part of the grid that holds a box in mm, with room for the bends; never empty."""
        out = []
        for axis, a, b in zip(self.axes, low, high, strict=True):
            start = int(np.searchsorted(axis, a - 9.0))
            stop = int(np.searchsorted(axis, b + 9.0))
            start = min(start, len(axis) - 1)
            out.append(slice(start, max(stop, start + 1)))
        return out[0], out[1], out[2]

    def at(self, cut: Cut) -> tuple[Field, Field, Field]:
        """Bent coordinates z, y, x of a part, mm."""
        z, y, x = (points[cut] for points in self.points)
        return z, y, x

    def paint(self, cut: Cut, level: Field, value: float | Field, object_id: int | None = 0) -> None:
        """Fill where ``level`` (mm) is negative with a value in HU.

        ``object_id`` is written where at least half a pixel lies inside; None leaves the labels as they are.
        """
        share = occupancy(level, self.spacing[2])
        hu = self.hu[cut]
        hu += share * (value - hu)
        if object_id is not None:
            self.labels[cut][share >= 0.5] = object_id

    def ball(self, centre: Vector, radii: Vector) -> tuple[Cut, Field]:
        """Part of the grid around an ellipsoid, and its level."""
        reach = max(radii)
        low = (centre[0] - reach, centre[1] - reach, centre[2] - reach)
        high = (centre[0] + reach, centre[1] + reach, centre[2] + reach)
        cut = self.cut(low, high)
        return cut, ellipsoid(self.at(cut), centre, radii)

    def pipe(self, path: NDArray[np.float64], radii: Field | float) -> tuple[Cut, Field]:
        """Part of the grid around a chain of round segments (N, 3) in mm, and its level."""
        widths = np.broadcast_to(np.asarray(radii, dtype=np.float64), (len(path),))
        reach = float(widths.max())
        low, high = path.min(axis=0) - reach, path.max(axis=0) + reach
        cut = self.cut((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        return cut, tube(self.at(cut), path, widths)

    def paint_pipe(self, path: NDArray[np.float64], radii: Field | float, value: float, object_id: int = 0) -> None:
        """Paint a chain piece by piece, which keeps the parts small."""
        widths = np.broadcast_to(np.asarray(radii, dtype=np.float64), (len(path),))
        for index in range(len(path) - 1):
            cut, level = self.pipe(path[index : index + 2], widths[index : index + 2])
            self.paint(cut, level, value, object_id)
