"""Clips whose every voxel says where in the patient it lies, in any order and direction of axes."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numpy as np

from napari_vost.clip import ArrayStack, Clip
from napari_vost.display.orientation import View
from napari_vost.geometry import Geometry, Grid
from napari_vost.types import Source

STEPS_MM = np.array([2.5, 1.1, 0.8])  # along (frame, y, x)
SHAPE = (5, 6, 7)
ORDERS = [(axes, signs) for axes in permutations((0, 1, 2)) for signs in product((1, -1), repeat=3)]


def turned(axes: tuple[int, ...], signs: tuple[int, ...]) -> np.ndarray:
    """Affine of a clip whose (frame, y, x) run along the LPS axes ``axes`` with ``signs``; off centre."""
    affine = np.eye(4)
    for axis, (row, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[:3, 2 - axis] = 0.0
        affine[row, 2 - axis] = sign * STEPS_MM[axis]
    affine[:3, 3] = (-12.3, 45.6, -132.5)
    return affine


def rotation(axis: int, degrees: float) -> np.ndarray:
    """(4, 4) rotation of the patient about an LPS axis."""
    angle = np.radians(degrees)
    first, second = (row for row in range(3) if row != axis)
    matrix = np.eye(4)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def clip_at(affine_lps: np.ndarray, order: Any = "depth", shape: tuple[int, ...] = SHAPE, **facts: Any) -> Clip:
    """A clip of zeros with a geometry; facts of `Geometry` and of `Clip` by name."""
    place = {name: facts.pop(name) for name in ("oriented", "spaced", "frame_origins_lps") if name in facts}
    geometry = Geometry(affine_lps, **place)
    source = facts.pop("source", Source("nifti", Grid((shape[2], shape[1], shape[0]), (2, 1, 0), affine_lps)))
    return Clip(ArrayStack(np.zeros(shape)), order, geometry, source, **facts)


def places(clip: Clip) -> np.ndarray:
    """LPS millimetres of every voxel, (T, H, W, 3)."""
    frame, y, x = np.indices(clip.shape)
    return np.stack([x, y, frame, np.ones_like(x)], axis=-1) @ clip.geometry.affine_lps[:3].T


def screen(volume: np.ndarray, view: View) -> np.ndarray:
    """What a viewer draws: (away from the viewer, down, to the right, …)."""
    shown = np.moveaxis(volume, view.order, (0, 1, 2))
    depth, vertical, horizontal = view.orientation
    return shown[
        :: -1 if depth == "towards" else 1, :: -1 if vertical == "up" else 1, :: -1 if horizontal == "left" else 1
    ]


def gaps(shown: np.ndarray) -> np.ndarray:
    """Mean LPS step (3, 3) on the screen: away from the viewer, downwards, to the right."""
    return np.stack([np.diff(shown, axis=axis).reshape(-1, 3).mean(axis=0) for axis in range(3)])
