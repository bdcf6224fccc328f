"""Segmentations made by hand, for every exporter's tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_vost.geometry import Geometry, Grid, points_lps
from napari_vost.masks import PackedMask
from napari_vost.types import Label, Order, Segmentation, Source


def random_affine(generator: np.random.Generator, tilt: float = 0.0) -> NDArray[np.float64]:
    """A random rotation, flip and spacing to LPS millimetres; ``tilt`` shears the third axis."""
    rotation, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    matrix = rotation @ np.array([[1, 0, 0], [0, 1, tilt], [0, 0, 1]]) @ np.diag(generator.uniform(0.4, 5.0, 3))
    affine = np.eye(4)
    affine[:3, :3] = matrix
    affine[:3, 3] = generator.uniform(-200, 200, 3)
    return affine


def blobs(shape: tuple[int, int, int], generator: np.random.Generator, count: int = 2) -> dict[int, NDArray[np.bool_]]:
    """Disjoint lopsided boxes, no two alike under a flip or a swap of axes."""
    volumes: dict[int, NDArray[np.bool_]] = {}
    taken = np.zeros(shape, dtype=bool)
    for number in range(1, count + 1):
        low = [int(generator.integers(0, max(1, size // 2))) for size in shape]
        high = [int(generator.integers(start + 1, size + 1)) for start, size in zip(low, shape, strict=True)]
        volume = np.zeros(shape, dtype=bool)
        volume[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
        volume &= generator.random(shape) < 0.6
        volume[low[0], low[1], low[2]] = True
        volumes[number] = volume & ~taken
        taken |= volume
    return volumes


def segmentation_of(
    volumes: dict[int, NDArray[np.bool_]],
    grid: Grid | None = None,
    order: Order = "depth",
    kind: str = "array",
    geometry: Geometry | None = None,
    path: Path | None = None,
) -> Segmentation:
    """Wrap bool volumes (T, H, W) by object id."""
    shape = next(iter(volumes.values())).shape
    frames, height, width = shape
    grid = grid or Grid((width, height, frames), (2, 1, 0), np.diag([0.7, 0.8, 2.5, 1.0]))
    masks = {
        number: {index: PackedMask.pack(volume[index]) for index in range(frames) if volume[index].any()}
        for number, volume in volumes.items()
    }
    labels = {number: Label(f"object {number}") for number in volumes}
    source = Source(kind, grid, path)
    return Segmentation((frames, height, width), masks, labels, order, geometry or grid.geometry(), source)


def labelled_points(segmentation: Segmentation) -> dict[int, NDArray[np.float64]]:
    """LPS millimetres of every labelled pixel by object id, sorted; computed frame by frame from the geometry."""
    points: dict[int, NDArray[np.float64]] = {}
    affine = segmentation.geometry.affine_lps
    for number in segmentation.object_ids:
        found = []
        for frame, y, x in np.argwhere(segmentation.volume(number)):
            origin = segmentation.geometry.frame_origin(int(frame))
            found.append(origin + x * affine[:3, 0] + y * affine[:3, 1])
        if found:
            points[number] = sort_points(np.array(found))
    return points


def points_of_map(labels: NDArray[np.generic], affine_lps: NDArray[np.float64]) -> dict[int, NDArray[np.float64]]:
    """LPS millimetres of every labelled voxel of an array (i, j, k), by label, sorted."""
    return {
        int(number): sort_points(points_lps(affine_lps, np.argwhere(labels == number).astype(float)))
        for number in np.unique(labels)
        if number
    }


def sort_points(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sort along a skew direction, which rounding cannot reorder where points are millimetres apart."""
    return points[np.argsort(points @ np.array([1.0, 1.618034, 2.718282]))]


def assert_same_points(
    first: dict[int, NDArray[np.float64]], second: dict[int, NDArray[np.float64]], tolerance_mm: float = 2e-3
) -> None:
    """Every point of one set has its twin in the other."""
    from scipy.spatial import cKDTree

    assert first.keys() == second.keys()
    for number, points in first.items():
        assert points.shape == second[number].shape
        distances, twins = cKDTree(second[number]).query(points)
        assert distances.max() <= tolerance_mm
        assert len(set(twins.tolist())) == len(points)


def with_gap(segmentation: Segmentation, missing_after: int, missing: int = 1, jitter: float = 0.0) -> Segmentation:
    """Move the frames behind ``missing_after`` on, as if slices were missing there."""
    frames = np.arange(segmentation.shape[0], dtype=float)
    frames[missing_after + 1 :] += missing + jitter
    affine = segmentation.geometry.affine_lps
    origins = affine[:3, 3] + frames[:, None] * affine[:3, 2]
    return replace(segmentation, geometry=replace(segmentation.geometry, frame_origins_lps=origins))
