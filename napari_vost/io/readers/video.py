"""Video: mp4, avi, mov and whatever PyAV opens, indexed once by its packets, decoded frame by frame."""

from __future__ import annotations

import bisect
import io
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_vost.clip import Clip
from napari_vost.errors import ReadError
from napari_vost.io.readers.axes import choose_grid, geometry_of
from napari_vost.io.readers.candidates import ONE_FRAME, Candidate, Found, Options
from napari_vost.types import Image, Source

KEPT_FRAMES = 8


class VideoReader:
    """Finds videos by name."""

    name = "video"
    suffixes = (".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")

    def find(self, files: tuple[Path, ...]) -> Found:
        """One candidate per file."""
        return Found(tuple(Candidate("video", path, (path,), partial(open_video, path)) for path in files))


@dataclass(frozen=True)
class VideoIndex:
    """Presentation times of all frames and of those that decoding can start at, in ticks of the stream.

    Attributes
    ----------
    times, keys
        Rising ticks.
    tick_s
        Seconds per tick.
    height, width
        Of a frame.
    grey
        Whether frames are grey.
    counted
        Whether frames must be told by counting from the start: H.264 and HEVC in AVI carry times that lie.
    """

    times: tuple[int, ...]
    keys: tuple[int, ...]
    tick_s: float
    height: int
    width: int
    grey: bool
    counted: bool = False


def open_video(path: Path, options: Options) -> Clip:
    """Open a video; reads its packets for the index, decodes nothing.

    Raises
    ------
    ReadError
        PyAV is missing, the file is damaged, or it holds no video.
    """
    return _open(str(path), path, options)


def open_stream(data: bytes, path: Path, options: Options) -> Clip:
    """Open a video that lies inside another file, such as a DICOM object; ``path`` is that file."""
    return _open(data, path, options)


def _open(content: str | bytes, path: Path, options: Options) -> Clip:
    index = _index(content, path)
    frames = len(index.times)
    grid, order = choose_grid((index.width, index.height, frames), np.eye(4), options, "time", oriented=False)
    times = tuple((one - index.times[0]) * index.tick_s for one in index.times)
    return Clip(
        VideoStack(content, path, index),
        order,
        geometry_of(grid, oriented=False, spaced=False),
        Source("video", grid, path, (path,)),
        frame_times_s=times if order == "time" else None,
        notices=(ONE_FRAME,) if frames == 1 else (),
    )


def _container(content: str | bytes, path: Path) -> Any:
    try:
        import av
    except ImportError as problem:
        raise ReadError(f"Reading {path.name} needs PyAV: pip install 'napari-vost[video]'.") from problem
    try:
        container = av.open(content if isinstance(content, str) else io.BytesIO(content))
    except (av.error.FFmpegError, OSError) as problem:
        raise _damaged(path) from problem
    if not container.streams.video:
        container.close()
        raise ReadError(f"{path.name} holds no video: expected a cine.")
    return container


def _index(content: str | bytes, path: Path) -> VideoIndex:
    """Read all packets once; where they do not say when they are shown, decode them once instead."""
    import av

    container = _container(content, path)
    try:
        stream = container.streams.video[0]
        tick_s = float(stream.time_base or 0) or 1.0
        packets = [one for one in container.demux(stream) if one.size and not one.is_discard]
        pairs = [(one.pts, bool(one.is_keyframe)) for one in packets]
        if not pairs or any(pts is None for pts, _ in pairs) or len({pts for pts, _ in pairs}) < len(pairs):
            container.seek(0)
            pairs = [(frame.pts, bool(frame.key_frame)) for frame in container.decode(stream)]
        if any(pts is None for pts, _ in pairs):
            pairs = [(number, key) for number, (_, key) in enumerate(pairs)]
            tick_s = 1.0 / float(stream.average_rate or 1)
        width, height = int(stream.width), int(stream.height)
        grey = str(stream.pix_fmt or "").startswith("gray")
        counted = container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")
    except av.error.FFmpegError as problem:
        raise _damaged(path) from problem
    finally:
        container.close()
    if not pairs or not width:
        raise _damaged(path)
    times = tuple(sorted(pts for pts, _ in pairs if pts is not None))
    keys = tuple(sorted(pts for pts, key in pairs if key and pts is not None)) or times[:1]
    return VideoIndex(times, keys, tick_s, height, width, grey, counted)


