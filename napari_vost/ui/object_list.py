"""The list of objects: colour, name, where it is, and whether it is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_vost.ui.lane_data import LaneData
from napari_vost.ui.studio import Studio

NAME, FRAMES = 0, 1
ROWS_SHOWN = 4
_ID = Qt.ItemDataRole.UserRole


class ObjectList(QTreeWidget):
    """Objects of a session; a click chooses one, the tick shows or hides it, a double click or F2 renames it.

    Parameters
    ----------
    studio
        Whose objects are listed.
    """

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._data: LaneData | None = None
        self._filling = False
        self._focused: QWidget | None = None  # what had the keyboard before a name was edited
        self.setColumnCount(2)
        self.setHeaderLabels(["Object", "Frames"])
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setAccessibleName("Objects")
        self.setToolTip("Click to choose, tick to show, double click to rename")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(14, 14))
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(FRAMES, QHeaderView.ResizeMode.ResizeToContents)
        self.currentItemChanged.connect(self._chosen)
        self.itemChanged.connect(self._edited)
        self._fill()

    def show_data(self, data: LaneData | None) -> None:
        """Say where objects are, from what the timeline shows."""
        self._data = data
        self._fill()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """Room for a few rows; more of them scroll."""
        row = self.sizeHintForRow(0) if self.topLevelItemCount() else 20
        return QSize(240, self.header().height() + ROWS_SHOWN * max(row, 20) + 6)

    def edit(self, *args: Any) -> Any:
        """Begin to edit a name; the keyboard goes back to where it was when that is over."""
        self._focused = QApplication.focusWidget()
        return super().edit(*args)

    def closeEditor(self, editor: QWidget, hint: Any) -> None:  # noqa: N802  # Qt's name
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
        swatch = QPixmap(14, 14)
        swatch.fill(QColor(*self._studio.colour(object_id)))
        icon = QIcon(swatch)
        icon.addPixmap(swatch, QIcon.Mode.Selected)  # else Qt tints the colour of the chosen one
        item.setIcon(NAME, icon)
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
        label, name = self._studio.label(object_id), item.text(NAME).strip()
        if name and name != label.name:
            self._studio.rename(object_id, replace(label, name=name))
        elif not name:
            self._fill()
