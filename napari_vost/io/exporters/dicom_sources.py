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
from napari_vost.types import Segmentation

Dataset = Any  # pydicom's; it is imported where it is used
Triple = tuple[float, float, float]

_TYPE_2 = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator",
)  # fmt: skip
_EACH_ITS_OWN = (
    "NumberOfFrames", "FrameIncrementPointer", "SpacingBetweenSlices", "SOPInstanceUID", "ImagePositionPatient"
)  # fmt: skip
_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"  # stands in while the object is built: highdicom asks the class for frames


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """One native frame.

    Attributes
    ----------
    data
        The data set it belongs to, without pixels.
    frame_number
        Its number from 1 inside a multi-frame object, None for a single image.
    position, orientation
        ImagePositionPatient and ImageOrientationPatient, None where the source has none.
    spacing_yx
        PixelSpacing, None where the source has none.
    thickness
        SliceThickness in mm, None where the source has none.
    """

    data: Dataset
    frame_number: int | None
    position: Triple | None
    orientation: tuple[float, ...] | None
    spacing_yx: tuple[float, float] | None
    thickness: float | None

    @property
    def placed(self) -> bool:
        """Whether the source says where the frame lies."""
        return self.position is not None and self.orientation is not None and self.spacing_yx is not None


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

    frames: tuple[SourceFrame, ...]
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


def source_frames(segmentation: Segmentation) -> tuple[SourceFrame, ...]:
    """Read the headers of the clip's own DICOM source again.

    Raises
    ------
    ExportError
        A file that is gone or is another one than was opened.
    """
    source = segmentation.source
    files = source.files or ((source.path,) if source.path is not None else ())
    if source.kind == "dicom-series":
        frames = tuple(_whole(read_header(path)) for path in files)
        _check_uids([str(frame.data.SOPInstanceUID) for frame in frames], source.instance_uids)
        return frames
    if len(files) != 1:
        raise ExportError(f"A multi-frame DICOM source is one file, got {len(files)}: open the clip again.")
    data = read_header(files[0])
    _check_uids([str(data.SOPInstanceUID)], source.instance_uids[:1])
    every = frames_of(data)
    numbers = source.frame_numbers or tuple(range(1, len(every) + 1))
    if max(numbers) > len(every):
        raise ExportError(f"{files[0]} has {len(every)} frames, but the clip has frame {max(numbers)}: open it again.")
    return tuple(every[number - 1] for number in numbers)


def read_header(path: Path) -> Dataset:
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
    return data


def frames_of(data: Dataset) -> tuple[SourceFrame, ...]:
    """Every frame of one object: a single image, an enhanced multi-frame or an old one without positions."""
    if "PerFrameFunctionalGroupsSequence" in data:
        return tuple(_enhanced(data, index) for index in range(len(data.PerFrameFunctionalGroupsSequence)))
    count = int(data.get("NumberOfFrames") or 1)
    if count == 1 and "NumberOfFrames" not in data:
        return (_whole(data),)
    placed = _whole(data) if count == 1 else None
    return tuple(
        SourceFrame(
            data,
            index + 1,
            placed.position if placed else None,
            placed.orientation if placed else None,
            _floats(data.get("PixelSpacing"), 2),
            _number(data.get("SliceThickness")),
        )
        for index in range(count)
    )


def _whole(data: Dataset) -> SourceFrame:
    return SourceFrame(
        data,
        None,
        _floats(data.get("ImagePositionPatient"), 3),
        _floats(data.get("ImageOrientationPatient"), 6),
        _floats(data.get("PixelSpacing"), 2),
        _number(data.get("SliceThickness")),
    )


def _enhanced(data: Dataset, index: int) -> SourceFrame:
    """Frame of an enhanced object; each functional group stands with the frame or with all of them."""
    own = data.PerFrameFunctionalGroupsSequence[index]
    shared = (data.get("SharedFunctionalGroupsSequence") or [None])[0]

    def group(name: str) -> Dataset:
        for place in (own, shared):
            if place is not None and place.get(name):
                return place[name].value[0]
        return {}

    measures = group("PixelMeasuresSequence")
    return SourceFrame(
        data,
        index + 1,
        _floats(group("PlanePositionSequence").get("ImagePositionPatient"), 3),
        _floats(group("PlaneOrientationSequence").get("ImageOrientationPatient"), 6),
        _floats(measures.get("PixelSpacing"), 2),
        _number(measures.get("SliceThickness")),
    )


