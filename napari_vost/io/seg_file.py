"""DICOM-SEG in: segments that somebody drew on a scan, brought onto the frames of a clip.

Where a SEG names the images of the clip (PS3.3 C.7.6.16.2.6, derivation image), its frames go to the clip's by that
name, which holds for uneven and tilted stacks and for loops without positions too. Otherwise they go by position.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.geometry import POSITION_TOLERANCE_MM, Geometry
from napari_vost.io.readers.dicom_frames import DicomFrame, frames_of
from napari_vost.io.readers.dicom_header import Instance
from napari_vost.types import TISSUE, Code, Label

Ids = NDArray[np.int64]
Place = tuple[str, int]  # SOP instance UID, frame number from 1

_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # PS3.4 B.5: segmentation, label map
_TURNED = 1e-3  # largest difference, in mm per pixel, of two directions that count as one
_UPRIGHT = (1, 0)  # stored axes of a clip's (y, x) where its frames are the stored images


@dataclass(frozen=True, eq=False)
class SegFile:
    """A DICOM-SEG, its pixels unread.

    Attributes
    ----------
    data
        The data set.
    frames
        Where each of its frames lies.
    """

    data: Any
    frames: tuple[DicomFrame, ...]

    def on_its_images(self, clip: Clip) -> Ids | None:
        """Segment numbers (T, H, W) by the images that this names; None where those are not the clip's frames."""
        places = frame_places(clip)
        if not places or clip.shape[1:] != (int(self.data.Rows), int(self.data.Columns)):
            return None
        at = [places.get(one) if one is not None else None for one in map(_source, self._groups)]
        if all(one is None for one in at):
            return None
        ids: Ids = np.zeros(clip.shape, np.int64)
        for frame_index, plane in zip(at, self.planes(), strict=True):
            if frame_index is not None:
                lay(ids[frame_index], plane)
        return ids

    @property
    def frame_of_reference(self) -> str:
        """UID of what its positions are relative to, "" where it does not say."""
        return str(self.data.get("FrameOfReferenceUID", ""))

    @property
    def affines(self) -> NDArray[np.float64]:
        """(N, 4, 4) from ``(x, y, 0, 1)`` of each stored frame to LPS millimetres.

        Raises
        ------
        InputError
            The frames have no positions.
        """
        if not all(one.placed for one in self.frames):
            raise InputError("it names other images and has no positions: take one that was made on this scan.")
        found = np.tile(np.eye(4), (len(self.frames), 1, 1))
        for affine, one in zip(found, self.frames, strict=True):
            across, (row_mm, column_mm) = np.asarray(one.orientation), one.spacing_yx or (1.0, 1.0)
            affine[:3, 0], affine[:3, 1] = across[:3] * column_mm, across[3:] * row_mm
            affine[:3, 2], affine[:3, 3] = np.cross(across[:3], across[3:]), np.asarray(one.origin)
        return found

    def volume(self) -> tuple[Ids, Geometry]:
        """Segment numbers (K, H, W), slices that are not stored among them, and where they lie.

        Raises
        ------
        InputError
            The frames have no positions, or lie unevenly.
        """
        affines, thickness = self.affines, self.frames[0].thickness
        along = (affines[:, :3, 3] - affines[0, :3, 3]) @ affines[0, :3, 2]
        if np.abs(affines[:, :3, :2] - affines[0, :3, :2]).max() > _TURNED:
            raise InputError("its frames are turned against one another, and it names other images.")
        gaps = np.diff(np.sort(along))
        steps = [*([thickness] if thickness else []), *np.sort(gaps[gaps > POSITION_TOLERANCE_MM])[:1], 1.0]
        slices, off = np.zeros(len(along), int), 0.0
        for step in steps if np.ptp(along) > POSITION_TOLERANCE_MM else []:
            slices = np.rint((along - along.min()) / step).astype(int)
            off = float(np.abs((along - along.min()) - slices * step).max())
            if off <= POSITION_TOLERANCE_MM:
                break
        if off > POSITION_TOLERANCE_MM:
            raise InputError("its frames lie unevenly, and it names other images: take one that was made on this scan.")
        ids: Ids = np.zeros((slices.max() + 1, int(self.data.Rows), int(self.data.Columns)), np.int64)
        for index, plane in zip(slices, self.planes(), strict=True):
            lay(ids[index], plane)
        affine = affines[slices.argmin()].copy()
        # from the slices themselves: in a tilted stack they do not lie above one another
        last = affines[slices.argmax(), :3, 3]
        affine[:3, 2] = (last - affine[:3, 3]) / slices.max() if slices.max() else affine[:3, 2] * steps[0]
        return ids, Geometry(affine)

    @property
    def _groups(self) -> Sequence[Any]:
        found: Sequence[Any] = self.data.PerFrameFunctionalGroupsSequence
        return found

    def planes(self) -> Iterator[Ids]:
        """Segment numbers (H, W) of one stored frame after the other."""
        from pydicom.pixels import iter_pixels

        kind = str(self.data.get("SegmentationType", "BINARY"))
        shared = self.data.SharedFunctionalGroupsSequence[0]
        half = int(self.data.get("MaximumFractionalValue", 1)) / 2
        for group, pixels in zip(self._groups, iter_pixels(self.data, raw=True), strict=True):
            if kind == "LABELMAP":
                yield pixels.astype(np.int64)
                continue
            where = group if "SegmentIdentificationSequence" in group else shared
            number = int(where.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
            inside = pixels >= half if kind == "FRACTIONAL" else pixels > 0
            yield np.where(inside, number, 0).astype(np.int64)


def is_seg(path: Path) -> bool:
    """Whether a file is a DICOM-SEG."""
    import pydicom

    if not path.is_file():
        return False
    try:
        data = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    except (OSError, ValueError, AttributeError, KeyError, pydicom.errors.InvalidDicomError):
        return False
    return str(data.get("SOPClassUID", "")) in _CLASSES


def open_seg(path: Path) -> SegFile:
    """Open a DICOM-SEG.

    Raises
    ------
    InputError
        It is damaged, or says too little of its frames.
    """
    import pydicom

    try:
        data = pydicom.dcmread(path)
        frames = frames_of(Instance(path, data, str(data.file_meta.TransferSyntaxUID)))
        complete = (
            bool(_labels_of(data))
            and len(frames) == len(data.PerFrameFunctionalGroupsSequence)
            and bool(data.SharedFunctionalGroupsSequence)
        )
    except (OSError, ValueError, AttributeError, KeyError, IndexError, pydicom.errors.InvalidDicomError) as error:
        raise InputError(f"{path} is a DICOM-SEG that cannot be read ({error}): export it again.") from error
    if not complete:
        raise InputError(
            f"{path} is a DICOM-SEG that does not say what its frames show and where they lie: export it again."
        )
    return SegFile(data, frames)


def segment_labels(path: Path) -> dict[int, Label]:
    """Name, codes and colour of each segment of a DICOM-SEG, by its number."""
    import pydicom

    data = pydicom.dcmread(path, specific_tags=["SegmentSequence"], stop_before_pixels=True)
    return _labels_of(data) if "SegmentSequence" in data else {}


def _labels_of(data: Any) -> dict[int, Label]:
    return {int(item.SegmentNumber): _label(item) for item in data.SegmentSequence}


def frame_places(clip: Clip) -> dict[Place, int]:
    """Frame of a clip by instance and frame number; empty where its frames are not stored images."""
    source, count = clip.source, len(clip)
    uids, numbers = source.instance_uids, source.frame_numbers
    if len(uids) == 1:
        uids = uids * count
        numbers = numbers or (() if source.grid.fixed else tuple(range(1, count + 1)))
    if source.grid.axes[1:] != _UPRIGHT or len(uids) != count:
        return {}
    return {place: index for index, place in enumerate(zip(uids, numbers or (1,) * count, strict=True))}


def _source(group: Any) -> Place | None:
    """The image that a frame was drawn on, None where it does not say."""
    for derivation in group.get("DerivationImageSequence") or ():
        for item in derivation.get("SourceImageSequence") or ():
            number = item.get("ReferencedFrameNumber", 1)
            return str(item.ReferencedSOPInstanceUID), int(number if isinstance(number, int | str) else number[0])
    return None


def lay(below: Ids, ids: Ids) -> None:
    """Put object ids onto others of the same shape; where they overlap the smaller number stays."""
    new = (ids > 0) & ((below == 0) | (ids < below))
    below[new] = ids[new]


def _label(item: Any) -> Label:
    from highdicom.color import CIELabColor

    name = str(item.get("SegmentLabel", "")).strip() or f"Object {int(item.SegmentNumber)}"
    colour = item.get("RecommendedDisplayCIELabValue")
    red, green, blue = CIELabColor.from_dicom_value(list(colour)).to_rgb() if colour else (0, 0, 0)
    return Label(
        name,
        _code(item, "SegmentedPropertyCategoryCodeSequence"),
        _code(item, "SegmentedPropertyTypeCodeSequence"),
        (red, green, blue) if colour else None,
    )


def _code(item: Any, keyword: str) -> Code:
    found = item.get(keyword)
    if not found or "CodeValue" not in found[0]:
        return TISSUE
    return Code(*(str(found[0].get(word, "")) for word in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")))
