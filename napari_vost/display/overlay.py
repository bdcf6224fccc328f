"""Another scan on the grid of a clip, so that both can be looked at: places in the patient decide."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from napari_vost.clip import Clip
from napari_vost.errors import Cancelled, InputError

SAME_MM = 1e-2  # how far pixels of one grid may lie apart


def same_grid(one: Clip, other: Clip) -> bool:
    """Whether every pixel of two clips lies at the same place."""
    if one.shape != other.shape or one.order != other.order:
        return False
    frames, height, width = one.shape
    corners = np.array([(x, y) for x in (0, width - 1) for y in (0, height - 1)], np.float64)
    apart = [_place(one, frame, corners) - _place(other, frame, corners) for frame in range(frames)]
    return bool(np.abs(np.stack(apart)).max() <= SAME_MM)


def overlay(scan: Clip, clip: Clip, stop: threading.Event | None = None) -> NDArray[np.float32]:
    """Values of a scan at the pixels of a clip: linear between its voxels, its lowest value outside of it.

    Slices of either may be oblique, tilted or unevenly spaced.

    Parameters
    ----------
    scan
        What is laid over; all of it is read.
    clip
        Where it is wanted.
    stop
        Set from another thread, it ends the work.

    Returns
    -------
    ndarray of float32
        (T, H, W) of ``clip``.

    Raises
    ------
    InputError
        One of them is a cine, of colour or a single image, does not say where it lies in the patient, or they lie in
        different places.
    Cancelled
        It was stopped.
    """
    _check(scan, clip)
    volume = np.empty(scan.shape, np.float32)
    for frame in range(len(scan)):
        _go_on(stop)
        volume[frame] = scan.frame(frame)
    lowest = float(volume.min())
    values = np.full(clip.shape, lowest, np.float32)
    met = False
    for frame in range(len(clip)):
        _go_on(stop)
        places, inside = _indices(scan, clip, frame)
        if inside.any():
            met = True
            found = map_coordinates(volume, places, order=1, mode="nearest")
            values[frame] = np.where(inside, found, lowest)
    if not met:
        raise InputError("The two scans lie in different places and have nothing in common that could be shown.")
    return values


def notes(scan: Clip, clip: Clip) -> tuple[str, ...]:
    """What is unsure about laying a scan over a clip, in sentences."""
    own, other = clip.geometry.frame_of_reference, scan.geometry.frame_of_reference
    if own and other and own == other:
        return ()
    return ("Whether the patient lay still between the two scans their files do not say: compare a landmark in both.",)


def _check(scan: Clip, clip: Clip) -> None:
    for one, name in ((scan, "The other scan"), (clip, "The scan in hand")):
        if one.order == "time" or one.colour or len(one) < 2:
            raise InputError(f"{name} is no volume: only the slices of a volume can be laid over those of another.")
        if not (one.geometry.oriented and one.geometry.spaced):
            raise InputError(f"{name} does not say where it lies in the patient: nothing can be laid over it, or it.")


def _go_on(stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise Cancelled("Nobody wants the other scan any more.")


def _place(clip: Clip, frame: int, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (N, 2) in ``(x, y)`` of a frame as (N, 3) LPS millimetres."""
    return np.asarray(clip.geometry.frame_origin(frame) + points_xy @ clip.geometry.affine_lps[:3, :2].T)


def _indices(scan: Clip, clip: Clip, frame: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where the pixels of a frame lie in a scan, (3, H, W) as ``(frame, y, x)``, and which ones are inside of it."""
    in_plane = scan.geometry.affine_lps[:3, :2]
    normal = np.cross(in_plane[:, 0], in_plane[:, 1])
    origins = np.stack([scan.geometry.frame_origin(one) for one in range(len(scan))])
    along = origins @ normal
    way = np.argsort(along)
    numbers = np.arange(len(scan), dtype=np.float64)
    depth = _products(clip, frame, normal)
    step = np.abs(np.diff(along[way]))
    found = np.interp(depth, along[way], numbers[way])
    inside = (depth >= along.min() - step[0] / 2) & (depth <= along.max() + step[-1] / 2)
    places = [found]
    for size, axis in ((scan.shape[1], 1), (scan.shape[2], 0)):
        along_axis = np.linalg.pinv(in_plane)[axis]
        shift = np.interp(found, numbers, origins @ along_axis)  # slices of a tilted gantry do not lie straight
        place = _products(clip, frame, along_axis) - shift
        inside &= (place >= -0.5) & (place <= size - 0.5)
        places.append(place)
    return np.stack(places), inside


def _products(clip: Clip, frame: int, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scalar products (H, W) of a vector with the places of a frame's pixels."""
    _, height, width = clip.shape
    x, y = clip.geometry.affine_lps[:3, 0] @ vector, clip.geometry.affine_lps[:3, 1] @ vector
    start = clip.geometry.frame_origin(frame) @ vector
    return np.asarray(start + y * np.arange(height)[:, None] + x * np.arange(width))
