"""Reads all frames of a clip outside the GUI thread, before a view that cuts across them asks for all at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from napari.qt.threading import create_worker
from psygnal import Signal

from napari_vost.ui.frames import FrameArray

_REPORT_S = 0.1  # between two reports of progress


class WholeClip:
    """The frames of a clip as a whole.

    Parameters
    ----------
    frames
        Data of the clip's layer. Anything but a `FrameArray` is taken as read: then it is an array in memory.
    """

    progress = Signal(int, int)  # frames read, frames of the clip
    failed = Signal(str)  # one sentence

    def __init__(self, frames: Any) -> None:
        self._frames = frames
        self._worker: Any = None

    @property
    def ready(self) -> bool:
        """Whether every frame is in memory."""
        return not isinstance(self._frames, FrameArray) or all(map(self._frames.holds, range(len(self._frames))))

    @property
    def fits(self) -> bool:
        """Whether all frames fit into the memory that is set aside for them."""
        return not isinstance(self._frames, FrameArray) or self._frames.fits

    def read(self, then: Callable[[], None]) -> None:
        """Read what is not in memory, then call; a read under way is dropped."""
        self.stop()
        worker = self._worker = create_worker(_read, self._frames, _ignore_errors=True)
        worker.yielded.connect(lambda count: self._report(worker, count))
        worker.errored.connect(lambda error: self._finish(worker, error, then))
        worker.returned.connect(lambda error: self._finish(worker, error, then))
        worker.start()

    def stop(self) -> None:
        """Drop the read under way: it ends at its next report, and nothing more is called."""
        if self._worker is not None:
            self._worker.quit()
            self._worker = None

    def _report(self, worker: Any, count: int) -> None:
        if self._worker is worker:  # what a dropped worker sent may arrive later
            self.progress.emit(count, len(self._frames))

    def _finish(self, worker: Any, error: Exception | None, then: Callable[[], None]) -> None:
        if self._worker is not worker:
            return
        self._worker = None
        if error is None:
            then()
        else:
            self.failed.emit(f"The frames could not all be read: {error}")


def _read(frames: FrameArray) -> Iterator[int]:
    """Read every frame; yields the count now and then, at which a worker may be told to end."""
    said = time.monotonic()
    for index in range(len(frames)):
        frames.frame(index)
        if time.monotonic() - said > _REPORT_S:
            said = time.monotonic()
            yield index + 1
