"""Small DICOM objects for tests, written with pydicom: a slice series, a cine without positions, an enhanced MR.

Nothing here is read from a real patient; the values are chosen so that a test can say what must come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
Pixels = NDArray[np.generic]


def tilted(degrees: float) -> tuple[float, ...]:
    """Image orientation of a CT whose gantry is tilted about the patient's left-right axis."""
    angle = np.radians(degrees)
    return (1.0, 0.0, 0.0, 0.0, float(np.cos(angle)), float(-np.sin(angle)))


def blank(sop_class: str, modality: str, **attributes: Any) -> FileDataset:
    """A data set with everything but pixels and geometry; type-2 attributes are empty."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    uid = str(attributes.get("SOPInstanceUID", generate_uid()))
    meta.MediaStorageSOPInstanceUID = uid
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = sop_class, uid, modality
    data.StudyInstanceUID = data.SeriesInstanceUID = generate_uid()
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"):
        setattr(data, name, "")
    for name in ("AccessionNumber", "ReferringPhysicianName", "Manufacturer", "PositionReferenceIndicator"):
        setattr(data, name, "")
    data.SeriesNumber, data.InstanceNumber = 1, 1
    for name, value in attributes.items():
        setattr(data, name, value)
    return data


def set_pixels(data: Dataset, pixels: Pixels, photometric: str = "MONOCHROME2") -> None:
    """Write pixels (H, W), (T, H, W), (H, W, 3) or (T, H, W, 3) uint8 / uint16 / int16, uncompressed."""
    colour = photometric in ("RGB", "YBR_FULL")
    plane = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    data.Rows, data.Columns = plane
    data.SamplesPerPixel, data.PhotometricInterpretation = (3 if colour else 1), photometric
    if colour:
        data.PlanarConfiguration = 0
    if pixels.ndim == (4 if colour else 3):
        data.NumberOfFrames = pixels.shape[0]
    bits = pixels.dtype.itemsize * 8
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit, data.PixelRepresentation = bits - 1, int(pixels.dtype.kind == "i")
    raw = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"))).tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OW" if bits > 8 else "OB"


def write(data: FileDataset, path: Path) -> Path:
    """Save and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def ramp_volume(frames: int, height: int = 6, width: int = 5) -> NDArray[np.int16]:
    """Values (frames, height, width) int16 that tell every voxel apart: 1000 * frame + 10 * y + x."""
    k, y, x = np.mgrid[:frames, :height, :width]
    return np.asarray(1000 * k + 10 * y + x, dtype=np.int16)


def write_series(
    folder: Path,
    volume: Pixels,
    origins: Sequence[Sequence[float]],
    orientation: Sequence[float] = AXIAL,
    spacing_yx: tuple[float, float] = (0.8, 0.7),
    modality: str = "CT",
    names: Sequence[str] = (),
    **attributes: Any,
) -> list[Path]:
    """Write one file per slice of a volume (T, H, W) and return the paths in the order of the volume.

    Parameters
    ----------
    folder
        Made when missing.
    volume
        Stored values, int16 or uint16.
    origins
        ImagePositionPatient of every slice, LPS millimetres: any order, any tilt, any gap.
    orientation
        ImageOrientationPatient; `tilted` gives that of a tilted gantry.
    spacing_yx
        PixelSpacing: (rows, columns).
    names
        File names; by default they say nothing about the order.
    attributes
        DICOM keywords of every slice; a list or tuple of T values goes to the slices one by one, unless the keyword
        has several values itself.
    """
    series, study, frame_of_reference = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for index, pixels in enumerate(volume):
        own = {"SeriesInstanceUID": series, "StudyInstanceUID": study, "FrameOfReferenceUID": frame_of_reference}
        for name, value in attributes.items():
            each = isinstance(value, list) and len(value) == len(volume)
            own[name] = value[index] if each else value
        data = blank(CTImageStorage if modality == "CT" else MRImageStorage, modality, **own)
        data.ImagePositionPatient, data.ImageOrientationPatient = list(origins[index]), list(orientation)
        data.PixelSpacing, data.SliceThickness = list(spacing_yx), 2.0
        if "InstanceNumber" not in attributes:
            data.InstanceNumber = len(volume) - index  # against the depth order, on purpose
        if modality == "CT" and "RescaleSlope" not in attributes:
            data.RescaleSlope, data.RescaleIntercept = 1, -1024
        set_pixels(data, pixels)
        name = names[index] if names else f"{(index * 7 + 3) % (len(volume) * 7 + 1):04d}.dcm"
        paths.append(write(data, folder / name))
    return paths


def stack_origins(frames: int, step: Sequence[float] = (0.0, 0.0, 2.5)) -> list[tuple[float, ...]]:
    """Positions of an even stack that starts at (-10, -20, 30)."""
    return [tuple(np.array([-10.0, -20.0, 30.0]) + index * np.asarray(step)) for index in range(frames)]


def write_cine(
    path: Path, frames: Pixels, frame_time_ms: float = 40.0, delta_cm: float | None = 0.05, **attributes: Any
) -> Path:
    """Write an ultrasound cine (T, H, W, 3) or (T, H, W) uint8 without positions; its regions say the pixel size."""
    data = blank(UltrasoundMultiFrameImageStorage, "US", **attributes)
    data.FrameTime, data.FrameIncrementPointer = frame_time_ms, 0x00181063
    if delta_cm is not None:
        region = Dataset()
        region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
        region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
        region.RegionLocationMaxX1, region.RegionLocationMaxY1 = frames.shape[2] - 1, frames.shape[1] - 1
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaX, region.PhysicalDeltaY = delta_cm, 2 * delta_cm
        data.SequenceOfUltrasoundRegions = Items([region])
    set_pixels(data, frames, "RGB" if frames.ndim == 4 else "MONOCHROME2")
    return write(data, path)


def write_enhanced_mr(
    path: Path,
    volume: Pixels,
    origins: Sequence[Sequence[float]],
    time_points: Sequence[int] | None = None,
    slopes: Sequence[float] | None = None,
    **attributes: Any,
) -> Path:
    """Write one enhanced MR object of frames (T, H, W) uint16 with a position, a time point and a slope per frame."""
    data = blank(EnhancedMRImageStorage, "MR", FrameOfReferenceUID=generate_uid(), **attributes)
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.8, 0.7], 2.0
    orientation.ImageOrientationPatient = list(AXIAL)
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Items([measures]), Items([orientation])
    data.SharedFunctionalGroupsSequence = Items([shared])
    groups = []
    for index in range(len(volume)):
        group, content, plane, transform = Dataset(), Dataset(), Dataset(), Dataset()
        content.StackID, content.InStackPositionNumber = "1", 1
        content.TemporalPositionIndex = time_points[index] if time_points else 1
        plane.ImagePositionPatient = list(origins[index])
        transform.RescaleSlope, transform.RescaleIntercept = (slopes[index] if slopes else 1.0), 0.0
        transform.RescaleType = "US"
        group.FrameContentSequence, group.PlanePositionSequence = Items([content]), Items([plane])
        group.PixelValueTransformationSequence = Items([transform])
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = Items(groups)
    set_pixels(data, volume)
    return write(data, path)
