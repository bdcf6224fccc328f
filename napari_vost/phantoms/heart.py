"""A beating heart as one reference shape and one map of its material: truth and texture move together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_vost.phantoms.base import Field


def contraction(phase: Field) -> Field:
    """How far the ventricle has contracted, 0 (end of diastole) to 1 (end of systole), over the beat's phase 0..1.

    Systole takes 36 % of the beat; then fast filling, rest, and the kick of the atrium, as in a healthy heart at rest.
    """
    phase = np.mod(phase, 1.0)
    corners = np.array([0.0, 0.36, 0.40, 0.60, 0.80, 0.96, 1.0])
    levels = np.array([0.0, 1.0, 0.98, 0.26, 0.22, 0.0, 0.0])
    index = np.clip(np.searchsorted(corners, phase, side="right") - 1, 0, len(corners) - 2)
    part = (phase - corners[index]) / (corners[index + 1] - corners[index])
    part = 0.5 - 0.5 * np.cos(np.pi * part)
    return np.asarray(levels[index] + part * (levels[index + 1] - levels[index]))


@dataclass(frozen=True)
class LongAxis:
    """Left ventricle cut along its axis, in mm from the apex of its cavity; the axis points to the valve.

    Attributes
    ----------
    length_mm, half_width_mm
        Cavity at end of diastole, apex to mitral ring.
    shortening, narrowing
        Share that length and width lose at end of systole.
    """

    length_mm: float = 84.0
    half_width_mm: float = 23.5
    shortening: float = 0.17
    narrowing: float = 0.30

    def length(self, squeeze: float) -> float:
        """Length of the cavity, mm."""
        return self.length_mm * (1.0 - self.shortening * squeeze)

    def half_width(self, u: Field, squeeze: float) -> Field:
        """Half width in mm at share ``u`` of the length from the apex: a bullet that tapers to the ring."""
        tip = np.sqrt(np.clip(1.0 - (1.0 - np.clip(u, 0.0, 0.55) / 0.55) ** 2, 0.0, 1.0))
        taper = 1.0 - 0.24 * (np.clip(u - 0.55, 0.0, None) / 0.45) ** 2
        middle = np.exp(-(((u - 0.5) / 0.35) ** 2))  # the ring narrows less than the middle
        width = self.half_width_mm * (1.0 - self.narrowing * squeeze * (0.55 + 0.45 * middle))
        return np.maximum(width * tip * np.clip(taper, 0.35, 1.0), 0.3)

    def reference(self, along: Field, across: Field, squeeze: float) -> tuple[Field, Field]:
        """Where a point lies at end of diastole, from where it is now; all mm along and across the axis."""
        before = np.linspace(-60.0, 220.0, 1121)
        first = np.interp(along, self._moved(before, squeeze), before)
        return first, self._across(first, across, squeeze, forward=False)

    def now(self, along: Field, across: Field, squeeze: float) -> tuple[Field, Field]:
        """Where a point of end of diastole is now; the inverse of `reference`."""
        return self._moved(along, squeeze), self._across(along, across, squeeze, forward=True)

    def _moved(self, along: Field, squeeze: float) -> Field:
        u = along / self.length_mm
        gain = np.where(u < 1.0, np.clip(u, 0.0, 1.0), np.exp(-(((np.maximum(u, 1.0) - 1.0) / 0.62) ** 2)))
        return along - self.shortening * squeeze * self.length_mm * gain

    def _across(self, along: Field, across: Field, squeeze: float, forward: bool) -> Field:
        u = along / self.length_mm
        rest, tight = self.half_width(u, 0.0), self.half_width(u, squeeze)
        fade = np.exp(-((np.clip(u - 1.0, 0.0, None) / 0.15) ** 2))  # atria follow the ring, they do not narrow with it
        tight = rest + (tight - rest) * fade
        before, after = (rest, tight) if forward else (tight, rest)
        size = np.abs(across)
        thicker = 1.0 + (1.0 / (1.0 - self.shortening * squeeze) - 1.0) * fade
        stretch = thicker if forward else 1.0 / thicker
        # the wall keeps its volume: it thickens as the cavity narrows; far away nothing moves
        far = np.clip((size - before) / 60.0, 0.0, 1.0)
        wall = np.sqrt(np.maximum(after**2 + (size**2 - before**2) * (stretch + (1.0 - stretch) * far), 0.0))
        return np.sign(across) * np.where(size < before, size * after / before, wall)