def _floats(value: Any, count: int) -> Any:
    return tuple(float(part) for part in value) if value is not None and len(value) == count else None


def _number(value: Any) -> float | None:
    return float(value) if value not in (None, "") else None


def _check_uids(found: Sequence[str], expected: Sequence[str]) -> None:
    if expected and list(found) != list(expected):
        raise ExportError("The source images are others than those that were opened: open the clip again.")


def with_headers(frames: Sequence[SourceFrame], segmentation: Segmentation) -> SourceFrames:
    """Give each frame a stand-in header, and a place where the source says none.

    Raises
    ------
    ExportError
        Frames that do not share orientation or size.
    """
    from pydicom.uid import generate_uid

    first = frames[0]
    if len({frame.orientation for frame in frames}) > 1 and not _same_orientation(frames):
        raise ExportError(
            "The source frames are oriented differently, which one DICOM-SEG cannot hold: export one orientation."
        )
    synthetic = not all(frame.placed for frame in frames)
    step_mm, *spacing_yx = segmentation.geometry.spacing_mm_zyx
    uid = str(first.data.get("FrameOfReferenceUID") or "")
    notices: tuple[str, ...] = ()
    if synthetic:
        positions = np.outer(np.arange(len(frames)) * step_mm, (0.0, 0.0, 1.0))
        # the same made-up frame of reference each time: two exports of one cine overlay each other
        uid = generate_uid(entropy_srcs=["napari-vost", str(first.data.SOPInstanceUID)])
        notices = (
            "The source has no positions: DICOM-SEG carries a synthetic frame of reference and positions, so trust its "
            "references to source frames, not its millimetres across frames.",
        )
    else:
        positions = np.array([frame.position for frame in frames], dtype=np.float64)
        spacing_yx = list(first.spacing_yx or spacing_yx)
        if not uid:
            uid = generate_uid(entropy_srcs=["napari-vost", str(first.data.get("SeriesInstanceUID", ""))])
            notices = ("The source names no frame of reference: one was made up for DICOM-SEG.",)
    still = len(frames) > 1 and bool(np.ptp(positions, axis=0).max() <= POSITION_TOLERANCE_MM)
    orientation = [1, 0, 0, 0, 1, 0] if synthetic else list(first.orientation or ())
    common = _common(first.data)
    common.FrameOfReferenceUID, common.ImageOrientationPatient = uid, orientation
    common.PixelSpacing = [decimal(value) for value in spacing_yx]
    common.SliceThickness = decimal(first.thickness or step_mm)
    headers = []
    for index, frame in enumerate(frames):
        if (frame.data.Rows, frame.data.Columns) != (first.data.Rows, first.data.Columns):
            raise ExportError("The source frames differ in size, which one DICOM-SEG cannot hold: export one size.")
        header = copied(common)
        header.SOPInstanceUID = generate_uid()
        place = (0.0, 0.0, float(index)) if still else tuple(positions[index])
        header.ImagePositionPatient = [decimal(value) for value in place]
        headers.append(header)
    return SourceFrames(tuple(frames), tuple(headers), positions, synthetic, still, notices)


def _same_orientation(frames: Iterable[SourceFrame]) -> bool:
    known = [frame.orientation for frame in frames if frame.orientation is not None]
    return len(known) == 0 or bool(np.ptp(np.array(known), axis=0).max() < 1e-4)


def _common(data: Dataset) -> Dataset:
    """What all stand-ins share: patient, study and image size; type-2 attributes filled in where they are missing."""
    from pydicom.dataset import Dataset as Empty
    from pydicom.uid import generate_uid

    common = Empty()
    for element in data:
        if element.tag.group <= 0x0028 and not element.tag.is_private and element.VR != "SQ":
            common.add(copy.copy(element))  # pydicom sets values in place: the source keeps its own
    for name in _EACH_ITS_OWN:
        if name in common:
            delattr(common, name)
    for name in _TYPE_2:
        if common.get(name) is None:
            setattr(common, name, "")
    for name in ("StudyInstanceUID", "SeriesInstanceUID"):
        if not common.get(name):
            setattr(common, name, generate_uid())
    common.SOPClassUID = _MR_IMAGE
    return common


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
