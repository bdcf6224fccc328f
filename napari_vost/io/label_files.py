"""Label maps in: a mask that somebody drew elsewhere, brought onto the grid of a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import ChoiceNeeded, InputError
from napari_vost.geometry import Affine, Geometry, points_lps, points_xyf
from napari_vost.io.readers import open_clip
from napari_vost.io.seg_file import Ids, SegFile, is_seg, lay, open_seg, segment_labels
from napari_vost.types import Label

MOST_OBJECTS = 200  # whole-body label maps have about 120
TOLERANCE_PX = 0.1  # largest shift, in pixels, at which two grids still count as one


def read_labels(path: Path, clip: Clip, resample: bool = False) -> NDArray[np.int64]:
    """Read a label map onto the frames of a clip.

    Parameters
    ----------
    path
        DICOM-SEG, or anything that `open_clip` opens: NIfTI, NRRD, MHA, PNG files.
    clip
        The clip that it is meant for; it is opened with the same choices (order, axis, at).
    resample
        Take the nearest label where the grids differ; without it another grid is refused.

    Returns
    -------
    numpy.ndarray
        (T, H, W) object ids. A single 2D image gives (1, H, W).

    Raises
    ------
    InputError
        Not a label map, of another grid, or a DICOM-SEG of another patient position.
    """
    ids, geometry = _of_seg(path, clip) if is_seg(path) else _of_image(path, clip)
    if geometry is None:
        return ids
    if _same_voxels(geometry.affine_lps, ids.shape, clip):
        result: Ids = np.zeros(clip.shape, np.int64)
        _lay_by_place(result, ids, geometry.affine_lps, clip)
        return result
    if resample:
        return _nearest(ids, geometry, clip)
    raise InputError(
        f"{path} lies on another grid: {ids.shape} against {clip.shape} of the scan; add --resample to bring it over."
    )


def names_in(path: Path) -> dict[int, Label]:
    """Names, codes and colours that a file of labels gives its objects: DICOM-SEG does, other formats know none."""
    return segment_labels(path) if is_seg(path) else {}


def _of_seg(path: Path, clip: Clip) -> tuple[Ids, Geometry | None]:
    """Segment numbers, and where they lie; None where that is on the clip's frames."""
    seg = open_seg(path)
    try:
        ids = seg.on_its_images(clip)
        if ids is not None:
            return ids, None
        if clip.order == "time" or not clip.geometry.oriented:
            raise InputError("it was drawn on other images, and these frames cannot be told by a place in the patient.")
        there, here = seg.frame_of_reference, clip.geometry.frame_of_reference
        if there and here and there != here:
            raise InputError("it was drawn on another scan, as its frame of reference is not this scan's.")
        ids = _by_place(seg, clip)
        return (ids, None) if ids is not None else seg.volume()
    except (InputError, ValueError, AttributeError, KeyError, IndexError, RuntimeError) as error:
        raise InputError(f"{path} cannot be laid on this scan: {error}") from error


def _by_place(seg: SegFile, clip: Clip) -> Ids | None:
    """Segment numbers (T, H, W) by position; None where a pixel lies beside those of the clip."""
    affines, size = seg.affines, (1, int(seg.data.Rows), int(seg.data.Columns))
    if not all(_same_voxels(affine, size, clip) for affine in affines):
        return None
    ids: Ids = np.zeros(clip.shape, np.int64)
    for affine, plane in zip(affines, seg.planes(), strict=True):
        _lay_by_place(ids, plane[np.newaxis], affine, clip)
    return ids


def _of_image(path: Path, clip: Clip) -> tuple[Ids, Geometry | None]:
    """Labels, and where they lie; None where one of the two does not say, and the sizes agree."""
    choices: dict[str, Any] = dict(clip.source.opened)
    choices.pop("path", None)
    choices.pop("series", None)
    try:
        labels = open_clip(path, **choices)
    except ChoiceNeeded:
        raise
    except InputError:
        labels = open_clip(path)  # a label of one time point is 3D where its scan is 4D
    if labels.colour:
        raise InputError(f"{path} is a colour image; a mask holds one whole number per pixel.")
    values = np.stack([np.asarray(labels.frame(index)) for index in range(len(labels))])
    if not np.array_equal(values, np.round(values)) or values.min() < 0:
        raise InputError(f"{path} holds values that are not object ids; a mask holds whole numbers from 0.")
    ids = values.astype(np.int64)
    found = np.unique(ids[ids > 0])
    if len(found) > MOST_OBJECTS:
        raise InputError(f"{path} holds {len(found)} different values: that is an image; a mask holds object ids.")
    if found.tolist() == [255] and labels.source.kind in ("image-stack", "video"):
        ids = (ids > 0).astype(np.int64)  # black and white pictures mean one object
    placed = labels.geometry.oriented and clip.geometry.oriented
    if placed and (clip.order == "depth" or labels.shape == clip.shape):
        return ids, labels.geometry
    if labels.shape != clip.shape and (placed or len(labels) > 1 or labels.shape[1:] != clip.shape[1:]):
        sizes = f"{labels.shape} against {clip.shape} of the scan"
        raise InputError(f"{path} lies on another grid: {sizes}; give a mask of the same size.")
    return ids, None


def _same_voxels(affine_lps: Affine, shape: tuple[int, ...], clip: Clip) -> bool:
    """Whether every voxel of labels (K, H, W) lies on one of the clip's grid: it may be turned, or be a part of it."""
    frames, height, width = shape
    corners = np.array([(x, y, f) for x in (0, width - 1) for y in (0, height - 1) for f in (0, frames - 1)], float)
    here = points_xyf(clip.geometry.affine_lps, points_lps(affine_lps, corners))
    steps = np.linalg.solve(clip.geometry.affine_lps[:3, :3], affine_lps[:3, :3])
    turned = np.abs(np.rint(steps[:, np.array([width, height, frames]) > 1])).sum(axis=0) == 1
    return bool(turned.all() and np.abs(here - np.rint(here)).max() <= TOLERANCE_PX)


def _lay_by_place(below: Ids, ids: Ids, affine_lps: Affine, clip: Clip) -> None:
    """Put labels (K, H, W) onto the clip's voxels (T, H, W) that they lie on."""
    for index, plane in enumerate(ids):
        there_y, there_x = np.nonzero(plane)
        there = np.stack([there_x, there_y, np.full(there_x.size, index)], axis=1).astype(float)
        x, y, frame = np.rint(points_xyf(clip.geometry.affine_lps, points_lps(affine_lps, there))).astype(int).T
        here = np.stack([frame, y, x])
        inside = ((here >= 0) & (here < np.array(below.shape)[:, np.newaxis])).all(axis=0)
        target = tuple(here[:, inside])
        found = below[target]
        lay(found, plane[there_y[inside], there_x[inside]])
        below[target] = found


def _nearest(ids: Ids, labels: Geometry, clip: Clip) -> Ids:
    result = np.zeros(clip.shape, dtype=np.int64)
    y, x = np.mgrid[0 : clip.shape[1], 0 : clip.shape[2]]
    for index in range(len(clip)):
        points = np.stack([x.ravel(), y.ravel(), np.full(x.size, index)], axis=1).astype(float)
        there = np.rint(points_xyf(labels.affine_lps, points_lps(clip.geometry.affine_lps, points))).astype(int)
        inside = ((there >= 0) & (there < np.array(ids.shape)[[2, 1, 0]])).all(axis=1)
        found = np.zeros(x.size, dtype=np.int64)
        found[inside] = ids[there[inside, 2], there[inside, 1], there[inside, 0]]
        result[index] = found.reshape(x.shape)
    return result
