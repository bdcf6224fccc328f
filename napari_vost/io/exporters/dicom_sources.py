"""Source images as DICOM-SEG needs them: one header per native frame, whatever kind of object it came from.

highdicom wants single-frame images, or one enhanced object with shared orientation and no position twice. Old
multi-frame objects (ultrasound, cine MR, angiography) have neither frame of reference nor positions, and cines repeat
their one position. So each frame gets a header of its own in memory, with a made-up instance UID; `dicom_seg` writes
the true references once the object stands.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import ExportError
from napari_vost.geometry import POSITION_TOLERANCE_MM
from napari_vost.io.readers.dicom_frames import DicomFrame, frames_of
from napari_vost.io.readers.dicom_header import Instance, number, text
from napari_vost.types import Segmentation

Dataset = Any  # pydicom's; it is imported where it is used

_TYPE_2 = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator",
)  # fmt: skip
_EACH_ITS_OWN = (
    "NumberOfFrames", "FrameIncrementPointer", "SpacingBetweenSlices", "SOPInstanceUID", "ImagePositionPatient"
)  # fmt: skip
_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"  # stands in while the object is built: highdicom asks the class for frames


@dataclass(frozen=True, eq=False)
class SourceFrames:
    """Native frames in the order of the masks.

    Attributes
    ----------
    frames
        One per native frame.
    headers
        One stand-in per frame: a single image with its own instance UID and a position that no other has.
    positions
        (N, 3) true or synthetic positions, LPS mm.
    synthetic
        Whether positions and frame of reference are made up.
    still
        Whether all frames lie in one place and differ by time.
    notices
        What was made up, in words.
    """

    frames: tuple[DicomFrame, ...]
    headers: tuple[Dataset, ...]
    positions: NDArray[np.float64]
    synthetic: bool
    still: bool
    notices: tuple[str, ...]

    def spacing_between(self) -> float | None:
        """Millimetres from slice to slice along the normal, None where they are uneven or do not move."""
        if len(self.frames) < 2 or self.still:
            return None
        directions = np.array(self.headers[0].ImageOrientationPatient, dtype=float)
        steps = np.diff(self.positions @ np.cross(directions[:3], directions[3:]))
        even = np.abs(steps - steps.mean()).max() <= POSITION_TOLERANCE_MM
        return float(abs(steps.mean())) if even else None


def source_frames(segmentation: Segmentation) -> tuple[DicomFrame, ...]:
    """Read the headers of the clip's own DICOM source again, with everything that belongs to the patient.

    Raises
    ------
    ExportError
        A file that is gone or is another one than was opened.
    """
    source = segmentation.source
    files = source.files or ((source.path,) if source.path is not None else ())
    every = {path: frames_of(read_header(path)) for path in dict.fromkeys(files)}
    if source.kind == "dicom-series":
        wanted = [(path, 1) for path in files]
    elif len(files) == 1:
        wanted = [(files[0], one) for one in source.frame_numbers or range(1, len(every[files[0]]) + 1)]
    else:
        wanted = list(zip(files, source.frame_numbers, strict=True))
    for path, last in wanted:
        if last > len(every[path]):
            raise ExportError(f"{path} has {len(every[path])} frames but the clip has frame {last}: open it again.")
    found = [str(every[path][0].instance.data.SOPInstanceUID) for path in files]
    if source.instance_uids and found != list(source.instance_uids):
        raise ExportError("The source images are others than those that were opened: open the clip again.")
    return tuple(every[path][index - 1] for path, index in wanted)


def read_header(path: Path) -> Instance:
    """Read a DICOM file without its pixels.

    Raises
    ------
    ExportError
        No file, or no DICOM image in it.
    """
    import pydicom

    try:
        data = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except (OSError, pydicom.errors.InvalidDicomError, ValueError) as error:
        raise ExportError(
            f"Cannot read the source image {path} again ({error}): DICOM-SEG needs it for its references."
        ) from error
    if "SOPInstanceUID" not in data or "SOPClassUID" not in data:
        raise ExportError(f"{path} has no SOP instance UID, so DICOM-SEG cannot reference it: export NIfTI instead.")
    return Instance(path, data, "")


def number_in_object(frame: DicomFrame) -> int | None:
    """Frame number that a reference must name, None for an image of a single frame."""
    return frame.frame_number if "NumberOfFrames" in frame.instance.data else None


def slice_thickness(frame: DicomFrame) -> float | None:
    """SliceThickness in mm, wherever the object keeps it."""
    data = frame.instance.data
    places = [data]
    if "PerFrameFunctionalGroupsSequence" in data:
        own = data.PerFrameFunctionalGroupsSequence[frame.frame_number - 1]
        groups = (own, *(data.get("SharedFunctionalGroupsSequence") or ()))
        places = [item for group in groups for item in group.get("PixelMeasuresSequence") or ()]
    return next((value for value in (number(place, "SliceThickness") for place in places) if value), None)


def with_headers(frames: Sequence[DicomFrame], segmentation: Segmentation) -> SourceFrames:
    """Give each frame a stand-in header, and a place where the source says none.

    Raises
    ------
    ExportError
        Frames that do not share orientation or size.
    """
    from pydicom.uid import generate_uid

    first = frames[0]
    if not _same_orientation(frames):
        raise ExportError(
            "The source frames are oriented differently, which one DICOM-SEG cannot hold: export one orientation."
        )
    if len({frame.instance.size for frame in frames}) > 1:
        raise ExportError("The source frames differ in size, which one DICOM-SEG cannot hold: export one size.")
    common = _common(first.instance.data)
    positions, notices = _set_place(common, frames, segmentation)
    still = len(frames) > 1 and bool(np.ptp(positions, axis=0).max() <= POSITION_TOLERANCE_MM)
    headers = []
    for index, place in enumerate(positions):
        header = copied(common)
        header.SOPInstanceUID = generate_uid()
        header.ImagePositionPatient = [decimal(value) for value in ((0, 0, index) if still else place)]
        headers.append(header)
    return SourceFrames(tuple(frames), tuple(headers), positions, not _placed(frames), still, notices)


def _set_place(
    common: Dataset, frames: Sequence[DicomFrame], segmentation: Segmentation
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Set frame of reference, orientation and spacing, true or made up; positions of the frames, and notices."""
    from pydicom.uid import generate_uid

    first = frames[0]
    step_mm, *spacing_yx = segmentation.geometry.spacing_mm_zyx
    uid = text(first.instance.data, "FrameOfReferenceUID")
    notices: tuple[str, ...] = ()
    orientation: Iterable[float] = (1, 0, 0, 0, 1, 0)
    if not _placed(frames) or first.orientation is None:
        positions = np.outer(np.arange(len(frames)) * step_mm, (0.0, 0.0, 1.0))
        # the same made-up frame of reference each time: two exports of one cine overlay each other
        uid = generate_uid(entropy_srcs=["napari-vost", text(first.instance.data, "SOPInstanceUID")])
        notices = (
            "The source has no positions: DICOM-SEG carries a synthetic frame of reference and positions, so trust its "
            "references to source frames, not its millimetres across frames.",
        )
    else:
        positions = np.array([frame.origin for frame in frames], dtype=np.float64)
        orientation = first.orientation
        spacing_yx = list(first.spacing_yx or spacing_yx)
        if not uid:
            uid = generate_uid(entropy_srcs=["napari-vost", text(first.instance.data, "SeriesInstanceUID")])
            notices = ("The source names no frame of reference: one was made up for DICOM-SEG.",)
    common.FrameOfReferenceUID = uid
    common.ImageOrientationPatient = [decimal(value) for value in orientation]
    common.PixelSpacing = [decimal(value) for value in spacing_yx]
    common.SliceThickness = decimal(slice_thickness(first) or step_mm)
    return positions, notices


