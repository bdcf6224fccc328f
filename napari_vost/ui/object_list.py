"""The list of objects: colour, name, where it is, and whether it is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QColorDialog,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from napari_vost.display.colours import COLOURS
from napari_vost.ui.lane_data import LaneData
from napari_vost.ui.name_list import NameDelegate, NameList, swatch
from napari_vost.ui.studio import Studio

NAME, FRAMES, COLOUR = 0, 1, 2
ROWS_SHOWN = 4
_SWATCH_PX = 26  # of the column
_ID = Qt.ItemDataRole.UserRole


class ObjectList(QTreeWidget):
    """Objects of a session; a click chooses one, the tick shows or hides it, a double click or F2 renames it.

    A double click on its colour asks for another one.

    Parameters
    ----------
    studio
        Whose objects are listed.
    names
        Completes a name that is typed.
    parent
        Of the widget.
    """

    def __init__(self, studio: Studio, names: NameList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio, self._names = studio, names
        self._dialog: QColorDialog | None = None
        self._data: LaneData | None = None
        self._filling = False
        self._focused: QWidget | None = None  # what had the keyboard before a name was edited
        self.setColumnCount(3)
        self.setHeaderLabels(["Object", "Frames", ""])
        self.setItemDelegateForColumn(NAME, NameDelegate(names, self))
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setAccessibleName("Objects")
        self.setToolTip("Click to choose, tick to show; double click the name or the colour to change it")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(14, 14))
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(FRAMES, QHeaderView.ResizeMode.ResizeToContents)
        self.header().setMinimumSectionSize(_SWATCH_PX)
        self.header().setSectionResizeMode(COLOUR, QHeaderView.ResizeMode.Fixed)
        self.header().resizeSection(COLOUR, _SWATCH_PX)
        self.header().moveSection(self.header().visualIndex(COLOUR), 0)
        self.itemDoubleClicked.connect(self._ask_colour)
        self.currentItemChanged.connect(self._chosen)
        self.itemChanged.connect(self._edited)
        self._fill()

    def show_data(self, data: LaneData | None) -> None:
        """Say where objects are, from what the timeline shows."""
        self._data = data
        self._fill()

    def sizeHint(self) -> QSize:
        """Room for a few rows; more of them scroll."""
        row = self.sizeHintForRow(0) if self.topLevelItemCount() else 20
        return QSize(240, self.header().height() + ROWS_SHOWN * max(row, 20) + 6)

    def edit(self, *given: Any) -> Any:
        """Begin to edit a name, nothing else; the keyboard goes back to where it was when that is over."""
        index = given[0]
        if len(given) == 3 and index.column() != NAME:
            return False
        self._focused = QApplication.focusWidget()
        return super().edit(*given)

    def closeEditor(self, editor: QWidget, hint: Any) -> None:
        """End it: else the keys of the canvas would be searched for in the list."""
        super().closeEditor(editor, hint)
        if self._focused is not None and self._focused is not self:
            self._focused.setFocus()

    def _fill(self) -> None:
        if self.state() == QAbstractItemView.State.EditingState:
            return
        self._filling = True
        ids = self._studio.object_ids
        while self.topLevelItemCount() > len(ids):
            self.takeTopLevelItem(self.topLevelItemCount() - 1)
        for row, object_id in enumerate(ids):
            item = self.topLevelItem(row)
            if item is None:
                item = QTreeWidgetItem(self)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable)
            self._write(item, object_id)
            if object_id == self._studio.object_id:
                self.setCurrentItem(item)
        self._filling = False

    def _write(self, item: QTreeWidgetItem, object_id: int) -> None:
        item.setData(NAME, _ID, object_id)
        item.setText(NAME, self._studio.label(object_id).name)
        hidden = object_id in self._studio.hidden
        item.setCheckState(NAME, Qt.CheckState.Unchecked if hidden else Qt.CheckState.Checked)
        item.setIcon(COLOUR, swatch(self._studio.colour(object_id)))
        lane = None if self._data is None else self._data.find(object_id)
        extent = None if lane is None else lane.extent
        item.setText(FRAMES, "" if extent is None else f"{extent[0] + 1}–{extent[1] + 1}")

    def _chosen(self, item: QTreeWidgetItem | None, _: QTreeWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self._studio.choose(int(item.data(NAME, _ID)))

    def _edited(self, item: QTreeWidgetItem, column: int) -> None:
        if self._filling or column != NAME:
            return
        object_id = int(item.data(NAME, _ID))
        hidden = item.checkState(NAME) == Qt.CheckState.Unchecked
        if hidden != (object_id in self._studio.hidden):
            self._studio.set_hidden(object_id, hidden)
        name = item.text(NAME).strip()
        if name and name != self._studio.label(object_id).name:
            self._names.name(object_id, name)
        elif not name:
            self._fill()

    def _ask_colour(self, item: QTreeWidgetItem, column: int) -> None:
        if column != COLOUR:
            return
        object_id = int(item.data(NAME, _ID))
        for place, colour in enumerate(COLOURS):  # those that colour-blind people can tell apart
            QColorDialog.setCustomColor(place, QColor(*colour))
        dialog = self._dialog = QColorDialog(QColor(*self._studio.colour(object_id)), self)
        dialog.setWindowTitle(f"Colour of {self._studio.label(object_id).name}")
        dialog.colorSelected.connect(lambda colour: self._recolour(object_id, colour))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _recolour(self, object_id: int, colour: QColor) -> None:
        chosen = (colour.red(), colour.green(), colour.blue())
        self._studio.rename(object_id, replace(self._studio.label(object_id), colour_rgb=chosen))
