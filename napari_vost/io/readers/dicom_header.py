"""DICOM headers without pixels and without the patient: only the elements named here are ever read."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import ReadError

TAGS = (
    "SOPClassUID SOPInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality SeriesNumber InstanceNumber ImageType "
    "Rows Columns SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames BitsAllocated "
    "BitsStored HighBit PixelRepresentation PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing "
    "EstimatedRadiographicMagnificationFactor ImagePositionPatient ImageOrientationPatient SliceThickness "
    "SpacingBetweenSlices RescaleSlope RescaleIntercept ModalityLUTSequence WindowCenter WindowWidth "
    "WindowCenterWidthExplanation FrameTime FrameTimeVector CineRate ActualFrameDuration RecommendedDisplayFrameRate "
    "HeartRate TriggerTime TemporalPositionIdentifier TemporalResolution AcquisitionNumber AcquisitionTime EchoTime "
    "EchoNumbers DiffusionBValue InversionTime SequenceOfUltrasoundRegions "
    "SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence "
    "RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor "
    "BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData GreenPaletteColorLookupTableData "
    "BluePaletteColorLookupTableData SegmentedRedPaletteColorLookupTableData "
    "SegmentedGreenPaletteColorLookupTableData SegmentedBluePaletteColorLookupTableData "
    "ExtendedOffsetTable ExtendedOffsetTableLengths"
).split()
UNDEFINED = 0xFFFFFFFF
DIRECTORY = "1.2.840.10008.1.3.10"  # a DICOMDIR
DEFLATED = "1.2.840.10008.1.2.1.99"
NO_IMAGE = frozenset({"SEG", "SR", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "PR", "KO", "REG", "FID", "PLAN", "DOC"})
_PIXELS = {(0x7FE0, 0x0010): "PixelData", (0x7FE0, 0x0008): "FloatPixelData", (0x7FE0, 0x0009): "DoubleFloatPixelData"}


@dataclass(frozen=True, eq=False)
class Instance:
    """One DICOM object.

    Attributes
    ----------
    path
        The file.
    data
        The elements of `TAGS`, as a pydicom data set.
    transfer_syntax
        UID of the encoding.
    pixel_keyword
        Name of the pixel element, "" when there is none.
    pixel_vr
        Its value representation: bytes of OW are swapped in a big-endian file, those of OB are not.
    pixel_offset, pixel_length
        Where its value lies in the file; the length is `UNDEFINED` when it is encapsulated. The offset is -1 in a
        deflated file.
    """

    path: Path
    data: Any
    transfer_syntax: str
    pixel_keyword: str = ""
    pixel_vr: str = "OW"
    pixel_offset: int = -1
    pixel_length: int = 0

    @property
    def transfer_syntax_name(self) -> str:
        """Name of the encoding, its UID where pydicom knows no name."""
        from pydicom.uid import UID

        return str(UID(self.transfer_syntax).name)

    @property
    def modality(self) -> str:
        """Modality word, "" when missing."""
        return text(self.data, "Modality")

    @property
    def frames(self) -> int:
        """Number of frames."""
        return max(int(number(self.data, "NumberOfFrames") or 1), 1)

    @property
    def size(self) -> tuple[int, int]:
        """``(rows, columns)``."""
        return int(number(self.data, "Rows") or 0), int(number(self.data, "Columns") or 0)

    @property
    def colour(self) -> bool:
        """Whether frames come out as RGB."""
        return int(number(self.data, "SamplesPerPixel") or 1) == 3 or self.photometric == "PALETTE COLOR"

    @property
    def photometric(self) -> str:
        """Photometric interpretation."""
        return text(self.data, "PhotometricInterpretation") or "MONOCHROME2"

    @property
    def no_image(self) -> str:
        """What the object is when it holds no image ("SEG", "SR", …), "" when it does."""
        if self.modality in NO_IMAGE:
            return self.modality
        return "" if self.pixel_keyword else self.modality or "no pixels"


def text(data: Any, keyword: str) -> str:
    """Value of an element as one word, "" when missing; several values are joined by a backslash."""
    value = data.get(keyword) if data is not None else None
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Sequence) or hasattr(value, "__iter__"):
        return "\\".join(str(one).strip() for one in value)
    return str(value).strip()


def numbers(data: Any, keyword: str) -> tuple[float, ...]:
    """Values of a numeric element, () when missing or unreadable."""
    try:
        value = data.get(keyword) if data is not None else None
        if value is None or value == "":
            return ()
        several = hasattr(value, "__iter__") and not isinstance(value, str)
        return tuple(float(one) for one in value) if several else (float(value),)
    except (TypeError, ValueError):
        return ()


def number(data: Any, keyword: str) -> float | None:
    """First value of a numeric element, None when missing."""
    values = numbers(data, keyword)
    return values[0] if values else None


def vector(data: Any, keyword: str, length: int) -> NDArray[np.float64] | None:
    """Values of a numeric element as an array, None when missing or of another length."""
    values = numbers(data, keyword)
    return np.array(values) if len(values) == length and np.isfinite(values).all() else None


def read_instance(path: Path) -> Instance | None:
    """Read a header up to the pixels; None for a DICOMDIR or a file that turns out not to be DICOM.

    Raises
    ------
    ReadError
        A DICOM file that ends inside its header or its pixels.
    """
    import pydicom

    with path.open("rb") as file:
        try:
            with pydicom.config.disable_value_validation():  # odd values are common and harmless: no warnings
                data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_tags(), force=True)
                tuple(data)  # converts the elements now
        except Exception as problem:  # pydicom raises many kinds on broken headers; all mean the same to a user
            raise cut_off(path) from problem
        syntax = str(data.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2"))
        if (
            text(data, "SOPClassUID") == DIRECTORY
            or str(data.file_meta.get("MediaStorageSOPClassUID", "")) == DIRECTORY
        ):
            return None
        if not _class_name(data) and "Rows" not in data:
            return None
        if syntax == DEFLATED:
            return Instance(path, data, syntax, "PixelData" if "Rows" in data else "")
        keyword, vr, length = _pixel_element(file, syntax)
        instance = Instance(path, data, syntax, keyword, vr, file.tell(), length)
    if keyword:
        _check_complete(instance)
    elif instance.modality not in NO_IMAGE and ("Rows" in data or "Image" in _class_name(data)):
        raise cut_off(path)
    return instance


@lru_cache(maxsize=1)
def _tags() -> list[Any]:
    from pydicom.tag import Tag

    return [Tag(keyword) for keyword in TAGS]


def series_of(path: Path) -> str:
    """Series UID of a file that may be damaged, "" when even that cannot be read."""
    import pydicom

    try:
        data = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=["SeriesInstanceUID"])
    except Exception:  # pydicom raises many kinds on broken headers; a broken one belongs to no series
        return ""
    return text(data, "SeriesInstanceUID")


def _class_name(data: Any) -> str:
    """Name of the SOP class, "" when the object does not say it."""
    from pydicom.uid import UID

    uid = text(data, "SOPClassUID") or str(data.file_meta.get("MediaStorageSOPClassUID", ""))
    return str(UID(uid).name)


def frame_bytes(instance: Instance) -> int:
    """Bytes of one uncompressed frame."""
    rows, columns = instance.size
    samples = int(number(instance.data, "SamplesPerPixel") or 1)
    bits = int(number(instance.data, "BitsAllocated") or 8)
    if instance.photometric == "YBR_FULL_422":
        return rows * columns * 2
    return rows * columns * samples * bits // 8


def _pixel_element(file: Any, syntax: str) -> tuple[str, str, int]:
    """Keyword, representation and length of the pixel element that the file stands at; no keyword at another one."""
    big = syntax == "1.2.840.10008.1.2.2"
    order = ">" if big else "<"
    head = file.read(8)
    if len(head) < 8:
        return "", "", 0
    group, element = struct.unpack(f"{order}HH", head[:4])
    keyword = _PIXELS.get((group, element), "")
    if not keyword:
        return "", "", 0
    if syntax == "1.2.840.10008.1.2":
        return keyword, "OW", int(struct.unpack(f"{order}L", head[4:])[0])
    return (
        keyword,
        head[4:6].decode("ascii", "replace"),
        int(struct.unpack(f"{order}L", file.read(4).ljust(4, b"\0"))[0]),
    )


def _check_complete(instance: Instance) -> None:
    """Compare the length of the pixels with the file; cheap, so it is done on opening."""
    size = instance.path.stat().st_size
    if instance.pixel_length == UNDEFINED:
        from napari_vost.io.readers.dicom_pixels import pieces

        with instance.path.open("rb") as file:
            file.seek(-8, 2)
            if file.read(4) not in (b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd"):
                pieces(instance)
        return
    expected = frame_bytes(instance) * instance.frames
    bits = int(number(instance.data, "BitsAllocated") or 8)
    if instance.pixel_offset + instance.pixel_length > size or (bits >= 8 and instance.pixel_length < expected):
        raise cut_off(instance.path)


def cut_off(path: Path) -> ReadError:
    """The error of a file that ends too early."""
    return ReadError(f"{path.name} is cut off: the DICOM file ends before its pixels do, fetch it again.")
