"""DICOM objects without positions: ultrasound and angiography cines, endoscopy, older MR cines, single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_vost.clip import Clip, Window
from napari_vost.errors import ReadError
from napari_vost.geometry import Grid
from napari_vost.io.readers.axes import choose_grid, geometry_of
from napari_vost.io.readers.candidates import ONE_FRAME, Options
from napari_vost.io.readers.dicom_frames import DicomFrame, instance_numbers
from napari_vost.io.readers.dicom_header import Instance, text
from napari_vost.io.readers.dicom_pixels import PixelSource, check_decodable, common_type, pieces, real_world
from napari_vost.io.readers.dicom_time import cine_times_s, heart_rate_hz, pixel_size_yx
from napari_vost.io.readers.stacks import PlaneStack
from napari_vost.types import Image, Source

NO_PLACES = "The images say no positions: they follow one another by instance number, as a cine."


def open_cine(frames: Sequence[DicomFrame], kind: str, options: Options) -> Clip:
    """Open frames without positions, in the order of the object; they follow one another in time.

    Parameters
    ----------
    frames
        Frames of one size: one multi-frame object, or single images of a series by instance number.
    kind
        As in `Source.kind`.
    options
        The caller's choice.

    Raises
    ------
    ReadError
        An encoding that no decoder reads, or a choice that does not fit a cine.
    """
    first = frames[0].instance
    instances = tuple(dict.fromkeys(frame.instance for frame in frames))
    for instance in instances:
        check_decodable(instance)
    rows, columns = first.size
    size, notices = pixel_size_yx(first)
    height_mm, width_mm = size or (1.0, 1.0)
    affine = np.diag([width_mm, height_mm, frames[0].thickness or 1.0, 1.0])
    grid, order = choose_grid((columns, rows, len(frames)), affine, options, "time", oriented=False)
    geometry = geometry_of(grid, False, size is not None, text(first.data, "FrameOfReferenceUID") or None)
    windows = frames[0].windows
    if len(frames) == 1:
        notices += (ONE_FRAME,)
    elif len(instances) > 1:
        notices += (NO_PLACES,)
    if first.photometric == "MONOCHROME1":
        windows = tuple(Window(-one.high, -one.low, one.name) for one in windows)
        notices += ("Values are stored inverted (MONOCHROME1): they were negated, so that brighter means more.",)
    several = kind == "dicom-multiframe"
    return Clip(
        _stack(frames, grid),
        order,
        geometry,
        Source(
            kind,
            grid,
            first.path if len(instances) == 1 else first.path.parent,
            tuple(one.path for one in instances),
            tuple(text(one.data, "SOPInstanceUID") for one in instances),
            tuple(frame.frame_number for frame in frames) if several else (),
            text(first.data, "SeriesInstanceUID"),
            instance_numbers=instance_numbers(frames),
        ),
        modality=first.modality,
        frame_times_s=cine_times_s(first) if several and order == "time" else None,
        heart_rate_hz=heart_rate_hz(first),
        windows=windows,
        notices=notices,
    )


def _stack(frames: Sequence[DicomFrame], grid: Grid) -> PlaneStack:
    first = frames[0].instance
    dtype = common_type(frames)
    sources = {frame.instance: PixelSource(frame.instance) for frame in frames}

    def read_plane(k: int, t: int) -> Image:
        frame = frames[k]
        plane = sources[frame.instance].read(frame.frame_number)
        return plane if first.colour else real_world(frame.instance, *frame.scale, dtype)(plane)

    return PlaneStack(grid, first.colour, read_plane)


def open_video_object(instance: Instance, options: Options) -> Clip:
    """Open a DICOM object that holds an MPEG or H.264 stream, as endoscopes store it.

    Raises
    ------
    ReadError
        PyAV is missing, or the stream is damaged.
    """
    from napari_vost.io.readers.video import open_stream

    data = bytearray()
    with instance.path.open("rb") as file:
        for offset, length in pieces(instance).places:
            file.seek(offset)
            data += file.read(length)
    if not data:
        raise ReadError(f"{instance.path.name} holds an empty video stream: fetch it again.")
    clip = open_stream(bytes(data), instance.path, options)
    size, notices = pixel_size_yx(instance)
    affine = np.diag([*(size or (1.0, 1.0))[::-1], 1.0, 1.0])
    grid = replace(clip.source.grid, affine_lps=affine)
    return replace(
        clip,
        geometry=geometry_of(grid, False, size is not None),
        source=Source(
            "dicom-multiframe",
            grid,
            instance.path,
            (instance.path,),
            (text(instance.data, "SOPInstanceUID"),),
            tuple(range(1, len(clip) + 1)),
            text(instance.data, "SeriesInstanceUID"),
        ),
        modality=instance.modality,
        heart_rate_hz=heart_rate_hz(instance),
        notices=clip.notices + notices,
    )
