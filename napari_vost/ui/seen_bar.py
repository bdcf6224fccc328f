"""One button that has the network see what the screen shows, and says what that costs."""

from __future__ import annotations

from math import isclose
from typing import Any

from qtpy.QtWidgets import QGridLayout, QWidget
from superqt import QElidingLabel

from napari_vost.clip import Clip, Window
from napari_vost.intensity import window_words
from napari_vost.ui.buttons import button
from napari_vost.ui.engine_room import EngineRoom
from napari_vost.ui.follow_bar import left_text
from napari_vost.ui.windowing import Windowing, said

AS_STORED = Window(0.0, 255.0)  # how the network sees 8-bit frames that have no window


class SeenBar(QWidget):
    """The button "Segment in this window", and the way back; no other change of the display changes what is seen.

    It is there only where screen and network differ, or the network sees a window that was chosen.

    Parameters
    ----------
    room
        What knows and changes what the network sees.
    windowing
        The window on the screen.
    clip
        Its frames are seen anew.
    """

    def __init__(self, room: EngineRoom, windowing: Windowing, clip: Clip) -> None:
        super().__init__()
        self._room, self._windowing, self._frames = room, windowing, len(clip)
        self.button = button("Segment in this window", "", self._take, "")
        self.automatic = button("Automatic", "", self._give_back, "Let the network see the window that suits the scan")
        self.line = QElidingLabel()
        self._grid = layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.button, 0, 0)
        layout.addWidget(self.automatic, 0, 1)
        layout.addWidget(self.line, 1, 0, 1, 2)
        layout.setColumnStretch(0, 2)
        windowing.changed.connect(self._show)
        room.changed.connect(self._show)
        self._show()

    def close_down(self) -> None:
        """Listen no longer."""
        self._windowing.changed.disconnect(self._show)
        self._room.changed.disconnect(self._show)

    @property
    def cost(self) -> str:
        """What another window costs, in words."""
        seconds = self._room.see_s(self._frames)
        frames = "1 frame is" if self._frames == 1 else f"{self._frames} frames are"
        return f"{frames} seen anew" + ("" if seconds is None else f": about {left_text(seconds)}")

    def enterEvent(self, event: Any) -> None:
        """The cost is known better with every frame that is seen."""
        self._show()
        super().enterEvent(event)

    def _take(self) -> None:
        self._room.use({"window": window_words(self._windowing.window)}, "One moment …")

    def _give_back(self) -> None:
        self._room.use({"window": "auto"}, "One moment …")

    def _show(self, _: object = None) -> None:
        facts = self._room.facts
        if facts is None or facts.problem:
            self.hide()
            return
        seen, shown = facts.window or AS_STORED, self._windowing.window
        same = isclose(seen.low, shown.low, abs_tol=1e-6) and isclose(seen.high, shown.high, abs_tol=1e-6)
        self.button.setEnabled(not same)
        self.button.setText("The network sees this" if same else "Segment in this window")
        self.line.setText(self.cost)
        self.line.setVisible(not same)
        self.button.setToolTip(
            f"The network sees {said(seen)}, whatever the screen shows. "
            f"In the window that is shown {self.cost}; marks and masks are kept."
        )
        own = facts.options.window != "auto"
        self.automatic.setVisible(own)
        self._grid.setColumnStretch(1, int(own))
        self._grid.setHorizontalSpacing(3 if own else 0)
        self.setVisible(self._windowing.available and (own or not same))  # where nothing is to be said, it says nothing