class VideoStack:
    """Frames of a video; reading on is decoding on, reading elsewhere starts at the key frame before."""

    def __init__(self, content: str | bytes, path: Path, index: VideoIndex) -> None:
        self._content = content
        self._path = path
        self._index = index
        self._container: Any = None
        self._frames: Iterator[Any] = iter(())
        self._next = -1  # frame index that decoding on would give; -1 when nothing is open
        self._counting = index.counted
        self._kept: OrderedDict[int, Image] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, H, W, 3)``, or ``(T, H, W)`` of a grey video."""
        size = (len(self._index.times), self._index.height, self._index.width)
        return size if self._index.grey else (*size, 3)

    def read(self, frame_index: int) -> Image:
        """Return one frame: RGB uint8 (H, W, 3), or grey (H, W).

        Raises
        ------
        ReadError
            The file ends, or is damaged, before this frame.
        """
        with self._lock:
            if frame_index not in self._kept:
                self._advance(frame_index)
            self._kept.move_to_end(frame_index)
            return self._kept[frame_index].copy()

    def _advance(self, wanted: int) -> None:
        import av

        key = self._key_before(wanted)
        try:
            if not key <= self._next <= wanted:
                self._seek(key)
            if not self._decode_to(wanted):
                self._counting = True  # its times do not lead there: from the start, counting is exact
                self._kept.clear()
                self._seek(0)
                if not self._decode_to(wanted):
                    raise self._missing(wanted)
        except av.error.FFmpegError as problem:
            self.close()
            raise self._missing(wanted) from problem

    def _key_before(self, wanted: int) -> int:
        """Index of the last frame at or before ``wanted`` that decoding can start at."""
        if self._counting:
            return 0
        place = bisect.bisect_right(self._index.keys, self._index.times[wanted]) - 1
        return bisect.bisect_left(self._index.times, self._index.keys[place]) if place >= 0 else 0

    def _seek(self, key: int) -> None:
        if self._container is None or key == 0:
            self.close()
            self._container = _container(self._content, self._path)
            self._container.streams.video[0].thread_type = "AUTO"
        stream = self._container.streams.video[0]
        if key > 0:
            self._container.seek(self._index.times[key], stream=stream, backward=True)
        self._frames = self._container.decode(stream)
        self._next = key

    def _decode_to(self, wanted: int) -> bool:
        """Decode on until the wanted frame is kept; False when it was passed or the file ended."""
        counted = self._next
        for frame in self._frames:
            place = counted if self._counting or frame.pts is None else bisect.bisect_left(self._index.times, frame.pts)
            counted = place + 1
            if place >= wanted - KEPT_FRAMES // 2:
                self._kept[place] = self._pixels(frame)
                while len(self._kept) > KEPT_FRAMES:
                    self._kept.popitem(last=False)
            if place >= wanted:
                self._next = place + 1
                return wanted in self._kept
        self._next = -1
        return False

    def _pixels(self, frame: Any) -> Image:
        return np.asarray(frame.to_ndarray(format="gray" if self._index.grey else "rgb24"))

    def _missing(self, wanted: int) -> ReadError:
        return ReadError(f"{self._path.name} is damaged or cut off: frame {wanted} cannot be decoded, fetch it again.")

    def close(self) -> None:
        """Close the file; reading on opens it again."""
        if self._container is not None:
            self._container.close()
        self._container, self._frames, self._next = None, iter(()), -1


def _damaged(path: Path) -> ReadError:
    return ReadError(f"{path.name} is not a readable video (damaged, cut off or of an unknown kind): fetch it again.")


READER = VideoReader()
