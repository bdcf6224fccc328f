"""The button that starts from masks that are there already: those of a Labels layer, or of a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QMenu

from napari_vost.ui.adopt import labels_of
from napari_vost.ui.buttons import button
from napari_vost.ui.scene import Scene

_KINDS = "Masks (*.dcm *.seg *.nii *.nii.gz *.nrrd *.mha *.png *.tif *.tiff);;All files (*)"


class StartMasks:
    """A button whose menu names what one can start from.

    Parameters
    ----------
    scene
        Whose viewer holds the layers, and whose session gets the masks.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.button = button("Labels", "", lambda: None, "Start from masks that are there: a Labels layer, or a file")
        self.menu = QMenu(self.button)
        self.menu.aboutToShow.connect(self.fill)
        self.button.setMenu(self.menu)

    def fill(self) -> None:
        """Name what there is now."""
        self.menu.clear()
        for layer in self._scene.viewer.layers:
            if isinstance(layer, Labels) and not self._scene.owns(layer):
                take = partial(self._scene.studio.start_from, labels_of(layer))
                self.menu.addAction(f"Layer “{layer.name}”").triggered.connect(lambda _=False, take=take: take())
        self.menu.addAction("A file …").triggered.connect(lambda: self._ask())

    def _ask(self) -> None:
        found, _ = QFileDialog.getOpenFileName(self.button, "Start from the masks of a file", "", _KINDS)
        if found:
            self._scene.studio.start_from_file(Path(found))
