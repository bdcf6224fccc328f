"""Garbage is collected on the window's thread alone.

Python collects on whichever thread happens to allocate. On the engine's that may be a widget of napari's, whose
destructor holds a lock of Qt's and waits for Python, while the window holds Python and waits for that lock: both stand
still for ever. So Python's own collections rest while a dock is open or a call runs in the background, and while a dock
is open a timer does them here. They rest by a threshold of 0, for dask switches collections on whenever an array of its
is sliced, whether they were on before or not. What stood when the dock was opened, napari and torch above all, is not
walked through each time: that would take a quarter of a second.

What was freed between things that stay is given back to the system while nobody works: glibc keeps it otherwise, a
tenth of all memory after a thousand actions.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QObject, QTimer

EVERY_MS = 500
ROUNDS = 20  # between two times that memory is given back, which takes up to 5 ms


@dataclass
class _Resting:
    """How many want collections to rest, the thresholds before that; how many docks, whether we froze what stood."""

    many: int = 0
    thresholds: tuple[int, int, int] = (0, 0, 0)
    docks: int = 0
    froze: bool = False


_resting = _Resting()


def rest() -> None:
    """Let nothing be collected by itself; call it on the window's thread, and `resume` once for each time."""
    if _resting.many == 0:
        _resting.thresholds = gc.get_threshold()
        gc.set_threshold(0, *_resting.thresholds[1:])
    _resting.many += 1


def resume() -> None:
    """Let Python collect by itself again, once nobody wants it to rest any more."""
    _resting.many -= 1
    if _resting.many == 0:
        gc.set_threshold(*_resting.thresholds)


class Tidy:
    """Collects while a dock is open.

    Parameters
    ----------
    owner
        The dock.
    busy
        Whether the collection of everything, which takes longest, shall wait.
    """

    def __init__(self, owner: QObject, busy: Callable[[], bool]) -> None:
        self._busy, self._round = busy, 0
        rest()
        if _resting.docks == 0:
            _resting.froze = gc.get_freeze_count() == 0  # to count takes as long as there are many
            if _resting.froze:
                gc.freeze()
        _resting.docks += 1
        self._timer: QTimer | None = QTimer(owner)
        self._timer.timeout.connect(self._collect)
        self._timer.start(EVERY_MS)

    def end(self) -> None:
        """Collect no more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            _resting.docks -= 1
            if _resting.docks == 0 and _resting.froze:
                gc.unfreeze()
            resume()

    def _collect(self) -> None:
        """Collect what Python would: the oldest generation that has had its number of younger collections."""
        due = [
            one
            for one, (count, most) in enumerate(zip(gc.get_count(), _resting.thresholds, strict=True))
            if count > most
        ]
        busy = self._busy()
        if due:
            gc.collect(min(max(due), 1 if busy else 2))
        self._round += 1
        if self._round >= ROUNDS and not busy:
            self._round = 0
            give_back()


def give_back() -> None:
    """Give the memory that nothing uses back to the system, where the C library has a word for it (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
