"""DICOM: finds series among files and opens slices with positions as a volume, by place and never by file name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from napari_vost.clip import Clip, Window
from napari_vost.errors import GeometryError, ReadError
from napari_vost.geometry import Grid
from napari_vost.io.readers.axes import choose_grid, geometry_of
from napari_vost.io.readers.candidates import ONE_FRAME, Candidate, Found, Options, WithoutPixels
from napari_vost.io.readers.dicom_frames import DicomFrame, frames_of, instance_numbers
from napari_vost.io.readers.dicom_geometry import Lattice, lattice, split_image_types, split_orientations
from napari_vost.io.readers.dicom_header import Instance, number, read_instance, series_of, text
from napari_vost.io.readers.dicom_multiframe import open_cine, open_video_object
from napari_vost.io.readers.dicom_pixels import PixelSource, check_decodable, common_type, real_world
from napari_vost.io.readers.dicom_time import heart_rate_hz, repeat_times_s
from napari_vost.io.readers.registry import looks_like_dicom
from napari_vost.io.readers.stacks import PlaneStack
from napari_vost.types import Image, Order, Source

VIDEO_SYNTAXES = tuple(f"1.2.840.10008.1.2.4.{last}" for last in range(100, 109))


class DicomReader:
    """Finds series: every orientation, stack and image type of a series is a candidate of its own."""

    name = "dicom"
    suffixes = (".dcm", ".dicom", ".ima")

    def find(self, files: tuple[Path, ...]) -> Found:
        """Candidates of files; a single file stands for its whole series, which lies beside it.

        Raises
        ------
        ReadError
            A single file that is damaged. In a folder, the series of a damaged file is a candidate that does not open.
        """
        if len(files) > 1:
            return _found(*_read_all(files))
        chosen = read_instance(files[0])
        if chosen is None or chosen.no_image:
            return _found((chosen,) if chosen else (), ())
        beside = sorted(path for path in files[0].parent.iterdir() if path.is_file() and path != files[0])
        others, broken = _read_all(path for path in beside if looks_like_dicom(path))
        wanted = text(chosen.data, "SeriesInstanceUID")
        same = (one for one in others if wanted and text(one.data, "SeriesInstanceUID") == wanted and not one.no_image)
        found = _found((chosen, *same), tuple(one for one in broken if wanted and one.uid == wanted))
        own = tuple(one for one in found.candidates if files[0] in one.files)
        return Found(own, found.without_pixels, found.notices)


@dataclass(frozen=True)
class _Broken:
    """A damaged file, the series that it belongs to as far as can be read, and what is wrong."""

    path: Path
    uid: str
    problem: ReadError

    def refuse(self, options: Options) -> Clip:
        """Say what is wrong instead of opening."""
        raise self.problem


def _read_all(paths: Iterable[Path]) -> tuple[tuple[Instance, ...], tuple[_Broken, ...]]:
    instances, broken = [], []
    for path in paths:
        try:
            instance = read_instance(path)
        except ReadError as problem:
            broken.append(_Broken(path, series_of(path), problem))
        else:
            instances += [instance] if instance is not None else []
    return tuple(instances), tuple(broken)


@dataclass(frozen=True, eq=False)
class _Group:
    """Frames that make one clip."""

    frames: tuple[DicomFrame, ...]
    label: str = ""

    @property
    def first(self) -> Instance:
        return self.frames[0].instance

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(frame.instance.path for frame in self.frames))


def _found(instances: tuple[Instance, ...], broken: tuple[_Broken, ...]) -> Found:
    empty = tuple(WithoutPixels(one.no_image, one.path) for one in instances if one.no_image)
    images, copies = _without_copies(tuple(one for one in instances if not one.no_image))
    notices = (f"{copies} file{'s' * (copies > 1)} skipped: copies of another one in the same series.",) * bool(copies)
    groups = sorted(_groups(images), key=lambda group: number(group.first.data, "SeriesNumber") or 0)
    problems = {one.uid: one for one in reversed(broken) if one.uid}
    candidates = [_candidate(group) for group in groups]
    known = {one.uid for one in candidates}
    candidates = [replace(one, open=problems[one.uid].refuse) if one.uid in problems else one for one in candidates]
    lost = (one for one in broken if one.uid not in known)
    for uid, group in groupby(lost, key=lambda one: one.uid):
        first = next(group)
        candidates.append(Candidate("dicom-series", first.path, (first.path,), first.refuse, uid=uid))
    return Found(tuple(candidates), empty, notices)


def _without_copies(instances: tuple[Instance, ...]) -> tuple[tuple[Instance, ...], int]:
    """Keep the first of objects that say to be the same: instance UID, class, size, position and pixel size."""
    kept: dict[tuple[object, ...], Instance] = {}
    for one in instances:
        words = ("SOPInstanceUID", "SOPClassUID", "ImagePositionPatient", "PixelSpacing", "NumberOfFrames")
        uid = text(one.data, "SOPInstanceUID") or str(one.path)
        kept.setdefault((uid, one.size, *(text(one.data, word) for word in words)), one)
    return tuple(kept.values()), len(instances) - len(kept)


def _groups(instances: Sequence[Instance]) -> list[_Group]:
    families: dict[tuple[object, ...], list[DicomFrame]] = {}
    for one in instances:
        common = tuple(text(one.data, word) for word in ("SeriesInstanceUID", "SOPClassUID", "FrameOfReferenceUID"))
        for frame in frames_of(one):
            placed = frame.placed and one.transfer_syntax not in VIDEO_SYNTAXES
            own = (frame.stack,) if placed else (one.size, one.path if one.frames > 1 else "")
            families.setdefault((*common, one.modality, one.colour, placed, *own), []).append(frame)
    groups = []
    for key, frames in families.items():
        if not key[5]:
            groups.append(_Group(tuple(_by_instance_number(frames))))
            continue
        parts = [part for one in split_orientations(frames) for part in split_image_types(one)]
        for part in parts:
            groups.append(_Group(tuple(part), part[0].image_type.replace("\\", " ") if len(parts) > 1 else ""))
    return groups


def _by_instance_number(frames: list[DicomFrame]) -> list[DicomFrame]:
    return sorted(frames, key=lambda frame: (number(frame.instance.data, "InstanceNumber") or 0, frame.frame_number))


def _candidate(group: _Group) -> Candidate:
    first = group.first
    several = any(frame.instance.frames > 1 for frame in group.frames)
    kind = "dicom-multiframe" if several else "dicom-series"
    files = group.files
    if first.transfer_syntax in VIDEO_SYNTAXES:
        opening = partial(open_video_object, first)
    elif group.frames[0].placed:
        opening = partial(_open_placed, group, kind)
    else:
        opening = partial(open_cine, group.frames, kind)
    return Candidate(
        kind,
        files[0] if len(files) == 1 else files[0].parent,
        files,
        opening,
        first.modality,
        text(first.data, "SeriesInstanceUID"),
        first.transfer_syntax_name,
        group.label,
        len(group.frames),
        first.size,
    )


def _open_placed(group: _Group, kind: str, options: Options) -> Clip:
    """Open frames that say where they lie."""
    for instance in {frame.instance for frame in group.frames}:
        check_decodable(instance)
    placed = lattice(group.frames, _name(group))
    first = group.first
    rows, columns = first.size
    slices, points = len(placed.rows), len(placed.rows[0])
    shape = (columns, rows, slices) + ((points,) if points > 1 else ())
    try:
        grid, order = choose_grid(shape, placed.affine_lps, options, "depth")
        geometry = geometry_of(grid, True, True, text(first.data, "FrameOfReferenceUID") or None)
    except GeometryError as problem:
        raise ReadError(f"{_name(group)} has unusable positions ({problem}): it cannot be stacked.") from problem
    if placed.origins is not None and order == "depth" and grid.axes[0] == 2:
        geometry = replace(geometry, frame_origins_lps=placed.origins)
    stack, negated = _stack(placed, grid)
    times = None
    if order == "time" and len(shape) == 4:
        row = placed.rows[dict(grid.fixed).get(2, 0)]
        times = repeat_times_s(row, placed.repeat)
    windows = placed.rows[slices // 2][0].windows
    notices = placed.notices + (ONE_FRAME,) * (stack.shape[0] == 1)
    if negated:
        windows = tuple(Window(-one.high, -one.low, one.name) for one in windows)
        notices += ("Values are stored inverted (MONOCHROME1): they were negated, so that brighter means more.",)
    return Clip(
        stack,
        order,
        geometry,
        _source(kind, group, placed, grid, order),
        modality=first.modality,
        frame_times_s=times,
        heart_rate_hz=heart_rate_hz(first),
        windows=windows,
        notices=notices,
    )


def _name(group: _Group) -> str:
    uid = text(group.first.data, "SeriesInstanceUID")
    return f"Series {uid}" if uid else group.first.path.name


def _stack(placed: Lattice, grid: Grid) -> tuple[PlaneStack, bool]:
    """Frames of a lattice, and whether their values are negated."""
    frames = [frame for row in placed.rows for frame in row]
    first = frames[0].instance
    dtype = common_type(frames)
    sources = {frame.instance: PixelSource(frame.instance) for frame in frames}

    def read_plane(k: int, t: int) -> Image:
        frame = placed.rows[k][t]
        plane = sources[frame.instance].read(frame.frame_number)
        return plane if first.colour else real_world(frame.instance, *frame.scale, dtype)(plane)

    return PlaneStack(grid, first.colour, read_plane), first.photometric == "MONOCHROME1"


def _source(kind: str, group: _Group, placed: Lattice, grid: Grid, order: Order) -> Source:
    """Files, instances and frame numbers of the stored planes that the clip is made of, in their order.

    These are the clip's frames where it runs along the stored planes; across them, the planes of its volume.
    """
    fixed = dict(grid.fixed)
    if order == "time" and len(grid.shape) == 4:
        frames = placed.rows[fixed[2]] if 2 in fixed else ()
    else:
        frames = tuple(row[fixed.get(3, 0)] for row in placed.rows)
    files = tuple(frame.instance.path for frame in frames)
    uids = tuple(text(frame.instance.data, "SOPInstanceUID") for frame in frames)
    frame_numbers = tuple(frame.frame_number for frame in frames) if kind == "dicom-multiframe" else ()
    if len(set(files)) == 1 and kind == "dicom-multiframe":
        files, uids = files[:1], uids[:1]
    path = files[0] if len(set(files)) == 1 else group.files[0].parent
    series_uid, numbers = text(group.first.data, "SeriesInstanceUID"), instance_numbers(frames)
    return Source(kind, grid, path, files, uids, frame_numbers, series_uid, instance_numbers=numbers)


READER = DicomReader()
