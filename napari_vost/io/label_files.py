"""Label maps in: a mask that somebody drew elsewhere, brought onto the grid of a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import ChoiceNeeded, InputError
from napari_vost.geometry import points_lps, points_xyf
from napari_vost.io.readers import open_clip

MOST_OBJECTS = 200  # whole-body label maps have about 120
TOLERANCE_PX = 0.1  # largest shift, in pixels, at which two grids still count as one


def read_labels(path: Path, clip: Clip, resample: bool = False) -> NDArray[np.int64]:
    """Read a label map onto the frames of a clip.

    Parameters
    ----------
    path
        Anything that `open_clip` opens: NIfTI, NRRD, MHA, PNG files.
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
        Not a label map, or of another grid.
    """
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
    if labels.shape == clip.shape and (not _placed(labels, clip) or _same_place(labels, clip)):
        return ids
    if len(labels) == 1 and labels.shape[1:] == clip.shape[1:] and not _placed(labels, clip):
        return ids
    if resample and _placed(labels, clip):
        return _nearest(ids, labels, clip)
    hint = "add --resample to bring it over" if _placed(labels, clip) else "give a mask of the same size"
    raise InputError(f"{path} lies on another grid: {labels.shape} against {clip.shape} of the scan; {hint}.")


def _placed(labels: Clip, clip: Clip) -> bool:
    return labels.geometry.oriented and clip.geometry.oriented


def _same_place(labels: Clip, clip: Clip) -> bool:
    frames, height, width = clip.shape
    corners = np.array([(x, y, f) for x in (0, width - 1) for y in (0, height - 1) for f in (0, frames - 1)], float)
    there = points_xyf(labels.geometry.affine_lps, points_lps(clip.geometry.affine_lps, corners))
    return bool(np.abs(there - corners).max() <= TOLERANCE_PX)


def _nearest(ids: NDArray[np.int64], labels: Clip, clip: Clip) -> NDArray[np.int64]:
    result = np.zeros(clip.shape, dtype=np.int64)
    y, x = np.mgrid[0 : clip.shape[1], 0 : clip.shape[2]]
    for index in range(len(clip)):
        points = np.stack([x.ravel(), y.ravel(), np.full(x.size, index)], axis=1).astype(float)
        there = np.rint(points_xyf(labels.geometry.affine_lps, points_lps(clip.geometry.affine_lps, points))).astype(
            int
        )
        inside = ((there >= 0) & (there < np.array(labels.shape)[[2, 1, 0]])).all(axis=1)
        found = np.zeros(x.size, dtype=np.int64)
        found[inside] = ids[there[inside, 2], there[inside, 1], there[inside, 0]]
        result[index] = found.reshape(x.shape)
    return result
