"""Masks as a DICOM Segmentation object (BINARY), with references to the source images frame by frame."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import ExportError
from napari_vost.io.atomic import atomic_file
from napari_vost.io.exporters.dicom_places import Placement, own_placement, reference_frames
from napari_vost.io.exporters.dicom_sources import (
    Dataset,
    SourceFrames,
    copied,
    decimal,
    number_in_object,
    source_frames,
    with_headers,
)
from napari_vost.io.readers.dicom_frames import DicomFrame
from napari_vost.types import Code, Label, Segmentation

SERIES_DESCRIPTION = "napari-vost segmentation"
_DICOM_KINDS = ("dicom-series", "dicom-multiframe")
_TEXT_MAX = 64  # characters of a DICOM long string


def write(
    segmentation: Segmentation,
    path: Path,
    *,
    reference: Path | None = None,
    fill_gap: bool = False,
    resample: bool = False,
    creator: str = "",
) -> tuple[str, ...]:
    """Write a DICOM Segmentation object (PS3.3 A.51), segmentation type BINARY.

    Segments are numbered from 1 in the order of object ids; objects may overlap. Only frames with a pixel are
    stored, each at the exact position of its source image (tilted and uneven stacks lose nothing) with a reference to
    it. Frames of a cine that lie in one place are told apart by their temporal position. A source without
    positions gets synthetic ones, said in the file (content and series description) and in the notices.

    Parameters
    ----------
    segmentation
        What to write.
    path
        Target file.
    reference
        Folder of a DICOM series with the same voxels, needed where the clip was not DICOM and used only there.
    fill_gap, resample
        Not needed here: every slice keeps its own position.
    creator
        Content creator's name, as ``Family^Given``; left out if empty.

    Returns
    -------
    tuple of str
        What was left out or made up, in words.

    Raises
    ------
    ExportError
        Nothing to write, no source to reference or one that does not match, or a target that cannot be written.
    """
    kept, dropped = _with_pixels(segmentation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the source's own headers, which nobody here can mend
        frames, placement = _frames(segmentation, reference)
        sources = with_headers(frames, segmentation)
        pixels, used = _pixels(segmentation, placement, kept)
        try:
            dataset = _build(segmentation, sources, pixels, used, kept, creator)
            _refer(dataset, sources)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise ExportError(f"The source headers do not suffice for DICOM-SEG ({reason}): export NIfTI.") from error
        with atomic_file(path) as temporary:
            dataset.save_as(temporary)
    return (*dropped, *sources.notices)


def _frames(segmentation: Segmentation, reference: Path | None) -> tuple[tuple[DicomFrame, ...], Placement]:
    """Frames to reference, and how the masks lie on them."""
    if segmentation.source.kind in _DICOM_KINDS:
        frames = source_frames(segmentation)
        return frames, own_placement(segmentation, frames)
    if reference is not None:
        return reference_frames(segmentation, reference)
    raise ExportError(
        f"DICOM-SEG must reference DICOM images and this clip is {segmentation.source.kind}: give the folder of "
        "the DICOM series it was made from (--reference DIR), or export NIfTI."
    )


def _with_pixels(segmentation: Segmentation) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Object ids that have a pixel somewhere, and a notice for each of the others."""
    kept, notices = [], []
    for number in segmentation.object_ids:
        if any(not packed.empty for packed in segmentation.masks[number].values()):
            kept.append(number)
        else:
            notices.append(f"Object {number} ({_label(segmentation, number).name}) has no pixel and was left out.")
    if not kept:
        raise ExportError("No object has a pixel, and an empty DICOM-SEG is not allowed: segment something first.")
    return tuple(kept), tuple(notices)


def _label(segmentation: Segmentation, number: int) -> Label:
    return segmentation.labels.get(number) or Label(f"object {number}")


def _pixels(
    segmentation: Segmentation, placement: Placement, kept: tuple[int, ...]
) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.intp]]:
    """Native frames with a pixel, and their indices: segment numbers (N, rows, columns), or (…, S) if they overlap."""
    dtype = np.uint8 if len(kept) <= 255 else np.uint16
    labels = np.zeros(placement.shape(segmentation.shape), dtype=dtype)
    meet = False
    for segment, number in enumerate(kept, start=1):
        volume = placement(segmentation.volume(number))
        meet = meet or bool(labels[volume].any())
        labels[volume] = segment
    used = np.flatnonzero(labels.any(axis=(1, 2)))
    if not meet:
        return labels[used], used
    stacked = [placement(segmentation.volume(number))[used] for number in kept]
    return np.stack(stacked, axis=-1).astype(np.uint8), used


