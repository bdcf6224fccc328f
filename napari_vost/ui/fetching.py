"""Weights that are fetched while the window goes on: how far it is, and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from napari_vost.errors import Cancelled
from napari_vost.model import weights
from napari_vost.model.registry import ModelEntry
from napari_vost.ui.background import Running
from napari_vost.ui.jobs import sentence_of

_LOOK_MS = 100
Fetch = Callable[..., Path]


class Fetching(QObject):
    """One download.

    Parameters
    ----------
    entry
        What is fetched; its licence was accepted.
    parent
        With it the download ends.
    """

    progressed = Signal(object, object)  # bytes done, and in all or None
    ended = Signal(str)  # "" when it is here or was stopped, else one sentence

    def __init__(self, entry: ModelEntry, parent: QObject) -> None:
        super().__init__(parent)
        self.entry, self.arrived = entry, False
        self._stopped = threading.Event()
        self._done: tuple[int, int | None] = (0, None)
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(lambda: self.progressed.emit(*self._done))
        self._look.start()
        Running(self._fetch, self._finish, self._fail, self)

    def stop(self) -> None:
        """End it; what has arrived is there for the next time."""
        self._stopped.set()
        self._look.stop()

    def _fetch(self) -> Path:
        """Fetch on a thread that nobody has to wait for: a network may stall for minutes."""
        found: list[Path | Exception] = []
        worker = threading.Thread(target=lambda: found.append(_fetched(self.entry, self._tell)), daemon=True)
        worker.start()
        while worker.is_alive() and not self._stopped.is_set():
            worker.join(_LOOK_MS / 1000)
        if not found or isinstance(found[0], Exception):
            raise found[0] if found and isinstance(found[0], Exception) else Cancelled("Stopped.")
        return found[0]

    def _tell(self, done: int, total: int | None) -> None:
        if self._stopped.is_set():
            raise Cancelled("Stopped; what has arrived is kept for the next time.")
        self._done = (done, total)

    def _finish(self, _: Path) -> None:
        self._look.stop()
        self.arrived = True
        self.ended.emit("")

    def _fail(self, error: Exception) -> None:
        self._look.stop()
        self.ended.emit(sentence_of(error))


def _fetched(entry: ModelEntry, told: Callable[[int, int | None], None]) -> Path | Exception:
    try:
        return weights.fetch(entry, consent=lambda _: True, progress=told)
    except Exception as error:  # it is told where it can be shown
        return error


class LicenceDialog(QDialog):
    """The terms of a model, to be accepted before its weights are fetched.

    Parameters
    ----------
    entry
        The model.
    size
        Of its file, in words.
    parent
        Over which it stands.
    """

    def __init__(self, entry: ModelEntry, size: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Licence of {entry.name}")
        self.setModal(True)
        fetched = f"Its weights ({size}) are fetched" if size else "Its weights are fetched"
        self.words = QLabel(
            "\n\n".join(
                (
                    f"{entry.title}. {entry.intended_use}",
                    entry.licence_text,
                    f"{fetched} once and stay on this computer. No image leaves it.",
                )
            )
        )
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons = QDialogButtonBox()
        self.take = self.buttons.addButton("Accept and download", QDialogButtonBox.ButtonRole.AcceptRole)
        self.leave = self.buttons.addButton("Do not accept", QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.words)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(380)
