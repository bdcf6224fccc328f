"""Frames of DICOM objects with what places them: position, orientation, spacing, scale, and what tells repeats apart.

A single-frame object says it at the top, an enhanced one in its functional groups (PS3.3 C.7.6.16): the group of the
frame first, then the shared one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Window
from napari_vost.io.readers.dicom_header import Instance, number, numbers, text, vector

REPEATS = (  # what may tell frames at one position apart, best first
    "temporal position",
    "trigger time",
    "acquisition",
    "echo",
    "b-value",
    "inversion time",
    "acquisition time",
)


@dataclass(frozen=True, eq=False)
class DicomFrame:
    """One frame.

    Attributes
    ----------
    instance, frame_number
        Where it is; the number counts from 1.
    origin
        (3,) ImagePositionPatient, LPS millimetres; None when the source does not say.
    orientation
        (6,) ImageOrientationPatient.
    spacing_yx
        Millimetres per row and per column step.
    thickness
        SpacingBetweenSlices, else SliceThickness.
    scale
        ``(slope, intercept)`` to real-world values.
    stack, image_type
        Stack ID and image type: frames that differ in them may be different volumes.
    repeats
        Values of `REPEATS`.
    windows
        Display windows in real-world values.
    """

    instance: Instance
    frame_number: int
    origin: NDArray[np.float64] | None = None
    orientation: NDArray[np.float64] | None = None
    spacing_yx: tuple[float, float] | None = None
    thickness: float | None = None
    scale: tuple[float, float] = (1.0, 0.0)
    stack: str = ""
    image_type: str = ""
    repeats: dict[str, float] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()

    @property
    def placed(self) -> bool:
        """Whether position, orientation and spacing are known."""
        return self.origin is not None and self.orientation is not None and self.spacing_yx is not None


def frames_of(instance: Instance) -> tuple[DicomFrame, ...]:
    """All frames of an object, in its own order."""
    if "PerFrameFunctionalGroupsSequence" in instance.data:
        groups = instance.data.PerFrameFunctionalGroupsSequence or ()
        if len(groups) == instance.frames:
            return tuple(_enhanced(instance, index + 1, group) for index, group in enumerate(groups))
    if instance.frames == 1:
        return (_classic(instance),)
    scale = _scale(instance.data)
    spacing, windows = spacing_yx(instance.data), _windows(instance.data)
    thickness = _thickness(instance.data)
    return tuple(
        DicomFrame(instance, index + 1, None, None, spacing, thickness, scale, windows=windows)
        for index in range(instance.frames)
    )


def spacing_yx(data: Any) -> tuple[float, float] | None:
    """PixelSpacing (row, column), None when missing or not above 0."""
    values = numbers(data, "PixelSpacing")
    return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None


def instance_numbers(frames: Sequence[DicomFrame]) -> tuple[int, ...]:
    """Instance number of each frame; empty where an object holds several frames or says no number."""
    found = [number(frame.instance.data, "InstanceNumber") for frame in frames if frame.instance.frames == 1]
    known = [int(value) for value in found if value is not None]
    return tuple(known) if len(known) == len(frames) else ()


def _classic(instance: Instance) -> DicomFrame:
    data = instance.data
    repeats = {
        "temporal position": number(data, "TemporalPositionIdentifier"),
        "trigger time": number(data, "TriggerTime"),
        "acquisition": number(data, "AcquisitionNumber"),
        "echo": number(data, "EchoTime"),
        "b-value": number(data, "DiffusionBValue"),
        "inversion time": number(data, "InversionTime"),
        "acquisition time": seconds_of_day(text(data, "AcquisitionTime")),
    }
    return DicomFrame(
        instance,
        1,
        vector(data, "ImagePositionPatient", 3),
        _unit_orientation(vector(data, "ImageOrientationPatient", 6)),
        spacing_yx(data),
        _thickness(data),
        _scale(data),
        image_type=text(data, "ImageType"),
        repeats={name: value for name, value in repeats.items() if value is not None},
        windows=_windows(data),
    )


def _enhanced(instance: Instance, frame_number: int, group: Any) -> DicomFrame:
    shared = (instance.data.get("SharedFunctionalGroupsSequence") or [None])[0]

    def item(sequence: str) -> Any:
        for where in (group, shared):
            found = where.get(sequence) if where is not None else None
            if found:
                return found[0]
        return None

    content, echo, cardiac = (
        item("FrameContentSequence"),
        item("MREchoSequence"),
        item("CardiacSynchronizationSequence"),
    )
    measures, transform = item("PixelMeasuresSequence"), item("PixelValueTransformationSequence")
    kind = item("MRImageFrameTypeSequence") or item("CTImageFrameTypeSequence")
    repeats = {
        "temporal position": number(content, "TemporalPositionIndex"),
        "trigger time": number(cardiac, "NominalCardiacTriggerDelayTime"),
        "acquisition": number(content, "FrameAcquisitionNumber"),
        "echo": number(echo, "EffectiveEchoTime"),
        "b-value": number(item("MRDiffusionSequence"), "DiffusionBValue"),
        "inversion time": number(item("MRModifierSequence"), "InversionTimes"),
        "acquisition time": seconds_of_day(text(content, "FrameReferenceDateTime")[8:]),
    }
    return DicomFrame(
        instance,
        frame_number,
        vector(item("PlanePositionSequence"), "ImagePositionPatient", 3),
        _unit_orientation(vector(item("PlaneOrientationSequence"), "ImageOrientationPatient", 6)),
        spacing_yx(measures),
        _thickness(measures),
        _scale(transform),
        stack=text(content, "StackID"),
        image_type=text(kind, "FrameType"),
        repeats={name: value for name, value in repeats.items() if value is not None},
        windows=_windows(item("FrameVOILUTSequence")),
    )


def _unit_orientation(values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Directions of length 1, None when one of them is zero or both are parallel."""
    if values is None:
        return None
    lengths = np.linalg.norm(values.reshape(2, 3), axis=1)
    if min(lengths) < 1e-6 or np.linalg.norm(np.cross(values[:3], values[3:])) < 1e-3:
        return None
    return np.asarray((values.reshape(2, 3) / lengths[:, None]).ravel())


def _thickness(data: Any) -> float | None:
    between, thickness = number(data, "SpacingBetweenSlices"), number(data, "SliceThickness")
    return next((abs(value) for value in (between, thickness) if value), None)


def _scale(data: Any) -> tuple[float, float]:
    slope, intercept = number(data, "RescaleSlope"), number(data, "RescaleIntercept")
    return (slope or 1.0, intercept or 0.0)


def _windows(data: Any) -> tuple[Window, ...]:
    centres, widths = numbers(data, "WindowCenter"), numbers(data, "WindowWidth")
    names = text(data, "WindowCenterWidthExplanation").split("\\")
    return tuple(
        Window(centre - width / 2, centre + width / 2, names[i] if i < len(names) else "")
        for i, (centre, width) in enumerate(zip(centres, widths, strict=False))
        if width > 0
    )


def seconds_of_day(word: str) -> float | None:
    """Seconds of a DICOM time ``HHMMSS.FFFFFF``, None when it is missing or malformed."""
    digits = word.replace(":", "").split("\\")[0].split("+")[0].split("-")[0]
    if len(digits) < 6 or not digits[:6].isdigit():
        return None
    try:
        return int(digits[:2]) * 3600.0 + int(digits[2:4]) * 60.0 + float(digits[4:])
    except ValueError:
        return None
