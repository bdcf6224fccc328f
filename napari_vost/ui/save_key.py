"""Ctrl+S on our masks: straight to our formats, for napari's own dialog proposes one that loses the geometry first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QKeySequence

from napari_vost.ui.layers import SESSION


class SaveKey(QObject):
    """Takes the save key of napari's File menu while our masks are all that is selected; else it is napari's.

    The entry of the menu itself is left as it is.

    Parameters
    ----------
    viewer
        Whose key it is.
    save
        What the key does then.
    parent
        With it, this ends too.
    """

    def __init__(self, viewer: Any, save: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._save = viewer, save
        key = QKeySequence(QKeySequence.StandardKey.Save)
        self._action = next((one for one in viewer.window.file_menu.actions() if key in one.shortcuts()), None)
        if self._action is not None:
            self._action.installEventFilter(self)

    def close_down(self) -> None:
        """Give the key back."""
        if self._action is not None:
            self._action.removeEventFilter(self)
            self._action = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Take the key where it is ours."""
        selected = self._viewer.layers.selection
        if event.type() != QEvent.Type.Shortcut or len(selected) != 1:
            return False
        if SESSION not in next(iter(selected)).metadata:
            return False
        self._save()
        return True
