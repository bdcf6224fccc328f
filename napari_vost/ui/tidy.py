"""Garbage is collected on the window's thread alone.

Python collects on whichever thread happens to allocate. On the engine's that may be a widget of napari's, whose
destructor holds a lock of Qt's and waits for Python, while the window holds Python and waits for that lock: both stand
still for ever. So Python's own collections rest while a dock is open, and a timer does them here. What stood when the
dock was opened, napari and torch above all, is not walked through each time: that would take a quarter of a second.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QObject, QTimer

EVERY_MS = 500


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
        self._busy = busy
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
        if due:
            gc.collect(min(max(due), 1 if self._busy() else 2))
