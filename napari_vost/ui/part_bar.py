"""The second slider of a 4D scan: its time points where slices are followed, its slices where time is."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from napari_vost.geometry import Part

_SAYS = {
    "time": "Time points of this scan. Each has marks, masks and undo of its own",
    "slice": "Slices of this scan. Each has marks, masks and undo of its own",
}


class PartBar(QWidget):
    """Says which time point or slice is shown, and asks for others; it is not there for a clip that is no part.

    Parameters
    ----------
    part
        What is shown, None for a clip that is no part.
    """

    asked = Signal(int)  # for this one, from 0

    def __init__(self, part: Part | None) -> None:
        super().__init__()
        self._part = part
        self.label, self.slider = QLabel(), QSlider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # keys stay with the canvas
        self.slider.setPageStep(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label)
        layout.addWidget(self.slider, 1)
        self.setVisible(part is not None)
        if part is None:
            return
        self.slider.setAccessibleName(part.kind.capitalize())
        self.setToolTip(f"{_SAYS[part.kind]} (Shift + wheel on the image)")
        self.slider.setRange(0, part.count - 1)
        widest = Part(part.kind, part.count - 1, part.count)
        self.label.setMinimumWidth(self.label.fontMetrics().horizontalAdvance(f"{widest} …") + 8)  # the slider stays
        self.show_part(part)
        self.slider.valueChanged.connect(self.asked)

    def step(self, by: int) -> None:
        """Ask for another one, counted from the one that was asked for last; it stops at the ends."""
        self.slider.setValue(self.slider.value() + by)

    def show_part(self, part: Part, waits: bool = False) -> None:
        """Show one without asking for it; with ``waits=True`` it is still being opened."""
        self.slider.blockSignals(True)
        self.slider.setValue(part.index)
        self.slider.blockSignals(False)
        self.label.setText(f"{part} …" if waits else str(part))
