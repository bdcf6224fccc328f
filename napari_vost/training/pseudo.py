"""Pseudo-objects: regions of an unlabelled scan whose borders lie where the picture changes.

A watershed of the gradient from seeds on a grid, then neighbours across faint borders are joined until few are left.
They
are no organs, but their outlines are real edges, and following them through slices needs no human label.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_KEPT = 60
_SEED_EVERY = 9  # voxels
_LARGEST = 0.008  # share of the scan that a region may take


def pseudo_labels(image: NDArray[np.uint8], smoothing: float = 1.2) -> NDArray[np.uint8]:
    """Label regions of a scan.

    Parameters
    ----------
    image
        (D, H, W).
    smoothing
        Deviation of the Gaussian before edges are looked for, voxels.

    Returns
    -------
    NDArray
        (D, H, W) uint8, 1 to at most 60 by falling size; 0 is dark background.
    """
    smooth = ndimage.gaussian_filter(image.astype(np.float32), smoothing)
    edges = ndimage.generic_gradient_magnitude(smooth, ndimage.sobel)
    height = np.clip(edges / max(float(np.percentile(edges, 99)), 1e-6) * 255, 0, 255).astype(np.uint8)
    seeds = np.zeros(image.shape, np.int32)
    corners = np.stack(np.meshgrid(*(np.arange(0, size, _SEED_EVERY) for size in image.shape), indexing="ij"), -1)
    for number, corner in enumerate(corners.reshape(-1, 3), start=1):
        block = tuple(slice(at, at + _SEED_EVERY) for at in corner)
        lowest = np.unravel_index(int(height[block].argmin()), height[block].shape)
        seeds[tuple(int(a) + int(b) for a, b in zip(corner, lowest, strict=True))] = number
    regions = np.asarray(ndimage.watershed_ift(height, seeds), np.int64)
    regions = _joined(regions, height)
    return _clearest(regions, smooth, height)


def _borders(regions: NDArray[np.int64], height: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of regions (n, 2) that touch, first number smaller, and the gradient at each voxel face between them."""
    pairs, heights = [], []
    for axis in range(3):
        one, two = _shifted(axis, 0), _shifted(axis, 1)
        differ = regions[one] != regions[two]
        pairs.append(np.stack((regions[one][differ], regions[two][differ]), 1))
        heights.append(np.maximum(height[one][differ], height[two][differ]).astype(np.float64))
    return np.sort(np.concatenate(pairs), 1), np.concatenate(heights)


def _joined(regions: NDArray[np.int64], height: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Regions after neighbours were joined across the faintest borders, three times as many as are kept."""
    pairs, heights = _borders(regions, height)
    edges, which = np.unique(pairs, axis=0, return_inverse=True)
    strength = np.bincount(which.ravel(), heights) / np.bincount(which.ravel())
    sizes = np.bincount(regions.ravel()).astype(np.float64)
    parent = np.arange(len(sizes))
    left = int((sizes > 0).sum())
    for first, second in edges[np.argsort(strength)]:
        if left <= 3 * _KEPT:
            break
        one, two = _root(parent, int(first)), _root(parent, int(second))
        if one == two or sizes[one] + sizes[two] > regions.size * _LARGEST:
            continue
        parent[two] = one
        sizes[one] += sizes[two]
        left -= 1
    return np.array([_root(parent, index) for index in range(len(parent))])[regions]


def _clearest(regions: NDArray[np.int64], smooth: NDArray[np.float32], height: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The regions with the strongest borders, numbered by falling size; dark and small ones are left out."""
    names, where, counts = np.unique(regions, return_inverse=True, return_counts=True)
    where = where.reshape(regions.shape)
    pairs, heights = _borders(where.astype(np.int64), height)
    ends = pairs.ravel()
    strength = np.bincount(ends, np.repeat(heights, 2), len(names)) / np.maximum(np.bincount(ends, None, len(names)), 1)
    greys = np.bincount(where.ravel(), smooth.ravel()) / counts
    dark = float(np.percentile(smooth, 2)) + 0.06 * float(np.ptp(smooth))
    fit = (greys > dark) & (counts > 400)
    kept = sorted(np.flatnonzero(fit)[np.argsort(-strength[fit])][:_KEPT], key=lambda i: -int(counts[i]))
    table = np.zeros(len(names), np.uint8)
    table[kept] = np.arange(1, len(kept) + 1)
    return np.asarray(table[where])


def _root(parent: NDArray[np.int64], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = int(parent[index])
    return index


def _shifted(axis: int, by: int) -> tuple[slice, ...]:
    return tuple(slice(by, None if by else -1) if place == axis else slice(None) for place in range(3))
