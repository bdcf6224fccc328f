"""Saving our masks from napari's File menu: straight to our formats, for napari's dialog first offers a poorer one.

That one, TIFF, loses the geometry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtGui import QAction, QKeySequence

from napari_vost.ui.layers import SESSION


class SaveKey(QObject):
    """Takes the save key of napari's File menu, and its entry, while our masks are all that is selected.

    With any other selection both are napari's; the entry is exchanged only as long as the menu is open.

    Parameters
    ----------
    viewer
        Whose menu it is.
    save
        What key and entry do then.
    parent
        With it, this ends too.
    """

    def __init__(self, viewer: Any, save: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._save, self._menu = viewer, save, viewer.window.file_menu
        key = QKeySequence(QKeySequence.StandardKey.Save)
        self._action = next((one for one in self._menu.actions() if key in one.shortcuts()), None)
        shown = key.toString(QKeySequence.SequenceFormat.NativeText)
        self._ours = QAction(f"Save Masks...\t{shown}", self)
        self._ours.triggered.connect(lambda: self._save())
        self._ours.setVisible(False)
        self._after = QTimer(self, interval=0, singleShot=True)  # what the menu has closed for comes first
        self._after.timeout.connect(self._show_theirs)
        if self._action is not None:
            self._action.installEventFilter(self)
            self._menu.insertAction(self._action, self._ours)
            self._menu.aboutToShow.connect(self._show_ours)
            self._menu.aboutToHide.connect(self._after.start)

    def close_down(self) -> None:
        """Give key and entry back."""
        if self._action is not None:
            self._menu.aboutToShow.disconnect(self._show_ours)
            self._menu.aboutToHide.disconnect(self._after.start)
            self._after.stop()
            self._show_theirs()
            self._menu.removeAction(self._ours)
            self._action.removeEventFilter(self)
            self._action = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the key where it is ours."""
        if event.type() != QEvent.Type.Shortcut or not self._only_ours:
            return False
        self._save()
        return True

    @property
    def _only_ours(self) -> bool:
        selected = self._viewer.layers.selection
        return len(selected) == 1 and SESSION in next(iter(selected)).metadata

    def _show_ours(self) -> None:
        ours = self._only_ours
        self._ours.setVisible(ours)
        if self._action is not None and ours:
            self._action.setVisible(False)

    def _show_theirs(self) -> None:
        if self._action is not None and self._ours.isVisible():
            self._action.setVisible(True)
        self._ours.setVisible(False)
