"""Buttons as all parts of the dock have them."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QSizePolicy

from napari_vost.ui.keys import key_of


def button(text: str, action: str, pressed: Callable[[], object], tip: str, checkable: bool = False) -> QPushButton:
    """A button that shows its key and never takes the keyboard from the canvas by a click.

    Parameters
    ----------
    text, tip
        What stands on it, and what is said when the mouse rests.
    action
        As in `keys.KEYS`; "" for one without a key.
    pressed
        What it does.
    checkable
        Whether it stays down.
    """
    key = key_of(action)
    made = QPushButton(f"{text}  {key}" if key else text)
    made.setToolTip(f"{tip} ({key})" if key else tip)
    made.setAccessibleName(text)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # so that 300 px are enough
    made.setMinimumWidth(40)
    made.setCheckable(checkable)
    made.clicked.connect(lambda: pressed())
    return made
