"""A call on a thread of its own, and what came of it in the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QCoreApplication, QObject, Qt, Signal

Done = Callable[[Any], object]
Failed = Callable[[Exception], object]


class Running:
    """A call that runs on a thread of its own; made in the GUI thread, where its end is told too.

    Parameters
    ----------
    call
        What to run; it must touch neither Qt nor napari.
    done, failed
        One of them is called when it has ended: with what it returned, or with what it raised.
    owner
        Once it is deleted, nobody is told any more.
    """

    def __init__(self, call: Callable[[], Any], done: Done, failed: Failed, owner: QObject | None = None) -> None:
        self._call, self._done, self._failed, self._owner = call, done, failed, owner
        self._wanted = True
        self._value: Any = None
        self._error: Exception | None = None
        self._relay = _relay()
        self._thread = threading.Thread(target=self._work, name="napari-vost call")
        self._thread.start()

    def forget(self) -> None:
        """Tell nobody. The thread ends with the call: nothing interrupts it."""
        self._wanted = False

    def wait(self) -> None:
        """Stay until the thread has ended."""
        self._thread.join()

    def tell(self) -> None:
        """Tell the end, if somebody still wants to know."""
        if not self._wanted or (self._owner is not None and _deleted(self._owner)):
            return
        if self._error is None:
            self._done(self._value)
        else:
            self._failed(self._error)

    def _work(self) -> None:
        try:
            self._value = self._call()
        except Exception as problem:  # whatever it is, it is told where it can be shown
            self._error = problem
        with suppress(RuntimeError):  # the application has ended meanwhile: there is nobody to tell
            self._relay.ended.emit(self)


class _Relay(QObject):
    """Lives as long as the application in the GUI thread, and brings there what threads have to tell."""

    ended = Signal(object)

    def __init__(self, application: QCoreApplication) -> None:
        super().__init__(application)
        self.ended.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def _tell(self, running: Running) -> None:
        running.tell()


def _relay() -> _Relay:
    application = QCoreApplication.instance()
    if application is None:
        raise RuntimeError("A call in the background needs a running application.")
    found = application.findChild(_Relay)
    return _Relay(application) if found is None else found


def _deleted(owner: QObject) -> bool:
    try:
        owner.objectName()
    except RuntimeError:
        return True
    return False
