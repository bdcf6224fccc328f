"""The area curves as a table: one line per frame, for a spreadsheet."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np

from napari_vost.clip import Clip
from napari_vost.measure.volume import volume_ml_of
from napari_vost.ui.lane_data import LaneData, ObjectLane


def curve_csv(data: LaneData, clip: Clip) -> str:
    """Area of every object on every frame, comma separated, frames from 1.

    The second column holds milliseconds of a cine, or millimetres along the patient axis that is nearest to the normal
    of a volume's frames (z of axial slices); it is left out where the source says neither. A field stays empty where
    nothing was followed. Volumes end with a line of millilitres.
    """
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    along = _along(clip)
    unit = data.unit.replace("²", "2")
    rows.writerow(["frame", *([along[0]] if along else []), *(f"{one.name} ({unit})" for one in data.objects)])
    for frame_index in range(data.frames):
        where = [_short(along[1][frame_index])] if along else []
        areas = [_short(one.area[frame_index]) if one.kept[frame_index] else "" for one in data.objects]
        rows.writerow([frame_index + 1, *where, *areas])
    volumes = [volume_ml(one, clip) for one in data.objects]
    if any(volume is not None for volume in volumes):
        rows.writerow(["volume (ml)", *([""] if along else []), *(_short(one or 0.0) for one in volumes)])
    return text.getvalue()


def volume_ml(lane: ObjectLane, clip: Clip) -> float | None:
    """Millilitres of an object as its masks stand now; None for a cine and where no spacing is known."""
    if clip.order != "depth" or not clip.geometry.spaced:
        return None
    return volume_ml_of(lane.area, clip.geometry)


def _along(clip: Clip) -> tuple[str, list[float]] | None:
    """Name and values of the column that says where a frame lies."""
    if clip.order == "time":
        return None if clip.frame_times_s is None else ("time (ms)", [one * 1000 for one in clip.frame_times_s])
    if not clip.geometry.spaced:
        return None
    normal = np.cross(clip.geometry.affine_lps[:3, 0], clip.geometry.affine_lps[:3, 1])
    main = int(np.argmax(np.abs(normal)))
    normal *= np.sign(normal[main]) / np.linalg.norm(normal)
    name = f"{'xyz'[main]} (mm)" if clip.geometry.oriented else "depth (mm)"
    return name, [float(clip.geometry.frame_origin(frame) @ normal) for frame in range(len(clip))]


def _short(value: float) -> str:
    return f"{value:.2f}"
