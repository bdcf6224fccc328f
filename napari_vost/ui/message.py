"""What is said while one works: a line or two at the foot of the dock that go away by themselves.

They are no notifications of napari: of several that follow one another it closes only the last by itself (0.9.2).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_vost.ui.say import breakable, in_window

SAID_MS, WARNED_MS = 6000, 15_000  # how long a word stands; a warning is read by somebody who did not expect it
MOST = 3  # sentences at a time
_AMBER, _GREY = "#E69F00", "#7F7F7F"


@dataclass(frozen=True)
class Sentence:
    """Something that stands there, whether it warns, and until when (`time.monotonic`)."""

    words: str
    warns: bool
    until: float


class Message(QLabel):
    """The newest sentences; a click on them takes them away.

    Parameters
    ----------
    parent
        The dock. While it cannot be seen, sentences go to napari's notifications.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._dock = parent
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setToolTip("Click to take it away")
        self._standing: tuple[Sentence, ...] = ()
        self._colour = ""
        self._clock = QTimer(self, singleShot=True)
        self._clock.timeout.connect(self._look)
        self.hide()

    def say(self, words: str) -> None:
        """Say what was done."""
        self._add(words, warns=False)

    def warn(self, words: str) -> None:
        """Say what could not be done."""
        self._add(words, warns=True)

    def note(self, notices: Iterable[str]) -> None:
        """Say what a reader has to say of a clip."""
        for words in notices:
            self.warn(in_window(words))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take everything away."""
        self._show(())

    def _add(self, words: str, warns: bool) -> None:
        if not self._dock.isVisible():
            (show_warning if warns else show_info)(words)
            return
        fresh = Sentence(words, warns, time.monotonic() + (WARNED_MS if warns else SAID_MS) / 1000)
        others = tuple(one for one in self._standing if one.words != words and one.warns)  # news replaces old news
        self._show((*others, fresh)[-MOST:])

    def _look(self) -> None:
        now = time.monotonic()
        self._show(tuple(one for one in self._standing if one.until > now))

    def _show(self, standing: tuple[Sentence, ...]) -> None:
        self._standing = standing
        self.setText("\n".join(breakable(one.words) for one in standing))
        self._edge(_AMBER if any(one.warns for one in standing) else _GREY)
        self.setVisible(bool(standing))
        if standing:
            self._clock.start(max(1, round(1000 * (min(one.until for one in standing) - time.monotonic())) + 1))
        else:
            self._clock.stop()

    def _edge(self, colour: str) -> None:
        if colour != self._colour:  # Qt works out the whole style anew
            self._colour = colour
            self.setStyleSheet(f"QLabel {{ border-left: 4px solid {colour}; padding: 4px 6px; }}")
