"""Garbage is collected on the window's thread alone.

Python collects on whichever thread happens to allocate. On the engine's that may be a widget of napari's, whose
destructor holds a lock of Qt's and waits for Python, while the window holds Python and waits for that lock: both stand
still for ever. So Python's own collections rest while a dock is open, and a timer does them here. What stood when the
dock was opened, napari and torch above all, is not walked through each time: that would take a quarter of a second.

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
    """How many docks are open; whether Python collected by itself before the first was; whether we froze what stood."""

    docks: int = 0
    by_itself: bool = True
    froze: bool = False


_resting = _Resting()


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
        if _resting.docks == 0:
            _resting.by_itself = gc.isenabled()
            gc.disable()
            _resting.froze = gc.get_freeze_count() == 0
            if _resting.froze:
                gc.freeze()
        _resting.docks += 1
        self._timer: QTimer | None = QTimer(owner)
        self._timer.timeout.connect(self._collect)
        self._timer.start(EVERY_MS)

    def end(self) -> None:
        """Let Python collect by itself again, once the last dock is closed."""
        if self._timer is None:
            return
        self._timer.stop()
        self._timer = None
        _resting.docks -= 1
        if _resting.docks == 0:
            if _resting.froze:
                gc.unfreeze()
            if _resting.by_itself:
                gc.enable()

    def _collect(self) -> None:
        """Collect what Python would: the oldest generation that has had its number of younger collections."""
        due = [
            one
            for one, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
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
