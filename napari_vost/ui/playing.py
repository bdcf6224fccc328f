"""Plays a cine at the file's frame times: what cannot be drawn in time is left out, never played late."""

from __future__ import annotations

from time import perf_counter

from psygnal import Signal
from qtpy.QtCore import Qt, QTimer

from napari_vost.clip import Clip
from napari_vost.display.playing import frame_due, frame_durations_ms
from napari_vost.ui.view import PlaneView

_TICK_MS = 5


class Player:
    """Plays the frames of a clip in a loop, with whatever layers are shown.

    Parameters
    ----------
    view
        Shows the frames; stepping by hand meanwhile stops the play.
    clip
        Its frame times.
    """

    playing_changed = Signal(bool)

    def __init__(self, view: PlaneView, clip: Clip) -> None:
        self._view, self._durations = view, frame_durations_ms(clip)
        self._began, self._start, self._shown = 0.0, 0, 0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return bool(self._timer.isActive())

    def turn_to(self, clip: Clip) -> None:
        """Play at the frame times of another clip with as many frames; one that plays goes on."""
        self._durations = frame_durations_ms(clip)

    def toggle(self) -> None:
        """Play from the frame that is shown, or stop. Does nothing where no frames are shown."""
        if self.playing:
            self.stop()
        elif self._view.shows_frames and len(self._durations) > 1:
            self._began, self._start = perf_counter(), self._view.frame_index
            self._shown = self._start
            self._timer.start()
            self.playing_changed.emit(True)

    def stop(self) -> None:
        """Stop at the frame that is shown."""
        if self.playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def close(self) -> None:
        """Stop for good."""
        self.stop()

    def _tick(self) -> None:
        if not self._view.shows_frames or self._view.frame_index != self._shown:
            self.stop()  # someone looks elsewhere
            return
        due = frame_due(self._durations, self._start, (perf_counter() - self._began) * 1000.0)
        if due != self._shown:
            self._shown = due
            self._view.go_to(due)
