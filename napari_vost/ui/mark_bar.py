"""The buttons with which one marks: tools, add or remove, undo and redo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QWidget

from napari_vost.ui.buttons import button
from napari_vost.ui.tools import PAINTING, Tool, Tools

_TIPS: dict[Tool, str] = {
    "point": "Click a structure: left adds, right removes, a click on a mark takes it away",
    "box": "Drag a box around a structure",
    "scribble": "Draw a stroke inside a structure, or on what is not part of it",
    "lasso": "Draw around a structure, or around what is to be cut off",
    "brush": "Paint the mask by hand; the frame is then yours and locked",
    "eraser": "Rub out by hand",
    "polygon": "Click a polygon, double click ends it",
    "fill": "Fill a closed part",
}


class MarkBar(QWidget):
    """Tools and steps.

    Parameters
    ----------
    tools
        What the buttons arm.
    actions
        ``swap``, ``undo``, ``redo`` and one per tool.
    """

    def __init__(self, tools: Tools, actions: Mapping[str, Callable[[], None]]) -> None:
        super().__init__()
        self._tools = tools
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        self.buttons: dict[str, QPushButton] = {}
        for place, tool in enumerate(get_args(Tool)):
            key = "" if tool in PAINTING else tool
            made = button(tool.capitalize(), key, actions[tool], _TIPS[tool], checkable=True)
            layout.addWidget(made, place // 3, place % 3)
            self.buttons[tool] = made
        self.buttons["swap"] = button(
            "Add", "swap", actions["swap"], "What a left click means: it adds, or it removes", checkable=True
        )
        self.buttons["undo"] = button("Undo", "undo", actions["undo"], "Take the last step back, whatever it was")
        self.buttons["redo"] = button("Redo", "redo", actions["redo"], "Do it again")
        layout.addWidget(self.buttons["swap"], 2, 2)
        steps = QHBoxLayout()
        for step in ("undo", "redo"):
            steps.addWidget(self.buttons[step])
        layout.addLayout(steps, 3, 0, 1, 3)
        tools.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is armed."""
        for tool in get_args(Tool):
            self.buttons[tool].setChecked(self._tools.tool == tool)
        swap = self.buttons["swap"]
        swap.setChecked(not self._tools.positive)
        swap.setText(("Add" if self._tools.positive else "Remove") + "  T")
