"""What a sector probe makes of scatterers: beams, speckle, shadow, scan conversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.phantoms.base import Field, blur


@dataclass(frozen=True)
class Probe:
    """A sector probe; the origin of its beams lies at (0, 0) mm, y away from it.

    Attributes
    ----------
    depth_mm, near_mm
        Where the picture ends and begins.
    half_angle_rad
        From the middle to the outermost beam.
    beams, samples
        Grid that speckle is formed on.
    range_db
        From white to black.
    """

    depth_mm: float = 150.0
    near_mm: float = 4.0
    half_angle_rad: float = 0.66
    beams: int = 192
    samples: int = 460
    range_db: float = 58.0

    def polar(self, y: Field, x: Field) -> tuple[Field, Field]:
        """Sample and beam index of points in mm."""
        radius = np.hypot(y, x)
        beam = (np.arctan2(x, y) / self.half_angle_rad + 1.0) * 0.5 * (self.beams - 1)
        return radius / self.depth_mm * (self.samples - 1), beam

    def envelope(self, y: Field, x: Field, echo: NDArray[np.complex128]) -> Field:
        """Echo strength (samples, beams) of scatterers at ``y, x`` mm with complex strength ``echo``."""
        sample, beam = self.polar(y, x)
        row, column = np.floor(sample).astype(np.intp), np.floor(beam).astype(np.intp)
        good = (row >= 0) & (row < self.samples - 1) & (column >= 0) & (column < self.beams - 1)
        row, column, echo = row[good], column[good], echo[good]
        down, right = sample[good] - row, beam[good] - column
        size = self.samples * self.beams
        total = np.zeros(size, dtype=np.complex128)
        for dr, wr in ((0, 1.0 - down), (1, down)):
            for dc, wc in ((0, 1.0 - right), (1, right)):
                index, weight = (row + dr) * self.beams + column + dc, wr * wc
                total += np.bincount(index, weight * echo.real, size)
                total += 1j * np.bincount(index, weight * echo.imag, size)
        field = total.reshape(self.samples, self.beams)
        real, imaginary = blur(field.real, (1.25, 1.5)), blur(field.imag, (1.25, 1.5))
        return np.hypot(real, imaginary)

    def picture(self, strength_db: Field, size: int, pixel_mm: float, top_mm: float) -> NDArray[np.uint8]:
        """Scan-convert (samples, beams) in dB below white to a square picture; black outside the sector."""
        y = (np.arange(size) * pixel_mm + top_mm)[:, None]
        x = ((np.arange(size) - (size - 1) / 2) * pixel_mm)[None, :]
        sample, beam = self.polar(np.broadcast_to(y, (size, size)), np.broadcast_to(x, (size, size)))
        grey = np.clip(1.0 + strength_db / self.range_db, 0.0, 1.0)
        seen = ndimage.map_coordinates(grey, [sample, beam], order=1, mode="nearest")
        radius = np.hypot(y, x)
        inside = (radius > self.near_mm) & (radius < self.depth_mm)
        inside &= np.abs(np.arctan2(x, np.maximum(y, 1e-6) + 0 * x)) < self.half_angle_rad
        return np.where(inside, np.rint(255.0 * seen), 0.0).astype(np.uint8)
