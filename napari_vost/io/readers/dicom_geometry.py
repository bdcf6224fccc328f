"""Where frames lie: groups that form one volume, depth order by position, affine, gaps, tilt, repeats in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import GeometryError, ReadError
from napari_vost.geometry import POSITION_TOLERANCE_MM, Affine
from napari_vost.io.readers.dicom_frames import REPEATS, DicomFrame

SAME_PLACE_MM = 0.01
SAME_DIRECTION = 2e-3  # largest difference between direction cosines of one stack


@dataclass(frozen=True, eq=False)
class Lattice:
    """Frames of one group in their places.

    Attributes
    ----------
    rows
        ``rows[slice][time point]``, slices rising along the normal.
    repeat
        What tells the time points apart, "" when there is one.
    affine_lps
        (4, 4) from stored ``(i, j, k)``; column 2 is the common step between slices, tilt included.
    origins
        (slices, 3) exact positions where the steps differ, else None.
    notices
        Gaps and uneven steps, in words.
    """

    rows: tuple[tuple[DicomFrame, ...], ...]
    repeat: str
    affine_lps: Affine
    origins: NDArray[np.float64] | None
    notices: tuple[str, ...]


def split_orientations(frames: Sequence[DicomFrame]) -> list[list[DicomFrame]]:
    """Share placed frames among groups of one orientation, in order of appearance."""
    groups: list[list[DicomFrame]] = []
    for frame in frames:
        for group in groups:
            known, own = group[0].orientation, frame.orientation
            if known is not None and own is not None and np.abs(known - own).max() < SAME_DIRECTION:
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def split_image_types(frames: list[DicomFrame]) -> list[list[DicomFrame]]:
    """Share frames that repeat positions among groups of one image type (magnitude and phase, T1 and T2)."""
    kinds = list(dict.fromkeys(frame.image_type for frame in frames))
    if len(kinds) < 2 or all(len(row) == 1 for row in _by_place(frames)):
        return [frames]
    return [[frame for frame in frames if frame.image_type == kind] for kind in kinds]


def lattice(frames: Sequence[DicomFrame], name: str) -> Lattice:
    """Put frames of one orientation into slices and time points.

    Raises
    ------
    ReadError
        Frames of different sizes or spacings, or positions that repeat without anything that tells them apart.
    """
    _check_uniform(frames, name)
    rows = _by_place(frames)
    repeat = ""
    if any(len(row) > 1 for row in rows):
        repeat = _what_repeats(rows, name)
        rows = [sorted(row, key=lambda frame: _rank(frame, repeat)) for row in rows]
    first = frames[0]
    orientation, (row_mm, column_mm) = _plane(first)
    origins = np.array([row[0].origin for row in rows])
    step, uneven = _common_step(origins, first)
    affine = np.eye(4)
    affine[:3, 0] = orientation[:3] * column_mm
    affine[:3, 1] = orientation[3:] * row_mm
    affine[:3, 2] = step
    affine[:3, 3] = origins[0]
    return Lattice(
        tuple(tuple(row) for row in rows),
        repeat,
        affine,
        origins if uneven else None,
        _step_notices(origins, step) if uneven else (),
    )


def _plane(frame: DicomFrame) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Orientation and spacing of a placed frame."""
    if frame.orientation is None or frame.spacing_yx is None:
        raise GeometryError(f"Frame {frame.frame_number} of {frame.instance.path.name} does not say where it lies.")
    return frame.orientation, frame.spacing_yx


def _normal(frame: DicomFrame) -> NDArray[np.float64]:
    orientation, _ = _plane(frame)
    normal = np.cross(orientation[:3], orientation[3:])
    return np.asarray(normal / np.linalg.norm(normal))


def _by_place(frames: Sequence[DicomFrame]) -> list[list[DicomFrame]]:
    """Frames sorted along the normal, those at one place together."""
    normal = _normal(frames[0])
    places = np.array([frame.origin for frame in frames]) @ normal
    rows: list[list[DicomFrame]] = []
    last = -np.inf
    for index in np.argsort(places, kind="stable"):
        if places[index] - last > SAME_PLACE_MM:
            rows.append([])
            last = places[index]
        rows[-1].append(frames[index])
    return rows


def _check_uniform(frames: Sequence[DicomFrame], name: str) -> None:
    sizes = sorted({frame.instance.size for frame in frames})
    if len(sizes) > 1:
        words = ", ".join(f"{rows} x {columns}" for rows, columns in sizes[:4])
        raise ReadError(f"{name} mixes images of different sizes ({words}): separate them into folders of their own.")
    spacings = np.array([frame.spacing_yx for frame in frames])
    if np.abs(spacings - spacings[0]).max() > 1e-3 * spacings[0].min():
        raise ReadError(
            f"{name} mixes pixel sizes ({spacings.min():.4g} to {spacings.max():.4g} mm): separate them into folders."
        )


def _rank(frame: DicomFrame, repeat: str) -> tuple[float, ...]:
    if repeat:
        return (frame.repeats[repeat],)
    return ()


def _what_repeats(rows: list[list[DicomFrame]], name: str) -> str:
    """What tells the frames at one place apart: the first of `REPEATS` with distinct values at every place."""
    counts = sorted({len(row) for row in rows})
    if len(counts) == 1:
        for repeat in REPEATS:
            values = [[frame.repeats.get(repeat) for frame in row] for row in rows]
            if all(None not in row and len(set(row)) == len(row) for row in values):
                return repeat
    twice = sum(len(row) > 1 for row in rows)
    each = f"{counts[0]} each" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} each"
    raise ReadError(
        f"{name} has {twice} position{'s' * (twice > 1)} with several images ({each}) "
        "that no time point tells apart: remove the duplicates or separate the scans into folders."
    )


def _common_step(origins: NDArray[np.float64], frame: DicomFrame) -> tuple[NDArray[np.float64], bool]:
    """Step between slices, and whether the slices are unevenly spaced."""
    normal = _normal(frame)
    if len(origins) == 1:
        return normal * (frame.thickness or 1.0), False
    even = np.linspace(origins[0], origins[-1], len(origins))
    step = (origins[-1] - origins[0]) / (len(origins) - 1)
    tolerance = max(POSITION_TOLERANCE_MM, 0.01 * float(step @ normal))
    if np.linalg.norm(origins - even, axis=1).max() <= tolerance:
        return np.asarray(step), False
    steps = np.diff(origins, axis=0)
    middle = int(np.argsort(steps @ normal)[(len(steps) - 1) // 2])
    return np.asarray(steps[middle]), True


def _step_notices(origins: NDArray[np.float64], step: NDArray[np.float64]) -> tuple[str, ...]:
    lengths = np.linalg.norm(np.diff(origins, axis=0), axis=1)
    common = float(np.linalg.norm(step))
    ratios = lengths / common
    gaps = np.flatnonzero(ratios > 1.5)
    if gaps.size and np.abs(ratios - np.round(ratios)).max() < 0.15:
        first = int(gaps[0])
        more = f" and {gaps.size - 1} more" if gaps.size > 1 else ""
        return (
            f"A slice is missing between frames {first} and {first + 1}{more}: "
            f"the gap is {lengths[first]:.4g} mm where slices are {common:.4g} mm apart.",
        )
    return (f"Slices are unevenly spaced, {lengths.min():.4g} to {lengths.max():.4g} mm: positions are kept exactly.",)
