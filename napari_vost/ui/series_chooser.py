"""Which clip is meant, where a path holds several: one of the series in it, or a part of a 4D one."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_vost.io.readers import Description, SeriesDescription

Choices = dict[str, Any]  # what `open_clip` takes: order, axis, at, series
_MOST_ROWS = 12
_COLUMNS = ("", "What", "Size", "Spacing", "More")


class SeriesChooser(QDialog):
    """Asks for one series, and of a 4D one for a time point or a slice; `choices` says what was chosen.

    It shows no name, number or date of a patient; files are told by their names only where nothing else tells them.

    Parameters
    ----------
    description
        What the path holds.
    parent
        Over which it stands.
    """

    def __init__(self, description: Description, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which clip?")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._description = description
        self.choices: Choices | None = None
        self.table = self._make_table()
        self.part = _Part()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        several = len(description.series) > 1
        words = (
            f"{len(description.series)} series are here. Which one?" if several else "This scan has slices and time."
        )
        layout.addWidget(QLabel(words))
        layout.addWidget(self.table, 1)
        layout.addWidget(self.part)
        layout.addWidget(self.buttons)
        self.table.currentItemChanged.connect(self._show_part)
        self.table.itemDoubleClicked.connect(self._open_item)
        items = [self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount())]
        first = next((item for item in items if item is not None and not item.isDisabled()), None)
        if first is not None:
            self.table.setCurrentItem(first)
        self._show_part()
        self.table.setFocus()

    @property
    def chosen(self) -> SeriesDescription | None:
        """The series that is marked, None where none can be opened."""
        item = self.table.currentItem()
        if item is None or item.isDisabled():
            return None
        return self._description.series[self.table.indexOfTopLevelItem(item)]

    def accept(self) -> None:
        """Take what is marked."""
        chosen = self.chosen
        if chosen is None:
            return
        self.choices = {"series": chosen.number} if len(self._description.series) > 1 else {}
        if chosen.time_points is not None:
            self.choices |= self.part.choices
        super().accept()

    def _make_table(self) -> QTreeWidget:
        table = QTreeWidget()
        table.setRootIsDecorated(False)
        table.setUniformRowHeights(True)
        table.setAllColumnsShowFocus(True)
        table.setHeaderLabels(list(_COLUMNS))
        for one in self._description.series:
            item = QTreeWidgetItem(list(_words(one)))
            item.setToolTip(4, one.problem or "\n".join(one.notices))
            item.setDisabled(bool(one.problem))
            table.addTopLevelItem(item)
        for column in range(len(_COLUMNS)):
            table.resizeColumnToContents(column)
        rows = len(self._description.series)
        height = max(table.sizeHintForRow(0), table.fontMetrics().lineSpacing())
        frame = table.header().sizeHint().height() + 2 * table.frameWidth() + 4
        table.setMinimumHeight(frame + min(rows, _MOST_ROWS) * height)
        if rows <= _MOST_ROWS:
            table.setMaximumHeight(frame + (rows + 1) * height)  # room for a scroll bar along the columns
        table.setMinimumWidth(min(table.header().length() + 40, 760))
        return table

    def _show_part(self) -> None:
        chosen = self.chosen
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(chosen is not None)
        self.part.show_series(chosen)

    def _open_item(self, item: QTreeWidgetItem) -> None:
        if not item.isDisabled():
            self.accept()


class _Part(QWidget):
    """Volume of one time point, or cine of one slice."""

    def __init__(self) -> None:
        super().__init__()
        self.volume = QRadioButton("Slices: the volume at time point")
        self.cine = QRadioButton("Time: the cine of slice")
        self.time_point, self.slice = QSpinBox(), QSpinBox()
        self._group = QButtonGroup(self)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Along which of them are objects followed?"), 0, 0, 1, 3)
        for row, (radio, number) in enumerate(((self.volume, self.time_point), (self.cine, self.slice)), 1):
            self._group.addButton(radio)
            layout.addWidget(radio, row, 0)
            layout.addWidget(number, row, 1)
            number.setMinimum(1)
            number.setAccessibleName(radio.text())
            number.valueChanged.connect(radio.click)
        layout.setColumnStretch(2, 1)
        self.volume.setChecked(True)

    @property
    def choices(self) -> Choices:
        """Order, and the time point or slice, from 0."""
        if self.volume.isChecked():
            return {"order": "depth", "at": self.time_point.value() - 1}
        return {"order": "time", "at": self.slice.value() - 1}

    def show_series(self, series: SeriesDescription | None) -> None:
        """Offer the time points and slices of a 4D series; hide for another one."""
        points, slices = (None, None) if series is None else (series.time_points, series.slices)
        self.setVisible(points is not None)
        if points is None or slices is None:
            return
        for number, count, start in ((self.time_point, points, 1), (self.slice, slices, slices // 2 + 1)):
            number.blockSignals(True)
            number.setMaximum(count)
            number.setSuffix(f" of {count}")
            number.setValue(start)
            number.blockSignals(False)


def _words(one: SeriesDescription) -> tuple[str, ...]:
    """Number, what it is, size, spacing, and what tells it from the others."""
    if one.time_points is not None:
        kind, size = "4D", f"{one.time_points} times × {one.slices} × {one.height} × {one.width}"
    else:
        kind = {"depth": "slices", "time": "cine"}.get(one.order or "", "")
        size = f"{one.frames} × {one.height} × {one.width}" if one.frames else ""
    what = " ".join(word for word in (one.modality, kind or one.kind, "colour" if one.colour else "") if word)
    spacing = "" if one.spacing_mm_zyx is None else "{:.3g} × {:.3g} × {:.3g} mm".format(*one.spacing_mm_zyx)
    more = [one.label, one.orientation and f"axes {one.orientation}", "" if one.uid else one.path]
    if one.tilt_deg > 0.1:
        more.append(f"tilted {one.tilt_deg:.0f}°")
    if one.problem:
        more = [one.problem]
    return str(one.number), what, size, spacing, ", ".join(word for word in more if word)