def _build(
    segmentation: Segmentation,
    sources: SourceFrames,
    pixels: NDArray[np.unsignedinteger[Any]],
    used: NDArray[np.intp],
    kept: tuple[int, ...],
    creator: str,
) -> Dataset:
    """Let highdicom build the object on the stand-in headers of the frames that are used."""
    import highdicom
    from pydicom.uid import generate_uid

    number = sources.frames[0].instance.data.get("SeriesNumber")
    content = "Positions are synthetic: the source images have none." if sources.synthetic else None
    extra = " (synthetic positions)" if sources.synthetic else ""
    return highdicom.seg.Segmentation(
        source_images=[sources.headers[index] for index in used],
        pixel_array=pixels,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(segment, number, segmentation) for segment, number in enumerate(kept, start=1)
        ],
        series_instance_uid=generate_uid(),
        series_number=10000 + int(number or 0) % 10000,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="napari-vost",
        manufacturer_model_name="napari-vost",
        software_versions=_version(),
        device_serial_number="1",
        content_label="SEGMENTATION",
        content_description=content,
        content_creator_name=(creator if "^" in creator else f"{creator}^") if creator else None,
        series_description=SERIES_DESCRIPTION + extra,
        specific_character_set="ISO_IR 192",
    )


def _description(segment: int, number: int, segmentation: Segmentation) -> Dataset:
    import highdicom
    from pydicom.sr.codedict import codes

    label = _label(segmentation, number)
    name = (label.name.replace("\\", "/").strip() or f"object {number}")[:_TEXT_MAX]
    algorithm, version = segmentation.algorithm
    colour = label.colour_rgb
    return highdicom.seg.SegmentDescription(
        segment_number=segment,
        segment_label=name,
        segmented_property_category=_concept(label.category),
        segmented_property_type=_concept(label.type),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=algorithm[:_TEXT_MAX], family=codes.cid7162.ArtificialIntelligence, version=version or _version()
        ),
        tracking_id=f"{name} (object {number})",
        tracking_uid=highdicom.UID(),
        display_color=None if colour is None else highdicom.color.CIELabColor.from_rgb(*colour),
    )


def _version() -> str:
    from importlib.metadata import version

    return version("napari-vost")


def _concept(code: Code) -> Dataset:
    import highdicom

    return highdicom.sr.CodedConcept(code.value, code.scheme, code.meaning)


def _refer(dataset: Dataset, sources: SourceFrames) -> None:
    """Replace the stand-ins by the true images: instances, classes, frame numbers, positions."""
    by_uid = {str(header.SOPInstanceUID): index for index, header in enumerate(sources.headers)}
    dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence = _instances(sources)
    dataset.SourceImageSequence = _instances(sources)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        derivation = group.DerivationImageSequence[0]
        item = copied(derivation.SourceImageSequence[0])  # highdicom shares one between segments
        index = by_uid[str(item.pop("ReferencedSOPInstanceUID").value)]
        del item.ReferencedSOPClassUID
        frame = sources.frames[index]
        item.ReferencedSOPClassUID = frame.instance.data.SOPClassUID
        item.ReferencedSOPInstanceUID = frame.instance.data.SOPInstanceUID
        frame_number = number_in_object(frame)
        if frame_number is not None:
            item.ReferencedFrameNumber = frame_number
        derivation.SourceImageSequence = [item]
        if sources.still:
            plane = copied(group.PlanePositionSequence[0])
            del plane.ImagePositionPatient
            plane.ImagePositionPatient = [decimal(value) for value in sources.positions[index]]
            group.PlanePositionSequence = [plane]
            group.FrameContentSequence[0].TemporalPositionIndex = index + 1
    shared = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    between = sources.spacing_between()
    if between is not None:
        shared.SpacingBetweenSlices = round(between, 6)
    elif "SpacingBetweenSlices" in shared:
        del shared.SpacingBetweenSlices
    if sources.still:
        _index_by_time(dataset)


def _instances(sources: SourceFrames) -> list[Dataset]:
    """One reference per source instance, in order."""
    from pydicom.dataset import Dataset as Empty

    items: dict[str, Dataset] = {}
    for frame in sources.frames:
        item = Empty()
        item.ReferencedSOPClassUID = frame.instance.data.SOPClassUID
        item.ReferencedSOPInstanceUID = frame.instance.data.SOPInstanceUID
        items.setdefault(str(frame.instance.data.SOPInstanceUID), item)
    return list(items.values())


def _index_by_time(dataset: Dataset) -> None:
    """Frames in one place differ by temporal position index, not by position (PS3.3 C.7.6.17)."""
    from pydicom.tag import Tag

    pointers = [item.DimensionIndexPointer for item in dataset.DimensionIndexSequence]
    place = pointers.index(Tag("ImagePositionPatient"))
    item = dataset.DimensionIndexSequence[place]
    item.DimensionIndexPointer = Tag("TemporalPositionIndex")
    item.FunctionalGroupPointer = Tag("FrameContentSequence")
    item.DimensionDescriptionLabel = "Temporal Position Index"
    for group in dataset.PerFrameFunctionalGroupsSequence:
        content = group.FrameContentSequence[0]
        values = np.atleast_1d(content.DimensionIndexValues).tolist()
        values[place] = content.TemporalPositionIndex
        content.DimensionIndexValues = values
    if "DimensionOrganizationType" in dataset:
        del dataset.DimensionOrganizationType
