"""How masks are drawn: as outlines, so that the image is seen, or filled as strongly as a slider says."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QSlider, QWidget

from napari_vost.ui.buttons import button
from napari_vost.ui.remembered import Remembered
from napari_vost.ui.scene import Scene
from napari_vost.ui.tools import PAINTING, Tools

OUTLINE, FILL = "outline", "fill"
FILL_PERCENT, OUTLINE_PX = 45, 1  # of ours; napari draws one pixel more, outside of the mask
_LETTERS = 7, 16  # wide


class MaskLook(QWidget):
    """A button and a slider; what is chosen is remembered. Under a brush and in 3D masks are filled.

    Parameters
    ----------
    scene
        Whose masks.
    tools
        Whether a brush is in the hand.
    remembered
        Where the choice is kept.
    """

    def __init__(self, scene: Scene, tools: Tools, remembered: Remembered) -> None:
        super().__init__()
        self._scene, self._tools, self._remembered = scene, tools, remembered
        self._applied: tuple[int, float] | None = None
        self.outline = button("Outline", "", self._choose, "Masks as outlines, or filled", checkable=True)
        self.outline.setChecked(remembered.get(OUTLINE, True))
        self.fill = QSlider(Qt.Orientation.Horizontal)
        self.fill.setRange(0, 100)
        self.fill.setValue(remembered.get(FILL, FILL_PERCENT))
        self.fill.setToolTip("How strongly masks are filled; moved, it fills them")
        self.fill.setAccessibleName("Strength of filled masks")
        self.fill.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for part, letters in zip((self.outline, self.fill), _LETTERS, strict=True):
            layout.addWidget(part, letters)
        self.fill.valueChanged.connect(self._fill)
        self.fill.sliderReleased.connect(self._keep)
        tools.changed.connect(self._apply)
        scene.made.connect(self._made)
        scene.view.changed.connect(self._apply)
        self._apply()

    def close_down(self) -> None:
        """Listen no longer."""
        self._tools.changed.disconnect(self._apply)
        self._scene.made.disconnect(self._made)
        self._scene.view.changed.disconnect(self._apply)

    @property
    def outlined(self) -> bool:
        """Whether masks are drawn as outlines now."""
        in_3d = self._scene.view.through is None
        return self.outline.isChecked() and self._tools.tool not in PAINTING and not in_3d

    def _choose(self) -> None:
        self._apply()
        self._keep()

    def _fill(self) -> None:
        self.outline.setChecked(False)
        self._apply()

    def _keep(self) -> None:
        self._remembered.set(OUTLINE, self.outline.isChecked())
        self._remembered.set(FILL, self.fill.value())

    def _made(self) -> None:
        """The layer was made again and looks like any other one."""
        self._applied = None
        self._apply()

    def _apply(self, _: Any = None) -> None:
        outlined = self.outlined
        looks = OUTLINE_PX if outlined else 0, 1.0 if outlined else self.fill.value() / 100
        if looks != self._applied:  # what the user has set in napari's own panel stays until then
            self._applied = looks
            self._scene.masks.contour, self._scene.masks.opacity = looks
