"""A thin progress bar that is painted together with the rest of the window."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar

HEIGHT_PX = 8


class ProgressBar(QProgressBar):
    """Qt's own bar paints the whole window before `setValue` returns, canvas and all; this one waits for its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextVisible(False)
        self.setMaximumHeight(HEIGHT_PX)
        self.hide()

    def show_share(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` is done; 0 of 0 where that is not known: it runs to and fro."""
        self.setUpdatesEnabled(False)
        self.setRange(0, total)
        self.setValue(min(done, total))
        self.setUpdatesEnabled(True)
