"""What every phantom is, and the shapes it is built of: numpy and scipy, float64, seeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.checks import check_shape
from napari_vost.clip import Clip, Window
from napari_vost.masks import Mask
from napari_vost.types import Order

Field = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Phantom:
    """An image whose truth is known.

    Attributes
    ----------
    image
        (T, H, W): int16 HU for CT, uint8 for a cine, float32 for the simple ones.
    labels
        (T, H, W) uint8, 0 is background; one object per pixel.
    names
        Name by object id.
    spacing_mm_zyx
        Millimetres per (frame, y, x) step.
    order
        ``"depth"`` or ``"time"``.
    frame_times_s
        Seconds of each frame; None for a volume.
    period_s
        Seconds of one beat; None where nothing beats.
    modality
        DICOM modality word.
    """

    image: NDArray[np.generic]
    labels: NDArray[np.uint8]
    names: Mapping[int, str]
    spacing_mm_zyx: tuple[float, float, float]
    order: Order
    frame_times_s: tuple[float, ...] | None = None
    period_s: float | None = None
    modality: str = ""
    windows: tuple[Window, ...] = field(default=())

    def __post_init__(self) -> None:
        frames, height, width = self.image.shape
        check_shape(self.labels, f"{frames} {height} {width}", "labels")

    def mask(self, object_id: int, frame_index: int) -> Mask:
        """Truth of one object on one frame, bool (H, W)."""
        return np.asarray(self.labels[frame_index] == object_id)

    def clip(self) -> Clip:
        """The image as a clip, without its truth."""
        return Clip.from_array(self.image, self.spacing_mm_zyx, self.order, self.frame_times_s, self.modality)


def smooth_noise(shape: tuple[int, ...], cells: tuple[float, ...], rng: np.random.Generator) -> Field:
    """Smooth random field of mean 0 and standard deviation about 1.

    Parameters
    ----------
    shape
        Shape of the result.
    cells
        Bumps along each axis; drawn on that coarse grid and interpolated by cubic splines.
    rng
        Where the numbers come from.
    """
    coarse = rng.standard_normal([max(4, round(count) + 3) for count in cells])
    axes = [1 + np.linspace(0.0, coarse.shape[i] - 3.0, size) for i, size in enumerate(shape)]
    out: Field = coarse
    for axis, at in enumerate(axes):  # separable: one axis after the other
        out = _interpolate(out, at, axis)
    return out / max(float(out.std()), 1e-9)


def _interpolate(values: Field, at: Field, axis: int) -> Field:
    """Cubic B-spline weights along one axis; smooths a little, which is wanted here."""
    base = np.floor(at).astype(np.intp)
    part = at - base
    weights = (
        (1 - part) ** 3 / 6,
        (3 * part**3 - 6 * part**2 + 4) / 6,
        (-3 * part**3 + 3 * part**2 + 3 * part + 1) / 6,
        part**3 / 6,
    )
    size = values.shape[axis]
    out = np.zeros([*values.shape[:axis], at.size, *values.shape[axis + 1 :]])
    shape = [1] * values.ndim
    shape[axis] = at.size
    for step, weight in enumerate(weights):
        index = np.clip(base + step - 1, 0, size - 1)
        out += np.take(values, index, axis=axis) * weight.reshape(shape)
    return out


def ellipsoid(points: tuple[Field, ...], centre: tuple[float, ...], radii: tuple[float, ...]) -> Field:
    """About the signed distance to an ellipsoid (or ellipse), negative inside, in the unit of the points."""
    scaled, twice = np.zeros(1), np.zeros(1)
    for axis, middle, radius in zip(points, centre, radii, strict=True):
        one = (axis - middle) / radius
        scaled = scaled + one**2
        twice = twice + (one / radius) ** 2
    first = np.sqrt(scaled)
    return np.asarray(first * (first - 1.0) / np.maximum(np.sqrt(twice), 1e-6))


def rounded_box(y: Field, x: Field, centre: tuple[float, float], radii: tuple[float, float], power: float) -> Field:
    """About the signed distance to a superellipse: 2 is an ellipse, more is fuller at the corners."""
    v, u = np.abs(y - centre[0]) / radii[0], np.abs(x - centre[1]) / radii[1]
    whole = np.maximum(v**power + u**power, 1e-9)
    norm = whole ** (1.0 / power)
    slope = norm / whole * np.hypot(v ** (power - 1.0) / radii[0], u ** (power - 1.0) / radii[1])
    return np.asarray((norm - 1.0) / np.maximum(slope, 1e-6))


def tube(points: tuple[Field, ...], path: NDArray[np.float64], radii: Field) -> Field:
    """Signed distance to a chain of round segments, negative inside.

    Parameters
    ----------
    points
        One coordinate field per axis.
    path
        (N, axes) corners, N at least 2.
    radii
        (N,) radius at every corner, linear between them.
    """
    best: Field = np.asarray(np.inf)
    for start, stop, r0, r1 in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        along = stop - start
        part = sum((axis - s) * a for axis, s, a in zip(points, start, along, strict=True))
        part = np.clip(part / max(float(along @ along), 1e-12), 0.0, 1.0)
        square = sum((axis - s - part * a) ** 2 for axis, s, a in zip(points, start, along, strict=True))
        one = np.sqrt(square) - (r0 + part * (r1 - r0))
        best = np.minimum(best, one)
    return best


def smooth_union(first: Field, second: Field, width: float) -> Field:
    """Union of two levels whose seam is rounded over ``width``."""
    part = np.clip(0.5 + 0.5 * (second - first) / width, 0.0, 1.0)
    return second + (first - second) * part - width * part * (1.0 - part)


def occupancy(level: Field, width: float) -> Field:
    """Share of a pixel that lies inside, 0 to 1: a ramp of ``width`` across the edge."""
    return np.clip(0.5 - level / width, 0.0, 1.0)


def blur(image: Field, sigma: tuple[float, ...]) -> Field:
    """Gaussian blur with mirrored edges, sigma in pixels per axis."""
    return np.asarray(ndimage.gaussian_filter(image, sigma, mode="nearest"))
