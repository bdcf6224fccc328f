"""Parts of the dock that unfold below their title, and are seen when they do."""

from __future__ import annotations

import time
from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from qtpy.QtWidgets import QScrollArea, QToolButton, QWidget

SETTLING_S = 1.0  # after unfolding a part may still grow: what it says is found out on another thread

LATER_MS = 50


class Fold(QObject):
    """A title that shows and hides a part; what is shown is scrolled to.

    Parameters
    ----------
    title
        What stands on it.
    part
        What it unfolds; folded at first.
    unfolds
        Called when it does.
    """

    def __init__(self, title: str, part: QWidget, unfolds: Callable[[], object] | None = None) -> None:
        super().__init__(part)
        self._part, self._unfolds = part, unfolds
        self._until_s = 0.0
        self.head = head = QToolButton()
        head.setText(title)
        head.setToolTip("Show or hide")
        head.setCheckable(True)
        head.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        head.setArrowType(Qt.ArrowType.RightArrow)
        head.toggled.connect(self._fold)
        self._soon = QTimer(self, interval=0, singleShot=True)  # once it has its place
        self._later = QTimer(self, interval=LATER_MS, singleShot=True)
        for timer in (self._soon, self._later):
            timer.timeout.connect(self._show_all)
        part.setVisible(False)
        part.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A part that grows just after it was unfolded is still to be seen whole."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and time.monotonic() < self._until_s:
            self._soon.start()
        return False

    def _fold(self, shown: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self._part.setVisible(shown)
        self._until_s = time.monotonic() + SETTLING_S if shown else 0.0
        if shown:
            self._soon.start()
            if self._unfolds is not None:
                self._unfolds()

    def _show_all(self) -> None:
        """Scroll down as far as the end of the part wants it, and no further than its title."""
        around: QObject | None = self._part.parent()
        while around is not None and not isinstance(around, QScrollArea):
            around = around.parent()
        inside = around.widget() if isinstance(around, QScrollArea) else None
        if not isinstance(around, QScrollArea) or inside is None:
            return
        bar = around.verticalScrollBar()
        top = self.head.mapTo(inside, QPoint(0, 0)).y()
        bottom = self._part.mapTo(inside, QPoint(0, self._part.height())).y()
        wanted = min(max(bar.value(), bottom - around.viewport().height()), top)
        bar.setValue(wanted)
        if bar.value() < wanted and time.monotonic() < self._until_s:
            self._later.start()  # the column has not grown yet
