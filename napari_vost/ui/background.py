"""A call on a thread of its own, and what came of it in the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

Done = Callable[[Any], object]
Failed = Callable[[Exception], object]


class Running(QObject):
    """A call that runs on a thread of its own; made in the GUI thread, where its end is told too.

    Parameters
    ----------
    call
        What to run; it must touch neither Qt nor napari.
    done, failed
        One of them is called when it has ended: with what it returned, or with what it raised.
    owner
        Once it is destroyed, nobody is told any more.
    """

    _ended = Signal(object, object)

    def __init__(self, call: Callable[[], Any], done: Done, failed: Failed, owner: QObject | None = None) -> None:
        super().__init__()
        self._call, self._done, self._failed = call, done, failed
        self._wanted = True
        self._itself: Running | None = self  # until the end has come, for nobody else need hold it
        self._ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        if owner is not None:
            owner.destroyed.connect(self.forget)
        self._thread = threading.Thread(target=self._work, name="napari-vost call")
        self._thread.start()

    def forget(self) -> None:
        """Tell nobody. The thread ends with the call: nothing interrupts it."""
        self._wanted = False

    def wait(self) -> None:
        """Stay until the thread has ended."""
        self._thread.join()

    def _work(self) -> None:
        value, error = None, None
        try:
            value = self._call()
        except Exception as problem:  # whatever it is, it is told where it can be shown
            error = problem
        self._ended.emit(value, error)

    def _deliver(self, value: Any, error: Exception | None) -> None:
        self._itself = None
        if not self._wanted:
            return
        if error is None:
            self._done(value)
        else:
            self._failed(error)
