"""Cheap phantoms for tests: a ball in a volume, a disc in a cine."""

from __future__ import annotations

import numpy as np

from napari_vost.checks import check_range
from napari_vost.phantoms.base import Field, Phantom, occupancy


def ball_volume(
    size: int = 64,
    frames: int = 12,
    radius_px: float = 14.0,
    centre_yx: tuple[float, float] | None = None,
    spacing_mm_zyx: tuple[float, float, float] = (1.0, 1.0, 1.0),
    noise: float = 0.05,
    seed: int = 0,
) -> Phantom:
    """A bright ball that begins and ends inside a volume, so that its ends can be told.

    Parameters
    ----------
    size, frames
        Pixels along y and x; slices.
    radius_px
        Radius of the middle slice in pixels. The ball spans two thirds of the slices, whatever the radius.
    centre_yx
        Centre in pixels; the middle of the frame by default.
    spacing_mm_zyx
        Stored with the phantom; does not change its pixels.
    noise
        Standard deviation of the noise; the ball is 1, the ground 0.2.
    seed
        Seed of the noise.

    Returns
    -------
    Phantom
        float32 (frames, size, size), object 1 "Ball".
    """
    check_range(size, 8, 4096, "size")
    check_range(frames, 1, 4096, "frames")
    middle = (size - 1) / 2
    y0, x0 = centre_yx or (middle, middle)
    depth = max(frames / 3.0, 0.51)
    z = (np.arange(frames) - (frames - 1) / 2) / depth
    radii = radius_px * np.sqrt(np.clip(1 - z**2, 0, None))
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    distance = np.hypot(rows - y0, columns - x0)
    inside = np.stack([occupancy(distance - radius, 1.0) if radius > 0 else 0 * distance for radius in radii])
    return _finish(inside, {1: "Ball"}, spacing_mm_zyx, noise, seed)


def moving_disc_cine(
    size: int = 64,
    frames: int = 16,
    radius_px: float = 9.0,
    hidden: tuple[int, int] | None = None,
    noise: float = 0.05,
    seed: int = 0,
) -> Phantom:
    """A bright disc that circles once through the frame and, if told, is away for some frames.

    Parameters
    ----------
    size, frames
        Pixels along y and x; frames.
    radius_px
        Radius in pixels; it breathes by a tenth.
    hidden
        Half-open range of frames without the disc: it leaves and comes back where its path has got to.
    noise
        Standard deviation of the noise; the disc is 1, the ground 0.2.
    seed
        Seed of the noise.

    Returns
    -------
    Phantom
        float32 (frames, size, size), object 1 "Disc", 0.04 s per frame, one turn per cine as its period.
    """
    check_range(size, 8, 4096, "size")
    check_range(frames, 1, 100_000, "frames")
    angle = 2 * np.pi * np.arange(frames) / frames
    middle = (size - 1) / 2
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    inside = np.zeros((frames, size, size))
    for index, turn in enumerate(angle):
        if hidden is not None and hidden[0] <= index < hidden[1]:
            continue
        away = np.hypot(rows - middle - 0.22 * size * np.sin(turn), columns - middle - 0.22 * size * np.cos(turn))
        inside[index] = occupancy(away - radius_px * (1 + 0.1 * np.sin(2 * turn)), 1.0)
    phantom = _finish(inside, {1: "Disc"}, (1.0, 1.0, 1.0), noise, seed)
    times = tuple(0.04 * index for index in range(frames))
    return Phantom(
        phantom.image, phantom.labels, phantom.names, phantom.spacing_mm_zyx, "time", times, period_s=0.04 * frames
    )


def _finish(
    inside: Field, names: dict[int, str], spacing: tuple[float, float, float], noise: float, seed: int
) -> Phantom:
    rng = np.random.default_rng(seed)
    image = 0.2 + 0.8 * inside + noise * rng.standard_normal(inside.shape)
    labels = (inside >= 0.5).astype(np.uint8)
    return Phantom(image.astype(np.float32), labels, names, spacing, "depth")