def _placed(frames: Iterable[DicomFrame]) -> bool:
    return all(frame.placed for frame in frames)


def _same_orientation(frames: Iterable[DicomFrame]) -> bool:
    known = [frame.orientation for frame in frames if frame.orientation is not None]
    return len(known) == 0 or bool(np.ptp(np.array(known), axis=0).max() < 1e-4)


def _common(data: Dataset) -> Dataset:
    """What all stand-ins share: patient, study and image size; type-2 attributes filled in where they are missing."""
    from pydicom.dataset import Dataset as Empty
    from pydicom.uid import generate_uid

    common = Empty()
    for element in data:
        if element.tag.group <= 0x0028 and not element.tag.is_private and element.VR != "SQ":
            clean = _clean(element)
            if clean is not None:
                common.add(clean)
    for name in _EACH_ITS_OWN:
        if name in common:
            delattr(common, name)
    for name in _TYPE_2:
        if common.get(name) is None:
            setattr(common, name, "")
    for name in ("StudyInstanceUID", "SeriesInstanceUID"):
        if not common.get(name):
            setattr(common, name, generate_uid())
    if common.get("PatientIdentityRemoved") == "YES" and not common.get("DeidentificationMethod"):
        common.DeidentificationMethod = "Not stated by the source images"  # the standard wants one
    common.SOPClassUID = _MR_IMAGE
    return common


def _clean(element: Any) -> Any:
    """A copy of an element (pydicom sets values in place), mended if it is an old date or time, None if it is invalid.

    Dates with dots and times with colons are those of ACR-NEMA, the standard before DICOM (PS3.5 6.2).
    """
    from pydicom.config import RAISE
    from pydicom.valuerep import validate_value

    clean = copy.copy(element)
    if element.VR in ("DA", "TM") and isinstance(element.value, str):
        clean.value = element.value.replace("." if element.VR == "DA" else ":", "")
    if element.VR in ("DA", "TM", "AS", "CS", "LO", "SH", "PN"):
        several = element.VM > 1
        try:
            for value in clean.value if several else (clean.value,):
                validate_value(element.VR, value, RAISE)
        except (ValueError, TypeError):
            return None
    return clean


def copied(data: Dataset) -> Dataset:
    """A data set of its own with the same elements; set none of them without deleting it first."""
    from pydicom.dataset import Dataset as Empty

    own = Empty()
    own.update(data)
    return own


def decimal(value: float) -> str:
    """A DICOM decimal string: at most 16 characters."""
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(float(value)))
