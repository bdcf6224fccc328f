"""Readers, one file each: a path in, a clip out.

`open_clip` and `describe` are the doors. A reader finds the candidates in a set of files and opens one of them lazily;
it is imported when a file is its own. Packages add readers through the entry point group ``napari_vost.readers``.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from napari_vost.clip import Clip
from napari_vost.errors import ReadError
from napari_vost.io.readers.candidates import Axis, Options, advice, choose
from napari_vost.io.readers.description import Description, SeriesDescription, describe
from napari_vost.io.readers.registry import find
from napari_vost.types import Order

__all__ = ["Description", "SeriesDescription", "describe", "open_clip"]


def open_clip(
    path: str | os.PathLike[str],
    order: Order | None = None,
    axis: Axis | None = None,
    at: int | None = None,
    series: str | int | None = None,
) -> Clip:
    """Open a scan or a cine as a clip; headers are read, pixels are not.

    Parameters
    ----------
    path
        A file (any file of a DICOM series opens the series) or a folder.
    order
        ``"depth"`` or ``"time"``; None leaves it to the source.
    axis
        What the frames of a volume run along: 0, 1 or 2 of the default clip array (frame, y, x), or ``"axial"``,
        ``"coronal"``, ``"sagittal"``. None is 0: the slices as they are stored.
    at
        Of a 4D source: the time point (``order="depth"``) or the slice (``order="time"``), from 0.
    series
        Number or series UID, as `describe` lists them, where the path holds several.

    Raises
    ------
    ReadError
        Nothing there that can be read, or damaged; the sentence says which.
    ChoiceNeeded
        Several series without ``series``, or a 4D source without ``order`` and ``at``.
    """
    where = Path(path)
    options = Options(order, axis, at)
    found = find(where)
    if not found.candidates:
        raise ReadError(f"{where} holds no image, only {advice(found.without_pixels)}.")
    clip = choose(found, series, where).open(options)
    skipped = len(found.without_pixels)
    notices = clip.notices + found.notices
    if skipped:
        kinds = ", ".join(sorted({one.what for one in found.without_pixels}))
        notices += (f"{skipped} object{'s' * (skipped > 1)} without an image skipped ({kinds}).",)
    given = {"path": str(where), "order": order, "axis": axis, "at": at, "series": series}
    opened = tuple((name, value) for name, value in given.items() if value is not None)
    return replace(clip, notices=notices, source=replace(clip.source, opened=opened))
