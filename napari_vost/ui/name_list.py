"""Names for objects from a list of the user's: in a menu, and while a name is typed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QCompleter,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from napari_vost.io.name_lists import SUFFIXES, read_names
from napari_vost.types import Label
from napari_vost.ui.background import Running
from napari_vost.ui.buttons import button
from napari_vost.ui.jobs import sentence_of
from napari_vost.ui.remembered import Remembered
from napari_vost.ui.studio import Studio

_LIST = "name list"
_SWATCH_PX = 14


class NameList:
    """The names of one list, and the button whose menu gives one of them to the chosen object.

    Parameters
    ----------
    studio
        Whose objects are named.
    remembered
        Where the list that was loaded last is kept.
    """

    def __init__(self, studio: Studio, remembered: Remembered) -> None:
        self._studio, self._remembered = studio, remembered
        self.labels: dict[str, Label] = {}
        self.button: QPushButton = button("Name", "", lambda: None, "Name the chosen object from a list of names")
        self.menu = QMenu(self.button)
        self.menu.setStyleSheet("QMenu { menu-scrollable: 1; }")
        self.menu.aboutToShow.connect(self._fill)
        self.button.setMenu(self.menu)
        path = remembered.get(_LIST, "")
        if path:
            self.load(Path(path), silent=True)

    def load(self, path: Path, silent: bool = False) -> None:
        """Take another list; it is read on a thread of its own."""
        Running(partial(read_names, path), partial(self._take, path, silent), partial(self._fail, silent), self.button)

    def name(self, object_id: int, name: str) -> None:
        """Call an object so; where the list knows the name it gives the colour too."""
        known, label = self.labels.get(name), self._studio.label(object_id)
        colour = label.colour_rgb if known is None else known.colour_rgb or label.colour_rgb
        self._studio.rename(object_id, replace(label, name=name, colour_rgb=colour))

    def _take(self, path: Path, silent: bool, labels: tuple[Label, ...]) -> None:
        self.labels = {label.name: label for label in labels}
        self._remembered.set(_LIST, str(path.resolve()))
        if not silent:
            self._studio.said.emit(f"{len(labels)} names are ready in the menu, and while you type a name.")

    def _fail(self, silent: bool, error: Exception) -> None:
        if silent:
            self._remembered.set(_LIST, "")  # it has gone: nothing that must be said at every start
        else:
            self._studio.failed.emit(sentence_of(error))

    def _fill(self) -> None:
        self.menu.clear()
        self.menu.addAction("Load a list of names …").triggered.connect(lambda: self._ask())
        self.menu.addSeparator()
        for name, label in self.labels.items():
            action = self.menu.addAction(name)
            if label.colour_rgb is not None:
                action.setIcon(swatch(label.colour_rgb))
            action.triggered.connect(lambda _=False, name=name: self.name(self._studio.object_id, name))

    def _ask(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        found, _ = QFileDialog.getOpenFileName(self.button, "Load a list of names", "", f"Lists of names ({kinds})")
        if found:
            self.load(Path(found))


class NameDelegate(QStyledItemDelegate):
    """The line in which a name is typed, with the names of a list that match.

    Parameters
    ----------
    names
        The list.
    parent
        The view.
    """

    def __init__(self, names: NameList, parent: QWidget) -> None:
        super().__init__(parent)
        self._names = names

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        """A line that completes."""
        line = QLineEdit(parent)
        if self._names.labels:
            completer = QCompleter(list(self._names.labels), line)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            line.setCompleter(completer)
        return line


def swatch(colour: tuple[int, int, int]) -> QIcon:
    """A square of a colour."""
    square = QPixmap(_SWATCH_PX, _SWATCH_PX)
    square.fill(QColor(*colour))
    icon = QIcon(square)
    icon.addPixmap(square, QIcon.Mode.Selected)  # else Qt tints the colour of the chosen row
    return icon
