"""Masks drawn by formula, the same on every machine."""

import numpy as np
from numpy.typing import NDArray


def ellipsoid(shape: tuple[int, ...], centre: tuple[float, ...], radii: tuple[float, ...]) -> NDArray[np.bool_]:
    """Pixels inside an ellipse or an ellipsoid."""
    grid = np.indices(shape).reshape(len(shape), -1)
    offsets = (grid.T - np.array(centre)) / np.array(radii)
    return ((offsets**2).sum(axis=1) <= 1).reshape(shape)


def pairs() -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[float, ...]]]:
    """Prediction, truth and spacing by name."""
    plane, volume = (48, 60), (12, 32, 36)
    island = ellipsoid(plane, (24, 20), (12.3, 9.2)) | ellipsoid(plane, (8, 50), (3.1, 3.1))
    ring = ellipsoid(plane, (26, 24), (13.4, 11.1)) & ~ellipsoid(plane, (26, 24), (7.2, 6.3))
    ball, egg = ellipsoid(volume, (6, 15, 17), (4.2, 9.3, 8.1)), ellipsoid(volume, (5, 17, 19), (3.3, 8.2, 10.4))
    cut = ellipsoid(plane, (3, 3), (9.2, 11.3))  # runs into two borders
    return {
        "island": (island, ring, (1.0, 1.0)),
        "stretched": (island, ring, (0.7, 1.9)),
        "border": (cut, ellipsoid(plane, (6, 5), (8.4, 9.1)), (1.5, 1.5)),
        "volume": (ball, egg, (1.0, 1.0, 1.0)),
        "thick slices": (ball, egg, (5.0, 0.8, 0.9)),
    }
