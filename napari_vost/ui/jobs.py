"""One thread that does what the engine is asked for, one thing after the other, while the window goes on."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_vost.errors import Cancelled, InputError, ReadError, VostError
from napari_vost.ui.say import counted_from_one, in_window

_REST_S = 0.3  # after a call, until small things are done: who asks step by step waits for none of them
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Job:
    call: Callable[[], Any]
    done: Callable[[Any], None] | None
    failed: Callable[[str], None] | None


class Jobs(QObject):
    """Calls run on a thread of their own in the order in which they came; answers arrive on the window's thread.

    Parameters
    ----------
    failed
        Told, on the window's thread, one sentence where a call fails and nobody else wants to hear of it.
    spare
        Called on the jobs' thread when nothing waits; it does one small thing and says whether there is more.

    Attributes
    ----------
    rescue
        Asked on the jobs' thread with what a call raised; where it says that it could help, the call runs once more.
    """

    _told = Signal(object)

    def __init__(self, failed: Callable[[str], None], spare: Callable[[], bool] | None = None) -> None:
        super().__init__()
        self._failed, self._spare = failed, spare
        self.rescue: Callable[[Exception], bool] | None = None
        self._waiting: deque[_Job] = deque()
        self._state = threading.Condition()
        self._closing = self._running = False
        self._spare_due = False
        self._rested = 0.0  # from when on small things are done, on the clock of `time.monotonic`
        self._told.connect(self._hear, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="napari-vost engine", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a call runs or waits."""
        with self._state:
            return self._running or bool(self._waiting)

    @property
    def asked(self) -> bool:
        """Whether a call waits."""
        with self._state:
            return self._closing or bool(self._waiting)

    def submit(
        self,
        call: Callable[[], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Have ``call`` run; ``done`` gets what it returns, ``failed`` one sentence, both on the window's thread."""
        with self._state:
            if not self._closing:
                self._waiting.append(_Job(call, done, failed))
                self._state.notify_all()

    def wake(self) -> None:
        """Ask again whether there is something small to do."""
        with self._state:
            self._spare_due = True
            self._state.notify_all()

    def tell(self, call: Callable[[], None]) -> None:
        """Have something done on the window's thread; for calls that run here."""
        if not self._closing:
            self._told.emit(call)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Drop what waits, and wait for what runs to end; whether it has."""
        with self._state:
            self._closing = True
            self._waiting.clear()
            self._state.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _hear(self, call: Callable[[], None]) -> None:
        if not self._closing:
            call()

    def _run(self) -> None:
        while True:
            with self._state:
                self._running = False
                self._state.wait_for(lambda: self._closing or self._waiting or (self._spare_due and self._spare))
                self._state.wait_for(lambda: self._closing or self._waiting, max(self._rested - time.monotonic(), 0.0))
                if self._closing:
                    return
                job = self._waiting.popleft() if self._waiting else None
                self._running = job is not None
                self._spare_due = self._spare_due and self._running
            if job is None:
                more = self._do_spare()
                with self._state:
                    self._spare_due |= more  # it may have been woken meanwhile
            else:
                self._do(job)
                self._spare_due, self._rested = True, time.monotonic() + _REST_S

    def _do(self, job: _Job) -> None:
        try:
            found = self._rescued(job.call)
        except Exception as error:
            sentence = sentence_of(error)
            if sentence:
                failed = job.failed or self._failed
                self.tell(lambda: failed(sentence))
            return
        if job.done is not None:
            done = job.done
            self.tell(lambda: done(found))

    def _rescued(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            rescue = self.rescue
            if rescue is None or not rescue(error):
                raise
        return call()

    def _do_spare(self) -> bool:
        try:
            return self._spare is not None and self._spare()
        except Cancelled:
            return True
        except Exception:  # what was done ahead is done again when it is wanted, and told then
            return False


def sentence_of(error: Exception) -> str:
    """What a user is told of an error: one sentence, "" where the user wanted it so."""
    if isinstance(error, Cancelled):
        return ""
    if isinstance(error, InputError) and not isinstance(error, ReadError):
        return in_window(counted_from_one(str(error)))
    if isinstance(error, VostError):
        return in_window(str(error))
    # where it happened, not its words: they may quote a header
    _log.error("An unexpected %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "The device ran out of memory; what was done is kept: choose the CPU or a smaller model and go on."
    return f"Something went wrong that should not ({type(error).__name__}); what was done is kept: try it again."
