"""Oblique stacks of slices through a labelled volume: any direction, spacing and thickness, around one structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_vost.training.shapes import Random

Points = NDArray[np.float64]
_MOST_POINTS = 3000


@dataclass(frozen=True, eq=False)
class Stack:
    """Where the slices of a stack lie, millimetres of the volume's own axes.

    Attributes
    ----------
    origin
        (T, 3) centre of every slice.
    across, down
        (3,) unit vectors along columns and rows of a slice.
    normal
        (3,) unit vector from slice to slice.
    reach
        Half the side of a slice.
    thickness
        Of a slice; what lies within is averaged.
    """

    origin: Points
    across: Points
    down: Points
    normal: Points
    reach: float
    thickness: float


def draw_stack(
    structure: NDArray[np.bool_], spacing: Points, axis: int, frames: int, oblique: bool, random: Random
) -> Stack | None:
    """A stack of ``frames`` slices around a structure of a volume; None where the structure is too small.

    Parameters
    ----------
    structure
        (D, H, W) the structure's voxels.
    spacing
        (3,) size of a voxel, millimetres.
    axis, frames
        Array axis along which the slices follow each other, and how many.
    oblique
        Whether the stack may be turned away from that axis.
    random
        Draws direction, spacing, thickness and start.
    """
    places = np.argwhere(structure)
    if len(places) < 60:
        return None
    if len(places) > _MOST_POINTS:
        places = places[random.choice(len(places), _MOST_POINTS, replace=False)]
    points = places * spacing
    down, across, normal = _directions(axis, oblique, random)
    along = points @ normal
    low, high = np.quantile(along, (0.01, 0.99))
    finest = float(np.abs(normal) @ spacing)
    step = max((high - low + finest) / np.exp(random.uniform(np.log(4), np.log(32))), 0.8 * finest)
    start = float(random.choice(along))  # slices that hold much of it begin a stack more often
    side = random.choice((-1.0, 1.0))
    if (room := high - start if side > 0 else start - low) < 2 * step and room < (high - low) / 2:
        side = -side
    depths = start + side * step * np.arange(frames)
    near = points[np.abs(along - start) <= max(step, finest) / 2]
    if len(near) < 4:
        return None
    v, u = near @ down, near @ across
    longest = max(np.ptp(v), np.ptp(u)) + finest
    reach = longest / random.uniform(0.28, 0.5) / 2
    middle = np.array([(v.min() + v.max()) / 2, (u.min() + u.max()) / 2]) + random.normal(0, 0.1, 2) * reach
    centres = np.repeat(middle[None], frames, 0)
    if random.random() < 0.6:  # the crop goes with the structure, as a region does
        centres = _followed(points @ down, points @ across, along, depths, step, centres)
    if random.random() < 0.2:  # breath-holds that do not quite agree
        centres = centres + random.normal(0, 0.03, centres.shape) * longest
    origin = centres[:, :1] * down + centres[:, 1:] * across + depths[:, None] * normal
    extent = (np.array(structure.shape) - 1) * spacing
    outside = ((origin < -spacing) | (origin > extent + spacing)).any(1)
    if outside.any():  # past the end of the volume its last slice repeats
        origin[outside] = origin[max(0, int(outside.argmax()) - 1)]
    return Stack(origin, across, down, side * normal, float(reach), float(step * random.uniform(0.1, 1.0)))


def _directions(axis: int, oblique: bool, random: Random) -> tuple[Points, Points, Points]:
    """Rows, columns and normal: a third of the oblique ones along the axis, a third tilted, a third anyhow."""
    kind = random.random() if oblique else 0.0
    if kind < 0.33:
        turn = np.eye(3)
    else:
        spread = 0.2 if kind < 0.66 else 5.0
        turn = _rotation(random.normal(0, 1, 3), float(abs(random.normal(0, spread))))
    normal = turn @ np.eye(3)[axis]
    other = turn @ np.eye(3)[(axis + 1) % 3]
    spin = _rotation(normal, float(random.normal(0, 0.25)))
    down: Points = spin @ other
    return down, np.cross(normal, down), normal


def _rotation(about: Points, angle: float) -> Points:
    """Rotation matrix by an angle about an axis (Rodrigues' formula)."""
    x, y, z = about / max(float(np.linalg.norm(about)), 1e-9)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _followed(v: Points, u: Points, along: Points, depths: Points, step: float, centres: Points) -> Points:
    """Centres (T, 2) that move with the middle of the structure, slowly where it jumps."""
    moved = centres.copy()
    first = None
    for index, depth in enumerate(depths):
        near = np.abs(along - depth) <= step
        if not near.any():
            moved[index] = moved[max(index - 1, 0)]
            continue
        here = np.array([v[near].mean(), u[near].mean()])
        first = here if first is None else first
        target = centres[0] + here - first
        moved[index] = target if index == 0 else 0.5 * moved[index - 1] + 0.5 * target
    return moved


def slice_volume(
    picture: NDArray[np.float32], structure: NDArray[np.bool_], spacing: Points, stack: Stack, side: int
) -> tuple[Tensor, Tensor]:
    """Sample a stack: grey values (T, side, side) and share of the structure (T, side, side), both 0..1.

    Parameters
    ----------
    picture, structure
        (D, H, W) grey values 0..1 and the structure's voxels.
    spacing
        (3,) millimetres.
    stack
        Where.
    side
        Of a slice in pixels.
    """
    thick = 3 if stack.thickness > 1.2 * float(np.abs(stack.normal) @ spacing) else 1
    axis = ((torch.arange(side) + 0.5) / side * 2 - 1) * stack.reach
    down, across, normal = (torch.from_numpy(one).float() for one in (stack.down, stack.across, stack.normal))
    plane = axis[:, None, None] * down + axis[None, :, None] * across  # (side, side, 3)
    layers = torch.linspace(-0.5, 0.5, thick) * stack.thickness if thick > 1 else torch.zeros(1)
    centre = torch.from_numpy(stack.origin).float()[:, None] + layers[:, None] * normal  # (T, thick, 3)
    places = (centre[:, :, None, None] + plane) / torch.from_numpy(spacing).float()  # voxels
    low = places.flatten(0, 3).amin(0).floor().long().tolist()
    high = places.flatten(0, 3).amax(0).ceil().long().tolist()
    cut = tuple(slice(max(0, a - 1), min(n, b + 2)) for a, b, n in zip(low, high, picture.shape, strict=True))
    if any(one.start >= one.stop for one in cut):
        empty = torch.zeros(len(stack.origin), side, side)
        return empty, empty
    both = torch.from_numpy(np.stack((picture[cut], structure[cut].astype(np.float32))))[None]
    start = torch.tensor([one.start for one in cut], dtype=torch.float32)
    extent = torch.tensor(both.shape[2:], dtype=torch.float32)
    where = ((places - start + 0.5) / extent * 2 - 1).flip(-1)  # grid_sample wants x, y, z
    flat = where.reshape(1, -1, side, side, 3)
    seen = functional.grid_sample(both, flat, mode="bilinear", padding_mode="zeros", align_corners=False)[0]
    seen = seen.view(2, len(stack.origin), thick, side, side).mean(2)
    return seen[0], seen[1]
