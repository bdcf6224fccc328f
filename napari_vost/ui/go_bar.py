"""The buttons with which one gets about: objects, marked frames, steps and ends; and the one that bares the image."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtWidgets import QGridLayout, QPushButton, QWidget

from napari_vost.ui.buttons import button

_BUTTONS = (
    ("previous_object", "◂ Object", "The object before in the list; Ctrl+1 to Ctrl+9 choose one by its number"),
    ("next_object", "Object ▸", "The next object in the list; Ctrl+1 to Ctrl+9 choose one by its number"),
    ("previous_prompted", "◂ Marked", "The marked frame before this one"),
    ("next_prompted", "Marked ▸", "The next marked frame"),
    ("back_10", "◂ 10", "Ten frames back"),
    ("on_10", "10 ▸", "Ten frames on"),
    ("first_frame", "First", "The first frame of the chosen object"),
    ("last_frame", "Last", "The last frame of the chosen object"),
)


class GoBar(QWidget):
    """Where to go, and a look below the masks.

    Parameters
    ----------
    actions
        By name, as in `keys.KEYS`.
    hide
        Called with True when the image is to be bare, and with False when it was.
    """

    def __init__(self, actions: Mapping[str, Callable[[], None]], hide: Callable[[bool], None]) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        self.buttons: dict[str, QPushButton] = {}
        for place, (action, text, tip) in enumerate(_BUTTONS):
            self.buttons[action] = button(text, action, actions[action], tip)
            layout.addWidget(self.buttons[action], place // 2, place % 2)
        self.bare = button("Bare image", "hide", lambda: None, "Marks and masks are hidden as long as it is held")
        self.bare.pressed.connect(lambda: hide(True))
        self.bare.released.connect(lambda: hide(False))
        layout.addWidget(self.bare, len(_BUTTONS) // 2, 0, 1, 2)
