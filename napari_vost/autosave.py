"""Saving by itself: every action of a session goes to its file, on a thread of its own."""

from __future__ import annotations

import atexit
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from psygnal import Signal

from napari_vost.errors import VostError
from napari_vost.session import Session
from napari_vost.session_rows import Snapshot, snapshot
from napari_vost.session_writer import SessionWriter

RUN_S = 1.0  # seconds between two writes while frames are being followed
VIEW_S = 1.0  # seconds that looking around may wait
RETRY_S = 3.0  # seconds until a disk that refused is asked again


class Autosave:
    """Keeps the file of a session up to date from now until `close`.

    An action is written at once, a running propagation and the view about once a second. The thread that acts only
    takes a snapshot. A program that is killed loses at most the action that was being written.

    Parameters
    ----------
    session
        Whose every change is kept.
    path
        The file: a new one, or the one that the session was loaded from or saved to. It is first written when
        something changes.
    """

    saved = Signal()  # everything that was done is in the file; emitted on the thread that writes, as `failed` is
    failed = Signal(str)  # why nothing can be saved, in one sentence; the work goes on in memory and it is tried again

    def __init__(self, session: Session, path: str | Path) -> None:
        self.session = session
        self.path = Path(path)
        self._problem = ""
        self._writer = SessionWriter(self.path, session.clip)
        self._wanted: Snapshot | None = None
        self._due = 0.0  # when it is written, on the clock of `time.monotonic`
        self._next_of_run = 0.0
        self._attempts = 0  # writes that have ended, well or not
        self._busy = self._closing = False
        self._state = threading.Condition()
        session.ledger.logged.connect(self.touch)
        session.masks_changed.connect(self._reached)
        session.labels_changed.connect(self.touch)
        session.adapted.connect(self.touch)
        session.view_changed.connect(self._looked)
        self._thread = threading.Thread(target=self._run, name="napari-vost autosave", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def problem(self) -> str:
        """Why what was done last is not in the file, in one sentence; "" when all is well."""
        return self._problem

    @property
    def pending(self) -> bool:
        """Whether something is not in the file yet."""
        with self._state:
            return self._wanted is not None or self._busy

    def touch(self) -> None:
        """Have the session written though nothing was done; for what no signal tells."""
        self._want(0.0)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Write what is waiting now, and wait for it; whether everything is in the file."""
        end = time.monotonic() + timeout_s
        with self._state:
            self._state.wait_for(lambda: not self._busy, timeout_s)  # what is tried already may still fail
            self._due, attempts = 0.0, self._attempts
            self._state.notify_all()
            self._state.wait_for(
                lambda: not self._busy and (self._wanted is None or self._attempts > attempts),
                max(end - time.monotonic(), 0.0),
            )
            return self._wanted is None and not self._busy

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop watching, write what is waiting and end the thread; whether everything is in the file."""
        atexit.unregister(self.close)
        session = self.session
        for signal in (session.ledger.logged, session.labels_changed, session.adapted):
            signal.disconnect(self.touch, missing_ok=True)
        session.masks_changed.disconnect(self._reached, missing_ok=True)
        session.view_changed.disconnect(self._looked, missing_ok=True)
        with self._state:
            self._closing = True
            self._state.notify_all()
        self._thread.join(timeout_s)
        return self._wanted is None and not self._thread.is_alive()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reached(self) -> None:
        """A frame of a propagation: about one a second is as good as all of them."""
        if self.session.following is not None and time.monotonic() >= self._next_of_run:
            self._next_of_run = time.monotonic() + RUN_S
            self._want(0.0)

    def _looked(self) -> None:
        self._want(VIEW_S)

    def _want(self, within_s: float) -> None:
        """Have the session as it is now written within some seconds."""
        with self._state:
            due = time.monotonic() + within_s
            self._due = due if self._wanted is None else min(due, self._due)
            self._wanted = snapshot(self.session)
            self._state.notify_all()

    def _run(self) -> None:
        while (shot := self._next()) is not None:
            problem = ""
            try:
                self._writer.write(shot)
            except VostError as error:
                problem = str(error)
            except Exception as error:  # whatever it is, the user must hear that nothing is being saved
                problem = f"Cannot write {self.path}: {type(error).__name__} ({error}); save under another name."
            with self._state:
                self._busy, self._attempts = False, self._attempts + 1
                if problem:
                    self._wanted = self._wanted or shot
                    self._due = max(self._due, time.monotonic() + RETRY_S)
                news, self._problem = problem != self._problem, problem
                done = self._wanted is None
                closing = self._closing and bool(problem)
                self._state.notify_all()
            if problem and news:
                self.failed.emit(problem)
            elif done and not problem:
                self.saved.emit()
            if closing:
                return

    def _next(self) -> Snapshot | None:
        """Wait for something to write and take it; None when there is nothing left to do."""
        with self._state:
            while not self._closing and (self._wanted is None or time.monotonic() < self._due):
                self._state.wait(None if self._wanted is None else max(self._due - time.monotonic(), 0.0))
            shot, self._wanted, self._busy = self._wanted, None, self._wanted is not None
            return shot
