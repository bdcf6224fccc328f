"""When frames were taken, how large their pixels are where positions are missing, and how fast the heart beats."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from napari_vost.io.readers.dicom_frames import DicomFrame, spacing_yx
from napari_vost.io.readers.dicom_header import Instance, number, numbers, text

CENTIMETRES = 3  # PhysicalUnitsXDirection, PS3.3 C.8.5.5.1.15
TWO_D = 1  # RegionSpatialFormat: 2D, tissue or flow


def cine_times_s(instance: Instance) -> tuple[float, ...] | None:
    """Seconds of every frame of a multi-frame object from the first, None where it does not say.

    FrameTimeVector, else FrameTime (both milliseconds), else ActualFrameDuration, CineRate, display rate.
    """
    data, frames = instance.data, instance.frames
    steps = numbers(data, "FrameTimeVector")
    if len(steps) == frames and frames > 1 and sum(steps) > 0:
        total = np.cumsum([0.0, *steps[1:]]) / 1000.0
        return tuple(float(value) for value in total)
    for keyword, seconds in (("FrameTime", 1e-3), ("ActualFrameDuration", 1e-3)):
        step = number(data, keyword)
        if step and step > 0:
            return tuple(index * step * seconds for index in range(frames))
    for keyword in ("CineRate", "RecommendedDisplayFrameRate"):
        rate = number(data, keyword)
        if rate and rate > 0:
            return tuple(index / rate for index in range(frames))
    return None


def repeat_times_s(frames: Sequence[DicomFrame], repeat: str) -> tuple[float, ...] | None:
    """Seconds of frames at one position from the first, None where nothing says when they were taken."""
    for name, seconds in (("trigger time", 1e-3), ("acquisition time", 1.0)):
        values = [frame.repeats.get(name) for frame in frames]
        known = [value for value in values if value is not None]
        if repeat not in (name, "temporal position", "acquisition") or len(known) < len(values):
            continue
        if all(later > earlier for earlier, later in pairwise(known)):
            return tuple((value - known[0]) * seconds for value in known)
    step = number(frames[0].instance.data, "TemporalResolution")
    if repeat == "temporal position" and step and step > 0:
        return tuple(index * step * 1e-3 for index in range(len(frames)))
    return None


def heart_rate_hz(instance: Instance) -> float | None:
    """Beats per second of (0018,1088), None when missing or zero."""
    rate = number(instance.data, "HeartRate")
    return rate / 60.0 if rate and rate > 0 else None


def pixel_size_yx(instance: Instance) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Millimetres per row and column of an object without positions, and notices about them.

    PixelSpacing, else the largest 2D ultrasound region in centimetres, else the spacing at the detector divided by the
    magnification that the object states.
    """
    data = instance.data
    plain = spacing_yx(data)
    if plain is not None:
        return plain, ()
    region, others = _largest_region(data)
    if region is not None:
        dx, dy = number(region, "PhysicalDeltaX"), number(region, "PhysicalDeltaY")
        size = (abs(dy or 0.0) * 10.0, abs(dx or 0.0) * 10.0)
        note = "The picture has regions of different scale: millimetres hold in the largest one." if others else ""
        return (size, (note,) * bool(note)) if min(size) > 0 else (None, ())
    for keyword in ("ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        values = numbers(data, keyword)
        if len(values) == 2 and min(values) > 0:
            factor = number(data, "EstimatedRadiographicMagnificationFactor")
            size = (values[0] / (factor or 1.0), values[1] / (factor or 1.0))
            note = "Pixel size is that at the detector: lengths in the patient are smaller by the magnification."
            return size, () if factor else (note,)
    return None, ()


def _largest_region(data: Any) -> tuple[Any, bool]:
    """Largest 2D region scaled in centimetres, and whether others have another scale."""
    regions = [
        region
        for region in data.get("SequenceOfUltrasoundRegions") or ()
        if number(region, "PhysicalUnitsXDirection") == CENTIMETRES
        and number(region, "PhysicalUnitsYDirection") == CENTIMETRES
        and number(region, "RegionSpatialFormat") in (TWO_D, None)
    ]
    if not regions:
        return None, False
    largest = max(regions, key=_area)
    scales = {(text(region, "PhysicalDeltaX"), text(region, "PhysicalDeltaY")) for region in regions}
    return largest, len(scales) > 1


def _area(region: Any) -> float:
    x0, x1 = number(region, "RegionLocationMinX0") or 0.0, number(region, "RegionLocationMaxX1") or 0.0
    y0, y1 = number(region, "RegionLocationMinY0") or 0.0, number(region, "RegionLocationMaxY1") or 0.0
    return (x1 - x0) * (y1 - y0)
