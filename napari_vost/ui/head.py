"""The line on top of the dock: whose case is open, and the way back to the first screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

if TYPE_CHECKING:
    from napari_vost.cases import OpenCase


class Head(QWidget):
    """A title and two buttons."""

    close_asked = Signal()
    mine_asked = Signal()  # a copy of another reader's case
    name_asked = Signal()  # a name for a new case

    def __init__(self) -> None:
        super().__init__()
        self._case = ""
        self._title = QLabel()
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._mine = _button("Make mine", "Copy this case under your own name and go on in the copy")
        self._mine.clicked.connect(lambda: self.mine_asked.emit())
        self._name = _button("Name …", "Choose what this case is called; otherwise it gets a number")
        self._name.clicked.connect(lambda: self.name_asked.emit())
        close = _button("Close", "Back to the first screen; the work is saved")
        close.clicked.connect(lambda: self.close_asked.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._title, 1)
        layout.addWidget(self._name)
        layout.addWidget(self._mine)
        layout.addWidget(close)

    def say(self, words: str) -> None:
        """Write instead of the case."""
        self._title.setText(words)

    def show_case(self, case: OpenCase | None, alias: str = "") -> None:
        """Write whose case is open; None for work that is no case yet, and ``alias`` what that will be called."""
        reader = f" · {case.case.reader}" if case is not None and case.case.reader else ""
        read_only = "" if case is None else case.read_only
        self._case = (case.case.alias if case is not None else alias or "New case") + reader
        self._title.setText(self._case)
        self._title.setToolTip(read_only)
        self._mine.setVisible(bool(read_only))
        self._name.setVisible(case is None and not alias)
        self.show()

    def show_problem(self, problem: str) -> None:
        """Write that the case cannot be saved, as long as that is so; "" when it is."""
        unsaved = f"{self._case} · NOT SAVED"
        if problem:
            self._title.setText(unsaved)
            self._title.setToolTip(problem)
        elif self._title.text() == unsaved:
            self._title.setText(self._case)
            self._title.setToolTip("")


def _button(words: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(words)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
