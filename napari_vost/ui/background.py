"""A call on a thread of its own, and what came of it in the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from qtpy.QtCore import QCoreApplication, QEventLoop, QObject, Qt, QThread, QTimer, Signal
from qtpy.QtWidgets import QApplication, QProgressDialog

from napari_vost.errors import Cancelled
from napari_vost.ui.tidy import rest, resume

SOON_MS = 400  # until a caller who waits is told so

T = TypeVar("T")
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
        rest()  # until the end is told
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
        resume()
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


def awake(call: Callable[[], T], says: str, may_cancel: bool = True) -> T:
    """Run a call for a caller who must have what it returns, while the window stays awake.

    Where it takes longer than a moment, a dialog says what is waited for. Without an application, or on another thread
    than that of its window, it is called as it is.

    Parameters
    ----------
    call
        It must touch neither Qt nor napari.
    says
        What it does, for the dialog.
    may_cancel
        Whether the user may go on without it.

    Raises
    ------
    Cancelled
        The user did not want to wait; the call ends by itself, and nobody hears of it.
    """
    application = QApplication.instance()
    if application is None or QThread.currentThread() != application.thread():
        return call()
    loop, ended = QEventLoop(), list[Callable[[], T]]()

    def end(how: Callable[[], T]) -> None:
        ended.append(how)
        loop.quit()

    def fail(error: Exception) -> T:
        raise error

    running = Running(call, lambda value: end(lambda: value), lambda error: end(lambda: fail(error)))
    dialog = QProgressDialog(says, "Cancel", 0, 0, QApplication.activeWindow())
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
    soon = QTimer(dialog, interval=SOON_MS, singleShot=True)  # its own one does not run where no end is known
    soon.timeout.connect(dialog.show)
    soon.start()
    if may_cancel:
        dialog.canceled.connect(loop.quit)
    else:
        dialog.setCancelButton(None)
    loop.exec()
    if not _deleted(dialog):  # with the window that it stood over
        dialog.hide()
        dialog.deleteLater()
    if not ended:
        running.forget()
        raise Cancelled("Nobody waits for it any more.")
    return ended[0]()


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
