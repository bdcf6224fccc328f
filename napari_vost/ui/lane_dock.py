"""Where the timeline stands in the window, and the way back to it once it was closed or hidden."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

from napari_vost.ui.buttons import button

LANE = "VOST timeline"


class LaneDock(QObject):
    """Shows a widget below the canvas; `button` is there while the widget is not to be seen.

    Parameters
    ----------
    viewer
        In whose window.
    lane
        The widget.
    """

    def __init__(self, viewer: Any, lane: QWidget) -> None:
        super().__init__()
        self._viewer, self._lane = viewer, lane
        self._dock: Any = None
        self.button = button("Show the timeline", "", self.show, "It was closed or hidden; nothing of it is lost")
        self.button.hide()
        lane.installEventFilter(self)

    def show(self) -> None:
        """Put the timeline below the canvas, or back there."""
        if self._lane.parent() is None:  # new, or napari has thrown the dock away: its close button does
            self._dock = self._viewer.window.add_dock_widget(self._lane, area="bottom", name=LANE)
            self._lane.show()
        elif self._dock is not None:
            self._dock.show()
            self._dock.raise_()

    def close_down(self) -> None:
        """Take the timeline away."""
        self._lane.removeEventFilter(self)
        dock, self._dock = self._dock, None
        if dock is not None and self._lane.parent() is not None:
            with suppress(LookupError):
                self._viewer.window.remove_dock_widget(self._lane)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Offer the way back while the timeline is not to be seen."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self.button.setVisible(event.type() == QEvent.Type.Hide)
        return False
