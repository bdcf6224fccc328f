"""The buttons with which one reviews, and how much is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from napari_vost.ui.buttons import button

_BUTTONS = (
    ("previous_weak", "Weak ◂", "The weak frame before: one that may well be wrong"),
    ("next_weak", "Weak ▸", "The next weak frame"),
    ("accept", "Accept", "This mask is right: it is locked; then to the next weak frame"),
    ("lock", "Lock", "Following may not change this frame, or may again"),
    ("end_here", "Ends here", "The object goes no further than this frame"),
    ("not_here", "Not here", "The object is not on this frame"),
)


class ReviewBar(QWidget):
    """Weak frames, acceptance, locks, ends.

    Parameters
    ----------
    actions
        By name, as in `keys.KEYS`.
    """

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        self.buttons: dict[str, QPushButton] = {}
        for place, (action, text, tip) in enumerate(_BUTTONS):
            self.buttons[action] = button(text, action, actions[action], tip)
            layout.addWidget(self.buttons[action], 1 + place // 2, place % 2)
        self.line = QLabel()
        self.line.setWordWrap(True)
        layout.addWidget(self.line, 0, 0, 1, 2)

    def say(self, line: str) -> None:
        """Write above the buttons."""
        self.line.setText(line)
